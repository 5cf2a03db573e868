"""Prices and units of offers: pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Step:
    """From this quantity (units of sale) the price (kopeks per unit) holds."""

    from_quantity: Decimal
    price: int


@dataclass(frozen=True, slots=True)
class AppliedPrice:
    """The price of one unit and the rule that made it: `list` or `ladder:<from quantity>`."""

    price: int
    rule: str


def price_for(list_price: int, ladder: Sequence[Step], quantity: Decimal) -> AppliedPrice:
    """The price per unit when `quantity` units are bought: the highest step reached, else the list price."""
    reached = [step for step in ladder if step.from_quantity <= quantity]
    if not reached:
        return AppliedPrice(list_price, "list")
    best = max(reached, key=lambda step: step.from_quantity)
    return AppliedPrice(best.price, f"ladder:{format(best.from_quantity.normalize(), 'f')}")


def in_base_units(quantity: Decimal, factor: Fraction) -> Fraction:
    """Units of sale in base units, exactly."""
    return Fraction(quantity) * factor


def exact_decimal(value: Fraction, places: int = 6) -> Decimal | None:
    """The value as a decimal of at most `places`, or None when it is not one."""
    scaled = value * 10**places
    return Decimal(scaled.numerator).scaleb(-places) if scaled.denominator == 1 else None


def whole_steps(available: Decimal, factor: Fraction, step: Decimal) -> Decimal:
    """How many units of sale, in whole steps, the available base units allow."""
    if available <= 0:
        return Decimal(0)
    if factor.denominator == 1:  # nearly always, and many times faster
        return available // (step * factor.numerator) * step
    return int(Fraction(available) / (factor * Fraction(step))) * step
