"""Decisions of money that need no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from app.core import clock, money

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


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the operator's list of fees; None matches everybody."""

    id: int
    seller_id: int | None
    category_ids: tuple[int, ...] | None
    percent: Decimal
    valid_from: date
    valid_to: date | None

    def matches(self, seller_id: int, category_path: Sequence[int], day: date) -> bool:
        """Whether the rule speaks of this sale."""
        if not self.valid_from <= day <= (self.valid_to or date.max):
            return False
        if self.seller_id is not None and self.seller_id != seller_id:
            return False
        return self.category_ids is None or bool(set(self.category_ids) & set(category_path))


@dataclass(frozen=True, slots=True)
class Fee:
    """What the market keeps of a line, in kopeks; `vat` is inside `amount`."""

    rule_id: int | None
    percent: Decimal
    amount: int
    vat: int


def fee_for(rules: Sequence[Rule], seller_id: int, category_path: Sequence[int], gross: int, day: date) -> Fee:
    """The fee of the first rule that matches, rounded half up; without any the general percent."""
    first = next((r for r in rules if r.matches(seller_id, category_path, day)), None)
    percent = first.percent if first else COMMISSION_PERCENT
    amount = money.percent_of(gross, percent)
    return Fee(first.id if first else None, percent, amount, money.vat_included(amount, FEE_VAT_PERCENT))


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
