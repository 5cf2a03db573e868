"""A plan changed by hand: every operation, what breaks is said as the checker says it, and steps go back and forth."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid, NotFound, Stale
from app.core.ids import uuid7
from app.logistics import plan_edit, plan_problem, plan_roads, plan_rows, plan_times, plan_views, plans, service
from app.logistics.models import Delivery, Route, RoutePlan, Stop, Vehicle
from app.logistics.plan_edit_models import PlanSheet, PlanStep
from app.logistics.plan_ops import Edit
from app.logistics.plan_shape import as_json
from app.logistics.routing import check
from tests.factories import logistics as make


def tomorrow() -> date:
    return clock.today() + timedelta(days=1)


class Desk:
    """A world with trucks, a draft of a day, and short words for what a dispatcher does."""

    def __init__(self, trucks: int = 3, deliveries: int = 5, **facts: Any) -> None:
        self.w = make.world()
        self.vehicles = [self.w.vehicle, *(self._truck() for _ in range(trucks - 1))]
        facts = {"mass_kg": 900} | facts
        self.made = [make.delivery(self.w, index=index, **facts) for index in range(deliveries)]
        session.commit()
        self.plan = uuid.UUID(make.stored_plan(self.w, self.made))
        plan_edit.apply(self.w.dispatcher, self.plan, [Edit("lock", stop=self.uid(self.made[0]))])
        plan_edit.undo(self.w.dispatcher, self.plan)  # the factory's times are invented: now they are driven

    @unit_of_work
    def _truck(self) -> Vehicle:
        truck = make.vehicle(self.w.carrier.id)
        make.driver(self.w.carrier, truck)
        return truck

    def row(self) -> RoutePlan:
        return session.scalars(
            sa.select(RoutePlan).where(RoutePlan.public_id == self.plan).execution_options(populate_existing=True)
        ).one()

    def sheet(self) -> dict[str, Any]:
        return as_json(plan_rows.read(self.row()))

    def whole(self) -> list[Any]:
        """Everything of the plan that people see, times and costs too."""
        view = plan_views.plan(self.w.carrier.id, self.plan)
        session.rollback()
        routes = [
            (r.public_id, r.vehicle, r.courier, r.cost, r.distance_m, r.load_kg, r.starts_at, r.ends_at, r.geometry,
             [(s.public_id, s.number, s.kind, s.lot, s.lots, s.locked, s.planned_arrival) for s in r.stops])
            for r in view.routes
        ]  # fmt: skip
        return [sorted(routes), view.left, view.head.cost, view.head.distance_m]

    def uid(self, made: Any, kind: str = "drop", lot: int = 1) -> uuid.UUID:
        return session.scalars(
            sa.select(Stop.public_id)
            .join(Route)
            .where(Route.plan_id == self.row().id, Stop.delivery_id == made.id, Stop.kind == kind, Stop.lot == lot)
        ).one()

    def do(self, op: str, **fields: Any) -> int:
        return plan_edit.apply(self.w.dispatcher, self.plan, [Edit(op, **fields)])

    def order(self, truck: int = 0) -> list[tuple[str, int, int]]:
        """(kind, which delivery, lot) of a truck's stops."""
        index = {made.id: number for number, made in enumerate(self.made)}
        line = plan_rows.read(self.row()).lines.get(self.vehicles[truck].id)
        return [(c.kind, index[c.delivery_id], c.lot) for c in line.calls] if line else []

    def row_edit(self) -> int:
        session.expire_all()
        row = session.get(PlanSheet, self.row().id)
        return row.edit if row else 0

    def faults(self) -> list[str]:
        session.expire_all()
        row = session.get(PlanSheet, self.row().id)
        assert row is not None
        return sorted(fault["code"] for fault in row.faults)


@pytest.fixture
def desk(db_session: Any) -> Desk:
    return Desk()


def test_a_stop_moves_on_its_truck_and_never_before_its_loading(desk: Desk) -> None:
    before = desk.row().cost
    assert [n for kind, n, _ in desk.order() if kind == "drop"] == [0, 1, 2, 3, 4]
    desk.do("move", stop=desk.uid(desk.made[4]), before=desk.uid(desk.made[0]))
    assert [n for kind, n, _ in desk.order() if kind == "drop"] == [4, 0, 1, 2, 3]
    assert desk.row().cost != before
    with pytest.raises(Conflict, match="loading_first"):
        desk.do("move", stop=desk.uid(desk.made[4]), before=desk.uid(desk.made[0], "pickup"))
    desk.do("move", stop=desk.uid(desk.made[4]), last=True)
    assert [n for kind, n, _ in desk.order() if kind == "drop"] == [0, 1, 2, 3, 4]
    assert desk.row().cost == before


def test_a_stop_on_another_truck_takes_its_other_half_along(desk: Desk) -> None:
    second = desk.vehicles[1].public_id
    desk.do("move", stop=desk.uid(desk.made[1]), vehicle=second)
    assert desk.order(1) == [("pickup", 1, 1), ("drop", 1, 1)]
    assert all(n != 1 for _, n, _ in desk.order())
    desk.do("move", stop=desk.uid(desk.made[2], "pickup"), vehicle=second, before=desk.uid(desk.made[1], "pickup"))
    order = desk.order(1)
    assert order[0] == ("pickup", 2, 1)
    assert sorted(order) == [("drop", 1, 1), ("drop", 2, 1), ("pickup", 1, 1), ("pickup", 2, 1)]
    view = plan_views.plan(desk.w.carrier.id, desk.plan)
    assert {route.vehicle for route in view.routes} == {desk.vehicles[0].public_id, second}
    assert sum(route.cost for route in view.routes) == view.head.cost
    assert all(len(route.geometry) > 10 for route in view.routes)


def test_a_locked_stop_stays(desk: Desk) -> None:
    stop = desk.uid(desk.made[1])
    desk.do("lock", stop=stop)
    for op, fields in (
        ("move", {"vehicle": desk.vehicles[1].public_id}), ("unassign", {}), ("split", {}),
        ("swap", {"other": desk.uid(desk.made[2])}),
    ):  # fmt: skip
        with pytest.raises(Conflict, match="stop_locked"):
            desk.do(op, stop=stop, **fields)
    desk.do("unlock", stop=stop)
    desk.do("unassign", stop=stop)


def test_two_deliveries_change_places(desk: Desk) -> None:
    desk.do("move", stop=desk.uid(desk.made[4]), vehicle=desk.vehicles[1].public_id)
    one, two = desk.order(0), desk.order(1)
    desk.do("swap", stop=desk.uid(desk.made[0]), other=desk.uid(desk.made[4]))
    swap = {0: 4, 4: 0}
    assert desk.order(0) == [(k, swap.get(n, n), lot) for k, n, lot in one]
    assert desk.order(1) == [(k, swap.get(n, n), lot) for k, n, lot in two]
    with pytest.raises(Conflict, match="same_lot"):
        desk.do("swap", stop=desk.uid(desk.made[0]), other=desk.uid(desk.made[0], "pickup"))


def test_a_delivery_goes_in_two_lots_on_two_trucks_and_in_one_again(desk: Desk) -> None:
    desk.do("split", stop=desk.uid(desk.made[0]), vehicle=desk.vehicles[1].public_id)
    assert ("drop", 0, 1) in desk.order(0)
    assert desk.order(1) == [("pickup", 0, 2), ("drop", 0, 2)]
    [other] = [
        r for r in plan_views.plan(desk.w.carrier.id, desk.plan).routes if r.vehicle == desk.vehicles[1].public_id
    ]
    assert other.load_kg == 450
    desk.do("split", stop=desk.uid(desk.made[0]))
    assert [(i.lot, i.lots) for i in plan_rows.read(desk.row()).left] == [(3, 3)]
    desk.do("join", stop=desk.uid(desk.made[0], lot=2))
    assert desk.order(1) == [("pickup", 0, 1), ("drop", 0, 1)]
    assert all(n != 0 for _, n, _ in desk.order(0))
    assert not plan_rows.read(desk.row()).left
    for _ in range(5):
        desk.do("split", stop=desk.uid(desk.made[0]))
    with pytest.raises(Invalid):
        desk.do("split", stop=desk.uid(desk.made[0]))


def test_a_delivery_is_taken_off_and_put_on_again_and_a_new_one_too(desk: Desk) -> None:
    stop = desk.uid(desk.made[3])
    desk.do("unassign", stop=stop)
    [left] = plan_views.plan(desk.w.carrier.id, desk.plan).left
    assert (left.delivery, left.reason) == (desk.made[3].public_id, "taken_off")
    desk.do("assign", delivery=desk.made[3].public_id, vehicle=desk.vehicles[2].public_id)
    assert desk.order(2) == [("pickup", 3, 1), ("drop", 3, 1)]
    with pytest.raises(Conflict, match="lot_carried"):
        desk.do("assign", delivery=desk.made[3].public_id, vehicle=desk.vehicles[1].public_id)
    late = make.delivery(desk.w, index=2)
    desk.made.append(late)
    desk.do("assign", delivery=late.public_id, vehicle=desk.vehicles[2].public_id, last=True)
    assert desk.order(2)[-1] == ("drop", 5, 1)
    other_day = make.delivery(desk.w, tomorrow() + timedelta(days=1))
    with pytest.raises(Conflict, match="delivery_state"):
        desk.do("assign", delivery=other_day.public_id, vehicle=desk.vehicles[2].public_id)


def test_a_truck_gets_another_driver_and_busy_ones_change_over(desk: Desk) -> None:
    desk.do("move", stop=desk.uid(desk.made[1]), vehicle=desk.vehicles[1].public_id)
    first, second = (line.courier_id for line in plan_rows.read(desk.row()).lines.values())
    wanted = next(r.courier for r in plan_views.plan(desk.w.carrier.id, desk.plan).routes if r.courier_id == second)
    desk.do("courier", vehicle=desk.vehicles[0].public_id, courier=wanted)
    lines = plan_rows.read(desk.row()).lines
    assert (lines[desk.vehicles[0].id].courier_id, lines[desk.vehicles[1].id].courier_id) == (second, first)


def test_faults_are_those_of_the_checker_and_stand_beside_their_stops(db_session: Any) -> None:
    desk = Desk(trucks=2, deliveries=5, mass_kg=1400)
    assert desk.faults() == ["overload_mass"], "5 x 1.4 t on a truck of 5 t"
    row = session.get(PlanSheet, desk.row().id)
    assert row is not None
    [fault] = row.faults
    assert fault["figures"] == {"over": 2000, "most": 5000}
    assert (fault["delivery_id"], fault["kind"]) == (desk.made[3].id, "pickup"), "the fourth loading is too much"
    with pytest.raises(Conflict, match="plan_has_violations") as refused:
        plans.publish(desk.w.dispatcher, desk.plan)
    assert [v["code"] for v in refused.value.context["violations"]] == ["overload_mass"]
    for made in desk.made[3:]:
        desk.do("move", stop=desk.uid(made), vehicle=desk.vehicles[1].public_id)
    assert desk.faults() == []
    plans.publish(desk.w.dispatcher, desk.plan)
    with pytest.raises(Conflict, match="plan_not_draft"):
        desk.do("lock", stop=desk.uid(desk.made[0]))


def test_a_window_a_shift_and_missing_equipment_are_said_with_their_figures(db_session: Any) -> None:
    desk = Desk(trucks=2, deliveries=2)
    morning = make.delivery(desk.w, index=3, window_from=clock.at(tomorrow(), 480), window_to=clock.at(tomorrow(), 500),
                            needs=["crane"], longest_mm=7000)  # fmt: skip
    desk.made.append(morning)
    desk.do("assign", delivery=morning.public_id, vehicle=desk.vehicles[0].public_id, last=True)
    session.expire_all()
    row = session.get(PlanSheet, desk.row().id)
    assert row is not None
    found = {fault["code"]: fault for fault in row.faults}
    assert set(found) == {"too_late", "no_equipment", "too_long"}
    assert found["too_long"]["figures"] == {"length": 7000, "most": 6000, "over": 1000}
    assert found["no_equipment"]["figures"]["missing"] == ["crane"]
    stop = session.scalars(sa.select(Stop).where(Stop.delivery_id == morning.id, Stop.kind == "drop")).one()
    late = (stop.planned_arrival - clock.at(tomorrow(), 500)).total_seconds()
    assert found["too_late"]["figures"]["over"] == late > 0
    others = [f for f in row.faults if f["delivery_id"] != morning.id]
    assert others == [], "a late one makes no other late"


def checked(desk: Desk) -> set[tuple[str, str]]:
    """What the independent checker says of the stored plan, asked anew: (code, subject)."""
    plan = desk.row()
    sheet = plan_rows.read(plan)
    day = plan_problem.read_day(plan.carrier_id, plan.day, plan.created_at, sheet.deliveries())
    row = session.get(PlanSheet, plan.id)
    assert row is not None
    assert row.roads is not None
    problem = plan_problem.problem(day, sheet, plan_roads.unpack(row.roads))
    found = plan_times.evaluate(problem, sheet)
    return {(one.code, one.subject) for one in check.violations(problem, found.plan)}


def shown(desk: Desk) -> set[tuple[str, str]]:
    session.expire_all()
    row = session.get(PlanSheet, desk.row().id)
    assert row is not None
    by_truck = {
        "overload_mass",
        "overload_volume",
        "after_shift",
        "no_break",
        "before_shift",
        "too_much_driving",
        "break_outside_window",
    }
    return {
        (f["code"], str(f["vehicle_id"]) if f["code"] in by_truck else f"{f['delivery_id']}.{f['lot']}")
        for f in row.faults
    }


def random_edit(desk: Desk, chance: random.Random) -> Edit:
    stops = session.execute(
        sa.select(Stop.public_id, Stop.delivery_id).join(Route).where(Route.plan_id == desk.row().id)
        .order_by(Stop.delivery_id, Stop.lot, Stop.kind)
    ).all()  # fmt: skip
    stop, other = (chance.choice(stops).public_id if stops else uuid7() for _ in range(2))
    vehicle = chance.choice(desk.vehicles).public_id
    driver = chance.choice([d.public_id for d in desk_drivers(desk)])
    return chance.choice(
        [
            Edit("move", stop=stop, vehicle=vehicle),
            Edit("move", stop=stop, before=other),
            Edit("move", stop=stop, vehicle=vehicle, last=True),
            Edit("swap", stop=stop, other=other),
            Edit("lock", stop=stop),
            Edit("unlock", stop=stop),
            Edit("split", stop=stop, vehicle=chance.choice([None, vehicle])),
            Edit("join", stop=stop),
            Edit("unassign", stop=stop),
            Edit("assign", delivery=chance.choice(desk.made).public_id, vehicle=vehicle),
            Edit("courier", vehicle=vehicle, courier=driver),
        ]
    )


def desk_drivers(desk: Desk) -> Sequence[Any]:
    from app.logistics import fleet

    return fleet.couriers(desk.w.carrier.id)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_and_undone_leaves_the_plan_as_it_was(db_session: Any, seed: int) -> None:
    """Any sequence of edits: the shown faults are the checker's, undone all is the first plan, redone all the last."""
    desk = Desk(trucks=3, deliveries=5, mass_kg=1500)
    chance = random.Random(seed)
    first = desk.whole()
    states = [first]
    for _ in range(14):
        try:
            before = desk.row_edit()
            plan_edit.apply(desk.w.dispatcher, desk.plan, [random_edit(desk, chance)])
        except DomainError:
            continue
        if desk.row_edit() == before:
            continue
        assert shown(desk) == checked(desk)
        states.append(desk.whole())
    assert len(states) > 5
    for state in reversed(states[:-1]):
        plan_edit.undo(desk.w.dispatcher, desk.plan)
        assert desk.whole() == state
    with pytest.raises(Conflict, match="nothing_to_undo"):
        plan_edit.undo(desk.w.dispatcher, desk.plan)
    for state in states[1:]:
        plan_edit.redo(desk.w.dispatcher, desk.plan)
        assert desk.whole() == state
    with pytest.raises(Conflict, match="nothing_to_redo"):
        plan_edit.redo(desk.w.dispatcher, desk.plan)


def test_the_second_of_two_dispatchers_is_told_what_the_first_did(desk: Desk) -> None:
    seen = desk.row_edit()
    stop = desk.uid(desk.made[1])
    plan_edit.apply(desk.w.dispatcher, desk.plan, [Edit("unassign", stop=stop)], expected=seen)
    with pytest.raises(Stale) as refused:
        plan_edit.apply(desk.w.dispatcher, desk.plan, [Edit("lock", stop=desk.uid(desk.made[2]))], expected=seen)
    assert refused.value.context["version"] == seen + 1
    [change] = refused.value.context["changes"]
    assert (change["kind"], change["who"]) == ("unassign", desk.w.dispatcher_user.name)
    assert change["details"]["number"] == session.get(Delivery, desk.made[1].id).number  # type: ignore[union-attr]
    with pytest.raises(Stale):
        plan_edit.undo(desk.w.dispatcher, desk.plan, expected=seen)
    again = [Edit("lock", stop=desk.uid(desk.made[2]))]
    plan_edit.apply(desk.w.dispatcher, desk.plan, again, expected=refused.value.context["version"])


def test_a_command_of_several_edits_is_done_whole_or_not_at_all(desk: Desk) -> None:
    whole = desk.whole()
    edits = [Edit("unassign", stop=desk.uid(desk.made[1])), Edit("move", stop=uuid7(), last=True)]
    with pytest.raises(NotFound):
        plan_edit.apply(desk.w.dispatcher, desk.plan, edits)
    session.rollback()
    assert desk.whole() == whole
    with pytest.raises(Invalid):
        plan_edit.apply(desk.w.dispatcher, desk.plan, [])
    with pytest.raises(Invalid):
        desk.do("explode")


def test_a_new_edit_after_an_undo_forgets_what_was_undone(desk: Desk) -> None:
    desk.do("unassign", stop=desk.uid(desk.made[1]))
    plan_edit.undo(desk.w.dispatcher, desk.plan)
    desk.do("unassign", stop=desk.uid(desk.made[2]))
    with pytest.raises(Conflict, match="nothing_to_redo"):
        plan_edit.redo(desk.w.dispatcher, desk.plan)
    rows = session.scalars(sa.select(PlanStep).where(PlanStep.plan_id == desk.row().id)).all()
    assert [(row.number, row.kind, row.user_id) for row in rows] == [(1, "unassign", desk.w.dispatcher.user)]


def test_a_version_is_kept_and_the_first_stays_as_it_was(desk: Desk) -> None:
    desk.do("lock", stop=desk.uid(desk.made[0]))
    first = desk.whole()
    copy = plan_edit.keep_as_new(desk.w.dispatcher, desk.plan)
    old, desk.plan = desk.plan, copy
    new = desk.whole()
    assert [[s[1:] for s in r[-1]] for r in new[0]] == [[s[1:] for s in r[-1]] for r in first[0]]
    assert new[2:] == first[2:]
    assert desk.row().version == 2
    desk.do("unassign", stop=desk.uid(desk.made[3]))
    desk.plan = old
    assert desk.whole() == first
    plans.publish(desk.w.dispatcher, old)
    gone = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == desk.made[1].id)).one()
    service.cancel(gone, "buyer")
    desk.plan = plan_edit.keep_as_new(desk.w.dispatcher, old)
    assert all(n != 1 for _, n, _ in desk.order()), "a delivery called off is not taken along"
    assert plan_views.plan(desk.w.carrier.id, old).head.status == "published"


def test_a_plan_of_what_is_under_way_is_not_changed_by_hand(desk: Desk) -> None:
    stop = desk.uid(desk.made[0])
    session.execute(sa.update(Stop).where(Stop.public_id == stop).values(state="done"))
    session.commit()
    with pytest.raises(Conflict, match="plan_under_way"):
        desk.do("lock", stop=stop)


def test_a_foreign_plan_truck_driver_or_delivery_is_absent(desk: Desk) -> None:
    other = make.world()
    foreign = make.delivery(other)
    session.commit()
    stop = desk.uid(desk.made[0])
    for call in (
        lambda: plan_edit.apply(other.dispatcher, desk.plan, [Edit("lock", stop=stop)]),
        lambda: plan_edit.undo(other.dispatcher, desk.plan),
        lambda: plan_edit.redo(other.dispatcher, desk.plan),
        lambda: plan_edit.keep_as_new(other.dispatcher, desk.plan),
        lambda: desk.do("move", stop=stop, vehicle=other.vehicle.public_id),
        lambda: desk.do("assign", delivery=foreign.public_id, vehicle=desk.vehicles[0].public_id),
        lambda: desk.do("courier", vehicle=desk.vehicles[0].public_id, courier=desk_drivers_of(other)),
    ):
        with pytest.raises(NotFound):
            call()


def desk_drivers_of(w: make.World) -> uuid.UUID:
    from app.logistics import fleet

    [found] = fleet.couriers(w.carrier.id)
    return found.public_id


def test_two_dispatchers_at_once_lose_nothing(committed_db: Flask) -> None:
    """Twelve changes by two threads that saw the same plan: each is in the plan or was refused as stale."""
    desk = Desk(trucks=2, deliveries=6)
    actor, plan = desk.w.dispatcher, desk.plan
    stops = [desk.uid(made) for made in desk.made]
    numbers = [str(session.get(Delivery, made.id).number) for made in desk.made]  # type: ignore[union-attr]
    seen = desk.row_edit()
    plan_id = desk.row().id
    session.rollback()
    gate = threading.Barrier(2)
    done: list[str] = []
    refused: list[str] = []

    def work(mine: Sequence[int]) -> None:
        with committed_db.app_context():
            known = seen
            for index in mine:
                gate.wait(timeout=30)
                edits = [Edit("unassign", stop=stops[index])]
                while True:
                    try:
                        known = plan_edit.apply(actor, plan, edits, expected=known)
                    except Stale as error:
                        refused.append(numbers[index])
                        known = error.context["version"]
                    else:
                        done.append(numbers[index])
                        break
            session.remove()

    threads = [threading.Thread(target=work, args=(mine,)) for mine in ([0, 1, 2], [3, 4, 5])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(done) == sorted(numbers)
    assert refused, "both saw the same number, so one of each pair was told"
    rows = session.execute(sa.select(PlanStep.number, PlanStep.details).where(PlanStep.plan_id == plan_id)).all()
    assert sorted(row.number for row in rows) == [1, 2, 3, 4, 5, 6]
    assert sorted(row.details["number"] for row in rows) == sorted(numbers)
    assert len(plan_rows.read(desk.row()).left) == 6
    assert session.scalar(sa.select(sa.func.count()).select_from(Stop)) == 0
