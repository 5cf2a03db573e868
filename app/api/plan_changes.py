"""A draft plan changed by hand, kept as a version, compared; trucks that break down."""

from __future__ import annotations

from app import access
from app.api.carrier import plan_out
from app.api.carrier_shapes import Made, PlanOut
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.plan_shapes import (
    CompareQuery,
    ComparisonOut,
    FigureOut,
    MovedOut,
    OperationsIn,
    PlaceOut,
    StepOut,
    StepsOut,
)
from app.api.schemas import Schema
from app.core.permissions import Permission
from app.logistics import plan_compare, plan_desk, plan_edit, plan_views, trouble
from app.logistics.plan_ops import Edit
from app.texts import dispatch as texts

api = Api("plan_changes", tag="Logistics")
STOP = "018f3b6e-0000-7000-8000-000000000001"


def _shown(plan: str, edit: int) -> Answer:
    return Answer(plan_out(plan_views.plan(access.actor().carrier_id, given_id(plan))), headers=etag(edit))


@api.patch(
    "/carrier/route-plans/{plan}/stops",
    permission=Permission.CARRIER_PLAN,
    body=OperationsIn,
    answer=PlanOut,
    summary="Change a draft by hand: move, swap, lock, split, assign",
    example={
        "operations": [
            {"op": "move", "stop": STOP, "vehicle": "018f3b6e-0000-7000-8000-000000000002", "last": True},
            {"op": "lock", "stop": STOP},
        ]
    },
)
def change(body: OperationsIn, plan: str) -> Answer:
    """All or none, each a step that can be undone. If-Match with `edit` refuses a change over somebody else's: 412
    `stale_version` names in `changes` who did what. Rules may be broken on a draft and are named in `violations`.
    """
    edits = [Edit(**operation.model_dump()) for operation in body.operations]
    return _shown(plan, plan_edit.apply(access.actor(), given_id(plan), edits, expected_version()))


@api.post(
    "/carrier/route-plans/{plan}/undo",
    permission=Permission.CARRIER_PLAN,
    answer=PlanOut,
    summary="Take the last change by hand back",
)
def undo(plan: str) -> Answer:
    """Honours If-Match; 409 `nothing_to_undo`."""
    return _shown(plan, plan_edit.undo(access.actor(), given_id(plan), expected_version()))


@api.post(
    "/carrier/route-plans/{plan}/redo",
    permission=Permission.CARRIER_PLAN,
    answer=PlanOut,
    summary="Make the change that was undone last again",
)
def redo(plan: str) -> Answer:
    """Honours If-Match; 409 `nothing_to_redo`."""
    return _shown(plan, plan_edit.redo(access.actor(), given_id(plan), expected_version()))


@api.post(
    "/carrier/route-plans/{plan}/copy",
    permission=Permission.CARRIER_PLAN,
    answer=Made,
    status=201,
    summary="Keep the plan as the day's next version",
)
def copy(plan: str) -> Made:
    """A draft of its own; the plan itself stays as it is. The only way to change what is published."""
    return Made(id=plan_edit.keep_as_new(access.actor(), given_id(plan)))


@api.get(
    "/carrier/route-plans/{plan}/steps",
    permission=Permission.CARRIER_VIEW,
    answer=StepsOut,
    summary="Changes made by hand: who, when, what",
)
def steps(plan: str) -> StepsOut:
    """The newest twenty."""
    carrier_id = access.actor().carrier_id
    desk = plan_desk.desk(carrier_id, plan_views.plan(carrier_id, given_id(plan)))
    return StepsOut(
        edit=desk.edit,
        steps=[
            StepOut(
                number=one.number, kind=one.kind, details=one.details, detail=texts.step(one.kind, one.details),
                who=one.who, at=one.at, undone=one.undone,
            )
            for one in desk.steps
        ],
    )  # fmt: skip


@api.get(
    "/carrier/route-plans/{plan}/compare",
    permission=Permission.CARRIER_VIEW,
    query=CompareQuery,
    answer=ComparisonOut,
    summary="Two plans side by side",
)
def compare(query: CompareQuery, plan: str) -> ComparisonOut:
    """`a` is the plan of the address, `b` the one named in `with`, else the version before; 404 when there is none."""
    carrier_id, key = access.actor().carrier_id, given_id(plan)
    found = plan_compare.compare(carrier_id, key, query.other or plan_compare.version_before(carrier_id, key))
    return ComparisonOut(
        a=found.a.head.public_id,
        b=found.b.head.public_id,
        figures=[FigureOut(name=one.name, kind=one.kind, a=one.a, b=one.b) for one in found.figures],
        moved=[
            MovedOut(delivery=one.delivery, number=one.number, lot=one.lot, a=_place(one.a), b=_place(one.b))
            for one in found.moved
        ],
        same=found.same,
    )


def _place(one: plan_compare.Place | None) -> PlaceOut | None:
    return (
        None
        if one is None
        else PlaceOut(vehicle=one.vehicle, number=one.number, arrival=one.arrival, late_s=one.late_s)
    )


class BrokenIn(Schema):
    """What happened, for colleagues."""

    note: str = ""


@api.post(
    "/carrier/vehicles/{vehicle}/broken",
    permission=Permission.CARRIER_PLAN,
    body=BrokenIn,
    summary="A truck cannot go on today",
    example={"note": "gearbox, stands at the bridge"},
)
def broken(body: BrokenIn, vehicle: str) -> None:
    """Its shift ends, the board raises an alert; 409 `already_broken`."""
    trouble.mark_broken(access.actor(), given_id(vehicle), body.note)


@api.post("/carrier/vehicles/{vehicle}/mended", permission=Permission.CARRIER_PLAN, summary="The truck drives again")
def mended(vehicle: str) -> None:
    """Its shift of the day is given back."""
    trouble.mark_mended(access.actor(), given_id(vehicle))
