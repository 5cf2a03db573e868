"""The operator's list of fees: add, edit, move, end, and "which rule would this sale meet, and why"."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog import queries as catalog
from app.catalog.queries import CategoryNode
from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers.models import Seller
from app.payments import rules
from app.payments.models import CommissionLine, CommissionRule

MOST_KOPEKS = 10**12


@dataclass(frozen=True, slots=True)
class RuleData:
    """What a rule says; kopeks. None: any seller, any category, no upper end, no cap, from today, for ever."""

    percent: Decimal
    seller_id: int | None = None
    category_id: int | None = None
    amount_from: int = 0
    amount_to: int | None = None
    fixed: int = 0
    floor: int = 0
    cap: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


def _check(given: RuleData) -> dict[str, Any]:
    errors = []
    if not given.percent.is_finite() or not 0 <= given.percent <= 100:
        errors.append(FieldError("/percent", "percent_range"))
    if given.seller_id is not None and session.get(Seller, given.seller_id) is None:
        errors.append(FieldError("/seller", "unknown_option"))
    if given.category_id is not None and given.category_id not in _categories():
        errors.append(FieldError("/category", "unknown_option"))
    for name in ("amount_from", "amount_to", "fixed", "floor", "cap"):
        value = getattr(given, name)
        if value is not None and not 0 <= value <= MOST_KOPEKS:
            errors.append(FieldError(f"/{name}", "amount_range"))
    if given.amount_to is not None and given.amount_to <= given.amount_from:
        errors.append(FieldError("/amount_to", "upper_above_lower"))
    if given.cap is not None and given.cap < given.floor:
        errors.append(FieldError("/cap", "upper_above_lower"))
    first = given.valid_from or clock.today()
    if given.valid_to is not None and given.valid_to < first:
        errors.append(FieldError("/valid_to", "last_before_first"))
    if errors:
        raise Invalid(errors)
    return asdict(given) | {"valid_from": first, "percent": given.percent.quantize(Decimal("0.01"))}


@unit_of_work
def add(actor: Actor, given: RuleData) -> uuid.UUID:
    """A rule at the end of the list.

    Raises:
        Invalid: with every wrong field.
    """
    values = _check(given)
    last = max((row.position for row in _locked_list()), default=0)
    row = CommissionRule(**values, position=last + 1)
    session.add(row)
    session.flush()
    _audited(actor, "commission.rule_added", row)
    return row.public_id


@unit_of_work
def edit(actor: Actor, rule: uuid.UUID, given: RuleData) -> uuid.UUID:
    """Change a rule. One that froze a fee ends and a new one takes its place, so old fees keep their reason.

    Returns:
        The id of the rule that holds now.

    Raises:
        NotFound: absent or ended. Invalid: with every wrong field.
    """
    row = _one(rule)
    values = _check(given)
    if _is_used(row.id):
        _end(row)
        session.flush()
        row = CommissionRule(**values, position=row.position)
        session.add(row)
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    _audited(actor, "commission.rule_changed", row)
    return row.public_id


@unit_of_work
def end(actor: Actor, rule: uuid.UUID) -> None:
    """The rule speaks no more.

    Raises:
        NotFound: absent or ended.
    """
    row = _one(rule)
    _end(row)
    _audited(actor, "commission.rule_ended", row)
    session.flush()


def _end(row: CommissionRule) -> None:
    row.ended_at = clock.now()
    if row.valid_from <= clock.today():
        row.valid_to = clock.today()


@unit_of_work
def move(actor: Actor, rule: uuid.UUID, up: bool) -> None:
    """Change places with the neighbour; at the end of the list nothing happens.

    Raises:
        NotFound: absent or ended. Invalid: nothing.
    """
    order = _locked_list()
    index = next((i for i, row in enumerate(order) if row.public_id == rule), None)
    if index is None:
        raise NotFound()
    other = index - 1 if up else index + 1
    if not 0 <= other < len(order):
        return
    one, two = order[index], order[other]
    mine, theirs = one.position, two.position
    one.position = -1  # the index allows no two in one place, not even for a moment
    session.flush()
    two.position = mine
    session.flush()
    one.position = theirs
    session.flush()
    _audited(actor, "commission.rule_moved", one)


def _locked_list() -> list[CommissionRule]:
    ids = session.scalars(sa.select(CommissionRule.id).where(CommissionRule.ended_at.is_(None)))
    found: list[CommissionRule] = lock_rows(CommissionRule, ids)
    return sorted((row for row in found if row.ended_at is None), key=lambda row: row.position)


def _one(rule: uuid.UUID) -> CommissionRule:
    found = next((row for row in _locked_list() if row.public_id == rule), None)
    if found is None:
        raise NotFound()
    return found


def _is_used(rule_id: int) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(CommissionLine.rule_id == rule_id))))


def _audited(actor: Actor, action: str, row: CommissionRule) -> None:
    facts = {"position": row.position, "percent": str(row.percent), "valid_from": str(row.valid_from)}
    audit.record(actor, action, "commission_rule", row.id, after=facts)


def _categories() -> dict[int, tuple[CategoryNode, tuple[int, ...]]]:
    """Category -> itself, and its path from the root."""
    found: dict[int, tuple[CategoryNode, tuple[int, ...]]] = {}
    waiting: list[tuple[CategoryNode, tuple[int, ...]]] = [(node, ()) for node in catalog.tree()]
    while waiting:
        node, above = waiting.pop()
        found[node.id] = node, (*above, node.id)
        waiting.extend((child, found[node.id][1]) for child in node.children)
    return found


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule with the names it speaks of, and whether it froze fees already."""

    rule: CommissionRule
    seller_name: str
    category_ru: str
    category_en: str
    is_used: bool


def listed() -> list[ListedRule]:
    """The list in its order."""
    used = sa.exists().where(CommissionLine.rule_id == CommissionRule.id)
    rows = session.execute(
        sa.select(CommissionRule, Seller.name, used)
        .outerjoin(Seller, Seller.id == CommissionRule.seller_id)
        .where(CommissionRule.ended_at.is_(None))
        .order_by(CommissionRule.position)
    )
    known = _categories()
    found = []
    for row, name, is_used in rows:
        node = known[row.category_id][0] if row.category_id in known else None
        names = (node.name_ru, node.name_en) if node else ("", "")
        found.append(ListedRule(row, name or "", *names, bool(is_used)))
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a sale: why it does not match (day, seller, category, amount), or the fee it gives."""

    position: int
    refusal: str
    fee: int


def try_it(seller_id: int, category_id: int, gross: int) -> tuple[list[Verdict], rules.Fee]:
    """Every rule up to the first that matches, and the fee of the sale today.

    Raises:
        Invalid: no such category.
    """
    known_categories = _categories()
    if category_id not in known_categories:
        raise Invalid.one("/category", "unknown_option")
    path = known_categories[category_id][1]
    day = clock.today()
    verdicts = []
    known = []
    for one in listed():
        row = one.rule
        known.append(as_rule(row))
        why = known[-1].refusal(seller_id, path, gross, day)
        verdicts.append(Verdict(row.position, why, 0 if why else known[-1].fee(gross)))
        if not why:
            break
    return verdicts, rules.fee_for(known, seller_id, path, gross, day)


def as_rule(row: CommissionRule) -> rules.Rule:
    """A row as the rule that decides."""
    return rules.Rule(
        row.id, row.seller_id, None if row.category_id is None else (row.category_id,), row.percent, row.valid_from,
        row.valid_to, row.amount_from, row.amount_to, row.fixed, row.floor, row.cap,
    )  # fmt: skip
