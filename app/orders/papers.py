"""Documents of a trip: issued once, with the next number of the seller, and never changed.

The universal transfer document (UPD), status 1, leaves with the goods. Goods are the seller's; delivery is another
service and stands in the bill of the market. The act says what of it was handed over at the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import queries as accounts
from app.core import clock
from app.core.db import session
from app.offers import queries as offers
from app.orders import rules
from app.orders.models import Fulfilment, Order, OrderGroup, OrderLine
from app.orders.paper_models import DocumentCounter, OrderDocument
from app.orders.totals import Load, counted, factor_of, units_of, worth_of
from app.payments import queries as payments

UPD, ACT = "upd", "act"


@dataclass(frozen=True, slots=True)
class IssuedPaper:
    """A document as it was issued."""

    number: int
    issued_on: date
    payload: dict[str, Any]


def issue_upd(group: OrderGroup, order: Order, trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> None:
    """Issue the document of a trip that leaves now. The caller holds the locks of the order; one trip has one."""
    lines = _lines(trip, trips, load)
    if lines and not _is_issued(trip, UPD):
        _issue(UPD, order, trip, _payload(group, order, trip, lines))


def issue_act(group: OrderGroup, order: Order, trip: Fulfilment, load: Load, own_delivery: int) -> None:
    """Issue the act of a trip that was at the door, of what was handed over; nothing when nothing was.

    The caller holds the locks of the order; one trip has one.

    Args:
        own_delivery: kopeks of the delivery when the seller's own company drove, else 0.
    """
    if not any(piece.delivered for piece in load.of_trip(trip.id)) or _is_issued(trip, ACT):
        return
    said = _payload(group, order, trip, _handed(trip, load))
    carrier = accounts.requisites(trip.carrier_id).name if trip.carrier_id else ""
    at = clock.now().isoformat()
    _issue(ACT, order, trip, said | {"carrier": carrier, "own_delivery": own_delivery, "at": at,
                                     "upd": _number_of(trip, UPD)})  # fmt: skip


def _is_issued(trip: Fulfilment, kind: str) -> bool:
    return _number_of(trip, kind) is not None


def _number_of(trip: Fulfilment, kind: str) -> int | None:
    known = sa.select(OrderDocument.number)
    return session.scalar(known.where(OrderDocument.fulfilment_id == trip.id, OrderDocument.kind == kind))


def _issue(kind: str, order: Order, trip: Fulfilment, payload: dict[str, Any]) -> None:
    day = clock.today()
    session.add(
        OrderDocument(
            seller_id=order.seller_id, kind=kind, year=day.year, number=next_number(order.seller_id, kind, day.year),
            issued_on=day, order_id=order.id, fulfilment_id=trip.id, payload=payload,
        )
    )  # fmt: skip
    session.flush()


def next_number(seller_id: int, kind: str, year: int) -> int:
    """The next number, from 1. Its row stays locked until the transaction ends, so a rollback leaves no gap."""
    statement = insert(DocumentCounter).values(seller_id=seller_id, kind=kind, year=year, last=1)
    taken: int = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["seller_id", "kind", "year"], set_={"last": DocumentCounter.last + 1}
        ).returning(DocumentCounter.last)
    ).one()
    return taken


def _payload(group: OrderGroup, order: Order, trip: Fulfilment, lines: list[dict[str, Any]]) -> dict[str, Any]:
    company = accounts.requisites(order.seller_id)
    payment = payments.payment_of(group.id)
    payer: Mapping[str, Any] = payment.requisites.get("payer", {}) if payment else {}
    if not payer and group.organisation_id is not None:
        buyer = accounts.requisites(group.organisation_id)
        payer = {"name": buyer.name, "inn": buyer.inn, "kpp": buyer.kpp, "address": buyer.address}
    place = offers.warehouses([trip.warehouse_id])[trip.warehouse_id]
    return {
        "seller": {"name": company.name, "inn": company.inn, "kpp": company.kpp, "address": company.address},
        "buyer": {
            "name": payer.get("name") or group.contact_name,
            **{key: str(payer.get(key) or "") for key in ("inn", "kpp", "address")},
        },
        "from": place.address,
        "to": place.address if trip.method == "pickup" else group.site["address"],
        "receiver": trip.receiver or group.contact_name,
        "order": order.number,
        "ordered_on": clock.local(order.created_at).date().isoformat(),
        "mass_kg": f"{trip.mass_kg.normalize():f}",
        "lines": lines,
        **{name: sum(line[name] for line in lines) for name in ("net", "vat", "gross")},
    }


def _lines(trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> list[dict[str, Any]]:
    found = []
    for line in load.lines:
        base = sum((p.quantity for p in load.of_line(line.id) if p.fulfilment_id == trip.id), Decimal(0))
        if base:
            gross, vat = _share(line, line.gross, trip, trips, load), _share(line, line.vat, trip, trips, load)
            units = line.quantity if base == line.quantity_base else rules.per_unit(base, factor_of(line))
            found.append({
                "name": line.name_ru, "sku": line.sku, "unit": line.unit, "quantity": f"{units.normalize():f}",
                "vat_percent": f"{line.vat_percent.normalize():f}", "net": gross - vat, "vat": vat, "gross": gross,
            })  # fmt: skip
    return found


def _handed(trip: Fulfilment, load: Load) -> list[dict[str, Any]]:
    """Lines of an act. Money is what the line has come to with this trip less what it came to before, so that the acts
    of an order sum to its goods to the kopek, as the ledger does.
    """
    found = []
    for line in load.lines:
        pieces = [p for p in load.of_line(line.id) if p.fulfilment_id == trip.id and p.quantity]
        if pieces:
            sent = sum((p.quantity for p in pieces), Decimal(0))
            came = sum((p.delivered or Decimal(0) for p in pieces), Decimal(0))
            handed = sum((p.delivered or Decimal(0) for p in load.of_line(line.id)), Decimal(0))
            now, before = worth_of(line, handed), worth_of(line, handed - came)
            gross, vat = now.gross - before.gross, now.vat - before.vat
            found.append({
                "name": line.name_ru, "sku": line.sku, "unit": line.unit, "sent": _plain(units_of(line, sent)),
                "quantity": _plain(units_of(line, came)), "vat_percent": f"{line.vat_percent.normalize():f}",
                "net": gross - vat, "vat": vat, "gross": gross,
            })  # fmt: skip
    return found


def _plain(units: Fraction) -> str:
    return f"{rules.per_unit(Decimal(units.numerator), Fraction(units.denominator)).normalize():f}"


def _share(line: OrderLine, kopeks: int, trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> int:
    """The part of a line's money that a trip carries; the parts of all trips sum to the line."""
    states = {t.id: t.status for t in trips}
    pieces = load.of_line(line.id)
    parts = rules.shares(kopeks, [counted(p, states[p.fulfilment_id]) for p in pieces])
    return sum(part for part, p in zip(parts, pieces, strict=True) if p.fulfilment_id == trip.id)


def issued(order_id: int, kind: str = UPD) -> list[IssuedPaper]:
    """The documents of an order, first trip first."""
    statement = sa.select(OrderDocument.number, OrderDocument.issued_on, OrderDocument.payload)
    rows = session.execute(
        statement.where(OrderDocument.order_id == order_id, OrderDocument.kind == kind).order_by(OrderDocument.id)
    )
    return [IssuedPaper(*row) for row in rows]


def with_acts(order_ids: Iterable[int]) -> set[int]:
    """Which of these orders have acts; those handed over before there were acts have none. No ids: no query."""
    ids = list(order_ids)
    kept = sa.select(OrderDocument.order_id).where(OrderDocument.order_id.in_(ids), OrderDocument.kind == ACT)
    return set(session.scalars(kept)) if ids else set()
