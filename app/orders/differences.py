"""What differs from what a buyer saw: lines that cost another price or are not there in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.core.errors import Conflict
from app.orders.plan import CartWish, Plan, PlannedLine


def check_still_true(payload: Mapping[str, Any], wishes: Sequence[CartWish], plan: Plan) -> None:
    """Compare what was promised with what is true now.

    Raises:
        Conflict: `quote_outdated` when the cart was changed after it, `stock_changed` or `price_changed` with
            the differences.
    """
    promised = {int(item["line"]): item for item in payload["lines"]}
    if {w.id: w.quantity for w in wishes} != {i: Decimal(item["quantity"]) for i, item in promised.items()}:
        raise Conflict("quote_outdated")
    short = [
        difference_of_stock(line, line.offer.available)
        for line in plan.lines
        if line.problem or not _pieces_are_there(payload, line)
    ]
    if short:
        raise Conflict("stock_changed", differences=short)
    dearer = [
        difference_of_price(line, promised[line.id]["price"])
        for line in plan.lines
        if line.price != promised[line.id]["price"]
    ]
    if dearer:
        raise Conflict("price_changed", differences=dearer)


def _pieces_are_there(payload: Mapping[str, Any], line: PlannedLine) -> bool:
    needed: dict[int, Decimal] = {}
    for trip in payload["trips"]:
        for piece in trip["pieces"]:
            if piece["line"] == line.id:
                place = trip["warehouse_id"]
                needed[place] = needed.get(place, Decimal(0)) + Decimal(piece["quantity"])
    return all(line.offer.available_at(place) >= units for place, units in needed.items())


def difference_of_price(line: PlannedLine, was: int) -> dict[str, Any]:
    """A line that costs another price than it did; kopeks per unit."""
    return _difference(line, "price", was=was, now=line.price)


def difference_of_stock(line: PlannedLine, there: Decimal) -> dict[str, Any]:
    """A line that is not there in full; units of sale."""
    now = there if line.offer.is_active else Decimal(0)
    found = _difference(line, "stock", was=f"{line.quantity.normalize():f}", now=f"{now.normalize():f}")
    return found | {"back_on": line.offer.back_on.isoformat()} if line.offer.back_on else found


def _difference(line: PlannedLine, kind: str, *, was: int | str, now: int | str) -> dict[str, Any]:
    return {
        "line": str(line.public_id),
        "offer": str(line.offer.public_id),
        "name_ru": line.offer.name_ru,
        "name_en": line.offer.name_en,
        "unit": line.offer.unit,
        "kind": kind,
        "was": was,
        "now": now,
    }
