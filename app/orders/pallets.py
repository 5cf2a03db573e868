"""Returnable pallets: how many goods need, and the deposit for them. Needs no database.

The deposit is neither goods nor delivery: no VAT is in it, no fee is taken of it, no promotion speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.orders.models import FulfilmentLine, OrderLine

GRAIN = Fraction(1, 100_000)
"""Base units that are forgiven: parts of a line are rounded to the grain of the database; that makes no pallet more."""


def count(units: Decimal, on_one: Decimal) -> int:
    """Pallets for so many units of sale; 0 when the goods come on none."""
    return _whole(Fraction(units), Fraction(on_one)) if units > 0 and on_one else 0


def needed(line: OrderLine, base: Decimal) -> int:
    """Pallets for so many base units of an order line."""
    if base <= 0 or not line.pallet_units:
        return 0
    on_one = Fraction(line.pallet_units) * Fraction(line.factor_numerator, line.factor_denominator)
    return max(1, _whole(Fraction(base) - GRAIN, on_one))


def _whole(goods: Fraction, on_one: Fraction) -> int:
    return -int(-goods // on_one)


def recount(
    lines: Sequence[OrderLine], pieces: Sequence[FulfilmentLine], counted: Callable[[FulfilmentLine], Decimal]
) -> int:
    """Bring the pallets of an order down to what its goods still need; the deposit for them, in kopeks.

    Args:
        counted: base units of a piece that are paid for.
    """
    of = {line.id: line for line in lines}
    for piece in pieces:
        piece.pallets = min(piece.pallets, needed(of[piece.order_line_id], counted(piece)))
    return deposit_of(lines, pieces)


def freed(line: OrderLine, pieces: Sequence[FulfilmentLine], off: Sequence[Decimal]) -> int:
    """Kopeks for the pallets that pieces of a line would not need any more without so many base units of each."""
    left = [needed(line, piece.quantity - less) for piece, less in zip(pieces, off, strict=True)]
    fewer = sum(piece.pallets - min(piece.pallets, still) for piece, still in zip(pieces, left, strict=True))
    return fewer * line.pallet_deposit


def deposit_of(lines: Sequence[OrderLine], pieces: Iterable[FulfilmentLine]) -> int:
    """Kopeks for the pallets of pieces."""
    each = {line.id: line.pallet_deposit for line in lines}
    return sum(piece.pallets * each[piece.order_line_id] for piece in pieces)


def keep_terms(lines: Mapping[int, OrderLine], payload: Mapping[str, Any]) -> None:
    """Give order lines (by line of the cart) the terms that the quote promised."""
    for item in payload["lines"]:
        line = lines.get(item["line"])
        if line is not None:
            line.pallet_units = Decimal(item.get("pallet_units", 0))
            line.pallet_deposit = item.get("pallet_deposit", 0)


def grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """(kopeks for one, how many) as kopeks -> how many, cheapest first; without what costs nothing."""
    found: dict[int, int] = {}
    for each, many in pairs:
        if each and many:
            found[each] = found.get(each, 0) + many
    return dict(sorted(found.items()))


def worth(grouped_: Mapping[int, int]) -> int:
    """Kopeks of what `grouped` says."""
    return sum(each * many for each, many in grouped_.items())
