"""Reads of prices asked of sellers. Every query starts from the buyer's or the seller's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import sellers
from app.orders import rules
from app.orders.company_models import PriceRequest, PriceRequestLine, PriceRequestRound
from app.orders.models import OrderGroup
from app.orders.pallets import worth
from app.orders.plan import CartWish, make_plan
from app.orders.quotes import buyers, deal_of


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line of a request; quantities in `unit`, kopeks per unit."""

    id: int
    public_id: uuid.UUID
    request_id: int
    position: int
    product_id: int
    offer_id: int
    name_ru: str
    name_en: str
    slug: str
    unit: str
    quantity: Decimal
    offered: Decimal | None
    price: int | None
    wished: int | None
    factor: Fraction

    @property
    def base_price(self) -> Fraction | None:
        """Kopeks per base unit, to compare sellers who sell in different packs."""
        return None if self.price is None else self.price / self.factor

    @property
    def gross(self) -> int:
        """Kopeks of what is offered of the line, VAT included."""
        if self.price is None or not self.offered:
            return 0
        return rules.line_money(self.price, self.offered, Decimal(0)).gross

    @property
    def is_short(self) -> bool:
        """The seller gives less than was asked."""
        return self.offered is not None and self.offered < self.quantity


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A request to one seller."""

    id: int
    public_id: uuid.UUID
    batch_id: uuid.UUID
    user_id: int
    organisation_id: int | None
    seller_id: int
    seller_name: str
    buyer_name: str
    status: str
    comment: str
    site: dict[str, Any]
    wanted_on: date | None
    delivery_included: bool | None
    valid_until: datetime | None
    created_at: datetime
    number: str | None

    @property
    def is_live(self) -> bool:
        """There is an offer to take."""
        return self.status == "offered" and self.valid_until is not None and self.valid_until > clock.now()

    @property
    def is_open(self) -> bool:
        """Somebody may still say something."""
        return bool(rules.QUOTE.table[self.status])


@dataclass(frozen=True, slots=True)
class Round:
    """A step of the history."""

    number: int
    kind: str
    person: str | None
    lines: list[dict[str, Any]]
    delivery_included: bool | None
    valid_until: datetime | None
    comment: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """Kopeks of an offer to the site of the request. `delivery` None: nobody brings it, or the goods are gone."""

    goods: int
    vat: int
    delivery: int | None
    lacking: int
    """Lines that are not given in full."""
    pallets: Mapping[int, int]
    """Kopeks for a returnable pallet -> how many."""

    @property
    def deposit(self) -> int:
        return worth(self.pallets)

    @property
    def total(self) -> int | None:
        """With delivery and the deposit for pallets."""
        return None if self.delivery is None else self.goods + self.delivery + self.deposit


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A request with its lines, history and sums."""

    row: QuoteRow
    lines: tuple[QuoteLine, ...]
    rounds: tuple[Round, ...] = ()
    sums: Sums | None = None

    def line_of(self, product_id: int) -> QuoteLine | None:
        """The line of a product."""
        return next((line for line in self.lines if line.product_id == product_id), None)


_ROWS = (
    sa.select(
        PriceRequest.id, PriceRequest.public_id, PriceRequest.batch_id, PriceRequest.user_id,
        PriceRequest.organisation_id, PriceRequest.seller_id, PriceRequest.status, PriceRequest.comment,
        PriceRequest.site, PriceRequest.wanted_on, PriceRequest.delivery_included, PriceRequest.valid_until,
        PriceRequest.created_at, OrderGroup.number,
    )
    .outerjoin(OrderGroup, OrderGroup.id == PriceRequest.order_group_id)
    .order_by(PriceRequest.id.desc())
)  # fmt: skip


def _views(statement: sa.Select[*tuple[Any, ...]]) -> list[QuoteView]:
    """Five queries, however many requests there are."""
    found = session.execute(statement).all()
    people = accounts.people(row.user_id for row in found)
    shops = sellers.sellers(sorted({row.seller_id for row in found}))
    lines = _lines([row.id for row in found])
    views = []
    for row in found:
        head = QuoteRow(**row._mapping, seller_name=shops[row.seller_id].name, buyer_name=people[row.user_id])
        views.append(QuoteView(head, tuple(line for line in lines if line.request_id == row.id)))
    return views


def _lines(request_ids: Iterable[int]) -> list[QuoteLine]:
    line = PriceRequestLine
    rows = session.execute(
        sa.select(
            line.id, line.public_id, line.request_id, line.position, line.product_id, line.offer_id, line.unit,
            line.quantity, line.offered, line.price, line.wished,
        )
        .where(line.request_id.in_(list(request_ids)))
        .order_by(line.request_id, line.position)
    ).all()  # fmt: skip
    sold = offers.offer_rows(row.offer_id for row in rows)
    return [
        QuoteLine(
            **row._mapping, name_ru=sold[row.offer_id].name_ru, name_en=sold[row.offer_id].name_en,
            slug=sold[row.offer_id].slug, factor=sold[row.offer_id].factor,
        )
        for row in rows
    ]  # fmt: skip


def of_buyer(actor: Actor, *, before: int | None = None, limit: int = 25) -> list[QuoteView]:
    """Requests of the buyer, newest first, with an id below `before`."""
    statement = _ROWS.where(buyers(actor)).limit(limit)
    return _views(statement.where(PriceRequest.id < before) if before else statement)


def of_seller(seller_id: int, *, before: int | None = None, limit: int = 25) -> list[QuoteView]:
    """Requests to the seller, newest first, with an id below `before`."""
    statement = _ROWS.where(PriceRequest.seller_id == seller_id).limit(limit)
    return _views(statement.where(PriceRequest.id < before) if before else statement)


def buyers_view(actor: Actor, public_id: uuid.UUID) -> QuoteView:
    """One request of the buyer with its history.

    Raises:
        NotFound: absent, or another buyer's.
    """
    return _whole(_ROWS.where(PriceRequest.public_id == public_id, buyers(actor)))


def sellers_view(seller_id: int, public_id: uuid.UUID) -> QuoteView:
    """One request to the seller with its history.

    Raises:
        NotFound: absent, or another seller's.
    """
    return _whole(_ROWS.where(PriceRequest.public_id == public_id, PriceRequest.seller_id == seller_id))


def _whole(statement: sa.Select[*tuple[Any, ...]]) -> QuoteView:
    found = _views(statement)
    if not found:
        raise NotFound()
    view = found[0]
    kept = session.scalars(
        sa.select(PriceRequestRound)
        .where(PriceRequestRound.request_id == view.row.id)
        .order_by(PriceRequestRound.number)
    ).all()
    people = accounts.people(one.user_id for one in kept)
    rounds = [
        Round(
            one.number, one.kind, people.get(one.user_id), one.lines, one.delivery_included, one.valid_until,
            one.comment, one.created_at,
        )
        for one in kept
    ]  # fmt: skip
    return QuoteView(view.row, view.lines, tuple(rounds), sums_of(view))


def batch(actor: Actor, batch_id: uuid.UUID) -> list[QuoteView]:
    """The requests that were made together, by seller, with their sums.

    Raises:
        NotFound: no such batch of the buyer.
    """
    views = _views(_ROWS.where(PriceRequest.batch_id == batch_id, buyers(actor)))
    if not views:
        raise NotFound()
    ordered = sorted(views, key=lambda view: (view.row.seller_name, view.row.id))
    return [QuoteView(view.row, view.lines, (), sums_of(view)) for view in ordered]


def sums_of(view: QuoteView) -> Sums | None:
    """What an offer costs at the site with delivery; None before there is one."""
    given = [line for line in view.lines if line.price is not None and line.offered]
    if not given:
        return None
    wishes = [CartWish(line.id, line.public_id, line.offer_id, line.offered or Decimal(0), 0) for line in given]
    lacking = len([line for line in view.lines if line.is_short])
    plan = make_plan(wishes, view.row.site, view.row.wanted_on or clock.today(), deal=deal_of(view.row, given))
    goods, vat = sum(line.gross for line in plan.lines), sum(line.vat for line in plan.lines)
    return Sums(goods, vat, plan.delivery if plan.is_buyable else None, lacking, plan.pallets)


def best_prices(views: Iterable[QuoteView]) -> dict[int, Fraction]:
    """Product -> the lowest price that sellers offer now, kopeks per base unit."""
    found: dict[int, Fraction] = {}
    for view in views:
        for line in view.lines if view.row.is_live else ():
            if line.base_price is not None:
                found[line.product_id] = min(line.base_price, found.get(line.product_id, line.base_price))
    return found
