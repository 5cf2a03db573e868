"""Decisions of returns and claims that need no database: state machines, times, money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from app.core import money
from app.core.machine import machine

RETURN = machine(
    "return",
    {
        "requested": "approved rejected cancelled",
        "approved": "in_transit received cancelled",
        "in_transit": "received",
        "received": "refunded rejected",
        "refunded": "",
        "rejected": "",
        "cancelled": "",
    },
)
CLAIM = machine(
    "claim",
    {
        "opened": "agreed offered refused escalated withdrawn",
        "offered": "agreed escalated withdrawn",
        "refused": "escalated withdrawn",
        "escalated": "settled withdrawn",
        "agreed": "",
        "settled": "",
        "withdrawn": "",
    },
)
RETURN_STATES = tuple(RETURN.table)
RETURN_OPEN = tuple(state for state in RETURN_STATES if state not in RETURN.last)
CLAIM_STATES = tuple(CLAIM.table)
CLAIM_OPEN = tuple(state for state in CLAIM_STATES if state not in CLAIM.last)
RETURN_REASONS = ("leftover", "damaged", "wrong")
CLAIM_KINDS = ("damaged", "short", "wrong")
WITH_PHOTOGRAPHS = ("damaged", "wrong")
"""What has to be shown: nobody can see from afar what is broken or another thing."""
WISHES = ("money", "replacement", "other")
RIGHT = ("", "buyer", "seller", "both")

FAULT_DAYS = 14
"""Days after the delivery in which a buyer may claim, or send back what is damaged or wrong."""
RETURN_ANSWER = timedelta(days=3)
"""A request that the seller leaves unanswered for so long is approved by itself."""
RETURN_SEND = timedelta(days=14)
"""Approved goods that are not sent within this time are the buyer's again."""
RETURN_ARRIVE = timedelta(days=10)
"""Goods on their way that nobody counts for so long come before the operator."""
RETURN_SETTLE = timedelta(days=3)
"""Counted goods that the seller neither pays back nor rejects are paid back by themselves."""
CLAIM_ANSWER = timedelta(days=3)
"""A claim that the seller leaves unanswered for so long goes to the operator."""
CLAIM_REPLY = timedelta(days=7)
"""So does one whose buyer does not reply to an offer or a refusal."""
WAIT_FOR_MONEY = timedelta(days=1)
"""A refund that cannot be written yet (the order is not completed or not paid) is tried again after this."""

NOTE_LENGTH = 1000
MOST_PHOTOS = 8


def worth(gross: int, handed: Decimal, before: Decimal, quantity: Decimal) -> int:
    """Kopeks of `quantity` base units of a line, after `before` of them were paid back.

    Each part is the difference of two rounded sums, so parts of a line come to the line however it is cut.

    Args:
        gross, handed: kopeks and base units of the line as it was handed over.
    """
    if not handed:
        return 0
    share = Fraction(gross) / Fraction(handed)
    return money.round_half_up(share * Fraction(before + quantity)) - money.round_half_up(share * Fraction(before))


def less_fee(parts: list[int], percent: Decimal) -> list[int]:
    """What is paid of each part when `percent` of the whole is kept; the fee is rounded once."""
    whole = sum(parts)
    return money.split(whole - money.percent_of(whole, percent), parts) if whole else parts


def is_whole(quantity: Decimal, factor: Fraction) -> bool:
    """Whether base units are a whole number of units of sale."""
    return (Fraction(quantity) / factor).denominator == 1
