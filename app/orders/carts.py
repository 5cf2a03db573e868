"""The cart: of a guest by a token in a cookie or header, of a person by the account."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.db import changed, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.ids import new_token, token_hash, uuid7
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import reservations
from app.offers.queries import OfferForSale
from app.orders import rules
from app.orders.models import Cart, CartLine


@dataclass(frozen=True, slots=True)
class CartChange:
    """What a change came to. `note`: "", step, minimum, stock, sold_out or cart_full.

    `token`: of a cart made for a guest just now.
    """

    line: uuid.UUID | None
    offer: uuid.UUID
    name_ru: str
    name_en: str
    unit: str
    quantity: Decimal
    note: str = ""
    token: str = ""


def kept_as(user_id: int) -> str:
    """The name under which pages keep how much is in a person's cart; commands on carts say that it `changed`."""
    return f"cart-{user_id}"


def open_cart(actor: Actor, token: str) -> sa.Select[int] | None:
    """The statement that finds the open cart of the person, or of the guest who holds the token; None: nobody's."""
    statement = sa.select(Cart.id).where(Cart.status == "open")
    if actor.is_signed_in:
        return statement.where(Cart.user_id == actor.user)
    if token:
        return statement.where(Cart.token_hash == token_hash(token), Cart.user_id.is_(None))
    return None


def find_cart(actor: Actor, token: str, *, lock: bool = False) -> int | None:
    """The open cart of the person, or of the guest who holds the token."""
    statement = open_cart(actor, token)
    if statement is None:
        return None
    found: int | None = session.scalar(statement.with_for_update() if lock else statement)
    return found


def cart_to_change(actor: Actor, token: str) -> int | None:
    """The open cart, locked, which holds nothing any more: a checkout that was begun is out of date now."""
    if actor.is_signed_in:
        changed(kept_as(actor.user))
    cart = find_cart(actor, token, lock=True)
    if cart is not None and actor.is_signed_in:  # guests cannot check out
        reservations.let_go(cart)  # after the lock: another tab may have begun a checkout while this one waited
    return cart


def base_wanted(cart: int) -> dict[uuid.UUID, Decimal]:
    """Product -> base units of it in a cart, over all its offers."""
    lines = _lines_of(cart)
    found: dict[uuid.UUID, Decimal] = {}
    for offer in offers.offer_rows(lines).values():
        base = rules.to_base(lines[offer.id].quantity, offer.factor)
        found[offer.product_public_id] = found.get(offer.product_public_id, Decimal(0)) + base
    return found


@unit_of_work
def add(
    actor: Actor, token: str, offer_id: uuid.UUID, quantity: Decimal, unit: str | None = None, *, round_up: bool = False
) -> CartChange:
    """Put an offer into the cart; a line that is there already grows.

    Args:
        quantity: in the offer's unit of sale.
        round_up: take the next whole step instead of refusing a part of one (forms do).

    Raises:
        Invalid: no such offer on sale, another unit, a wrong quantity or step, sold out, the cart is full.
    """
    rules.check_quantity(quantity)
    cart, made = _cart_to_fill(actor, token)
    try:
        offer = offers.offer_by_public_id(offer_id)
    except NotFound:
        raise Invalid.one("/offer", "offer_not_on_sale") from None
    if unit is not None and unit != offer.unit:
        raise Invalid.one("/unit", "unit_not_sold", unit=offer.unit)
    if not round_up:
        _check_step(offer, quantity)
    change = _put(cart, _lines_of(cart), offer, quantity, made)
    session.flush()
    return change


@unit_of_work
def add_many(actor: Actor, token: str, wishes: Sequence[tuple[int, Decimal]]) -> tuple[list[CartChange], str]:
    """Put several offers (id, units of sale) in at once, as an estimate does; what is sold out is left out.

    Returns:
        The changes, and the token of a cart made for a guest just now.
    """
    cart, made = _cart_to_fill(actor, token)
    rows = offers.offer_rows(offer for offer, _quantity in wishes)
    lines = _lines_of(cart)
    changes = []
    for offer_id, quantity in wishes:
        offer = rows.get(offer_id)
        if offer is None:
            raise NotFound()
        rules.check_quantity(quantity)
        try:
            changes.append(_put(cart, lines, offer, quantity, made))
        except Invalid as refusal:  # sold out, or the cart is full
            changes.append(_change(offer, None, Decimal(0), refusal.errors[0].code, made))
    session.flush()
    return changes, made


@unit_of_work
def change(actor: Actor, token: str, line_id: uuid.UUID, quantity: Decimal, *, round_up: bool = False) -> CartChange:
    """Set the quantity of a line; 0 takes it out.

    Raises:
        NotFound: the line is not in this cart.
        Invalid: a wrong quantity or step, or sold out.
    """
    if quantity == 0:
        return remove(actor, token, line_id)
    rules.check_quantity(quantity)
    line = _own_line(actor, token, line_id)
    offer = offers.offer_rows([line.offer_id])[line.offer_id]
    if not round_up:
        _check_step(offer, quantity)
    fit = _fit(offer, quantity)
    line.quantity = fit.quantity
    session.flush()
    return _change(offer, line.public_id, fit.quantity, fit.note)


@unit_of_work
def remove(actor: Actor, token: str, line_id: uuid.UUID) -> CartChange:
    """Take a line out; the change tells how much it was, for a way back.

    Raises:
        NotFound: the line is not in this cart.
    """
    line = _own_line(actor, token, line_id)
    offer = offers.offer_rows([line.offer_id])[line.offer_id]
    session.delete(line)
    session.flush()
    return _change(offer, None, line.quantity)


@unit_of_work
def accept_prices(actor: Actor, token: str) -> None:
    """The buyer has seen what the lines cost now."""
    cart = find_cart(actor, token, lock=True)
    lines = list(session.scalars(sa.select(CartLine).where(CartLine.cart_id == cart)))
    rows = offers.offer_rows(line.offer_id for line in lines)
    for line in lines:
        line.price_seen = rows[line.offer_id].price_for(line.quantity).price


@unit_of_work
def merge_guest_cart(actor: Actor, token: str) -> list[CartChange]:
    """Pour the guest's cart into the person's after login: quantities add, stock caps.

    Returns:
        The lines whose quantity is not simply what the guest had: added up, capped, or left out (`sold_out`).
    """
    if not token:
        return []
    guest = session.scalar(
        sa.select(Cart)
        .where(Cart.token_hash == token_hash(token), Cart.user_id.is_(None), Cart.status == "open")
        .with_for_update()
    )
    if guest is None:
        return []
    mine, _made = _cart_to_fill(actor, "")
    known = set(session.scalars(sa.select(CartLine.offer_id).where(CartLine.cart_id == mine)))
    wishes = session.execute(
        sa.select(CartLine.offer_id, CartLine.quantity).where(CartLine.cart_id == guest.id).order_by(CartLine.id)
    ).all()
    changes, _token = add_many(actor, "", [(w.offer_id, w.quantity) for w in wishes])
    session.execute(sa.update(Cart).where(Cart.id == mine, Cart.code == "").values(code=guest.code))
    guest.status = "merged"
    session.flush()
    return [change for wish, change in zip(wishes, changes, strict=True) if change.note or wish.offer_id in known]


def _cart_to_fill(actor: Actor, token: str) -> tuple[int, str]:
    """The open cart, locked; made when there is none. The token is told only when it is new."""
    found = cart_to_change(actor, token)
    if found is not None:
        return found, ""
    if actor.is_signed_in:
        session.execute(insert(Cart).values(user_id=actor.user).on_conflict_do_nothing())
        found = cart_to_change(actor, token)
        if found is None:
            raise Conflict("request_in_progress", retry_after=1)
        return found, ""
    made = new_token()
    cart = Cart(token_hash=token_hash(made))
    session.add(cart)
    session.flush()
    return cart.id, made


def _lines_of(cart: int) -> dict[int, CartLine]:
    """Offer -> its line in a cart."""
    return {line.offer_id: line for line in session.scalars(sa.select(CartLine).where(CartLine.cart_id == cart))}


def _put(cart: int, lines: dict[int, CartLine], offer: OfferForSale, quantity: Decimal, made: str) -> CartChange:
    """Put so much more into a cart whose `lines` are known; a new line is added to them."""
    line = lines.get(offer.id)
    fit = _fit(offer, quantity + (line.quantity if line else 0))
    if line is None:
        if len(lines) >= rules.MOST_LINES:
            raise Invalid.one("/offer", "cart_full", maximum=rules.MOST_LINES)
        line = lines[offer.id] = CartLine(cart_id=cart, offer_id=offer.id, public_id=uuid7())
        session.add(line)
    line.quantity = fit.quantity
    line.price_seen = offer.price_for(fit.quantity).price
    return _change(offer, line.public_id, fit.quantity, fit.note, made)


def _fit(offer: OfferForSale, wanted: Decimal) -> rules.Fit:
    """What of the wish may stand in the cart. What others hold for a while may: it may be free by then."""
    there = offer.available if offer.is_active else Decimal(0)
    if offer.is_active and there < wanted:
        there = offers.offer_rows([offer.id], reservations.held_by_anybody([offer.id]))[offer.id].available
    fit = rules.fit_quantity(min(wanted, rules.MOST), offer.step, offer.minimum, there)
    if fit is None:
        raise Invalid.one("/quantity", "sold_out")
    return fit


def _check_step(offer: OfferForSale, quantity: Decimal) -> None:
    errors = []
    if quantity % offer.step:
        errors.append(FieldError("/quantity", "quantity_step", {"step": f"{offer.step.normalize():f}"}))
    elif quantity < offer.minimum:
        errors.append(FieldError("/quantity", "too_small", {"minimum": f"{offer.minimum.normalize():f}"}))
    if errors:
        raise Invalid(errors)


def _own_line(actor: Actor, token: str, line_id: uuid.UUID) -> CartLine:
    cart = cart_to_change(actor, token)
    line = None
    if cart is not None:
        line = session.scalar(sa.select(CartLine).where(CartLine.public_id == line_id, CartLine.cart_id == cart))
    if line is None:
        raise NotFound()
    return line


def _change(
    offer: OfferForSale, line: uuid.UUID | None, quantity: Decimal, note: str = "", made: str = ""
) -> CartChange:
    return CartChange(line, offer.public_id, offer.name_ru, offer.name_en, offer.unit, quantity, note, made)
