"""The pages of promotions, alike for the operator and for a seller: the list, one promotion, its form."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.catalog import queries as catalog
from app.core.errors import Conflict, FieldError, Invalid, Stale
from app.core.units import NotANumber, parse_decimal
from app.orders import promotion_queries, promotions
from app.orders.promotion_queries import Named, PromotionRow
from app.orders.promotions import PromotionData
from app.payments import money_desk
from app.texts import promotions as words
from app.web import paths
from app.web.filters import language, roubles
from app.web.htmx import render_page
from app.web.reading import before, by_field, key_of, sentence
from app.web.seller.money import day_of, kopeks

PAGE = 50
AMOUNTS = ("amount", "cap", "minimum")
COUNTS = ("priority", "limit_total", "limit_per_buyer")


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose desk it is. `seller_id`: of a seller; None: the operator's."""

    here: str
    seller_id: int | None
    frame: Mapping[str, Any]


def show_list(desk: Desk) -> ResponseReturnValue:
    """Promotions, newest first, with their state, uses so far and the sum given."""
    rows = promotion_queries.listed(desk.seller_id, before=before(), limit=PAGE + 1)
    shown = rows[:PAGE]
    return render_page(
        "promotions/list.html", None, rows=shown, desk_url=desk.here, words=words, english=language() == "en",
        is_operator=desk.seller_id is None,
        next_url=paths.with_query(desk.here, before=shown[-1].id) if len(rows) > PAGE else "", **desk.frame,
    )  # fmt: skip


def show_form(
    desk: Desk,
    key: str = "",
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The form of a new promotion, or one promotion: to be edited while it may be."""
    row, named = promotion_queries.one(key_of(key), desk.seller_id) if key else (None, None)
    is_own = row is None or desk.seller_id is None or row.by_seller
    return render_page(
        "promotions/one.html", None, status=status, row=row, desk_url=desk.here, words=words,
        is_open=row is None or (row.is_editable and is_own), is_own=is_own,
        typed=typed if typed is not None else _typed_of(row, named), errors=errors or {},
        chosen=request.form.getlist("categories") if typed is not None else named.categories if named else (),
        categories=_categories(catalog.tree()), english=language() == "en", is_operator=desk.seller_id is None,
        sellers=money_desk.sellers() if desk.seller_id is None else [], **desk.frame,
    )  # fmt: skip


def _categories(nodes: Any, depth: int = 0) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for node in nodes:
        found.append((node.slug, "– " * depth + node.name(language())))
        found += _categories(node.children, depth + 1)
    return found


def _typed_of(row: PromotionRow | None, named: Named | None) -> dict[str, Any]:
    if row is None:
        return {"priority": 100, "kind": "percent", "scope": "all"}
    typed: dict[str, Any] = {name: getattr(row, name) for name in PromotionRow.__dataclass_fields__ if name != "given"}
    typed |= {name: roubles(getattr(row, name)) for name in AMOUNTS}
    typed |= {name: _plain(getattr(row, name)) for name in ("percent", "operator_share")}
    return typed | {"seller": row.seller_id, "skus": "\n".join(named.skus) if named else ""}


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}".replace(".", "," if language() == "ru" else ".")


def save(desk: Desk, key: str = "") -> ResponseReturnValue:
    """Make a promotion, or change one; what was refused stands in the form with its reason."""
    actor = access.actor()
    version = request.form.get("version", "")
    try:
        given = _given(desk)
        if key:
            promotions.edit(actor, key_of(key), given, desk.seller_id, int(version) if version.isdecimal() else None)
        else:
            promotions.make(actor, given, desk.seller_id)
    except Invalid as error:
        return show_form(desk, key, request.form.to_dict(), by_field(error), 422)
    except (Conflict, Stale) as refusal:
        return show_form(desk, key, request.form.to_dict(), {"": sentence(refusal)}, refusal.status)
    flash(_("Saved. Discounts in carts are counted by it at once."), "ok")
    return redirect(desk.here, code=303)


def stop(desk: Desk, key: uuid.UUID) -> ResponseReturnValue:
    """End a promotion for good."""
    promotions.stop(access.actor(), key, desk.seller_id)
    flash(_("Stopped. Orders already placed keep their discount."), "ok")
    return redirect(desk.here, code=303)


def _given(desk: Desk) -> PromotionData:
    """The form.

    Raises:
        Invalid: with every text that is no number.
    """
    errors: list[FieldError] = []
    form = request.form
    numbers: dict[str, Any] = {name: _read(name, errors, kopeks) for name in AMOUNTS}
    numbers |= {name: _read(name, errors, _whole) for name in COUNTS}
    numbers |= {name: _read(name, errors, _decimal) for name in ("percent", "operator_share")}
    if errors:
        raise Invalid(errors)
    kind, other = ("amount", "percent") if form.get("kind") == "amount" else ("percent", "amount")
    numbers[other] = None
    if numbers[kind] is None:
        raise Invalid.one(f"/{kind}", "required")
    seller = form.get("seller", "")
    return PromotionData(
        form.get("name_ru", ""), form.get("name_en", ""), numbers["percent"], numbers["amount"],
        numbers["cap"], numbers["minimum"] or 0, form.get("scope", "all"),
        int(seller) if desk.seller_id is None and seller.isdecimal() and len(seller) < 18 else None,
        tuple(form.getlist("categories")), tuple(form.get("skus", "").replace(",", "\n").splitlines()),
        "first_order" in form, form.get("code", ""), "is_stackable" in form,
        100 if numbers["priority"] is None else numbers["priority"], numbers["operator_share"] or Decimal(0),
        day_of("valid_from"), day_of("valid_to"), numbers["limit_total"], numbers["limit_per_buyer"],
    )  # fmt: skip


def _read(name: str, errors: list[FieldError], reader: Any) -> Any:
    try:
        return reader(name)
    except Invalid as error:
        errors += error.errors
        return None


def _decimal(name: str) -> Decimal | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None


def _whole(name: str) -> int | None:
    found = _decimal(name)
    if found is not None and (found != found.to_integral_value() or abs(found) > 10**9):
        raise Invalid.one(f"/{name}", "not_a_number")
    return None if found is None else int(found)
