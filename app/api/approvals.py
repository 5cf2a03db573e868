"""Purchases of a company that wait for an approval."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.cart import CartOut, cart_out
from app.api.kernel import Api, given_id
from app.api.schemas import MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money, part_of
from app.core.permissions import Permission
from app.orders import approvals, queries
from app.orders.approvals import Request, RequestRow

api = Api("approvals", tag="Orders and money")


class ApprovalRow(Schema):
    """A purchase above a member's limit. `number` once it is placed."""

    id: uuid.UUID
    status: Literal["waiting", "approved", "declined", "withdrawn", "expired"]
    above: Literal["order", "month"]
    limit: MoneyOut
    spent: MoneyOut
    total: MoneyOut
    company: str
    buyer: str
    decided_by: str | None
    reason: str
    number: str | None
    mine: bool
    may_decide: bool
    expires_at: Utc
    created_at: Utc


class ApprovalLine(Schema):
    """A line with the price when it was asked for and now."""

    offer: uuid.UUID
    name_ru: str
    name_en: str
    seller: str
    unit: str
    quantity: QuantityText
    price_was: MoneyOut
    price: MoneyOut


class ApprovalOut(ApprovalRow):
    """`terms` is what an approver confirms; null, with `problem`, when it cannot be placed now."""

    lines: list[ApprovalLine]
    site: dict[str, Any]
    day: date
    total_now: MoneyOut | None
    terms: str | None
    changed: bool
    problem: str | None


class TermsIn(Schema):
    """The `terms` that were shown."""

    terms: str = Field(max_length=40)


class ReasonIn(Schema):
    """Why not."""

    reason: str = Field(max_length=500)


class NumberOut(Schema):
    """The purchase."""

    number: str


def _row(row: RequestRow) -> dict[str, Any]:
    return {
        "id": row.public_id, "status": row.status, "above": row.above, "limit": money(row.limit_was),
        "spent": money(row.spent), "total": money(row.total), "company": row.company, "buyer": row.buyer,
        "decided_by": row.decided_by, "reason": row.reason, "number": row.number, "mine": row.is_mine,
        "may_decide": row.may_decide, "expires_at": row.expires_at, "created_at": row.created_at,
    }  # fmt: skip


def approval_out(view: Request) -> ApprovalOut:
    """A request as the API shows it."""
    lines = [
        ApprovalLine(
            offer=line.offer.public_id, name_ru=line.offer.name_ru, name_en=line.offer.name_en,
            seller=line.offer.seller_name, unit=line.offer.unit, quantity=line.quantity,
            price_was=money(view.price_was(line)), price=money(line.price),
        )
        for line in view.lines
    ]  # fmt: skip
    now = view.now or view.payload
    return ApprovalOut(
        **_row(view.row), lines=lines, site=view.payload["site"], day=now["day"], terms=view.terms or None,
        total_now=money(view.now["totals"]["total"]) if view.now else None, changed=view.is_changed,
        problem=view.problem.code if view.problem else None,
    )  # fmt: skip


@api.get(
    "/approvals", permission=Permission.BUY, query=PageQuery, answer=Page[ApprovalRow],
    summary="Purchases that wait for an approval",
)  # fmt: skip
def index(query: PageQuery) -> Page[ApprovalRow]:
    """Those the person asked for, and those the person may decide on."""
    return part_of([ApprovalRow(**_row(row)) for row in approvals.requests_of(access.actor())], query)


@api.get("/approvals/{approval}", permission=Permission.BUY, answer=ApprovalOut, summary="One of them")
def show(approval: str) -> ApprovalOut:
    """With what it would come to now."""
    return approval_out(approvals.request(access.actor(), given_id(approval)))


@api.post(
    "/approvals/{approval}/approve", permission=Permission.BUY, body=TermsIn, answer=NumberOut, required_key=True,
    summary="Approve and place", example={"terms": "0123456789abcdef"},
)  # fmt: skip
def approve(approval: str, body: TermsIn) -> NumberOut:
    """409 `price_changed` when the terms are others by now: read them again and send the new ones."""
    return NumberOut(number=approvals.approve(access.actor(), given_id(approval), body.terms).number)


@api.post(
    "/approvals/{approval}/decline", permission=Permission.BUY, body=ReasonIn, status=204, summary="Decline",
    example={"reason": "Too early"},
)  # fmt: skip
def decline(approval: str, body: ReasonIn) -> None:
    """The buyer is told why."""
    approvals.decline(access.actor(), given_id(approval), body.reason)


@api.post("/approvals/{approval}/withdraw", permission=Permission.BUY, status=204, summary="Take an own request back")
def withdraw(approval: str) -> None:
    """409 `approval_state` when it was answered."""
    approvals.withdraw(access.actor(), given_id(approval))


@api.post(
    "/approvals/{approval}/to-cart", permission=Permission.BUY, answer=CartOut,
    summary="What was not approved, into the cart again",
)  # fmt: skip
def to_cart(approval: str) -> CartOut:
    """Only for who asked."""
    changes = approvals.to_cart(access.actor(), given_id(approval))
    return cart_out(queries.cart_plan(access.actor(), ""), changes)
