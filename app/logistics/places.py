"""A delivery's place on the map, moved by hand."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.logistics import doubts, rules
from app.logistics.fleet_facts import is_place
from app.logistics.models import Delivery
from app.logistics.service import note

MOST_NOTE = 200


@unit_of_work
def move_pin(
    actor: Actor, public_id: uuid.UUID, lat: float, lon: float, *, why: str = "", confirmed: bool = False,
    version: int | None = None,
) -> None:  # fmt: skip
    """Put a delivery's site elsewhere. Its history keeps both places; the buyer sees the new one. The price stays.

    Args:
        confirmed: the dispatcher knows that the delivery is on a route, whose plan becomes out of date.

    Raises:
        NotFound: absent, or another carrier's.
        Invalid: not a place on Earth.
        Stale: somebody changed the delivery meanwhile.
        Conflict: `delivery_state`: it is over; `pin_on_route` with `plans`, unless confirmed.
    """
    errors = [] if is_place(lat, lon) else [FieldError("/lat", "bad_coordinates")]
    if len(why) > MOST_NOTE:
        errors.append(FieldError("/why", "too_long", {"maximum": MOST_NOTE}))
    if errors:
        raise Invalid(errors)
    found = session.scalar(
        sa.select(Delivery.id).where(Delivery.public_id == public_id, Delivery.carrier_id == actor.carrier_id)
    )
    if found is None:
        raise NotFound()
    [row] = lock_rows(Delivery, [found])
    if row.carrier_id != actor.carrier_id:
        raise NotFound()
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    if row.state in rules.OVER:
        raise Conflict("delivery_state", state=row.state, wanted="pin_moved")
    before = {"lat": row.site.get("lat"), "lon": row.site.get("lon")}
    after = {"lat": round(lat, 6), "lon": round(lon, 6)}
    if before == after:
        return
    held = doubts.plans_with(row.id)
    if held and not confirmed:
        raise Conflict("pin_on_route", plans=len(held))
    row.site = {**row.site, **after, "is_corrected": True}
    row.version += 1
    doubts.raise_for(row.id, "pin_moved")
    note(row.id, "pin_moved", actor.user, before=before, after=after, comment=why.strip())
    audit.record(actor, "delivery.pin_moved", "delivery", row.id, before=before, after=after)
