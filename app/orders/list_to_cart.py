"""A list of products, into the cart: for each the cheapest offer that has as much as is wanted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.catalog import lists
from app.catalog.lists import Item
from app.core.db import unit_of_work
from app.core.money import line_total
from app.core.permissions import Actor
from app.core.units import ceil_to_step
from app.offers import queries as offers
from app.offers.queries import OfferForSale
from app.orders import carts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a product. `note`: as in `CartChange`, or not_on_sale. `in_cart`: `unit`s of it there now."""

    item: Item
    note: str
    in_cart: Decimal = Decimal(0)
    unit: str = ""

    @property
    def is_added(self) -> bool:
        return self.in_cart > 0


@unit_of_work
def put(actor: Actor, list_id: uuid.UUID) -> list[Outcome]:
    """Put every product of an own list into the person's cart, line by line in the order of the list.

    Without a quantity the least one may buy is taken. Of the offers that have as much as is wanted the cheapest for
    that much; when none has, the one with the most.

    Raises:
        NotFound: no such list of the person.
    """
    items = lists.list_view(actor.user, list_id).items
    sold: dict[int, list[OfferForSale]] = {}
    for offer in offers.offers_of_products([item.product_id for item in items]):
        sold.setdefault(offer.product_id, []).append(offer)
    chosen = {item.product_id: choose(item, sold.get(item.product_id, [])) for item in items}
    wishes = [(found[0].id, found[1]) for found in chosen.values() if found is not None]
    changes, _token = carts.add_many(actor, "", wishes)
    by_offer = {change.offer: change for change in changes}
    outcomes = []
    for item in items:
        found = chosen[item.product_id]
        if found is None:
            outcomes.append(Outcome(item, "sold_out" if sold.get(item.product_id) else "not_on_sale"))
            continue
        change = by_offer[found[0].public_id]
        outcomes.append(Outcome(item, change.note, change.quantity, change.unit))
    return outcomes


def choose(item: Item, found: list[OfferForSale]) -> tuple[OfferForSale, Decimal] | None:
    """The offer to take and how many units of it; None when nobody has any."""
    return best([(offer, _units(item, offer)) for offer in found if offer.available >= offer.minimum])


def best(wanted: Sequence[tuple[OfferForSale, Decimal]]) -> tuple[OfferForSale, Decimal] | None:
    """Of offers with the units wanted of each: the cheapest that has as much, else the one with the most."""
    if not wanted:
        return None
    enough = [(offer, units) for offer, units in wanted if offer.available >= units]
    if enough:
        return min(enough, key=lambda one: (line_total(one[0].price_for(one[1]).price, one[1]), one[0].id))
    return max(wanted, key=lambda one: (Fraction(one[0].available) * one[0].factor, -one[0].id))


def _units(item: Item, offer: OfferForSale) -> Decimal:
    base = item.wanted
    if base is None:
        return offer.minimum
    return ceil_to_step(base / offer.factor, offer.step, offer.minimum)
