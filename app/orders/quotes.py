"""Prices asked of sellers: a list to several at once, offers with an end, counter-offers, and the order at that price.

Each seller's request is a row of its own; every step adds a round to its history. Commands lock the request first: of
an acceptance and a counter-offer at the same moment one wins and the other is told so.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import audit, clock, mail, timers
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.ids import uuid7
from app.core.permissions import Actor
from app.core.units import ceil_to_step
from app.logistics import queries as logistics
from app.offers import queries as offers
from app.offers import sellers
from app.offers.queries import OfferForSale
from app.orders import checkout, limits, rules, service
from app.orders.checkout import Wanted
from app.orders.company_models import PriceRequest, PriceRequestLine, PriceRequestRound
from app.orders.models import Cart, CartLine, OrderGroup
from app.orders.placing import Contact
from app.orders.plan import Deal
from app.orders.service import Placed
from app.orders.transitions import SYSTEM

MOST_SELLERS = 5
MOST_LINES = 100
ANSWER_WITHIN = timedelta(days=7)
"""How long a side may think before the request is over."""
LONGEST_OFFER = timedelta(days=60)
MOST_PRICE = 10**12
COMMENT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """A product and how much of it is wanted, in base units."""

    product_id: int
    base: Fraction


@dataclass(frozen=True, slots=True)
class Ask:
    """What a buyer asks of sellers. `sellers`: their ids; `site` as checkout takes it."""

    wishes: Sequence[Wish]
    sellers: Sequence[int]
    site: Mapping[str, Any]
    wanted_on: date | None = None
    comment: str = ""
    organisation: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What is said of a line: kopeks per unit, and units that can be given (None: as many as were asked)."""

    price: int | None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """A seller's offer: prices by line; a line without one cannot be supplied."""

    prices: Mapping[uuid.UUID, Price]
    delivery_included: bool
    valid_until: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Covers:
    """A seller who offers some of the wished products."""

    seller_id: int
    name: str
    rating: Decimal
    products: int


def sellers_for(wishes: Sequence[Wish]) -> list[Covers]:
    """Who could be asked, those that offer most of the list first."""
    found: dict[int, set[int]] = {}
    seller: dict[int, OfferForSale] = {}
    for offer in offers.offers_of_products([wish.product_id for wish in wishes]):
        found.setdefault(offer.seller_id, set()).add(offer.product_id)
        seller[offer.seller_id] = offer
    rows = [Covers(key, seller[key].seller_name, seller[key].seller_rating, len(own)) for key, own in found.items()]
    return sorted(rows, key=lambda row: (-row.products, -row.rating, row.seller_id))


@unit_of_work
def ask(actor: Actor, given: Ask) -> uuid.UUID:
    """Send a list to sellers, to each the products that he offers. Returns the id of the batch.

    Raises:
        Invalid: no or too many lines or sellers, a seller who offers none of it, a wrong site, day or company.
    """
    site = _checked(given)
    company = limits.company(actor.user, given.organisation) if given.organisation else None
    sold: dict[int, dict[int, OfferForSale]] = {}
    for offer in offers.offers_of_products([wish.product_id for wish in given.wishes]):
        sold.setdefault(offer.seller_id, {}).setdefault(offer.product_id, offer)
    if any(seller not in sold for seller in given.sellers):
        raise Invalid.one("/sellers", "seller_offers_none")
    batch = uuid7()
    for seller in dict.fromkeys(given.sellers):
        row = PriceRequest(
            batch_id=batch, user_id=actor.user, organisation_id=company.id if company else None, seller_id=seller,
            comment=given.comment.strip(), site=site, wanted_on=given.wanted_on,
        )  # fmt: skip
        session.add(row)
        session.flush()
        _write_lines(row, given.wishes, sold[seller])
        _note(actor, row, "requested", given.comment)
        timers.set_timer("quote", row.id, "expire", clock.now() + ANSWER_WITHIN)
        audit.record(actor, "quote.requested", "price_request", row.id, after={"seller": seller})
        _tell_seller(actor, row, "requested")
    return batch


def _checked(given: Ask) -> dict[str, Any]:
    errors = []
    counted = {"lines": (len(given.wishes), MOST_LINES), "sellers": (len(set(given.sellers)), MOST_SELLERS)}
    for name, (number, most) in counted.items():
        if not number:
            errors.append(FieldError(f"/{name}", "required"))
        elif number > most:
            errors.append(FieldError(f"/{name}", "too_many", {"maximum": most}))
    if len({wish.product_id for wish in given.wishes}) < len(given.wishes):
        errors.append(FieldError("/lines", "line_twice"))
    if given.wanted_on is not None and not clock.today() < given.wanted_on <= clock.today() + timedelta(days=365):
        first, last = clock.today() + timedelta(days=1), clock.today() + timedelta(days=365)
        days = {"minimum": first.isoformat(), "maximum": last.isoformat()}
        errors.append(FieldError("/wanted_on", "day_out_of_range", days))
    if len(given.comment) > COMMENT_LENGTH:
        errors.append(FieldError("/comment", "too_long", {"maximum": COMMENT_LENGTH}))
    if errors:
        raise Invalid(errors)
    return checkout.check_site(given.site)


def _write_lines(row: PriceRequest, wishes: Sequence[Wish], sold: Mapping[int, OfferForSale]) -> None:
    for position, wish in enumerate((w for w in wishes if w.product_id in sold), 1):
        offer = sold[wish.product_id]
        session.add(
            PriceRequestLine(
                request_id=row.id, position=position, product_id=wish.product_id, offer_id=offer.id, unit=offer.unit,
                quantity=min(ceil_to_step(wish.base / offer.factor, offer.step, offer.minimum), rules.MOST),
            )
        )  # fmt: skip
    session.flush()


def _lines(request_id: int) -> list[PriceRequestLine]:
    return list(
        session.scalars(
            sa.select(PriceRequestLine)
            .where(PriceRequestLine.request_id == request_id)
            .order_by(PriceRequestLine.position)
        )
    )


def _note(actor: Actor, row: PriceRequest, kind: str, comment: str = "") -> None:
    """Add a round to the history: the lines as this step leaves them."""
    row.rounds += 1
    said = []
    for line in _lines(row.id):
        price = line.wished if kind == "countered" else line.price
        quantity = line.quantity if line.offered is None else line.offered
        said.append({"line": line.position, "quantity": f"{quantity:f}", "price": price})
    session.add(
        PriceRequestRound(
            request_id=row.id, number=row.rounds, kind=kind, user_id=actor.user_id, lines=said,
            delivery_included=row.delivery_included, valid_until=row.valid_until, comment=comment.strip(),
        )
    )  # fmt: skip


def _move(actor: Actor, row: PriceRequest, new: str, comment: str = "") -> None:
    """Make a declared transition of a locked request, and keep the round.

    Raises:
        Conflict: `quote_state`.
    """
    old = row.status
    rules.QUOTE.check(old, new)
    if len(comment) > COMMENT_LENGTH:
        raise Invalid.one("/comment", "too_long", maximum=COMMENT_LENGTH)
    row.status = new
    session.flush()
    _note(actor, row, new, comment)
    audit.record(actor, f"quote.{new}", "price_request", row.id, before={"status": old}, after={"status": new})
    if new == "offered" and row.valid_until is not None:
        timers.set_timer("quote", row.id, "expire", row.valid_until)
    elif new == "countered":
        timers.set_timer("quote", row.id, "expire", clock.now() + ANSWER_WITHIN)
    else:
        timers.clear("quote", row.id, "expire")
    session.flush()


def _check_open(row: PriceRequest, new: str) -> None:
    """Refuse early what `_move` would refuse, and an offer whose time is over before the timer comes.

    Raises:
        Conflict: `quote_state`, `quote_over`.
    """
    rules.QUOTE.check(row.status, new)
    if row.status == "offered" and row.valid_until is not None and row.valid_until <= clock.now():
        raise Conflict("quote_over")


def _tell_seller(actor: Actor, row: PriceRequest, step: str) -> None:
    for one in accounts.places(row.seller_id):
        if one.role in ("owner", "manager"):
            _tell(one.email, one.locale, one.name, actor.name, step, f"/seller/quotes/{row.public_id}")


def _tell_buyer(row: PriceRequest, step: str) -> None:
    buyer = accounts.acting_as(row.user_id)
    seller = sellers.sellers([row.seller_id])[row.seller_id].name
    _tell(buyer.email, buyer.locale, buyer.name, seller, step, f"/quotes/{row.public_id}")


def _tell(email: str, locale: str, name: str, other: str, step: str, path: str) -> None:
    mail.queue(email, "quote_step", locale, name=name, other=other, step=step, path=path)


def buyers(actor: Actor) -> sa.ColumnElement[bool]:
    """Requests that the person made, or that were made for a company where the person decides."""
    decides = PriceRequest.organisation_id.in_(limits.decides_in(actor))
    return sa.or_(PriceRequest.user_id == actor.user, decides)


def _of_buyer(actor: Actor, public_id: uuid.UUID) -> PriceRequest:
    return _locked(PriceRequest.public_id == public_id, buyers(actor))


def _of_seller(actor: Actor, public_id: uuid.UUID) -> PriceRequest:
    return _locked(PriceRequest.public_id == public_id, PriceRequest.seller_id == actor.seller_id)


def _locked(*conditions: sa.ColumnElement[bool]) -> PriceRequest:
    found = session.scalar(sa.select(PriceRequest.id).where(*conditions))
    if found is None:
        raise NotFound()
    row: PriceRequest = lock_rows(PriceRequest, [found])[0]
    return row


@unit_of_work
def offer(actor: Actor, public_id: uuid.UUID, terms: Terms) -> None:
    """The seller names prices; they bind him until `valid_until`; after a counter-offer he may not ask more.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: an unknown line, a price or quantity out of range or raised, nothing offered, a wrong end.
        Conflict: `quote_state`.
    """
    row = _of_seller(actor, public_id)
    _check_open(row, "offered")
    lines = _lines(row.id)
    if errors := _wrong(lines, terms):
        raise Invalid(errors)
    for line in lines:
        said = terms.prices.get(line.public_id, Price(None))
        line.price = said.price
        line.offered = Decimal(0) if said.price is None else line.quantity if said.quantity is None else said.quantity
    row.delivery_included, row.valid_until = terms.delivery_included, terms.valid_until
    _move(actor, row, "offered", terms.comment)
    _tell_buyer(row, "offered")


def _wrong(lines: Sequence[PriceRequestLine], terms: Terms) -> list[FieldError]:
    known = {line.public_id for line in lines}
    errors = [FieldError(f"/lines/{key}", "unknown_order_line") for key in terms.prices if key not in known]
    rows = offers.offer_rows(line.offer_id for line in lines)
    given = 0
    for line in lines:
        said = terms.prices.get(line.public_id, Price(None))
        if said.price is None:
            continue
        given += 1
        field, most = f"/lines/{line.public_id}", f"{line.quantity.normalize():f}"
        units = line.quantity if said.quantity is None else said.quantity
        if not 0 < said.price <= MOST_PRICE:
            errors.append(FieldError(f"{field}/price", "price_range"))
        elif line.price is not None and said.price > line.price:
            errors.append(FieldError(f"{field}/price", "price_raised", {"price": line.price / 100}))
        if not units.is_finite() or not 0 < units <= line.quantity:
            errors.append(FieldError(f"{field}/quantity", "counted_range", {"maximum": most}))
        elif units % rows[line.offer_id].step:
            step = f"{rows[line.offer_id].step.normalize():f}"
            errors.append(FieldError(f"{field}/quantity", "quantity_step", {"step": step}))
    if not given and not errors:
        errors.append(FieldError("/lines", "offer_nothing"))
    if not clock.now() < terms.valid_until <= clock.now() + LONGEST_OFFER:
        errors.append(FieldError("/valid_until", "offer_end_range", {"maximum": LONGEST_OFFER.days}))
    return errors


@unit_of_work
def counter(actor: Actor, public_id: uuid.UUID, wished: Mapping[uuid.UUID, int], comment: str = "") -> None:
    """The buyer names the prices he wishes, in kopeks per unit; the offer he answers holds no more.

    Raises:
        NotFound: absent, or another buyer's. Conflict: `quote_state`, `quote_over`.
        Invalid: an unknown line, a price out of range, nothing wished.
    """
    row = _of_buyer(actor, public_id)
    _check_open(row, "countered")
    lines = {line.public_id: line for line in _lines(row.id)}
    errors = []
    for key, price in wished.items():
        if key not in lines or lines[key].price is None:
            errors.append(FieldError(f"/lines/{key}", "unknown_order_line"))
        elif not 0 < price <= MOST_PRICE:
            errors.append(FieldError(f"/lines/{key}/price", "price_range"))
    if not wished:
        errors.append(FieldError("/lines", "required"))
    if errors:
        raise Invalid(errors)
    for key, line in lines.items():
        line.wished = wished.get(key)
    _move(actor, row, "countered", comment)
    _tell_seller(actor, row, "countered")


@unit_of_work
def decline(actor: Actor, public_id: uuid.UUID, comment: str = "", *, as_seller: bool = False) -> None:
    """Say no: the seller to a request, the buyer to an offer.

    Raises:
        NotFound: not the actor's. Conflict: `quote_state`.
    """
    row = _of_seller(actor, public_id) if as_seller else _of_buyer(actor, public_id)
    _move(actor, row, "declined", comment)
    if as_seller:
        _tell_buyer(row, "declined")
    else:
        _tell_seller(actor, row, "declined")


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer needs it no more.

    Raises:
        NotFound: not the actor's. Conflict: `quote_state`.
    """
    row = _of_buyer(actor, public_id)
    _move(actor, row, "withdrawn")
    _tell_seller(actor, row, "withdrawn")


@unit_of_work
def expire(request_id: int) -> None:
    """Nobody answered, or the offer is over. Called by the timer; a request that moved on stays as it is."""
    for row in lock_rows(PriceRequest, [request_id]):
        if not rules.QUOTE.allows(row.status, "expired"):
            continue
        if row.status == "offered" and row.valid_until is not None and row.valid_until > clock.now():
            continue
        _move(SYSTEM, row, "expired")
        _tell_buyer(row, "expired")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who meets the truck and how it is paid. No day: the earliest from the one that was wanted."""

    contact: Contact
    payment_method: str
    comment: str = ""
    day: date | None = None
    window: str = ""


@unit_of_work
def accept(actor: Actor, public_id: uuid.UUID, how: Acceptance) -> Placed:
    """Turn an offer into an order at exactly its prices, through the same placing as any cart.

    Accepted again, however often and at once, it answers the same purchase.

    Raises:
        NotFound: not the actor's. Invalid: contact, payment, day, or a company the person has left.
        Conflict: `quote_state`, `quote_over`, `stock_changed` (differences), `no_carrier`, `above_limit`.
    """
    row = _of_buyer(actor, public_id)
    if row.order_group_id is not None:
        return Placed(row.order_group_id, session.get_one(OrderGroup, row.order_group_id).number, replayed=True)
    _check_open(row, "accepted")
    lines = [line for line in _lines(row.id) if line.price is not None and line.offered]
    cart = _cart(actor, lines)
    wishes = checkout.wishes_of(cart)
    deal = deal_of(row, lines)
    rows = offers.offer_rows(line.offer_id for line in lines)
    if any(rows[line.offer_id].unit != line.unit for line in lines):
        raise Conflict("quote_over")  # it is sold by another unit now: the price would be of something else
    soonest = logistics.earliest_day(max(one.lead_time_days for one in rows.values()))
    day = how.day or max(row.wanted_on or soonest, soonest)
    quote = checkout.promise(cart, wishes, Wanted(row.site, day, how.window, how.payment_method, deal))
    company = accounts.requisites(row.organisation_id) if row.organisation_id else None
    if company is not None:
        limits.locked(company.id)
        limits.check(actor.user, company.id, quote.payload["totals"]["total"])
    placed = service.place(
        actor, quote.public_id, how.contact, how.payment_method, how.comment,
        company.public_id if company else None, is_checked=True,
    )  # fmt: skip
    row.order_group_id = placed.id
    _move(actor, row, "accepted")
    _tell_seller(actor, row, "accepted")
    return placed


def _cart(actor: Actor, lines: Sequence[PriceRequestLine]) -> int:
    """A cart that holds what was offered and nothing else; it is ordered in this very transaction."""
    cart = Cart(user_id=actor.user, status="waiting")
    session.add(cart)
    session.flush()
    session.add_all(
        CartLine(cart_id=cart.id, offer_id=one.offer_id, quantity=one.offered, price_seen=one.price) for one in lines
    )
    session.flush()
    return cart.id


def deal_of(row: Any, lines: Sequence[Any]) -> Deal:
    """The offer's prices as checkout takes them."""
    prices = {line.offer_id: line.price for line in lines if line.price is not None}
    return Deal(f"quote:{row.public_id}", prices, bool(row.delivery_included))
