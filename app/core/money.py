"""Money is a whole number of kopeks. Every split sums to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CURRENCY = "RUB"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in kopeks of one currency (roubles)."""

    kopeks: int

    def __add__(self, other: Money) -> Money:
        return Money(self.kopeks + other.kopeks)

    def __sub__(self, other: Money) -> Money:
        return Money(self.kopeks - other.kopeks)

    def __neg__(self) -> Money:
        return Money(-self.kopeks)

    def times(self, factor: Fraction | Decimal | int) -> Money:
        """Multiplied and rounded once, half up (away from zero)."""
        return Money(round_half_up(Fraction(factor) * self.kopeks))

    def split(self, weights: Sequence[int | Fraction | Decimal]) -> list[Money]:
        """Shares in proportion to the weights that sum exactly to this amount."""
        return [Money(part) for part in split(self.kopeks, weights)]

    def as_json(self) -> dict[str, int | str]:
        return {"amount": self.kopeks, "currency": CURRENCY}


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes away from zero, as invoices do."""
    sign = -1 if value < 0 else 1
    return sign * ((abs(value) * 2 + 1) // 2)


def line_total(price: int, quantity: Decimal | Fraction | int) -> int:
    """Gross of a line in kopeks: price per unit times quantity, rounded once, half up."""
    return round_half_up(Fraction(quantity) * price)


def vat_included(gross: int, rate_percent: Decimal | int) -> int:
    """The VAT inside a gross amount, in kopeks: gross x rate / (100 + rate), half up (Tax Code, art. 164 p. 4)."""
    rate = Fraction(rate_percent)
    return round_half_up(gross * rate / (100 + rate))


def percent_of(amount: int, percent: Decimal | int) -> int:
    """`percent` of an amount of kopeks, half up."""
    return round_half_up(amount * Fraction(percent) / 100)


def split(total: int, weights: Sequence[int | Fraction | Decimal]) -> list[int]:
    """Split kopeks in proportion to weights by the largest remainder; the parts sum to the whole.

    All weights zero: equal shares. Ties go to the earlier part, so the result is deterministic.

    Raises:
        ValueError: no weights, or a negative one.
    """
    shares = [Fraction(w) for w in weights]
    if not shares or any(s < 0 for s in shares):
        raise ValueError("weights must be present and not negative")
    if len(shares) == 1:
        return [total]
    whole = sum(shares)
    if whole == 0:
        shares, whole = [Fraction(1)] * len(shares), Fraction(len(shares))
    sign = -1 if total < 0 else 1
    exact = [abs(total) * s / whole for s in shares]
    parts = [int(e) for e in exact]
    missing = abs(total) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[:missing]:
        parts[i] += 1
    return [sign * p for p in parts]


def as_decimal(kopeks: int) -> Decimal:
    """Roubles with two places, for documents."""
    return (Decimal(kopeks) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
