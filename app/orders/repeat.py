"""An order once more: what of it is still sold, into the cart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.core.units import ceil_to_step
from app.offers import queries as offers
from app.offers.queries import OfferForSale
from app.orders import carts, numbers
from app.orders.list_to_cart import best
from app.orders.models import Order, OrderGroup, OrderLine


@dataclass(frozen=True, slots=True)
class Repeated:
    """What became of a line. `note`: as in `CartChange`, or not_on_sale; `price_now` None: nothing was added.

    `is_replaced`: the old offer is gone, this is the cheapest other one of the same product. Prices in kopeks for one
    `unit`, the old one counted over to it.
    """

    name_ru: str
    name_en: str
    unit: str
    quantity: Decimal
    price_was: int
    price_now: int | None
    note: str
    is_replaced: bool


@unit_of_work
def to_cart(actor: Actor, number: str) -> list[Repeated]:
    """Put the lines of an own purchase (R1001) or of one order of it (R1001-2) into the cart.

    Raises:
        NotFound: absent, or another person's.
    """
    lines = _lines(actor.user, number)
    sold: dict[int, list[OfferForSale]] = {}
    for offer in offers.offers_of_products(sorted({line.product_id for line in lines})):
        sold.setdefault(offer.product_id, []).append(offer)
    chosen = [_choose(line, sold.get(line.product_id, [])) for line in lines]
    changes, _token = carts.add_many(actor, "", [(found[0].id, found[1]) for found in chosen if found])
    told = iter(changes)
    outcomes = []
    for line, found in zip(lines, chosen, strict=True):
        if found is None:
            note = "sold_out" if sold.get(line.product_id) else "not_on_sale"
            outcomes.append(Repeated(line.name_ru, line.name_en, line.unit, Decimal(0), line.price, None, note, False))
            continue
        offer, change = found[0], next(told)
        now = offer.price_for(change.quantity).price if change.quantity else None
        old = Fraction(line.factor_numerator, line.factor_denominator)
        was = round(line.price * offer.factor / old)
        outcomes.append(
            Repeated(line.name_ru, line.name_en, offer.unit, change.quantity, was, now, change.note,
                     offer.id != line.offer_id)
        )  # fmt: skip
    return outcomes


def _lines(user_id: int, number: str) -> list[OrderLine]:
    column = Order.number if numbers.ORDER.fullmatch(number) else OrderGroup.number
    found = list(
        session.scalars(
            sa.select(OrderLine)
            .join(Order, Order.id == OrderLine.order_id)
            .join(OrderGroup, OrderGroup.id == Order.group_id)
            .where(column == number, OrderGroup.user_id == user_id)
            .order_by(OrderLine.order_id, OrderLine.position)
        )
    )
    if not found:
        raise NotFound()
    return found


def _choose(line: OrderLine, sold: list[OfferForSale]) -> tuple[OfferForSale, Decimal] | None:
    """The same offer while it is there, else the cheapest of the product for as much."""
    wanted = [(offer, _units(line, offer)) for offer in sold if offer.available >= offer.minimum]
    same = [one for one in wanted if one[0].id == line.offer_id]
    return same[0] if same else best(wanted)


def _units(line: OrderLine, offer: OfferForSale) -> Decimal:
    base = Fraction(line.quantity) * Fraction(line.factor_numerator, line.factor_denominator)
    return ceil_to_step(base / offer.factor, offer.step, offer.minimum)
