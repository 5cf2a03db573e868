"""Documents that leave with goods: issued once, at handover, with the next number of the seller, and never changed.

The document is the universal transfer document (UPD), status 1: invoice and act in one. Goods are the seller's;
delivery is another service and stands in the bill of the market.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
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
from app.orders.totals import Load, counted, factor_of
from app.payments import queries as payments

UPD = "upd"


@dataclass(frozen=True, slots=True)
class IssuedPaper:
    """A document as it was issued."""

    number: int
    issued_on: date
    payload: dict[str, Any]


def issue_upd(group: OrderGroup, order: Order, trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> None:
    """Issue the document of a trip that leaves now. The caller holds the locks of the order; one trip has one."""
    known = sa.select(OrderDocument.id).where(OrderDocument.fulfilment_id == trip.id, OrderDocument.kind == UPD)
    lines = _lines(trip, trips, load)
    if not lines or session.scalar(known) is not None:
        return
    day = clock.today()
    session.add(
        OrderDocument(
            seller_id=order.seller_id, kind=UPD, year=day.year, number=next_number(order.seller_id, UPD, day.year),
            issued_on=day, order_id=order.id, fulfilment_id=trip.id, payload=_payload(group, order, trip, lines),
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


def _share(line: OrderLine, kopeks: int, trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> int:
    """The part of a line's money that a trip carries; the parts of all trips sum to the line."""
    states = {t.id: t.status for t in trips}
    pieces = load.of_line(line.id)
    parts = rules.shares(kopeks, [counted(p, states[p.fulfilment_id]) for p in pieces])
    return sum(part for part, p in zip(parts, pieces, strict=True) if p.fulfilment_id == trip.id)


def issued(order_id: int) -> list[IssuedPaper]:
    """The documents of an order, first trip first."""
    statement = sa.select(OrderDocument.number, OrderDocument.issued_on, OrderDocument.payload)
    rows = session.execute(statement.where(OrderDocument.order_id == order_id).order_by(OrderDocument.id))
    return [IssuedPaper(*row) for row in rows]
