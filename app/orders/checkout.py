"""Checkout: a quote that promises prices, warehouses and delivery for a while, and what differs from it later."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import clock, timers
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Actor
from app.logistics import options as carriage
from app.logistics import queries as logistics
from app.logistics.rules import Window
from app.logistics.timetable import timetables
from app.offers import queries as offers
from app.offers import reservations
from app.offers.levels import StockLine
from app.orders import carts, choices, limits, promoting, rules, together
from app.orders.choices import DAYS_AHEAD, Arrival, Asked, Choices, Desk
from app.orders.differences import difference_of_price, difference_of_stock
from app.orders.models import Cart, CartLine, CheckoutQuote
from app.orders.plan import CartWish, Deal, Plan, PlannedPiece, make_plan, plan_of_cart
from app.payments import providers

KEEP = timedelta(minutes=15)
"""How long a quote holds after it was made or the buyer last did something."""
LONGEST = timedelta(hours=1)
"""No quote holds longer than this."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The windows of one day."""

    day: date
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A promise: `payload` holds site, day, window, trips and totals as they were shown."""

    public_id: uuid.UUID
    cart_id: int
    payload: dict[str, Any]
    expires_at: datetime
    is_open: bool
    held_until: datetime | None
    """Until when the goods are held; None: others are checking out the last of them, and who is faster has them."""

    @property
    def is_alive(self) -> bool:
        """Neither too old nor used."""
        return self.is_open and self.expires_at > clock.now()


@dataclass(frozen=True, slots=True)
class Made(Quote):
    """A quote just made, with what it was chosen from."""

    desk: Desk


def wishes_of(cart: int | sa.Select[int]) -> list[CartWish]:
    """The rows of a cart (its id, or a statement that finds it), in the order they were put in."""
    cart_id = cart if isinstance(cart, int) else cart.scalar_subquery()
    rows = session.execute(
        sa.select(
            CartLine.id, CartLine.public_id, CartLine.offer_id, CartLine.quantity, CartLine.price_seen,
            CartLine.cart_id, reservations.held_of(CartLine.cart_id, CartLine.offer_id).label("held"),
        )
        .where(CartLine.cart_id == cart_id)
        .order_by(CartLine.id)
    )  # fmt: skip
    return [
        CartWish(
            row.id, row.public_id, row.offer_id, row.quantity, row.price_seen,
            {place: Decimal(base) for place, base in row.held or ()}, row.cart_id,
        )
        for row in rows
    ]  # fmt: skip


def slots(lead_time_days: int, carriers: Sequence[Sequence[int]] = ()) -> list[Slots]:
    """Days and windows that can be chosen for goods with this lead time.

    Args:
        carriers: for each trip who may carry it: a window is there when each trip has a carrier that is free then.
    """
    first = logistics.earliest_day(lead_time_days)
    days = [first + timedelta(days=n) for n in range(DAYS_AHEAD)]
    if not any(carriers):
        return [Slots(day, logistics.windows(day)) for day in days]
    tables = timetables((one for each in carriers for one in each), first, days[-1])
    now = clock.now()
    found = []
    for day in days:
        free = {one: {w.window for w in table.day(day, 0, first, now).free} for one, table in tables.items()}
        common = set[Window].intersection(*(set().union(*(free[one] for one in each)) for each in carriers if each))
        found.append(Slots(day, tuple(sorted(common, key=lambda w: (w.from_minute, w.to_minute)))))
    return found


def slots_of_seller(seller_id: int) -> list[Slots]:
    """Windows in which some carrier of a seller's warehouses is free."""
    known = carriage.carriers((place.id for place in offers.warehouses_of(seller_id)), clock.today())
    carriers = {tariff.carrier_id for tariffs in known.tariffs.values() for tariff in tariffs}
    return slots(0, [sorted(carriers)])


def carriers_of(plan: Plan) -> list[list[int]]:
    """For each trip of a plan who would carry it."""
    return [[option.carrier_id for option in trip.options] for trip in plan.trips]


def check_site(site: Mapping[str, Any]) -> dict[str, Any]:
    """A site as an order keeps it.

    Raises:
        Invalid: no address, no point, a point off the earth, an unknown way of unloading.
    """
    errors = []
    address = str(site.get("address") or "").strip()
    if not address:
        errors.append(FieldError("/address/address", "required"))
    elif len(address) > 300:
        errors.append(FieldError("/address/address", "too_long", {"maximum": 300}))
    for name, most in (("lat", 90.0), ("lon", 180.0)):
        value = site.get(name)
        if value is None:
            errors.append(FieldError(f"/address/{name}", "required"))
        elif not -most <= float(value) <= most:
            errors.append(FieldError(f"/address/{name}", "too_large", {"maximum": int(most)}))
    if site.get("unloading", "self") not in ("self", "hands", "crane", "tail_lift"):
        errors.append(FieldError("/address/unloading", "unknown_option"))
    if not -5 <= int(site.get("floor") or 1) <= 200:
        errors.append(FieldError("/address/floor", "too_large", {"maximum": 200}))
    if errors:
        raise Invalid(errors)
    keys = ("title", "access", "contact_name", "contact_phone")
    numbers = ("max_vehicle_kg", "max_height_mm")
    return {
        **{key: str(site.get(key) or "") for key in keys},
        **{key: site.get(key) for key in numbers},
        "address": address,
        "lat": float(site["lat"]),
        "lon": float(site["lon"]),
        "floor": int(site.get("floor") or 1),
        "lift": bool(site.get("lift")),
        "unloading": str(site.get("unloading") or "self"),
    }


@unit_of_work
def make_quote(
    actor: Actor,
    site: Mapping[str, Any],
    day: date | None,
    window: str,
    payment_method: str,
    chosen: Choices | None = None,
    is_joint: bool = False,
    *,
    organisation: uuid.UUID | None = None,
    code: str | None = None,
) -> Made:
    """Promise the cart of the person for a site, a day and a window, and hold the goods if nobody else does.

    Args:
        day: None: the earliest; `window`: its code (`9-14`), empty: the first one.
        chosen: for some warehouses another carrier, day or window, several deliveries, or fetching.
        is_joint: everything else by one truck.
        organisation: who will pay, for promotions that count buyers; None: the person.
        code: of a promotion, kept in the cart; None: what the cart has already.

    Raises:
        Invalid: a wrong site, day, window, choice, payment, company or code.
        Conflict: `cart_empty`, `stock_changed` (differences), `no_carrier`, `no_joint`, `slot_full`.
    """
    company = limits.company(actor.user, organisation).id if organisation is not None else None
    wanted = Wanted(
        check_site(site), day, window, payment_method, choices=chosen or {}, is_joint=is_joint, company_id=company
    )
    return quote_anew(actor, wanted, code)


@unit_of_work
def quote_anew(actor: Actor, wanted: Wanted, code: str | None = None) -> Made:
    """Promise the cart of the person as wanted; `site` is checked already. Raises as `make_quote`."""
    cart = carts.find_cart(actor, "", lock=True)
    wishes = wishes_of(cart) if cart is not None else []
    if cart is None or not wishes:
        raise Conflict("cart_empty")
    if code is not None:
        plan = make_plan(wishes, wanted.site, clock.today(), with_delivery=False)
        promoting.set_code(cart, code, wanted.company_id, plan)
    return promise(cart, wishes, wanted)


@unit_of_work
def quote_again(actor: Actor, old: Quote, payment_method: str, *, organisation: uuid.UUID | None = None) -> Made:
    """The same wishes quoted anew; a window that is taken by now gives way to the earliest that is free.

    Args:
        organisation: who will pay now; None: the person.

    Raises as `make_quote`.
    """
    company = limits.company(actor.user, organisation).id if organisation is not None else None
    wanted = replace(wanted_of(old.payload), payment_method=payment_method, company_id=company)
    while True:
        try:
            return quote_anew(actor, wanted)
        except Invalid as refusal:
            # a warehouse that sends nothing any more, or not as much: what was chosen for it falls away
            gone = {key for key in wanted.choices for e in refusal.errors if e.pointer.startswith(f"/deliveries/{key}")}
            if not gone:
                raise
            wanted = replace(wanted, choices={k: v for k, v in wanted.choices.items() if k not in gone})
        except Conflict as refusal:
            if refusal.code == "no_joint" or (refusal.code == "slot_full" and wanted.is_joint and wanted.day):
                # the truck: on the first day that is free, else everything by itself
                wanted = replace(wanted, is_joint=refusal.code == "slot_full", day=None, window="")
                continue
            group = parse_uuid(refusal.context.get("group", "")) if refusal.code == "slot_full" else None
            if group is None or choices.is_soonest(wanted.choices.get(group)):
                raise
            soonest = choices.soonest(wanted.choices.get(group))
            wanted = replace(wanted, choices={**wanted.choices, group: soonest})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where and when a cart is to be brought, and how it is paid. `day` None: the earliest; `window` empty: the first.

    `deal`: prices that a seller promised to this buyer; promotions take nothing off them. `choices`: what is wanted
    otherwise for some warehouses. `company_id`: who pays.
    """

    site: dict[str, Any]
    day: date | None
    window: str
    payment_method: str
    deal: Deal | None = None
    choices: Choices = field(default_factory=dict)
    is_joint: bool = False
    """Everything that is brought in one go by one truck."""
    company_id: int | None = None


def wanted_of(payload: Mapping[str, Any], since: date | None = None) -> Wanted:
    """What a quote was made for, to be quoted anew; days before `since` are the earliest again."""
    asked = payload.get("asked") or payload
    day = date.fromisoformat(asked["day"]) if asked["day"] else None
    return Wanted(
        payload["site"], max(day, since) if day and since else day, asked["window"], payload["payment_method"],
        Deal.of(payload), choices.kept(payload, since), bool(payload.get("is_joint")), payload.get("company_id"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """What a quote would promise: the `plan` as it was chosen from the `desk`."""

    desk: Desk
    plan: Plan
    payload: dict[str, Any]


def draft(wishes: Sequence[CartWish], wanted: Wanted) -> Draft:
    """What a quote would promise now; nothing is written.

    Raises:
        Invalid: a wrong day, window, choice or payment.
        Conflict: `stock_changed` (differences), `no_carrier`, `slot_full`.
    """
    plan = plan_of_cart(wishes, wanted.site, wanted.day or clock.today(), wanted.deal)
    if wanted.deal is None:
        plan = promoting.on_cart(plan, wishes[0].cart_id, wanted.company_id)
    choices.check_day(wanted.day, logistics.earliest_day(plan.lead_time_days))
    _check_stock(plan)
    desk = Desk(plan, Asked(wanted.site, wanted.deal, wanted.day, wanted.window))
    one_truck = together.look(desk, wanted.choices)
    on_it = together.arrivals(desk, one_truck) if wanted.is_joint else []
    arrivals = choices.settle(desk, wanted.choices, on_it)
    settled = replace(plan, trips=tuple(one.trip for one in arrivals))
    check_payment(wanted.payment_method, settled.total, is_fetched=any(a.method == "pickup" for a in arrivals))
    payload = _payload(settled, wanted, arrivals) | {"joint": one_truck.as_json() if one_truck else None}
    return Draft(desk, settled, payload | ({"deal": wanted.deal.as_json()} if wanted.deal else {}))


@unit_of_work
def promise(cart: int, wishes: Sequence[CartWish], wanted: Wanted) -> Made:
    """Make a quote of a locked cart and hold the goods if nobody else does. Raises as `draft`."""
    found, until = draft(wishes, wanted), clock.now() + KEEP
    quote = CheckoutQuote(cart_id=cart, payload=found.payload, expires_at=until)
    session.add(quote)
    session.flush()
    held = reservations.hold(cart, _needed(found.plan), until)
    if held:
        timers.set_timer("cart", cart, "let_go", until)
    return Made(quote.public_id, cart, quote.payload, until, True, until if held else None, found.desk)


def _needed(plan: Plan) -> list[StockLine]:
    """What each warehouse is to give, in base units, in however many deliveries."""
    units: dict[tuple[int, int], tuple[PlannedPiece, Decimal]] = {}
    for trip in plan.trips:
        for piece in trip.pieces:
            key = (piece.line.offer.id, trip.warehouse.id)
            units[key] = (piece, units[key][1] + piece.quantity if key in units else piece.quantity)
    return [
        StockLine(offer, place, rules.to_base(quantity, piece.line.offer.factor))
        for (offer, place), (piece, quantity) in units.items()
    ]


@unit_of_work
def prolong(actor: Actor, public_id: uuid.UUID) -> Quote:
    """The buyer is still at it: the quote and what it holds stay for a while longer, an hour at most.

    Raises:
        NotFound: absent, or another person's.
        Conflict: `quote_expired`, also when it was placed.
    """
    quote = quote_of(actor, public_id)
    lock_rows(Cart, [quote.cart_id])
    row = session.scalars(sa.select(CheckoutQuote).where(CheckoutQuote.public_id == public_id).with_for_update()).one()
    if row.expires_at <= clock.now() or not quote.is_open:
        raise Conflict("quote_expired")
    row.expires_at = max(row.expires_at, min(clock.now() + KEEP, row.created_at + LONGEST))
    if quote.held_until is not None:
        reservations.prolong(quote.cart_id, row.expires_at)
        timers.set_timer("cart", quote.cart_id, "let_go", row.expires_at)
    session.flush()
    return quote_of(actor, public_id)


@unit_of_work
def let_go(cart_id: int) -> None:
    """What a cart held too long is free again. Called by the timer; safe to call again."""
    lock_rows(Cart, [cart_id])
    newest = session.scalar(sa.select(sa.func.max(CheckoutQuote.expires_at)).where(CheckoutQuote.cart_id == cart_id))
    if newest is None or newest <= clock.now():
        reservations.let_go(cart_id)


def check_payment(method: str, total: int, *, is_fetched: bool = False) -> None:
    """Refuse a way of paying that cannot be used.

    Args:
        is_fetched: something is fetched at a counter, where no driver takes cash.

    Raises:
        Invalid: unknown, not offered yet, too much for cash, or cash for what is fetched.
    """
    if method not in ("invoice", "cash", "card") or (method == "card" and not providers.are_cards_taken()):
        raise Invalid.one("/payment_method", "unknown_option")
    if method == "cash" and is_fetched:
        raise Invalid.one("/payment_method", "cash_needs_driver")
    if method == "cash" and total > rules.CASH_LIMIT:
        raise Invalid.one("/payment_method", "too_much_for_cash", maximum=rules.CASH_LIMIT // 100)


def is_fetched(payload: Mapping[str, Any]) -> bool:
    """Whether something of a quote is fetched by the buyer."""
    return any(trip.get("method") == "pickup" for trip in payload["trips"])


def _check_stock(plan: Plan) -> None:
    missing = [difference_of_stock(line, line.offer.available) for line in plan.lines if line.problem]
    if missing:
        raise Conflict("stock_changed", differences=missing)


def _payload(plan: Plan, wanted: Wanted, arrivals: Sequence[Arrival]) -> dict[str, Any]:
    first = next((one for one in arrivals if one.method == "courier"), arrivals[0])
    return {
        "site": wanted.site,
        "day": first.day.isoformat(),
        "window": first.window,
        "window_from": first.starts_at.isoformat(),
        "window_to": first.ends_at.isoformat(),
        "asked": {"day": wanted.day.isoformat() if wanted.day else None, "window": wanted.window},
        "is_joint": wanted.is_joint,
        "choices": {str(key): choice.as_json() for key, choice in wanted.choices.items()},
        "payment_method": wanted.payment_method,
        "company_id": wanted.company_id,
        "lines": [
            {
                "line": line.id,
                "offer_id": line.offer.id,
                "quantity": f"{line.quantity:f}",
                "price": line.price,
                "rule": line.price_rule,
                "gross": line.gross,
                "discount": line.discount,
                "pallet_units": f"{line.offer.pallet_units:f}",
                "pallet_deposit": line.offer.pallet_deposit,
            }
            for line in plan.lines
        ],
        "trips": [_trip(one) for one in arrivals],
        "changes": [difference_of_price(line, line.price_seen) for line in plan.lines if line.price_changed],
        "discounts": [one.as_json() for one in plan.discounts],
        "totals": {
            "goods": plan.goods,
            "delivery": plan.delivery,
            "deposit": plan.deposit,
            "pallets": [[each, many] for each, many in plan.pallets.items()],
            "total": plan.total,
            "vat": plan.vat,
            "discount": plan.discount,
        },
        "mass_kg": f"{plan.mass_kg:f}",
        "volume_m3": f"{plan.volume_m3:f}",
    }


def _trip(arrival: Arrival) -> dict[str, Any]:
    trip, option = arrival.trip, arrival.trip.delivery
    return {
        "seller_id": trip.seller_id,
        "seller_name": trip.seller_name,
        "warehouse_id": trip.warehouse.id,
        "group": str(trip.warehouse.public_id),
        "warehouse_name": trip.warehouse.name,
        "address": trip.warehouse.address,
        "reason": trip.reason,
        "distance_m": trip.distance_m,
        "goods": trip.goods,
        "deposit": trip.deposit,
        "pallets": [[each, count] for each, count in trip.pallets.items()],
        "mass_kg": f"{trip.mass_kg:f}",
        "volume_m3": f"{trip.volume_m3:f}",
        "length_mm": trip.length_mm,
        "method": arrival.method,
        "day": arrival.day.isoformat(),
        "window": arrival.window,
        "window_from": arrival.starts_at.isoformat(),
        "window_to": arrival.ends_at.isoformat(),
        "receiver": arrival.receiver,
        "joint": arrival.is_joint,
        "part": arrival.part,
        "parts": arrival.parts,
        "carrier_id": option.carrier_id if option else None,
        "carrier_name": option.carrier_name if option else "",
        "tariff_id": option.tariff_id if option else None,
        "option": str(option.public_id) if option else None,
        "delivery": option.price if option else 0,
        "price_lines": option.lines_json() if option else [],
        "trips": option.trips if option else 0,
        "pieces": [
            {"line": p.line.id, "quantity": f"{p.quantity:f}", "gross": p.gross, "pallets": p.pallets}
            for p in trip.pieces
        ],
    }


def quote_of(actor: Actor, public_id: uuid.UUID) -> Quote:
    """A quote of the person.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.execute(
        sa.select(
            CheckoutQuote.public_id,
            CheckoutQuote.cart_id,
            CheckoutQuote.payload,
            CheckoutQuote.expires_at,
            Cart.status,
            reservations.held_until(CheckoutQuote.cart_id).label("held_until"),
        )
        .join(Cart, Cart.id == CheckoutQuote.cart_id)
        .where(CheckoutQuote.public_id == public_id, Cart.user_id == actor.user)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return Quote(row.public_id, row.cart_id, row.payload, row.expires_at, row.status == "open", row.held_until)
