"""The operator's list of fees in its order, and "try it"."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.catalog.queries import CategoryNode
from app.core.errors import FieldError, Invalid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.payments import commission, money_desk, rules
from app.payments.commission import ListedRule, RuleData
from app.texts import payments as words
from app.web.admin.operations import office_page
from app.web.filters import language
from app.web.reading import by_field, key_of
from app.web.seller.money import day_of, kopeks

pages = Guarded("admin_commission", __name__, url_prefix="/admin/commission")
HERE = "/admin/commission"
AMOUNTS = ("amount_from", "amount_to", "fixed", "floor", "cap")


@pages.get("", permission=Permission.ADMIN_MONEY)
def show() -> ResponseReturnValue:
    """The list; `edit` fills the form with a rule; `seller`, `category` and `amount` try it."""
    rows = commission.listed()
    edited = next((row for row in rows if str(row.rule.public_id) == request.args.get("edit")), None)
    return _page(rows, _typed_of(edited), {}, edited)


def _page(
    rows: list[ListedRule], typed: dict[str, Any], errors: dict[str, str], edited: ListedRule | None, status: int = 200
) -> ResponseReturnValue:
    verdicts, fee, wrong = _tried()
    return office_page(
        "admin/commission.html", status, rows=rows, typed=typed, errors=errors | wrong, edited=edited, here=HERE,
        sellers=money_desk.sellers(), categories=_categories(catalog.tree()), verdicts=verdicts, fee=fee,
        tried=request.args, verdict_words=words.VERDICTS, general=rules.COMMISSION_PERCENT, english=language() == "en",
    )  # fmt: skip


def _categories(nodes: Any, depth: int = 0) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in nodes:
        found.append((node.id, "– " * depth + _name(node)))
        found += _categories(node.children, depth + 1)
    return found


def _name(node: CategoryNode) -> str:
    return node.name_en if language() == "en" else node.name_ru


def _tried() -> tuple[list[commission.Verdict], rules.Fee | None, dict[str, str]]:
    """What the list says of the sale in the address."""
    if "amount" not in request.args:
        return [], None, {}
    try:
        gross = kopeks("amount", required=True) or 0
        return *commission.try_it(_number("try_seller") or 0, _number("try_category") or 0, max(0, gross)), {}
    except Invalid as error:
        return [], None, by_field(error)


def _number(name: str) -> int | None:
    text = request.values.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _typed_of(edited: ListedRule | None) -> dict[str, Any]:
    if edited is None:
        return {}
    row = edited.rule
    typed: dict[str, Any] = {"percent": f"{row.percent:f}", "seller": row.seller_id, "category": row.category_id,
                             "valid_from": row.valid_from, "valid_to": row.valid_to}  # fmt: skip
    for name in AMOUNTS:
        value = getattr(row, name)
        typed[name] = "" if value is None else f"{Decimal(value) / 100:f}"
    return typed


def _given() -> RuleData:
    """The form.

    Raises:
        Invalid: with every text that is no number.
    """
    errors: list[FieldError] = []
    found: dict[str, int | None] = {}
    for name in AMOUNTS:
        try:
            found[name] = kopeks(name)
        except Invalid as error:
            errors += error.errors
    try:
        percent = parse_decimal(request.form.get("percent", "").strip() or "-")
    except NotANumber as error:
        errors.append(FieldError("/percent", error.code))
    if errors:
        raise Invalid(errors)
    return RuleData(
        percent, _number("seller"), _number("category"), found["amount_from"] or 0, found["amount_to"],
        found["fixed"] or 0, found["floor"] or 0, found["cap"], day_of("valid_from"), day_of("valid_to"),
    )  # fmt: skip


def _saved(act: Callable[[RuleData], object], edited: ListedRule | None) -> ResponseReturnValue:
    try:
        act(_given())
    except Invalid as error:
        return _page(commission.listed(), request.form.to_dict(), by_field(error), edited, 422)
    flash(_("Saved. It holds for orders placed from now on."), "ok")
    return redirect(HERE, code=303)


@pages.post("", permission=Permission.ADMIN_MONEY)
def add() -> ResponseReturnValue:
    """A rule at the end of the list."""
    return _saved(lambda given: commission.add(access.actor(), given), None)


@pages.post("/<rule>", permission=Permission.ADMIN_MONEY)
def change(rule: str) -> ResponseReturnValue:
    """Edit (the default), move up or down, end."""
    key, actor = key_of(rule), access.actor()
    act = request.form.get("act", "edit")
    if act in ("up", "down"):
        commission.move(actor, key, act == "up")
    elif act == "end":
        commission.end(actor, key)
    else:
        edited = next((row for row in commission.listed() if row.rule.public_id == key), None)
        return _saved(lambda given: commission.edit(actor, key, given), edited)
    return redirect(HERE, code=303)
