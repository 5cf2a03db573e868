"""Returns and claims before the operator: what the two sides cannot end themselves."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core.errors import DomainError
from app.core.permissions import Permission
from app.orders import claims, return_desk
from app.orders.case_queries import EVERYBODY
from app.web import case_pages
from app.web.admin.operations import nav
from app.web.reading import key_of, money_or_none
from app.web.seller.cases import count_return, decide_return

pages = Guarded("admin_cases", __name__, url_prefix="/admin")


def _frame() -> dict[str, Any]:
    return {"nav": nav(), "office_name": _("Administration")}


_RIGHTS = {"may_answer": True, "may_count": True, "may_pay": True}


@pages.get("/returns", permission=Permission.ADMIN_MONEY)
def list_returns() -> Response:
    """Returns of all sellers, first those that nobody counts."""
    return case_pages.list_page("returns", EVERYBODY, "/admin/returns", "admin", "stuck", **_frame())


@pages.get("/claims", permission=Permission.ADMIN_MONEY)
def list_claims() -> Response:
    """Claims of all sellers, first those to decide."""
    return case_pages.list_page("claims", EVERYBODY, "/admin/claims", "admin", "escalated", **_frame())


def _return_page(key: uuid.UUID, error: DomainError | None = None) -> Response:
    return case_pages.return_page(EVERYBODY, key, "admin", error, **_RIGHTS, **_frame())


def _claim_page(key: uuid.UUID, error: DomainError | None = None) -> Response:
    return case_pages.claim_page(EVERYBODY, key, "admin", error, **_RIGHTS, **_frame())


@pages.get("/returns/<case>", permission=Permission.ADMIN_MONEY)
def show_return(case: str) -> Response:
    """One return."""
    return _return_page(key_of(case))


@pages.post("/returns/<case>/answer", permission=Permission.ADMIN_MONEY)
def answer_return(case: str) -> Response:
    """In the seller's place."""
    return decide_return(access.actor(), key_of(case), f"/admin/returns/{case}", _return_page)


@pages.post("/returns/<case>/receive", permission=Permission.ADMIN_MONEY)
def receive(case: str) -> Response:
    """Count in the seller's place."""
    return count_return(access.actor(), key_of(case), f"/admin/returns/{case}", _return_page)


@pages.post("/returns/<case>/refund", permission=Permission.ADMIN_MONEY)
def refund(case: str) -> Response:
    """Pay back in the seller's place."""
    key, actor = key_of(case), access.actor()
    return case_pages.then(
        lambda: return_desk.refund(actor, key), f"/admin/returns/{key}", lambda e: _return_page(key, e)
    )


@pages.get("/claims/<case>", permission=Permission.ADMIN_MONEY)
def show_claim(case: str) -> Response:
    """Both sides' words and photographs."""
    return _claim_page(key_of(case))


@pages.post("/claims/<case>/settle", permission=Permission.ADMIN_MONEY)
def settle(case: str) -> Response:
    """Who is right, what goes back, why."""
    key, actor, form = key_of(case), access.actor(), request.form

    def act() -> None:
        amount = money_or_none(form.get("amount", ""), "amount") or 0
        claims.settle(actor, key, form.get("in_favour", ""), amount, form.get("decision", ""))

    return case_pages.then(act, f"/admin/claims/{key}", lambda e: _claim_page(key, e))
