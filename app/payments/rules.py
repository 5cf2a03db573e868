"""Decisions of money that need no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from app.core import clock, money
from app.core.machine import machine

INVOICE_DAYS = 3
"""Days to pay a bank invoice."""
REMINDER_DAYS = 1
"""Days before the last one on which the buyer is reminded."""
GRACE_DAYS = 3
"""Days after the last one, then orders that nobody picks yet are called off."""
REMINDER_HOUR = 10
"""Hour of the day of the market at which reminders go."""
CARD_MINUTES = 30
"""Time to pay a purchase by card."""
COMMISSION_PERCENT = Decimal(6)
"""Fee of the market when no rule of the operator matches."""
FEE_VAT_PERCENT = Decimal(22)
"""VAT on the operator's own service, general rate (Tax Code of Russia, art. 164 p. 3, since 2026-01-01)."""


REFUND_LIMIT = 50_000_00
"""Kopeks. What one person may give back of an order; a refund beyond it needs a second person."""
HOLD_DAYS = 7
"""Days after delivery in which what was earned is not paid out: buyers complain first."""
PAYOUT_MINIMUM = 1_000_00
"""Kopeks. Less than this waits for the next run."""

REFUND = machine("refund", {"requested": "approved declined", "approved": "paid", "paid": "", "declined": ""})
PAYOUT = machine("payout", {"prepared": "paid failed", "paid": "", "failed": ""})
CORRECTION = machine("correction", {"requested": "approved declined", "approved": "", "declined": ""})


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the operator's list of fees; None matches everybody. Amounts are kopeks of the order line."""

    id: int
    seller_id: int | None
    category_ids: tuple[int, ...] | None
    percent: Decimal
    valid_from: date
    valid_to: date | None
    amount_from: int = 0
    amount_to: int | None = None
    fixed: int = 0
    floor: int = 0
    cap: int | None = None

    def refusal(self, seller_id: int, category_path: Sequence[int], gross: int, day: date) -> str:
        """Why the rule does not speak of this sale: day, seller, category or amount; empty when it does."""
        if not self.valid_from <= day <= (self.valid_to or date.max):
            return "day"
        if self.seller_id is not None and self.seller_id != seller_id:
            return "seller"
        if self.category_ids is not None and not set(self.category_ids) & set(category_path):
            return "category"
        if gross < self.amount_from or (self.amount_to is not None and gross >= self.amount_to):
            return "amount"
        return ""

    def fee(self, gross: int) -> int:
        """Percent and fixed part, held between floor and cap, never more than the sale."""
        fee = max(self.floor, money.percent_of(gross, self.percent) + self.fixed)
        return min(gross, fee if self.cap is None else min(self.cap, fee))


@dataclass(frozen=True, slots=True)
class Fee:
    """What the market keeps of a line, in kopeks; `vat` is inside `amount`."""

    rule_id: int | None
    percent: Decimal
    amount: int
    vat: int


GENERAL = Rule(0, None, None, COMMISSION_PERCENT, date.min, None)
"""What holds when no rule of the operator matches."""


def fee_for(rules: Sequence[Rule], seller_id: int, category_path: Sequence[int], gross: int, day: date) -> Fee:
    """The fee of the first rule that matches, rounded half up; without any the general percent."""
    first = next((r for r in rules if not r.refusal(seller_id, category_path, gross, day)), GENERAL)
    amount = first.fee(gross)
    return Fee(first.id or None, first.percent, amount, money.vat_included(amount, FEE_VAT_PERCENT))


def kept_fee(fee: int, base: int, gross: int) -> int:
    """The part of a frozen fee that falls on `gross` of the `base` kopeks it was frozen for, half up.

    Rows of the ledger are differences of this, so whatever is delivered or given back in pieces, they sum to it:
    all of the line gives the whole fee, nothing of it gives nothing.
    """
    return money.round_half_up(Fraction(fee * gross, base)) if base else 0


@dataclass(frozen=True, slots=True)
class Borne:
    """The operator's part of the discount of an order line that was sold for `base` kopeks; none by default."""

    amount: int = 0
    base: int = 0

    def kept(self, gross: int) -> int:
        """The part that falls on so much of the line."""
        return kept_fee(self.amount, self.base, gross)


NOTHING_BORNE = Borne()


def needs_second(amount: int, given_before: int) -> bool:
    """Whether a refund needs a second person, after so much was given back of the order by one."""
    return amount + given_before > REFUND_LIMIT


def paid_status(paid: int, refunded: int) -> str:
    """What a payment, or a part of one, is after refunds: paid, partially_refunded or refunded."""
    if refunded <= 0:
        return "paid"
    return "refunded" if refunded >= paid else "partially_refunded"


def due_day(placed: date) -> date:
    """The last day to pay an invoice."""
    return placed + timedelta(days=INVOICE_DAYS)


def reminder_at(due: date) -> datetime:
    """When the buyer of an unpaid invoice is reminded."""
    return clock.at(due - timedelta(days=REMINDER_DAYS), REMINDER_HOUR * 60)


def overdue_at(due: date) -> datetime:
    """The midnight after the last day to pay."""
    return clock.at(due + timedelta(days=1), 0)


def cancel_at(due: date) -> datetime:
    """When orders of an unpaid invoice that nobody picks yet are called off."""
    return overdue_at(due) + timedelta(days=GRACE_DAYS)


OPERATOR: dict[str, str] = {
    "name": "ООО «Тутуу Маркет»",
    "inn": "7700000016",
    "kpp": "770001001",
    "address": "г. Москва",
    "bank": "Банк Демо",
    "bik": "044525000",
    "account": "40702810000000000001",
    "correspondent_account": "30101810000000000000",
}
"""Requisites of the operator as a bill shows them; those of the demo belong to nobody."""
