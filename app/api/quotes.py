"""Prices asked of sellers."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from app import access
from app.accounts import queries as accounts
from app.api.checkout import Address, ContactIn
from app.api.delivery_shapes import Slot
from app.api.kernel import PREFIX, Answer, Api, given_id
from app.api.schemas import MoneyIn, MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money, part_of
from app.catalog import queries as catalog
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Permission
from app.offers import sellers
from app.orders import quote_queries, quotes
from app.orders.placing import Contact
from app.orders.quote_queries import QuoteView
from app.orders.quotes import Acceptance, Ask, Price, Terms, Wish

api = Api("quotes", tag="Orders and money")
MOST_LISTED = 100


class WishIn(Schema):
    """A product and how much of it is wanted, in its base unit."""

    product: uuid.UUID
    quantity: QuantityText = Field(gt=0, le=1_000_000)


class QuoteIn(Schema):
    """A list for up to five sellers (their slugs). One of `site` and `address`."""

    lines: list[WishIn] = Field(min_length=1, max_length=quotes.MOST_LINES)
    sellers: list[str] = Field(min_length=1, max_length=quotes.MOST_SELLERS)
    site: uuid.UUID | None = None
    address: Address | None = None
    wanted_on: date | None = None
    comment: str = Field(default="", max_length=quotes.COMMENT_LENGTH)
    organisation: uuid.UUID | None = None


class LineOut(Schema):
    """A line; quantities in `unit`, prices for one. `offered` and `price` null: no answer; 0: not supplied."""

    id: uuid.UUID
    name_ru: str
    name_en: str
    unit: str
    quantity: QuantityText
    offered: QuantityText | None
    price: MoneyOut | None
    wished: MoneyOut | None
    total: MoneyOut


class RoundOut(Schema):
    """A step: who said what."""

    number: int
    kind: str
    person: str | None
    lines: list[dict[str, Any]]
    delivery_included: bool | None
    valid_until: Utc | None
    comment: str
    created_at: Utc


class QuoteOut(Schema):
    """A request to one seller; those made together share `batch`. `number`: the purchase it became."""

    id: uuid.UUID
    batch: uuid.UUID
    seller: str
    buyer: str
    status: Literal["requested", "offered", "countered", "accepted", "declined", "withdrawn", "expired"]
    comment: str
    site: dict[str, Any]
    wanted_on: date | None
    delivery_included: bool | None
    valid_until: Utc | None
    created_at: Utc
    number: str | None
    lines: list[LineOut]
    rounds: list[RoundOut]
    goods: MoneyOut | None
    vat: MoneyOut | None
    delivery: MoneyOut | None
    deposit: MoneyOut | None
    total: MoneyOut | None


class BatchOut(Schema):
    """Requests made together."""

    batch: uuid.UUID
    items: list[QuoteOut]


class PriceIn(Schema):
    """A line's price for one unit, and how much can be given (as asked when left out)."""

    line: uuid.UUID
    price: MoneyIn
    quantity: QuantityText | None = Field(default=None, gt=0, le=1_000_000)


class OfferIn(Schema):
    """Lines that are left out cannot be supplied."""

    lines: list[PriceIn] = Field(min_length=1, max_length=quotes.MOST_LINES)
    delivery_included: bool = False
    valid_until: datetime
    comment: str = Field(default="", max_length=quotes.COMMENT_LENGTH)


class WishedIn(Schema):
    """The price wished for one unit of a line."""

    line: uuid.UUID
    price: MoneyIn


class CounterIn(Schema):
    """Lines that are left out are fine as they are."""

    lines: list[WishedIn] = Field(min_length=1, max_length=quotes.MOST_LINES)
    comment: str = Field(default="", max_length=quotes.COMMENT_LENGTH)


class CommentIn(Schema):
    """A word to the other side."""

    comment: str = Field(default="", max_length=quotes.COMMENT_LENGTH)


class AcceptIn(Schema):
    """Who meets the truck, how it is paid, and when; no slot: as wanted, or the earliest."""

    contact: ContactIn
    payment_method: Literal["invoice", "cash", "card"] = "invoice"
    slot: Slot | None = None
    comment: str = Field(default="", max_length=1000)


class NumberOut(Schema):
    """The purchase."""

    number: str


def _maybe(kopeks: int | None) -> MoneyOut | None:
    return None if kopeks is None else money(kopeks)


def quote_out(view: QuoteView) -> QuoteOut:
    """A request as the API shows it."""
    row, sums = view.row, view.sums
    lines = [
        LineOut(
            id=line.public_id, name_ru=line.name_ru, name_en=line.name_en, unit=line.unit, quantity=line.quantity,
            offered=line.offered, price=_maybe(line.price), wished=_maybe(line.wished), total=money(line.gross),
        )
        for line in view.lines
    ]  # fmt: skip
    rounds = [
        RoundOut(
            number=one.number, kind=one.kind, person=one.person, lines=one.lines, comment=one.comment,
            delivery_included=one.delivery_included, valid_until=one.valid_until, created_at=one.created_at,
        )
        for one in view.rounds
    ]  # fmt: skip
    return QuoteOut(
        id=row.public_id, batch=row.batch_id, seller=row.seller_name, buyer=row.buyer_name, status=row.status,
        comment=row.comment, site=row.site, wanted_on=row.wanted_on, delivery_included=row.delivery_included,
        valid_until=row.valid_until, created_at=row.created_at, number=row.number, lines=lines, rounds=rounds,
        goods=_maybe(sums.goods if sums else None), vat=_maybe(sums.vat if sums else None),
        delivery=_maybe(sums.delivery if sums else None), deposit=_maybe(sums.deposit if sums else None),
        total=_maybe(sums.total if sums else None),
    )  # fmt: skip


def _own(quote: str) -> QuoteOut:
    return quote_out(quote_queries.buyers_view(access.actor(), given_id(quote)))


def _sellers(quote: str) -> QuoteOut:
    return quote_out(quote_queries.sellers_view(access.actor().seller_id, given_id(quote)))


@api.get(
    "/quotes", permission=Permission.BUY, query=PageQuery, answer=Page[QuoteOut], summary="Prices asked of sellers"
)
def index(query: PageQuery) -> Page[QuoteOut]:
    """The newest hundred, without history and sums; one of them has both."""
    return part_of([quote_out(v) for v in quote_queries.of_buyer(access.actor(), limit=MOST_LISTED)], query)


@api.post(
    "/quotes", permission=Permission.BUY, body=QuoteIn, answer=BatchOut, status=201,
    summary="Ask sellers for their prices",
)  # fmt: skip
def ask(body: QuoteIn) -> Answer:
    """One request for each seller, with the lines that he offers."""
    actor = access.actor()
    cards = {card.public_id: card for card in catalog.products([line.product for line in body.lines])}
    unknown = [FieldError(f"/lines/{n}/product", "unknown_option")
               for n, line in enumerate(body.lines) if line.product not in cards]  # fmt: skip
    if unknown:
        raise Invalid(unknown)
    wishes = [Wish(cards[line.product].id, Fraction(line.quantity)) for line in body.lines]
    given = Ask(wishes, _asked(body.sellers), _place(body), body.wanted_on, body.comment,
                body.organisation)  # fmt: skip
    batch = quotes.ask(actor, given)
    items = [quote_out(view) for view in quote_queries.batch(actor, batch)]
    return Answer(BatchOut(batch=batch, items=items), 201, {"Location": f"{PREFIX}/quotes/batches/{batch}"})


def _asked(slugs: list[str]) -> list[int]:
    found = sellers.ids_of(slugs)
    if len(found) < len(set(slugs)):
        raise Invalid.one("/sellers", "unknown_option")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _place(body: QuoteIn) -> dict[str, Any]:
    if (body.site is None) == (body.address is None):
        raise Invalid.one("/site", "site_or_address")
    if body.address is not None:
        return body.address.model_dump()
    assert body.site is not None  # one of the two is there
    try:
        return accounts.site(access.actor().user, body.site).snapshot()
    except NotFound:
        raise Invalid.one("/site", "unknown_option") from None


@api.get("/quotes/batches/{batch}", permission=Permission.BUY, answer=BatchOut, summary="Offers side by side")
def compare(batch: str) -> BatchOut:
    """Requests made together, with sums to the site."""
    key = given_id(batch)
    return BatchOut(batch=key, items=[quote_out(view) for view in quote_queries.batch(access.actor(), key)])


@api.get("/quotes/{quote}", permission=Permission.BUY, answer=QuoteOut, summary="One request")
def show(quote: str) -> QuoteOut:
    """With its history and sums."""
    return _own(quote)


@api.post(
    "/quotes/{quote}/counter",
    permission=Permission.BUY,
    body=CounterIn,
    answer=QuoteOut,
    summary="Name the prices wished",
)
def counter(quote: str, body: CounterIn) -> QuoteOut:
    """The offer holds no more; 409 `quote_state`, `quote_over`."""
    quotes.counter(access.actor(), given_id(quote), {o.line: o.price.amount for o in body.lines}, body.comment)
    return _own(quote)


@api.post(
    "/quotes/{quote}/accept", permission=Permission.BUY, body=AcceptIn, answer=NumberOut, status=201, required_key=True,
    summary="Order at the offered prices",
    example={"contact": {"name": "Покупатель Демо", "phone": "+7 916 123-45-67"}, "payment_method": "invoice"},
)  # fmt: skip
def accept(quote: str, body: AcceptIn) -> Answer:
    """Exactly these prices; accepted again it answers the same purchase. 409 `quote_over`, `stock_changed`."""
    slot = body.slot
    how = Acceptance(
        Contact(body.contact.name, body.contact.phone), body.payment_method, body.comment,
        slot.day if slot else None, slot.window if slot else "",
    )  # fmt: skip
    placed = quotes.accept(access.actor(), given_id(quote), how)
    return Answer(NumberOut(number=placed.number), 201, {"Location": f"{PREFIX}/order-groups/{placed.number}"})


@api.post(
    "/quotes/{quote}/decline",
    permission=Permission.BUY,
    body=CommentIn,
    answer=QuoteOut,
    summary="Decline an offer",
    example={"comment": ""},
)
def decline(quote: str, body: CommentIn) -> QuoteOut:
    """The seller is told."""
    quotes.decline(access.actor(), given_id(quote), body.comment)
    return _own(quote)


@api.post("/quotes/{quote}/withdraw", permission=Permission.BUY, answer=QuoteOut, summary="Take a request back")
def withdraw(quote: str) -> QuoteOut:
    """Before it is accepted."""
    quotes.withdraw(access.actor(), given_id(quote))
    return _own(quote)


@api.get(
    "/seller/quotes", permission=Permission.SELLER_ORDERS, query=PageQuery, answer=Page[QuoteOut],
    summary="Prices that buyers ask for",
)  # fmt: skip
def seller_index(query: PageQuery) -> Page[QuoteOut]:
    """The newest hundred, without history and sums."""
    return part_of([quote_out(v) for v in quote_queries.of_seller(access.actor().seller_id, limit=MOST_LISTED)], query)


@api.get(
    "/seller/quotes/{quote}", permission=Permission.SELLER_ORDERS, answer=QuoteOut, summary="One request to the seller"
)
def seller_show(quote: str) -> QuoteOut:
    """With its history."""
    return _sellers(quote)


@api.post(
    "/quotes/{quote}/offer",
    permission=Permission.SELLER_ORDERS,
    body=OfferIn,
    answer=QuoteOut,
    summary="Offer prices to a buyer",
)
def offer(quote: str, body: OfferIn) -> QuoteOut:
    """They bind until `valid_until`; after a counter-offer they may not be higher than before."""
    if body.valid_until.tzinfo is None:
        raise Invalid.one("/valid_until", "malformed")
    prices = {one.line: Price(one.price.amount, one.quantity) for one in body.lines}
    quotes.offer(access.actor(), given_id(quote), Terms(prices, body.delivery_included, body.valid_until, body.comment))
    return _sellers(quote)


@api.post(
    "/seller/quotes/{quote}/decline", permission=Permission.SELLER_ORDERS, body=CommentIn, answer=QuoteOut,
    summary="Decline a request", example={"comment": ""},
)  # fmt: skip
def seller_decline(quote: str, body: CommentIn) -> QuoteOut:
    """The buyer is told."""
    quotes.decline(access.actor(), given_id(quote), body.comment, as_seller=True)
    return _sellers(quote)
