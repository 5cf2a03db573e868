"""Quantities and units. Factors between units are exact rationals; a quantity is rounded only where it is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

UNITS = (
    "pcs", "bag", "sheet", "roll", "pack", "pallet", "m", "m2", "m3", "kg", "t", "l", "set", "box", "can", "bucket",
    "tube", "coil",
)  # fmt: skip
"""Unit codes of the market, as the API names them."""

MAX_DIGITS = 12
MAX_PLACES = 6
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']")
_DECIMAL = re.compile(r"[+-]?\d+(?:[.,]\d*)?|[+-]?[.,]\d+")


class NotANumber(ValueError):
    """A text that is no quantity. `code`: required, not_a_number or too_many_digits."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_decimal(text: str) -> Decimal:
    """A number as people type it: comma or point, spaces between thousands. Refuses exponents, NaN and infinity.

    Raises:
        NotANumber: empty, not a number, or with more than 12 digits before or 6 after the point.
    """
    bare = _SPACES.sub("", text).replace("\u2212", "-")
    if not bare:
        raise NotANumber("required")
    if not bare.isascii() or not _DECIMAL.fullmatch(bare):
        raise NotANumber("not_a_number")
    value = Decimal(bare.replace(",", "."))
    whole, _, places = bare.lstrip("+-").replace(",", ".").partition(".")
    if len(whole.lstrip("0")) > MAX_DIGITS or len(places.rstrip("0")) > MAX_PLACES:
        raise NotANumber("too_many_digits")
    return value


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of a unit, exactly."""

    value: Fraction
    unit: str

    def to(self, unit: str, factor: Fraction) -> Quantity:
        """The same amount in another unit, one of which is `factor` of the present one."""
        return Quantity(self.value / factor, unit)


def ceil_to_step(value: Fraction, step: Decimal | int, minimum: Decimal | int = 0) -> Decimal:
    """The least whole number of steps that is not below the value or the minimum."""
    wanted = max(value, Fraction(minimum))
    steps = -(-wanted // Fraction(step))
    return steps * Decimal(step)


def to_api(value: Decimal | Fraction) -> str:
    """A decimal text without exponent or trailing zeros; a fraction that is no decimal is rounded to 6 places."""
    if isinstance(value, Fraction):
        scaled = (2 * value.numerator * 10**MAX_PLACES + value.denominator) // (2 * value.denominator)
        value = Decimal(scaled).scaleb(-MAX_PLACES)
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
