"""Commands on carriers and deliveries. Each joins the unit of work of a caller or makes its own."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import audit, clock, events
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, NotFound
from app.core.ids import new_token
from app.core.permissions import Actor
from app.logistics import rules, slots
from app.logistics.events import DeliveryReady
from app.logistics.fleet_models import Depot
from app.logistics.models import Carrier, Delivery, DeliveryEvent, JointDelivery, Stop

CITY = (55.82, 37.75)
"""Where a new carrier's depot stands until the carrier says."""
FIRST_YARD = "Основная площадка"
"""The name of a new carrier's main yard: data, which the carrier may change."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A fulfilment to carry. Moments in any zone, mass in kg, volume in litres, lengths in mm, money in kopeks.

    pickup: name, address, lat, lon, opens_at, closes_at (minutes of the day), loading_minutes, phone.
    site: address, lat, lon, access, max_vehicle_kg, max_height_mm, floor, lift, unloading, contact_name, contact_phone.
    cargo: [{line, name_ru, name_en, sku, unit, quantity, quantity_base}], quantities as decimal strings; `line` is any
    stable name of the line and comes back in the counts.
    """

    fulfilment_id: int
    carrier_id: int
    seller_id: int
    buyer_id: int
    warehouse_id: int
    number: str
    day: date
    window_from: datetime
    window_to: datetime
    pickup: dict[str, Any]
    site: dict[str, Any]
    cargo: list[dict[str, Any]]
    mass_kg: int
    volume_l: int
    longest_mm: int
    price: int
    cash_due: int = 0
    needs: list[str] = field(default_factory=list)
    joint_id: int | None = None
    """The truck it shares; then the place in the window is the truck's."""


@dataclass(frozen=True, slots=True)
class DeliveryMade:
    """What the caller may want to remember or tell the buyer."""

    id: int
    public_id: uuid.UUID
    pin: str
    tracking_token: str


@unit_of_work
def open_carrier(organisation_id: int, name: str, *, phone: str = "") -> None:
    """Give an approved organisation its carrying side; a second call only renames and activates."""
    statement = insert(Carrier).values(
        id=organisation_id, name=name, phone=phone, depot_lat=CITY[0], depot_lon=CITY[1], is_active=True
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=[Carrier.id], set_={"name": name, "is_active": True})
    )
    yard = insert(Depot).values(carrier_id=organisation_id, name=FIRST_YARD, lat=CITY[0], lon=CITY[1], is_main=True)
    session.execute(yard.on_conflict_do_nothing())


@unit_of_work
def close_carrier(organisation_id: int) -> None:
    """Offer no more deliveries of this carrier; what is under way goes on."""
    session.execute(sa.update(Carrier).where(Carrier.id == organisation_id).values(is_active=False))


@unit_of_work
def create_deliveries(wanted: Sequence[NewDelivery]) -> list[DeliveryMade]:
    """Write deliveries in state `waiting`, each with a PIN for the buyer, a tracking link and a place in its window.

    Places are taken in one order by everybody. The site's equipment is added to `needs`; unloading is reckoned with
    15 minutes and 5 more for each tonne begun.

    Raises:
        Conflict: `slot_full`, see `slots.take`; the caller's transaction is rolled back.
    """
    places: dict[int, int | None] = {}
    for new in sorted(wanted, key=lambda one: (one.carrier_id, one.window_from, one.window_to)):
        if new.joint_id is None:
            wish = slots.Wish(new.carrier_id, new.window_from, new.window_to, new.mass_kg)
            places[new.fulfilment_id] = slots.take(wish)
    rows = [_delivery(new, places.get(new.fulfilment_id)) for new in wanted]
    session.add_all(rows)
    session.flush()
    for row in rows:
        note(row.id, "created", None)
    return [DeliveryMade(row.id, row.public_id, row.pin, row.tracking_token) for row in rows]


@dataclass(frozen=True, slots=True)
class NewJoint:
    """One truck for several deliveries. Kopeks, metres, kilograms of everything together."""

    carrier_id: int
    tariff_id: int
    price: int
    price_lines: list[dict[str, Any]]
    distance_m: int
    window_from: datetime
    window_to: datetime
    kg: int


@unit_of_work
def open_joint(new: NewJoint) -> int:
    """Write the truck that deliveries share; it takes one place in the window. Its deliveries are created after it.

    Raises:
        Conflict: `slot_full`, see `slots.take`.
    """
    slot_id = slots.take(slots.Wish(new.carrier_id, new.window_from, new.window_to, new.kg))
    row = JointDelivery(
        carrier_id=new.carrier_id, tariff_id=new.tariff_id, price=new.price, price_lines=new.price_lines,
        distance_m=new.distance_m, slot_id=slot_id, slot_kg=new.kg if slot_id is not None else 0,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _delivery(new: NewDelivery, slot_id: int | None) -> Delivery:
    given = {f.name: getattr(new, f.name) for f in fields(new) if f.name != "needs"}
    return Delivery(
        **given,
        state="waiting",
        needs=sorted({*new.needs, *rules.needs_of(new.site)}),
        unloading_minutes=15 + 5 * -(-new.mass_kg // 1000),
        pin=f"{secrets.randbelow(10_000):04d}",
        tracking_token=new_token(),
        slot_id=slot_id,
        slot_kg=new.mass_kg if slot_id is not None else 0,
    )


@unit_of_work
def mark_ready(
    fulfilment_id: int,
    *,
    user_id: int | None = None,
    cargo: list[dict[str, Any]] | None = None,
    mass_kg: int | None = None,
    volume_l: int | None = None,
    cash_due: int | None = None,
) -> None:
    """The goods wait at the gate. What was picked may be less than ordered: pass the new cargo and figures.

    A delivery that is ready already stays as it is.

    Raises:
        NotFound: the fulfilment has no delivery.
        Conflict: `delivery_state`.
    """
    row = _locked(fulfilment_id)
    if row.state in ("ready", "planned"):
        return
    rules.DELIVERY.check(row.state, "ready")
    changes = {"cargo": cargo, "mass_kg": mass_kg, "volume_l": volume_l, "cash_due": cash_due}
    for name, value in changes.items():
        if value is not None:
            setattr(row, name, value)
    move(row, "ready", user_id)
    events.record(DeliveryReady(entity_id=row.id, fulfilment_id=fulfilment_id))


@unit_of_work
def change_cash_due(fulfilment_id: int, cash_due: int) -> None:
    """The seller agreed to less: the courier takes this much (kopeks).

    Raises:
        NotFound: the fulfilment has no delivery.
    """
    _locked(fulfilment_id).cash_due = cash_due


@unit_of_work
def cancel(fulfilment_id: int, reason: str, *, user_id: int | None = None) -> None:
    """Call a delivery off before it is loaded; its stops are skipped. Cancelled already: nothing happens.

    Raises:
        NotFound: the fulfilment has no delivery.
        Conflict: `delivery_state`: the truck has it.
    """
    row = _locked(fulfilment_id)
    if row.state == "cancelled":
        return
    rules.DELIVERY.check(row.state, "cancelled")
    move(row, "cancelled", user_id, reason=reason)
    session.flush()
    _free_place(row)
    session.execute(
        sa.update(Stop)
        .where(Stop.delivery_id == row.id, Stop.state.in_(("planned", "arrived")))
        .values(state="skipped", version=Stop.version + 1)
    )


def _free_place(row: Delivery) -> None:
    """The place of a delivery that was just called off; that of a shared truck when nothing is on it any more."""
    slots.free(row.slot_id, row.slot_kg)
    if row.joint_id is not None:
        [truck] = lock_rows(JointDelivery, [row.joint_id])
        rest = sa.select(Delivery.id).where(Delivery.joint_id == truck.id, Delivery.state != "cancelled").limit(1)
        if session.scalar(rest) is None:
            slots.free(truck.slot_id, truck.slot_kg)


@unit_of_work
def move_window(fulfilment_id: int, starts_at: datetime, ends_at: datetime, *, user_id: int | None = None) -> None:
    """Bring it in another window: the new place is taken before the old one is given back.

    Raises:
        NotFound: the fulfilment has no delivery.
        Conflict: `delivery_state`: it is picked already; `joint_stays`: others come on the same truck; `slot_full`, see
            `slots.take`.
    """
    row = _locked(fulfilment_id)
    if row.state != "waiting":
        raise Conflict("delivery_state", state=row.state, wanted="waiting")
    if row.joint_id is not None:
        raise Conflict("joint_stays")
    before = {"from": row.window_from.isoformat(), "to": row.window_to.isoformat()}
    old = (row.slot_id, row.slot_kg)
    wish = slots.Wish(row.carrier_id, starts_at, ends_at, row.mass_kg)
    row.slot_id = slots.take(wish)
    row.slot_kg = row.mass_kg if row.slot_id is not None else 0
    slots.free(*old)
    row.day, row.window_from, row.window_to = wish.day, starts_at, ends_at
    row.version += 1
    note(row.id, "moved", user_id, before=before)


@unit_of_work
def release_pin(actor: Actor, public_id: uuid.UUID) -> None:
    """The dispatcher lets the courier try the buyer's PIN again after too many wrong ones.

    Raises:
        NotFound: absent, or another carrier's.
        Conflict: `delivery_state`: the delivery is over.
    """
    found = session.scalar(
        sa.select(Delivery.id).where(Delivery.public_id == public_id, Delivery.carrier_id == actor.carrier_id)
    )
    if found is None:
        raise NotFound()
    [row] = lock_rows(Delivery, [found])
    if row.state in rules.OVER:
        raise Conflict("delivery_state", state=row.state, wanted="pin")
    audit.record(actor, "delivery.pin_released", "delivery", row.id, before={"failures": row.pin_failures})
    row.pin_failures = 0
    row.version += 1
    note(row.id, "pin_released", actor.user)


def move(row: Delivery, state: str, user_id: int | None, at: datetime | None = None, **details: Any) -> None:
    """Change the state of a locked delivery and write its history. The caller has checked the move."""
    row.state = state
    row.version += 1
    note(row.id, state, user_id, at, **details)


def note(delivery_id: int, kind: str, user_id: int | None, at: datetime | None = None, **details: Any) -> None:
    """Add a line to the history of a delivery in the present transaction."""
    session.add(
        DeliveryEvent(
            delivery_id=delivery_id, kind=kind, user_id=user_id, details=details, happened_at=at or clock.now()
        )
    )


def _locked(fulfilment_id: int) -> Delivery:
    found = session.scalar(sa.select(Delivery.id).where(Delivery.fulfilment_id == fulfilment_id))
    if found is None:
        raise NotFound()
    row: Delivery = lock_rows(Delivery, [found])[0]
    return row
