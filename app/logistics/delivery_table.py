"""The dispatcher's table of deliveries: filtered, counted, sorted with problems first, paged by key."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import Invalid
from app.logistics import fleet, problems
from app.logistics.models import Delivery
from app.logistics.problems import Out, Problem, Trucks
from app.logistics.queries import DeliveryRow
from app.logistics.rules import Truck
from app.offers import queries as offers

PER_PAGE = 50
MOST_OF_A_DAY = 5000
MOST_ANY_DAY = 500
"""Found by text over all days: the newest so many."""
SORTS = ("problems", "window", "number", "mass", "price")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the dispatcher looks for. No day: any day, which needs a text."""

    day: date | None
    state: str = ""
    warehouse: uuid.UUID | None = None
    problem: str = ""
    """A code, or `any`."""
    text: str = ""
    sort: str = "problems"
    after: str = ""
    """The outward id of the delivery shown last."""
    limit: int = PER_PAGE


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery with what stands in its way."""

    row: DeliveryRow
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the table, and the figures of everything that the day, the warehouse and the text leave."""

    items: tuple[Shown, ...]
    after: str | None
    """The key of the next page."""
    total: int
    mass_kg: int
    price: int
    states: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    warehouses: tuple[tuple[uuid.UUID, str], ...] = ()
    troubled: int = 0
    """Deliveries with a problem."""


def page(carrier_id: int, wanted: Wanted) -> Table:
    """The deliveries of a carrier. The number of queries does not depend on how many there are.

    Cancelled ones are there only when their state is asked for.

    Raises:
        Invalid: `malformed`: a key that is not on this list.
    """
    found = _read(carrier_id, wanted)
    seen = [one for one in found if wanted.warehouse in (None, one.warehouse)]
    now = clock.now()
    trucks = trucks_on(carrier_id, {one.row.day for one in seen if one.row.state in problems.OPEN})
    marked = [(one, problems.of(one.row, trucks.get(one.row.day, Trucks((), ())), now)) for one in seen]
    states = Counter(one.row.state for one, _found in marked)
    live = [(one, why) for one, why in marked if wanted.state == one.row.state or (
        not wanted.state and one.row.state != "cancelled")]  # fmt: skip
    codes = Counter(problem.code for _one, why in live for problem in why)
    chosen = [(one, why) for one, why in live if not wanted.problem or _has(why, wanted.problem)]
    chosen.sort(key=lambda pair: _order(wanted.sort, pair[0].row, pair[1]))
    items, after = _cut([Shown(one.row, why) for one, why in chosen], wanted)
    return Table(
        tuple(items), after, len(chosen), sum(one.row.mass_kg for one, _w in chosen),
        sum(one.row.price for one, _w in chosen), states, codes, _warehouses(found), sum(bool(why) for _o, why in live),
    )  # fmt: skip


def problems_of(carrier_id: int, row: DeliveryRow) -> tuple[Problem, ...]:
    """What stands in the way of one delivery."""
    trucks = trucks_on(carrier_id, {row.day}).get(row.day, Trucks((), ()))
    return problems.of(row, trucks, clock.now())


def trucks_on(carrier_id: int, days: set[date]) -> dict[date, Trucks]:
    """The trucks of a carrier and who drives on each of some days; at most a week of them is asked for."""
    if not days:
        return {}
    all_of_them = [_facts(truck) for truck in fleet.vehicles(carrier_id) if truck.is_active]
    found = {}
    for day in sorted(days, reverse=True)[:7]:
        out = [Out(_facts(one.vehicle), one.starts_at, one.ends_at) for one in fleet.trucks_of_day(carrier_id, day)]
        found[day] = Trucks(all_of_them, out)
    return found


def _facts(one: fleet.VehicleRow) -> Truck:
    """What of a truck the rules look at, once for all deliveries."""
    return Truck(
        one.payload_kg, one.volume_l, one.longest_mm, one.gross_mass_kg, one.height_mm, one.has_crane, one.has_tail_lift
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """A delivery with the warehouse it leaves from."""

    row: DeliveryRow
    warehouse: uuid.UUID
    place: str


def _read(carrier_id: int, wanted: Wanted) -> list[_Read]:
    columns: list[Any] = [getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]
    statement = sa.select(*columns, Delivery.warehouse_id).where(Delivery.carrier_id == carrier_id)
    if wanted.day is not None:
        statement = statement.where(Delivery.day == wanted.day)
    if wanted.text.strip():
        statement = statement.where(_matches(wanted.text))
    elif wanted.day is None:
        return []
    most = MOST_OF_A_DAY if wanted.day is not None else MOST_ANY_DAY
    rows = session.execute(statement.order_by(Delivery.day.desc(), Delivery.id.desc()).limit(most)).all()
    places = offers.warehouses({row.warehouse_id for row in rows})
    return [
        _Read(DeliveryRow(*tuple(row)[:-1]), places[row.warehouse_id].public_id, places[row.warehouse_id].name)
        for row in rows
    ]


def _matches(text: str) -> Any:
    """In the number, the addresses, or the contact's name or telephone."""
    plain = " ".join(text.lower().split())
    pattern = "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    fields = (
        Delivery.number, Delivery.site["address"].astext, Delivery.pickup["address"].astext,
        Delivery.site["contact_name"].astext, Delivery.site["contact_phone"].astext,
    )  # fmt: skip
    return sa.or_(*(sa.func.lower(one).like(pattern, escape="\\") for one in fields))


def _has(found: Sequence[Problem], code: str) -> bool:
    return bool(found) if code == "any" else any(problem.code == code for problem in found)


def _order(sort: str, row: DeliveryRow, found: Sequence[Problem]) -> tuple[Any, ...]:
    if sort == "window":
        return row.window_from, row.window_to, row.id
    if sort == "number":
        return row.number, row.id
    if sort == "mass":
        return -row.mass_kg, row.id
    if sort == "price":
        return -row.price, row.id
    return not found, row.window_from, row.id


def _cut(items: list[Shown], wanted: Wanted) -> tuple[list[Shown], str | None]:
    """The page behind a key."""
    keys = [str(one.row.public_id) for one in items]
    if wanted.after and wanted.after not in keys:
        raise Invalid.one("/query/cursor", "malformed")
    first = keys.index(wanted.after) + 1 if wanted.after else 0
    page = items[first : first + wanted.limit]
    more = first + wanted.limit < len(items)
    return page, str(page[-1].row.public_id) if more and page else None


def _warehouses(found: Sequence[_Read]) -> tuple[tuple[uuid.UUID, str], ...]:
    """Those that the deliveries of the day leave from, with their addresses: names alone are alike."""
    known = {one.warehouse: f"{one.place}, {one.row.pickup.get('address', '')}" for one in found}
    return tuple(sorted(known.items(), key=lambda pair: pair[1]))


def today_or(day: date | None, text: str) -> date | None:
    """The day to look at: today when neither a day nor a text is given."""
    return day if day is not None or text.strip() else clock.today()


def moment(value: Any) -> Any:
    """Figures of a problem as JSON."""
    return value.isoformat() if isinstance(value, datetime) else value
