"""What a cart would become: prices now, which warehouse serves what and why, what the delivery costs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from app.core.errors import Conflict
from app.logistics import options as carriage
from app.logistics.options import Cargo, Carriers, DeliveryOption
from app.logistics.tariffs import PriceLine
from app.offers import queries as offers
from app.offers import reservations
from app.offers.queries import OfferForSale, WarehouseRow
from app.offers.rules import AppliedPrice
from app.orders import pallets, rules
from app.orders.allocation import Allocation, Wish, allocate, metres_between
from app.orders.discounts import Discount

CITY_CENTRE: dict[str, Any] = {"lat": 55.8, "lon": 37.72, "floor": 1, "lift": False, "unloading": "self"}
"""Delivery is priced to here until the buyer names a site."""


@dataclass(frozen=True, slots=True)
class Deal:
    """Prices that a seller promised to one buyer. `prices`: offer -> kopeks per unit of sale; `rule`: `quote:<id>`."""

    rule: str
    prices: Mapping[int, int]
    delivery_included: bool

    def as_json(self) -> dict[str, Any]:
        """As a checkout's quote keeps it."""
        prices = {str(offer): price for offer, price in self.prices.items()}
        return {"rule": self.rule, "prices": prices, "delivery_included": self.delivery_included}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Deal | None:
        """The deal that a checkout's quote was made at; None: the market's prices."""
        kept = payload.get("deal")
        if kept is None:
            return None
        return cls(kept["rule"], {int(o): price for o, price in kept["prices"].items()}, kept["delivery_included"])

    def priced(self, offer_id: int) -> AppliedPrice:
        """The promised price of an offer."""
        return AppliedPrice(self.prices[offer_id], self.rule)

    def delivered(self, option: DeliveryOption) -> DeliveryOption:
        """The delivery as the buyer pays for it: the tariff, or nothing with the tariff taken off in a line."""
        if not self.delivery_included:
            return option
        return replace(option, price=0, lines=(*option.lines, PriceLine("included", -option.price)))


@dataclass(frozen=True)
class PlannedLine:
    """A line of the cart with what is true now. `problem`: "", gone (not on sale; `offer.back_on` tells when a seller
    on holiday is back) or stock (less than wanted).
    """

    id: int
    public_id: uuid.UUID
    offer: OfferForSale
    quantity: Decimal
    price: int
    price_rule: str
    price_seen: int
    gross: int
    vat: int
    problem: str
    discount: int = 0
    """Kopeks that promotions take off; gross and vat are after it."""

    @property
    def price_sum(self) -> int:
        """Gross without discounts."""
        return self.gross + self.discount

    @cached_property
    def base(self) -> Decimal:
        """Base units of the whole line."""
        return rules.to_base(self.quantity, self.offer.factor)

    @cached_property
    def mass_kg(self) -> Decimal:
        return self.offer.mass_kg * self.base

    @cached_property
    def volume_m3(self) -> Decimal:
        return self.offer.volume_m3 * self.base

    @property
    def price_changed(self) -> int:
        """Kopeks per unit since the line was put in."""
        return self.price - self.price_seen


@dataclass(frozen=True, slots=True)
class PlannedPiece:
    """The part of a line that one warehouse sends; units of sale, kopeks."""

    line: PlannedLine
    quantity: Decimal
    gross: int

    @property
    def is_whole(self) -> bool:
        return self.quantity == self.line.quantity

    @property
    def pallets(self) -> int:
        """Returnable pallets that it comes on."""
        return pallets.count(self.quantity, self.line.offer.pallet_units)

    @property
    def mass_kg(self) -> Decimal:
        return self.line.mass_kg if self.is_whole else self.line.mass_kg * self.quantity / self.line.quantity

    @property
    def volume_m3(self) -> Decimal:
        return self.line.volume_m3 if self.is_whole else self.line.volume_m3 * self.quantity / self.line.quantity


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """What one seller sends from one warehouse. `no_carrier`: why nobody brings it, or empty; `options`: everybody who
    would, cheapest first.
    """

    seller_id: int
    seller_name: str
    warehouse: WarehouseRow
    pieces: tuple[PlannedPiece, ...]
    reason: str
    distance_m: int
    delivery: DeliveryOption | None
    no_carrier: str
    options: tuple[DeliveryOption, ...] = ()

    @property
    def goods(self) -> int:
        return sum(p.gross for p in self.pieces)

    @property
    def pallets(self) -> dict[int, int]:
        """Kopeks for a returnable pallet -> how many."""
        return pallets.grouped((p.line.offer.pallet_deposit, p.pallets) for p in self.pieces)

    @property
    def deposit(self) -> int:
        """Kopeks for its returnable pallets."""
        return pallets.worth(self.pallets)

    @property
    def mass_kg(self) -> Decimal:
        return sum((p.mass_kg for p in self.pieces), Decimal(0))

    @property
    def volume_m3(self) -> Decimal:
        return sum((p.volume_m3 for p in self.pieces), Decimal(0))

    @property
    def length_mm(self) -> int:
        return max(p.line.offer.length_mm for p in self.pieces)

    @property
    def price(self) -> int:
        return self.delivery.price if self.delivery else 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole cart. Lines that cannot be bought are in `lines` with a problem and in no trip."""

    lines: tuple[PlannedLine, ...]
    trips: tuple[PlannedTrip, ...]
    is_contested: bool = False
    """It is there only if other buyers do not buy what they hold in their checkouts."""
    discounts: tuple[Discount, ...] = ()
    code: Any = None
    """What the code in the cart comes to (`promoting.CodeState`); None without one."""

    @property
    def discount(self) -> int:
        return sum(one.amount for one in self.discounts)

    @property
    def goods(self) -> int:
        return sum(line.gross for line in self.lines if line.problem != "gone")

    @property
    def delivery(self) -> int:
        return sum(t.price for t in self.trips)

    @property
    def pallets(self) -> dict[int, int]:
        """Kopeks for a returnable pallet -> how many."""
        return pallets.grouped((p.line.offer.pallet_deposit, p.pallets) for t in self.trips for p in t.pieces)

    @property
    def deposit(self) -> int:
        return sum(t.deposit for t in self.trips)

    @property
    def total(self) -> int:
        return self.goods + self.delivery + self.deposit

    @property
    def vat(self) -> int:
        return sum(line.vat for line in self.lines if line.problem != "gone")

    @property
    def mass_kg(self) -> Decimal:
        return sum((t.mass_kg for t in self.trips), Decimal(0))

    @property
    def volume_m3(self) -> Decimal:
        return sum((t.volume_m3 for t in self.trips), Decimal(0))

    @property
    def length_mm(self) -> int:
        return max((t.length_mm for t in self.trips), default=0)

    @property
    def sellers(self) -> int:
        return len({t.seller_id for t in self.trips})

    @property
    def is_buyable(self) -> bool:
        """Every line is there and somebody brings every trip."""
        return bool(self.trips) and not any(line.problem for line in self.lines) and all(t.delivery for t in self.trips)

    @property
    def lead_time_days(self) -> int:
        return max((line.offer.lead_time_days for line in self.lines), default=0)


@dataclass(frozen=True, slots=True)
class CartWish:
    """A row of a cart. `held`: warehouse -> base units that the cart holds of it itself; `cart_id` 0: of no cart."""

    id: int
    public_id: uuid.UUID
    offer_id: int
    quantity: Decimal
    price_seen: int
    held: Mapping[int, Decimal] = field(default_factory=dict)
    cart_id: int = 0


def plan_of_cart(
    wishes: Sequence[CartWish], site: Mapping[str, Any] | None, day: date, deal: Deal | None = None
) -> Plan:
    """The plan of a person's cart: with what it holds itself, and if need be with what others hold."""
    plan = make_plan(wishes, site, day, deal=deal)
    if not any(line.problem for line in plan.lines):
        return plan
    held = reservations.held_by_anybody([wish.offer_id for wish in wishes])
    hopeful = make_plan(wishes, site, day, held=held, deal=deal) if held else plan
    return plan if any(line.problem for line in hopeful.lines) else replace(hopeful, is_contested=True)


def make_plan(
    wishes: Sequence[CartWish],
    site: Mapping[str, Any] | None,
    day: date,
    *,
    held: Mapping[tuple[int, int], Decimal] | None = None,
    with_delivery: bool = True,
    deal: Deal | None = None,
) -> Plan:
    """The plan of a cart for a site (`lat`, `lon`, floor, lift, unloading, max_vehicle_kg) and a day.

    Args:
        held: (offer, warehouse) -> base units on hold that the cart may have; None: what it holds itself.
        with_delivery: False leaves carriers unasked: the price was promised before.
        deal: prices of a seller's offer to this buyer instead of the market's.
    """
    place = dict(site or CITY_CENTRE)
    if held is None:
        held = {(w.offer_id, warehouse): base for w in wishes for warehouse, base in w.held.items()}
    rows = offers.offer_rows((w.offer_id for w in wishes), held)
    lines = tuple(_priced(wish, rows[wish.offer_id], deal) for wish in wishes)
    places = offers.warehouses(w for line in lines for w in line.offer.stock)
    carriers = carriage.carriers(places, day) if with_delivery else None
    trips: list[PlannedTrip] = []
    for seller in dict.fromkeys(line.offer.seller_id for line in lines if line.problem != "gone"):
        own = [line for line in lines if line.offer.seller_id == seller and line.problem != "gone"]
        trips += _trips(own, places, place, carriers, deal)
    return Plan(lines, tuple(trips))


def _priced(wish: CartWish, offer: OfferForSale, deal: Deal | None) -> PlannedLine:
    applied = deal.priced(offer.id) if deal else offer.price_for(wish.quantity)
    worth = rules.line_money(applied.price, wish.quantity, offer.vat_percent)
    problem = ""
    if not offer.is_active or not offer.available:
        problem = "gone"
    elif offer.available < wish.quantity:
        problem = "stock"
    return PlannedLine(
        wish.id, wish.public_id, offer, wish.quantity, applied.price, applied.rule, wish.price_seen, worth.gross,
        worth.vat, problem,
    )  # fmt: skip


def _trips(
    lines: Sequence[PlannedLine],
    places: Mapping[int, WarehouseRow],
    site: Mapping[str, Any],
    carriers: Carriers | None,
    deal: Deal | None,
) -> list[PlannedTrip]:
    """The trips of one seller."""
    here = (float(site["lat"]), float(site["lon"]))
    distance = {w: metres_between(here, (places[w].lat, places[w].lon)) for line in lines for w in line.offer.stock}
    wishes = [
        Wish(
            index,
            min(line.quantity, line.offer.available),
            {w: line.offer.available_at(w) for w in line.offer.stock},
        )
        for index, line in enumerate(lines)
    ]
    chosen = allocate(wishes, distance)
    return [_trip(lines, chosen, places[w], distance[w], site, carriers, deal) for w in chosen.warehouses]


def _trip(
    lines: Sequence[PlannedLine],
    chosen: Allocation,
    place: WarehouseRow,
    distance: float,
    site: Mapping[str, Any],
    carriers: Carriers | None,
    deal: Deal | None,
) -> PlannedTrip:
    pieces = []
    for index in sorted({p.line for p in chosen.pieces if p.warehouse == place.id}):
        parts = [p for p in chosen.pieces if p.line == index]
        worth = rules.shares(lines[index].gross, [p.quantity for p in parts])
        pieces += [
            PlannedPiece(lines[index], part.quantity, gross)
            for part, gross in zip(parts, worth, strict=True)
            if part.warehouse == place.id
        ]
    offer = lines[0].offer
    trip = PlannedTrip(offer.seller_id, offer.seller_name, place, tuple(pieces), chosen.reason, int(distance), None, "")
    if carriers is None:
        return trip
    found, refusal = offered(trip, site, carriers, deal)
    return replace(
        trip, distance_m=found[0].distance_m if found else int(distance), delivery=found[0] if found else None,
        no_carrier=refusal, options=found,
    )  # fmt: skip


def offered(
    trip: PlannedTrip, site: Mapping[str, Any], carriers: Carriers, deal: Deal | None
) -> tuple[tuple[DeliveryOption, ...], str]:
    """Who would bring a trip, cheapest first, and why nobody would."""
    try:
        found = carriage.options(carriers, trip.warehouse, site, Cargo(trip.mass_kg, trip.volume_m3, trip.length_mm))
    except Conflict as refusal:
        return (), str(refusal.context.get("reason", refusal.code))
    return tuple(deal.delivered(option) if deal else option for option in found), ""
