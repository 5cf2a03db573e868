"""Promotions of the operator, and of a seller on own goods."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.orders import cursor_id
from app.api.schemas import MoneyIn, MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.offers import sellers
from app.orders import promotion_queries, promotions
from app.orders.promotion_queries import Named, PromotionRow
from app.orders.promotions import PromotionData

api = Api("promotions", tag="Orders and money")


class OwnPromotionIn(Schema):
    """`percent` (with `cap`) or `amount` off. `minimum`: of its goods at list prices. `categories` by slug with all
    below them, or `skus` of the seller, when the scope is theirs. Smaller `priority` goes first among stackable ones.
    """

    name_ru: str = Field(min_length=1, max_length=120)
    name_en: str = Field(min_length=1, max_length=120)
    percent: QuantityText | None = None
    amount: MoneyIn | None = None
    cap: MoneyIn | None = None
    minimum: MoneyIn = MoneyIn(amount=0)
    scope: Literal["all", "categories", "offers"] = "all"
    categories: list[str] = Field(default=[], max_length=200)
    skus: list[str] = Field(default=[], max_length=500)
    first_order: bool = False
    code: str = Field(default="", max_length=64)
    stackable: bool = False
    priority: int = 100
    valid_from: date | None = None
    valid_to: date | None = None
    limit_total: int | None = None
    limit_per_buyer: int | None = None


class PromotionIn(OwnPromotionIn):
    """`seller`: the slug of the only seller it speaks of. `operator_share`: percent of it that the operator bears."""

    seller: str | None = Field(default=None, max_length=200)
    operator_share: QuantityText = Decimal(0)


class PromotionOut(Schema):
    """A promotion. `uses` are those that count; `given` is the sum of their discounts, `given_by_operator` of it."""

    id: uuid.UUID
    state: Literal["running", "planned", "ended", "used_up", "stopped"]
    editable: bool
    name_ru: str
    name_en: str
    by_seller: bool
    seller: str | None
    percent: QuantityText | None
    amount: MoneyOut | None
    cap: MoneyOut | None
    minimum: MoneyOut
    scope: Literal["all", "categories", "offers"]
    categories: list[str]
    skus: list[str]
    first_order: bool
    code: str
    stackable: bool
    priority: int
    operator_share: QuantityText
    valid_from: date
    valid_to: date | None
    limit_total: int | None
    limit_per_buyer: int | None
    uses: int
    given: MoneyOut
    given_by_operator: MoneyOut
    version: int
    created_at: Utc


EXAMPLE: dict[str, Any] = {
    "name_ru": "Осенью дешевле", "name_en": "Autumn prices", "percent": "10", "cap": {"amount": 500000},
    "scope": "categories", "categories": ["smesi"], "valid_to": "2030-01-31", "limit_total": 100,
}  # fmt: skip


def _kopeks(sum_: MoneyIn | None) -> int | None:
    return None if sum_ is None else sum_.amount


def _given(body: OwnPromotionIn) -> PromotionData:
    seller, share = None, Decimal(0)
    if isinstance(body, PromotionIn):
        share = body.operator_share
        seller = sellers.ids_of([body.seller]).get(body.seller) if body.seller else None
        if body.seller and seller is None:
            raise Invalid.one("/seller", "unknown_option")
    return PromotionData(
        body.name_ru, body.name_en, body.percent, _kopeks(body.amount), _kopeks(body.cap), body.minimum.amount,
        body.scope, seller, tuple(body.categories), tuple(body.skus), body.first_order, body.code, body.stackable,
        body.priority, share, body.valid_from, body.valid_to, body.limit_total, body.limit_per_buyer,
    )  # fmt: skip


def _out(row: PromotionRow, named: Named) -> PromotionOut:
    def sum_of(kopeks: int | None) -> MoneyOut | None:
        return None if kopeks is None else money(kopeks)

    return PromotionOut(
        id=row.public_id, state=row.state, editable=row.is_editable, name_ru=row.name_ru, name_en=row.name_en,
        by_seller=row.by_seller, seller=row.seller_slug or None, percent=row.percent, amount=sum_of(row.amount),
        cap=sum_of(row.cap), minimum=money(row.minimum), scope=row.scope, categories=list(named.categories),
        skus=list(named.skus), first_order=row.first_order, code=row.code, stackable=row.is_stackable,
        priority=row.priority, operator_share=row.operator_share, valid_from=row.valid_from, valid_to=row.valid_to,
        limit_total=row.limit_total, limit_per_buyer=row.limit_per_buyer, uses=row.uses, given=money(row.given),
        given_by_operator=money(row.given_by_operator), version=row.version, created_at=row.created_at,
    )  # fmt: skip


def _page(query: PageQuery, seller_id: int | None) -> Page[PromotionOut]:
    rows = promotion_queries.listed(seller_id, before=cursor_id(query.cursor), limit=query.limit + 1)
    shown = rows[: query.limit]
    named = promotion_queries.named([row.id for row in shown])
    items = [_out(row, named[row.id]) for row in shown]
    return Page[PromotionOut](items=items, next_cursor=str(shown[-1].id) if len(rows) > query.limit else None)


def _answer(promotion: uuid.UUID, seller_id: int | None, status: int = 200) -> Answer:
    row, named = promotion_queries.one(promotion, seller_id)
    where = "admin" if seller_id is None else "seller"
    headers = etag(row.version) | ({"Location": f"/api/v1/{where}/promotions/{row.public_id}"} if status == 201 else {})
    return Answer(_out(row, named), status, headers)


@api.get(
    "/admin/promotions", permission=Permission.ADMIN_MONEY, query=PageQuery, answer=Page[PromotionOut],
    summary="All promotions",
)  # fmt: skip
def list_all(query: PageQuery) -> Page[PromotionOut]:
    """Newest first."""
    return _page(query, None)


@api.post(
    "/admin/promotions", permission=Permission.ADMIN_MONEY, body=PromotionIn, answer=PromotionOut, status=201,
    summary="Make a promotion", example=EXAMPLE | {"operator_share": "50"},
)  # fmt: skip
def make(body: PromotionIn) -> Answer:
    """422 names every wrong field; `code_taken` when a running promotion has the code."""
    return _answer(promotions.make(access.actor(), _given(body)), None, 201)


@api.get("/admin/promotions/{promotion}", permission=Permission.ADMIN_MONEY, answer=PromotionOut, summary="A promotion")
def show(promotion: str) -> Answer:
    """With its uses and what it has given."""
    return _answer(given_id(promotion), None)


@api.put(
    "/admin/promotions/{promotion}", permission=Permission.ADMIN_MONEY, body=PromotionIn, answer=PromotionOut,
    summary="Change a promotion", example=EXAMPLE | {"operator_share": "50"},
)  # fmt: skip
def edit(promotion: str, body: PromotionIn) -> Answer:
    """Written anew as a whole while nobody has used it; 409 `promotion_used`, `promotion_stopped`. Honours If-Match."""
    promotions.edit(access.actor(), given_id(promotion), _given(body), None, expected_version())
    return _answer(given_id(promotion), None)


@api.post(
    "/admin/promotions/{promotion}/stop", permission=Permission.ADMIN_MONEY, answer=PromotionOut,
    summary="Stop a promotion",
)  # fmt: skip
def stop(promotion: str) -> Answer:
    """For good; orders already placed keep their discount."""
    promotions.stop(access.actor(), given_id(promotion))
    return _answer(given_id(promotion), None)


@api.get(
    "/seller/promotions", permission=Permission.SELLER_OFFERS, query=PageQuery, answer=Page[PromotionOut],
    summary="Promotions on the seller's goods",
)  # fmt: skip
def list_own(query: PageQuery) -> Page[PromotionOut]:
    """Own ones, and the operator's on this seller's goods alone; newest first."""
    return _page(query, access.actor().seller_id)


@api.post(
    "/seller/promotions", permission=Permission.SELLER_OFFERS, body=OwnPromotionIn, answer=PromotionOut, status=201,
    summary="Make a promotion on own goods", example=EXAMPLE,
)  # fmt: skip
def make_own(body: OwnPromotionIn) -> Answer:
    """Borne by the seller."""
    seller = access.actor().seller_id
    return _answer(promotions.make(access.actor(), _given(body), seller), seller, 201)


@api.get(
    "/seller/promotions/{promotion}", permission=Permission.SELLER_OFFERS, answer=PromotionOut,
    summary="A promotion on the seller's goods",
)  # fmt: skip
def show_own(promotion: str) -> Answer:
    """With its uses and what it has given."""
    return _answer(given_id(promotion), access.actor().seller_id)


@api.put(
    "/seller/promotions/{promotion}", permission=Permission.SELLER_OFFERS, body=OwnPromotionIn, answer=PromotionOut,
    summary="Change an own promotion", example=EXAMPLE,
)  # fmt: skip
def edit_own(promotion: str, body: OwnPromotionIn) -> Answer:
    """Written anew as a whole while nobody has used it; 409 `promotion_used`, `promotion_stopped`. Honours If-Match."""
    seller = access.actor().seller_id
    promotions.edit(access.actor(), given_id(promotion), _given(body), seller, expected_version())
    return _answer(given_id(promotion), seller)


@api.post(
    "/seller/promotions/{promotion}/stop", permission=Permission.SELLER_OFFERS, answer=PromotionOut,
    summary="Stop an own promotion",
)  # fmt: skip
def stop_own(promotion: str) -> Answer:
    """For good; orders already placed keep their discount."""
    seller = access.actor().seller_id
    promotions.stop(access.actor(), given_id(promotion), seller)
    return _answer(given_id(promotion), seller)
