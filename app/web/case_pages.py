"""What the pages of returns and claims share, whoever looks at them: lists in tabs, words, forms that come again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.core.errors import DomainError, Invalid
from app.orders import case_queries, return_rules
from app.orders.case_queries import ClaimRow, ReturnRow, Said, Scope
from app.texts import orders as order_words
from app.texts import returns as words
from app.web import paths
from app.web.buyer.cart import name_of
from app.web.filters import money, short_day, time_of_day
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, sentence

PAGE = 24
OFFICE, SHOP = "layouts/office.html", "layouts/shop.html"
_LISTS: dict[
    str, tuple[Callable[..., Any], Callable[[Scope], dict[str, int]], Mapping[str, Any], Mapping[str, Any]]
] = {
    "returns": (case_queries.returns, case_queries.return_counts, words.RETURN_TABS, words.RETURN_REASONS),
    "claims": (case_queries.claims, case_queries.claim_counts, words.CLAIM_TABS, words.CLAIM_KINDS),
}


def list_page(what: str, scope: Scope, here: str, side: str, first: str = "", **frame: Any) -> Response:
    """Returns or claims in tabs with counts, filtered by why.

    Args:
        what: returns or claims.
        side: buyer, seller or admin.
        first: the tab that is open without one in the address.
    """
    rows_of, counts_of, tabs, kinds = _LISTS[what]
    tab = request.args.get("tab", first)
    tab = tab if tab in tabs else ""
    kind = request.args.get("why", "")
    rows: list[ReturnRow] | list[ClaimRow] = rows_of(scope, tab, kind, before=before(), limit=PAGE + 1)
    query = {"tab": tab or ("all" if first else ""), "why": kind if kind in kinds else ""}
    more = paths.with_query(here, query, before=rows[PAGE - 1].id) if len(rows) > PAGE else ""
    return render_page(
        f"cases/{what}.html", None, rows=rows[:PAGE], tab=tab, tabs=tabs, counts=counts_of(scope), kinds=kinds,
        query=query, list_url=here, side=side, words=words, name_of=name_of, next_url=more, layout=layout_of(side),
        **frame,
    )  # fmt: skip


def layout_of(side: str) -> str:
    """Buyers stay in the shop, others in their cabinet."""
    return SHOP if side == "buyer" else OFFICE


def said(history: tuple[Said, ...]) -> list[tuple[datetime, str, str]]:
    """Steps in words, newest first."""
    told = []
    for one in history:
        text = order_words.said(words.HISTORY, one.kind)
        if one.details.get("amount") or one.details.get("wanted"):
            text = f"{text}, {money(one.details.get('amount') or one.details['wanted'])}"
        if one.reason:
            text = str(_("%(what)s: %(why)s", what=text, why=order_words.reason(one.reason)))
        told.append((one.at, f"{short_day(one.at)}, {time_of_day(one.at)}", text))
    return told


def return_page(
    scope: Scope, key: uuid.UUID, side: str, error: DomainError | None = None, **frame: Any
) -> Response:  # fmt: skip
    """One return, with what this side may do now."""
    view = case_queries.return_view(scope, key)
    return render_page(
        "cases/return.html", None, status=error.status if error else 200, view=view, history=said(view.history),
        **_shown(side, error), **frame,
    )  # fmt: skip


def claim_page(
    scope: Scope, key: uuid.UUID, side: str, error: DomainError | None = None, **frame: Any
) -> Response:  # fmt: skip
    """One claim, with what this side may do now."""
    view = case_queries.claim_view(scope, key)
    return render_page(
        "cases/claim.html", None, status=error.status if error else 200, view=view, history=said(view.history),
        **_shown(side, error), **frame,
    )  # fmt: skip


def _shown(side: str, error: DomainError | None) -> dict[str, Any]:
    return {
        "side": side, "words": words, "name_of": name_of, "layout": layout_of(side), "typed": request.form,
        "error": sentence(error) if error else "", "errors": by_field(error) if isinstance(error, Invalid) else {},
        "right": return_rules.RIGHT[1:],
    }  # fmt: skip


def then(act: Callable[[], object], path: str, again: Callable[[DomainError], Response], told: str = "") -> Response:
    """Do it and show the case; a refusal is told on the same page with what was typed."""
    try:
        act()
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return again(refusal)
    flash(told or str(_("Done. The other side has been told.")), "ok")
    return redirect_to(path)
