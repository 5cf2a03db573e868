"""An order once more, or what of it does not come: into the cart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.core.db import unit_of_work
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.core.units import ceil_to_step
from app.offers import queries as offers
from app.offers.queries import OfferForSale
from app.orders import carts, queries, rules
from app.orders.list_to_cart import best
from app.orders.queries import LineRow, OrderView
from app.orders.totals import DONE


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
    lines = queries.lines_of(actor.user, number)
    return _put(actor, [(line, line.quantity_base) for line in lines], _sold(lines))


@unit_of_work
def missing_to_cart(actor: Actor, number: str) -> list[Repeated]:
    """Put what the seller of an own order (R1001-2) does not send into the cart, from the best of the other sellers.

    Raises:
        NotFound: absent, another person's, or nothing is missing.
    """
    _group, order = queries.order_view(actor.user, number)
    gone = missing(order)
    if not gone:
        raise NotFound()
    lines = [line for line in order.lines if line.id in gone]
    others = {p: [o for o in found if o.seller_id != order.row.seller_id] for p, found in _sold(lines).items()}
    return _put(actor, [(line, rules.to_base(gone[line.id], line.factor)) for line in lines], others)


def missing(order: OrderView) -> dict[int, Decimal]:
    """Line -> units of sale that were ordered and do not come through no wish of the buyer's.

    What the buyer took off himself, and what another product stands in for, is not missing.
    """
    if order.row.status not in ("rejected", "expired", "accepted", "completed"):
        return {}
    left = {line.id: line.quantity for line in order.lines}
    for trip in order.trips:
        if trip.status != "cancelled":
            for piece in trip.pieces:
                left[piece.line.id] -= (piece.delivered or Decimal(0)) if trip.status in DONE else piece.quantity
    places = {line.position: line.id for line in order.lines}
    for event in order.events:
        if event.kind == "order.lines_cancelled":
            for cut in event.details["cut"]:
                left[places[cut["position"]]] -= Decimal(cut["was"]) - Decimal(cut["now"])
    replaced = {line.replaces_id for line in order.lines}
    return {line: units for line, units in left.items() if units > 0 and line not in replaced}


def _sold(lines: Sequence[LineRow]) -> dict[int, list[OfferForSale]]:
    """Product -> the offers of it that are on sale."""
    found: dict[int, list[OfferForSale]] = {}
    for offer in offers.offers_of_products(sorted({line.product_id for line in lines})):
        found.setdefault(offer.product_id, []).append(offer)
    return found


def _put(
    actor: Actor, wanted: Sequence[tuple[LineRow, Decimal]], sold: Mapping[int, list[OfferForSale]]
) -> list[Repeated]:
    """So many base units of each line into the cart, from these offers; what became of each."""
    chosen = [_choose(line, base, sold.get(line.product_id, [])) for line, base in wanted]
    changes, _token = carts.add_many(actor, "", [(found[0].id, found[1]) for found in chosen if found])
    told = iter(changes)
    outcomes = []
    for (line, _base), found in zip(wanted, chosen, strict=True):
        if found is None:
            note = "sold_out" if sold.get(line.product_id) else "not_on_sale"
            outcomes.append(Repeated(line.name_ru, line.name_en, line.unit, Decimal(0), line.price, None, note, False))
            continue
        offer, change = found[0], next(told)
        now = offer.price_for(change.quantity).price if change.quantity else None
        was = round(line.price * offer.factor / line.factor)
        outcomes.append(
            Repeated(line.name_ru, line.name_en, offer.unit, change.quantity, was, now, change.note,
                     offer.id != line.offer_id)
        )  # fmt: skip
    return outcomes


def _choose(line: LineRow, base: Decimal, sold: list[OfferForSale]) -> tuple[OfferForSale, Decimal] | None:
    """The same offer while it is there, else the cheapest of the product for as much."""
    wanted = [
        (offer, ceil_to_step(Fraction(base) / offer.factor, offer.step, offer.minimum))
        for offer in sold
        if offer.available >= offer.minimum
    ]
    same = [one for one in wanted if one[0].id == line.offer_id]
    return same[0] if same else best(wanted)
