"""Invoices of carriers for what was driven: to the seller who pays the delivery, or to the market that sold it.

A trip costs what it was quoted, line by line, with waiting at the door beyond what is free; a trip that failed by the
receiver's doing a share of it, by the carrier's own doing nothing. A carrier's trips for its own company are no service
to anybody and stand in that company's acts.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import queries as accounts
from app.accounts.queries import OrganisationRow
from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.money import percent_of, round_half_up, vat_included
from app.core.permissions import Actor
from app.logistics import driven_trips, pay, tariff_book, tariffs
from app.logistics.driven_trips import DrivenTrip
from app.logistics.pay import Terms
from app.logistics.tariff_book import Waiting
from app.offers import queries as offers
from app.orders.carrier_bill_models import CarrierInvoice, CarrierInvoiceCounter, CarrierInvoiceLine
from app.orders.models import Fulfilment
from app.payments.rules import OPERATOR

OWN_FAULT = frozenset({"too_late", "damaged", "not_at_warehouse"})
"""Reasons for which a carrier asks nothing for a failed trip."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip to a door that may be billed, as a line of an invoice. Kopeks."""

    attempt_id: int
    delivery_id: int
    seller_id: int | None
    """Who pays; None: the market."""
    kind: str
    number: str
    day: date
    address: str
    gross: int
    parts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who owes a carrier for a period; seller None: the market."""

    seller: uuid.UUID | None
    name: str
    trips: int
    gross: int


@dataclass(frozen=True, slots=True)
class InvoiceHead:
    """An invoice in a list. Kopeks, VAT inside."""

    public_id: uuid.UUID
    number: int
    issued_on: date
    first_day: date
    last_day: date
    customer: str
    vat_code: str
    vat_percent: int
    vat: int
    gross: int
    sides: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A trip on an invoice."""

    kind: str
    number: str
    day: date
    address: str
    gross: int
    parts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines."""

    head: InvoiceHead
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """What of a trip decides its price."""

    outcome: str
    reason: str
    quoted: Sequence[dict[str, Any]]
    arrived_at: datetime | None
    completed_at: datetime | None
    window_from: datetime
    unloading_minutes: int
    waiting: Waiting | None = None
    """What the tariff of the trip asks for waiting; None: what the carrier's terms say."""


def priced(door: Door, terms: Terms) -> tuple[dict[str, Any], ...]:
    """The parts of a trip's price; none: nothing is asked. Pure; they sum to the trip's price."""
    parts = [dict(line) for line in door.quoted if line["code"] != "included" and line["amount"]]
    quoted = sum(line["amount"] for line in parts)
    if door.outcome == "failed":
        share = 0 if door.reason in OWN_FAULT else percent_of(quoted, terms.failed_percent)
        context = {"reason": door.reason, "percent": terms.failed_percent}
        return ({"code": "failed_trip", "amount": share, "context": context},) if share else ()
    if door.waiting is not None:
        parts.append(tariffs.waiting(door.waiting, waited(door)).as_json())
        return tuple(part for part in parts if part["amount"])
    minutes = waited(door) - terms.free_waiting_minutes
    if minutes > 0 and terms.waiting_per_hour:
        amount = round_half_up(Fraction(terms.waiting_per_hour * minutes, 60))
        parts.append({"code": "waiting", "amount": amount, "context": {"minutes": minutes}})
    return tuple(part for part in parts if part["amount"])


def waited(door: Door) -> int:
    """Begun minutes at the door beyond those that unloading was reckoned with; before the window opens none count."""
    if door.arrived_at is None or door.completed_at is None:
        return 0
    stood = door.completed_at - max(door.arrived_at, door.window_from) - timedelta(minutes=door.unloading_minutes)
    return max(0, math.ceil(stood.total_seconds() / 60))


def trips(carrier_id: int, first: date, last: date) -> list[Trip]:
    """What a carrier may still bill for days of the market: trips that no invoice has."""
    found = driven_trips.driven(carrier_id, clock.at(first, 0), clock.at(last + timedelta(days=1), 0))
    attempts, fulfilments = [one.attempt_id for one in found], [one.fulfilment_id for one in found]
    billed = set(
        session.scalars(sa.select(CarrierInvoiceLine.attempt_id).where(CarrierInvoiceLine.attempt_id.in_(attempts)))
    )
    rows = session.execute(
        sa.select(Fulfilment.id, Fulfilment.price_lines, Fulfilment.tariff_id).where(Fulfilment.id.in_(fulfilments))
    ).all()
    quotes = {row.id: row.price_lines for row in rows}
    by_tariff = tariff_book.waiting_of(row.tariff_id for row in rows if row.tariff_id is not None)
    waiting = {row.id: by_tariff.get(row.tariff_id) for row in rows}
    own = {seller for seller in {one.seller_id for one in found} if accounts.is_same_company(seller, carrier_id)}
    terms = pay.terms(carrier_id)
    return [
        trip
        for one in found
        if one.attempt_id not in billed
        and one.seller_id not in own
        and (trip := _trip(one, quotes.get(one.fulfilment_id) or [], terms, waiting.get(one.fulfilment_id))) is not None
    ]


def _trip(driven: DrivenTrip, lines: Sequence[dict[str, Any]], terms: Terms, waiting: Waiting | None) -> Trip | None:
    quoted = lines or [{"code": "base", "amount": driven.price, "context": {}}]
    parts = priced(
        Door(
            driven.outcome, driven.reason, quoted, driven.arrived_at, driven.completed_at, driven.window_from,
            driven.unloading_minutes, waiting,
        ),
        terms,
    )  # fmt: skip
    if not parts:
        return None
    by_seller = any(line["code"] == "included" for line in quoted)
    kind = "failed" if driven.outcome == "failed" else "delivery"
    return Trip(
        driven.attempt_id, driven.delivery_id, driven.seller_id if by_seller else None, kind, driven.number,
        clock.local(driven.happened_at).date(), driven.address, sum(part["amount"] for part in parts), parts,
    )  # fmt: skip


def customers(carrier_id: int, first: date, last: date) -> list[Customer]:
    """Who owes a carrier for a period, the market first."""
    found: dict[int | None, list[Trip]] = {}
    for trip in trips(carrier_id, first, last):
        found.setdefault(trip.seller_id, []).append(trip)
    named = {key: accounts.requisites(key) for key in found if key is not None}
    return [
        Customer(
            named[key].public_id if key is not None else None, named[key].name if key is not None else OPERATOR["name"],
            len(driven), sum(trip.gross for trip in driven),
        )
        for key, driven in sorted(found.items(), key=lambda item: item[0] or 0)
    ]  # fmt: skip


@unit_of_work
def issue(actor: Actor, seller: uuid.UUID | None, first: date, last: date) -> uuid.UUID:
    """Write the invoice of a period with the next number of the carrier. A period that has one gives that one.

    Raises:
        Invalid: `days_not_in_order`.
        NotFound: no such seller.
        Conflict: `period_not_over`, `period_billed` (some of its days are on another invoice), `nothing_to_bill`.
    """
    if last < first:
        raise Invalid.one("/last", "days_not_in_order")
    if last >= clock.today():
        raise Conflict("period_not_over")
    carrier_id, today = actor.carrier_id, clock.today()
    seller_id = None if seller is None else accounts.organisation_key(seller, "seller")
    number = _lock(carrier_id, today.year) + 1
    known = _overlapping(carrier_id, seller_id, first, last)
    if known is not None:
        if (known.first_day, known.last_day) == (first, last):
            same: uuid.UUID = known.public_id
            return same
        raise Conflict("period_billed", first=known.first_day.isoformat(), last=known.last_day.isoformat())
    billed = [trip for trip in trips(carrier_id, first, last) if trip.seller_id == seller_id]
    if not billed:
        raise Conflict("nothing_to_bill")
    row = _invoice(carrier_id, seller_id, first, last, number, sum(trip.gross for trip in billed))
    session.add_all(
        CarrierInvoiceLine(
            invoice_id=row.id, delivery_id=trip.delivery_id, attempt_id=trip.attempt_id, kind=trip.kind,
            number=trip.number, day=trip.day, address=trip.address, gross=trip.gross, parts=list(trip.parts),
        )
        for trip in billed
    )  # fmt: skip
    session.execute(
        sa.update(CarrierInvoiceCounter)
        .where(CarrierInvoiceCounter.carrier_id == carrier_id, CarrierInvoiceCounter.year == today.year)
        .values(last=number)
    )
    after = {"number": number, "gross": row.gross}
    audit.record(actor, "carrier.invoice_issued", "carrier_invoice", row.id, after=after)
    return row.public_id


def _lock(carrier_id: int, year: int) -> int:
    """The last number of the year; its row stays locked until the transaction ends, so that numbers have no gaps."""
    row = insert(CarrierInvoiceCounter).values(carrier_id=carrier_id, year=year, last=0)
    session.execute(row.on_conflict_do_nothing())
    taken: int = session.scalars(
        sa.select(CarrierInvoiceCounter.last)
        .where(CarrierInvoiceCounter.carrier_id == carrier_id, CarrierInvoiceCounter.year == year)
        .with_for_update()
    ).one()
    return taken


def _overlapping(carrier_id: int, seller_id: int | None, first: date, last: date) -> Any:
    return session.execute(
        sa.select(CarrierInvoice.public_id, CarrierInvoice.first_day, CarrierInvoice.last_day)
        .where(CarrierInvoice.carrier_id == carrier_id, CarrierInvoice.seller_id.is_not_distinct_from(seller_id))
        .where(CarrierInvoice.first_day <= last, CarrierInvoice.last_day >= first)
        .order_by(CarrierInvoice.last_day.desc())
        .limit(1)
    ).one_or_none()


def _invoice(
    carrier_id: int, seller_id: int | None, first: date, last: date, number: int, gross: int
) -> CarrierInvoice:  # fmt: skip
    today = clock.today()
    code = pay.terms(carrier_id).vat_code
    percent = int(offers.vat_percent(code, today))
    customer = OPERATOR if seller_id is None else _side(accounts.requisites(seller_id))
    carrier = accounts.requisites(carrier_id)
    sides = {
        "carrier": _side(carrier) | {name: str(carrier.bank.get(name, "")) for name in ("bank", "bik", "account")},
        "customer": {name: customer[name] for name in ("name", "inn", "kpp", "address")},
    }
    row = CarrierInvoice(
        carrier_id=carrier_id, seller_id=seller_id, year=today.year, number=number, first_day=first, last_day=last,
        issued_on=today, vat_code=code, vat_percent=percent, vat=vat_included(gross, percent), gross=gross, sides=sides,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _side(row: OrganisationRow) -> dict[str, str]:
    return {"name": row.name, "inn": row.inn, "kpp": row.kpp, "address": row.address}


_HEAD: tuple[Any, ...] = (
    CarrierInvoice.public_id, CarrierInvoice.number, CarrierInvoice.issued_on, CarrierInvoice.first_day,
    CarrierInvoice.last_day, CarrierInvoice.sides["customer"]["name"].astext, CarrierInvoice.vat_code,
    CarrierInvoice.vat_percent, CarrierInvoice.vat, CarrierInvoice.gross, CarrierInvoice.sides,
)  # fmt: skip


def issued(*, carrier_id: int | None = None, seller_id: int | None = None) -> list[InvoiceHead]:
    """The invoices a carrier has written, or a seller has got; newest first."""
    rows = session.execute(
        sa.select(*_HEAD).where(_scope(carrier_id, seller_id)).order_by(CarrierInvoice.id.desc()).limit(200)
    )
    return [InvoiceHead(*row) for row in rows]


def invoice(public_id: uuid.UUID, *, carrier_id: int | None = None, seller_id: int | None = None) -> Invoice:
    """An invoice, for the carrier that wrote it or the seller that got it.

    Raises:
        NotFound: absent, or somebody else's.
    """
    row = session.execute(
        sa.select(CarrierInvoice.id, *_HEAD).where(CarrierInvoice.public_id == public_id, _scope(carrier_id, seller_id))
    ).one_or_none()
    if row is None:
        raise NotFound()
    lines = session.execute(
        sa.select(
            CarrierInvoiceLine.kind, CarrierInvoiceLine.number, CarrierInvoiceLine.day, CarrierInvoiceLine.address,
            CarrierInvoiceLine.gross, CarrierInvoiceLine.parts,
        )
        .where(CarrierInvoiceLine.invoice_id == row.id)
        .order_by(CarrierInvoiceLine.id)
    )  # fmt: skip
    return Invoice(InvoiceHead(*row[1:]), tuple(InvoiceLine(*line[:5], tuple(line[5])) for line in lines))


def _scope(carrier_id: int | None, seller_id: int | None) -> sa.ColumnElement[bool]:
    if carrier_id is not None:
        return CarrierInvoice.carrier_id == carrier_id
    if seller_id is not None:
        return CarrierInvoice.seller_id == seller_id
    return sa.false()
