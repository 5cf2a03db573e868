"""The page of a plan and, for htmx, its parts that a change by hand renews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response

from app import access
from app.logistics import doubts, plan_desk, plan_views
from app.texts import carrier
from app.texts import dispatch as words
from app.texts import logistics as texts
from app.web.carrier.frame import key_of, office
from app.web.carrier.timeline import timeline
from app.web.htmx import add_trigger, is_part_request, render_page


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody was quicker: what was done, and the form of this dispatcher to send again."""

    changes: Sequence[Mapping[str, Any]] = ()
    action: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def show(key: str, error: str = "", status: int = 200, meanwhile: Meanwhile | None = None) -> Response:
    """The page, or its changed parts when htmx asks for them."""
    carrier_id = access.actor().carrier_id
    view = plan_views.plan(carrier_id, key_of(key))
    heads = plan_views.heads(carrier_id, view.head.day)
    response = render_page(
        "carrier/plan.html",
        "carrier/_plan_parts.html",
        plan=view,
        desk=plan_desk.desk(carrier_id, view),
        doubts=_doubts(carrier_id, view),
        before=next((head for head in heads if head.version < view.head.version), None),
        heads=heads,
        timeline=timeline(view),
        texts=texts,
        words=words,
        error=error,
        meanwhile=meanwhile,
        oob=is_part_request(),
        status=status,
        **office(),
    )
    return add_trigger(response, "plan-changed") if is_part_request() else response


def _doubts(carrier_id: int, view: plan_views.PlanView) -> list[str]:
    """Why the plan is out of date, in words."""
    found = doubts.of_day(carrier_id, view.head.day)
    return [carrier.doubt(one.reason, one.number) for one in found if one.plan == view.head.public_id]
