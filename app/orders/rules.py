"""Decisions of ordering that need no database: state machines, quantities, money of a line."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

from app.core import money
from app.core.errors import FieldError, Invalid
from app.core.machine import Machine, machine

MICRO = Decimal("0.000001")
"""The grain of quantities in the database."""
MOST = Decimal(1_000_000)
"""No line asks for more units than this."""
MOST_LINES = 200
"""Lines of one cart."""
CASH_LIMIT = 100_000_00
"""Kopeks. Cash between companies under one contract is limited (Bank of Russia, instruction 5348-U, p. 4)."""


ORDER = machine(
    "order",
    {
        "placed": "accepted rejected expired cancelled",
        "accepted": "completed cancelled",
        "completed": "",
        "rejected": "",
        "expired": "",
        "cancelled": "",
    },
)
FULFILMENT = machine(
    "fulfilment",
    {
        "planned": "picking cancelled",
        "picking": "ready cancelled",
        "ready": "handed_over cancelled",
        "handed_over": "in_transit partially_delivered failed",
        "in_transit": "delivered partially_delivered failed",
        "delivered": "",
        "partially_delivered": "returning",
        "failed": "returning",
        "returning": "returned",
        "returned": "",
        "cancelled": "",
    },
)
PICKUP = machine(
    "fulfilment",
    {
        "planned": "picking cancelled",
        "picking": "ready cancelled",
        "ready": "handed_over cancelled",
        "handed_over": "delivered",
        "delivered": "",
        "cancelled": "",
    },
)
"""What a buyer fetches at the counter: it is handed over there, and that is the door."""
PICKUP_TRIES = 5
PAYMENT = machine(
    "payment",
    {
        "none": "awaiting",
        "awaiting": "authorised paid voided overdue",
        "authorised": "paid voided",
        "overdue": "paid voided",
        "paid": "partially_refunded refunded",
        "partially_refunded": "refunded",
        "refunded": "",
        "voided": "",
    },
)
APPROVAL = machine(
    "approval",
    {
        "waiting": "approved declined withdrawn expired",
        "approved": "",
        "declined": "",
        "withdrawn": "",
        "expired": "",
    },
)
QUOTE = machine(
    "quote",
    {
        "requested": "offered declined withdrawn expired",
        "offered": "countered accepted declined withdrawn expired",
        "countered": "offered declined withdrawn expired",
        "accepted": "",
        "declined": "",
        "withdrawn": "",
        "expired": "",
    },
)
PROPOSAL = machine(
    "proposal",
    {
        "offered": "accepted declined withdrawn expired",
        "accepted": "",
        "declined": "",
        "withdrawn": "",
        "expired": "",
    },
)

_PROGRESS = ("planned", "picking", "ready", "handed_over", "in_transit", "failed", "partially_delivered", "delivered")
_AFTER_FAILURE = ("returning", "returned")
CANCELLABLE = frozenset({"planned"})
"""A buyer may cancel while nothing of the order is being picked."""


def new_pickup_code() -> str:
    """Six digits that open the counter."""
    return f"{secrets.randbelow(1_000_000):06d}"


def way_of(method: str) -> Machine:
    """The states that a trip of this method goes through."""
    return PICKUP if method == "pickup" else FULFILMENT


def derived_fulfilment(states: Iterable[str]) -> str:
    """The state of the goods of an order: the least advanced trip speaks for all; cancelled ones do not count."""
    present = [s for s in states if s != "cancelled"]
    if not present:
        return "cancelled"
    if any(s in _AFTER_FAILURE for s in present) and all(s not in _PROGRESS[:5] for s in present):
        left = {s for s in present if s in _AFTER_FAILURE}
        return "partially_delivered" if any(s in ("delivered", "partially_delivered") for s in present) else min(left)
    ranked = [s for s in present if s in _PROGRESS]
    return min(ranked, key=_PROGRESS.index) if ranked else present[0]


def order_outcome(states: Iterable[str]) -> str | None:
    """What an accepted order becomes when all its trips are over: completed, cancelled, or None while some go on."""
    present = list(states)
    if any(s not in ("delivered", "partially_delivered", "returned", "cancelled", "returning") for s in present):
        return None
    if any(s in ("delivered", "partially_delivered") for s in present):
        return "completed"
    return None if "returning" in present else "cancelled"


def derived_payment(parts: Sequence[tuple[str, int]]) -> str:
    """The payment status of a purchase from (status, amount) of its orders; nothing left to pay is `voided`."""
    owed = {status for status, amount in parts if amount > 0}
    if not owed:
        moved = {status for status, _amount in parts}
        return next((s for s in ("paid", "partially_refunded", "refunded") if s in moved), "voided")
    if len(owed) == 1:
        return owed.pop()
    for status in ("overdue", "awaiting", "authorised", "partially_refunded", "paid"):
        if status in owed:
            return status
    return "refunded"


@dataclass(frozen=True, slots=True)
class Fit:
    """A quantity that can be sold, and why it is not the one that was asked: "", step, minimum or stock."""

    quantity: Decimal
    note: str = ""


def check_quantity(wanted: Decimal, pointer: str = "/quantity") -> None:
    """Refuse what is no quantity at all.

    Raises:
        Invalid: not a number, not positive, more than `MOST`.
    """
    if not wanted.is_finite():
        raise Invalid([FieldError(pointer, "not_a_number")])
    if wanted <= 0:
        raise Invalid([FieldError(pointer, "quantity_positive")])
    if wanted > MOST:
        raise Invalid([FieldError(pointer, "too_large", {"maximum": f"{MOST:f}"})])


def fit_quantity(wanted: Decimal, step: Decimal, minimum: Decimal, most: Decimal) -> Fit | None:
    """The nearest quantity that is sold: a whole number of steps, at least the minimum, at most what there is.

    Rounds up to the step, then caps by `most`. None when not even the minimum is there.
    """
    least = _up(minimum, step)
    there = _down(most, step)
    if there < least:
        return None
    fitted = max(_up(wanted, step), least)
    if fitted > there:
        return Fit(there, "stock")
    if fitted == wanted:
        return Fit(fitted)
    return Fit(fitted, "minimum" if wanted < least else "step")


def _up(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def _down(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def to_base(quantity: Decimal, factor: Fraction) -> Decimal:
    """A quantity of units in base units, rounded to the grain of the database, half up."""
    if factor.denominator == 1:  # nearly always, and many times faster
        return (quantity * factor.numerator).quantize(MICRO, ROUND_HALF_UP)
    exact = Fraction(quantity) * factor
    micro = money.round_half_up(exact * 1_000_000)
    return (Decimal(micro) / 1_000_000).quantize(MICRO)


def to_units(base: Decimal, factor: Fraction, step: Decimal) -> Decimal:
    """How many units, in whole steps, fit into a quantity of base units (a grain short is forgiven)."""
    steps = int((Fraction(base) + Fraction(MICRO)) / (factor * Fraction(step)))
    return steps * step


def per_unit(base: Decimal, factor: Fraction) -> Decimal:
    """Base units as units of sale, for people: three places, half up."""
    exact = Fraction(base) / factor
    return (Decimal(money.round_half_up(exact * 1000)) / 1000).quantize(Decimal("0.001"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class LineMoney:
    """Kopeks of a line; gross = net + vat."""

    gross: int
    vat: int

    @property
    def net(self) -> int:
        return self.gross - self.vat


def line_money(price: int, quantity: Decimal | Fraction, vat_percent: Decimal) -> LineMoney:
    """Price times quantity, rounded once, half up; the VAT is inside."""
    gross = money.line_total(price, quantity)
    return LineMoney(gross, money.vat_included(gross, vat_percent) if vat_percent else 0)


def shares(total: int, parts: Sequence[Decimal]) -> list[int]:
    """Money of a line over its trips, by quantity; sums to the whole."""
    return money.split(total, [Fraction(p) for p in parts])


def taken_back(parts: Sequence[Decimal], less: Decimal) -> list[Decimal]:
    """What each trip gives up so that together they give up `less`; the last trip gives first.

    Raises:
        ValueError: less than nothing, or more than there is.
    """
    if less < 0 or less > sum(parts, Decimal(0)):
        raise ValueError("cannot give up that much")
    given = [Decimal(0)] * len(parts)
    for index in reversed(range(len(parts))):
        given[index] = min(parts[index], less)
        less -= given[index]
    return given
