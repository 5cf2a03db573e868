"""What of an order was handed over, when, and how much of it is going back already."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.core.db import session
from app.offers.return_terms import Terms
from app.orders import return_rules, rules

_HANDED = sa.text(
    """
    SELECT l.id, l.public_id, l.order_id, l.position, l.offer_id, l.product_id, l.name_ru, l.name_en, l.sku, l.unit,
        l.factor_numerator, l.factor_denominator, l.quantity AS ordered, l.quantity_base AS ordered_base, l.gross,
        f.base, f.counted, f.warehouse_id, f.at, coalesce(r.going, 0) AS going, coalesce(r.paid, 0) AS paid,
        c.path
    FROM order_line l
    JOIN product p ON p.id = l.product_id JOIN category c ON c.id = p.category_id
    JOIN LATERAL (
        SELECT sum(coalesce(x.delivered, 0)) AS base,
            sum(CASE WHEN t.status = 'cancelled' THEN 0 ELSE coalesce(x.delivered, x.quantity) END) AS counted,
            min(t.warehouse_id) FILTER (WHERE x.delivered > 0) AS warehouse_id,
            max(e.created_at) FILTER (WHERE x.delivered > 0) AS at
        FROM fulfilment_line x JOIN fulfilment t ON t.id = x.fulfilment_id
        LEFT JOIN order_event e ON e.fulfilment_id = t.id
            AND e.kind IN ('fulfilment.delivered', 'fulfilment.partially_delivered')
        WHERE x.order_line_id = l.id) f ON f.base > 0
    LEFT JOIN LATERAL (
        SELECT sum(x.paid) AS paid, sum(CASE q.status WHEN 'refunded' THEN x.paid ELSE x.quantity END)
            FILTER (WHERE q.status NOT IN ('rejected', 'cancelled')) AS going
        FROM return_line x JOIN return_request q ON q.id = x.return_id
        WHERE x.order_line_id = l.id) r ON true
    WHERE l.order_id = ANY(:orders) AND f.at IS NOT NULL
    ORDER BY l.order_id, l.position
    """
)


@dataclass(frozen=True, slots=True)
class HandedLine:
    """A line of which something was handed over. Base units: `base` of them, `going` back or back already, `paid` back
    of those. `gross`: kopeks of the line; `counted`: base units that they are for."""

    id: int
    public_id: uuid.UUID
    order_id: int
    position: int
    offer_id: int
    product_id: int
    name_ru: str
    name_en: str
    sku: str
    unit: str
    factor: Fraction
    ordered: Decimal
    ordered_base: Decimal
    gross: int
    base: Decimal
    counted: Decimal
    warehouse_id: int
    at: datetime
    going: Decimal
    paid: Decimal
    path: tuple[int, ...]

    @property
    def left(self) -> Decimal:
        """Base units that may still go back."""
        return self.base - self.going

    def units(self, base: Decimal) -> Decimal:
        """Base units as units of sale, for people."""
        return self.ordered if base == self.ordered_base else rules.per_unit(base, self.factor)

    def to_base(self, units: Decimal, most: Decimal) -> Decimal:
        """Units of sale as base units; all that is shown is all that there is."""
        return most if units == self.units(most) else rules.to_base(units, self.factor)

    def worth(self, base: Decimal) -> int:
        """Kopeks of so many base units, next to those paid back before."""
        return return_rules.worth(self.gross, self.counted, self.paid, base)

    def until(self, reason: str, terms: Terms) -> datetime:
        """The moment after which it cannot go back for this reason."""
        days = terms.days if reason == "leftover" else return_rules.FAULT_DAYS
        return self.at + timedelta(days=days)

    def refusal(self, reason: str, terms: Terms, now: datetime) -> str:
        """Why it cannot go back: a code, or empty."""
        if reason == "leftover" and not terms.accepts:
            return "return_no_leftovers"
        if reason == "leftover" and terms.excludes(self.path):
            return "return_section"
        if now > self.until(reason, terms):
            return "return_too_late"
        return "" if self.left > 0 else "return_nothing_left"


def handed_lines(order_ids: Iterable[int]) -> list[HandedLine]:
    """Lines of orders of which something was handed over, in order."""
    found = []
    for row in session.execute(_HANDED, {"orders": list(order_ids)}):
        values = dict(row._mapping)
        factor = Fraction(values.pop("factor_numerator"), values.pop("factor_denominator"))
        found.append(HandedLine(**values | {"factor": factor, "path": tuple(values["path"])}))
    return found
