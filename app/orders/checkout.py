"""Checkout: a quote that promises prices, warehouses and delivery for a while, and what differs from it later."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import clock, timers
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import queries as logistics
from app.logistics.rules import Window
from app.offers import reservations
from app.offers.levels import StockLine
from app.orders import carts, limits, promoting, rules
from app.orders.models import Cart, CartLine, CheckoutQuote
from app.orders.plan import CartWish, Deal, Plan, PlannedTrip, make_plan, plan_of_cart
from app.payments import providers

KEEP = timedelta(minutes=15)
"""How long a quote holds after it was made or the buyer last did something."""
LONGEST = timedelta(hours=1)
"""No quote holds longer than this."""
DAYS_AHEAD = 14
"""Days that may be chosen, from the earliest."""


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


def wishes_of(cart_id: int) -> list[CartWish]:
    """The rows of a cart, in the order they were put in."""
    rows = session.execute(
        sa.select(CartLine.id, CartLine.public_id, CartLine.offer_id, CartLine.quantity, CartLine.price_seen)
        .where(CartLine.cart_id == cart_id)
        .order_by(CartLine.id)
    )
    return [CartWish(*row) for row in rows]


def slots(lead_time_days: int) -> list[Slots]:
    """Days and windows that can be chosen for goods with this lead time."""
    first = logistics.earliest_day(lead_time_days)
    days = (first + timedelta(days=n) for n in range(DAYS_AHEAD))
    return [Slots(day, logistics.windows(day)) for day in days]


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
    *,
    organisation: uuid.UUID | None = None,
    code: str | None = None,
) -> Quote:
    """Promise the cart of the person for a site, a day and a window, and hold the goods if nobody else does.

    Args:
        day: None: the earliest; `window`: its code (`9-14`), empty: the first one.
        organisation: who will pay, for promotions that count buyers; None: the person.
        code: of a promotion, kept in the cart; None: what the cart has already.

    Raises:
        Invalid: a wrong site, day, window, payment, company or code.
        Conflict: `cart_empty`, `not_available` (differences), `no_carrier`.
    """
    cart = carts.find_cart(actor, "", lock=True)
    wishes = wishes_of(cart) if cart is not None else []
    if cart is None or not wishes:
        raise Conflict("cart_empty")
    company = limits.company(actor.user, organisation).id if organisation is not None else None
    if code is not None:
        promoting.set_code(cart, code, company, make_plan(wishes, site, clock.today(), with_delivery=False))
    return promise(cart, wishes, Wanted(check_site(site), day, window, payment_method, company_id=company))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where and when a cart is to be brought, and how it is paid. `day` None: the earliest; `window` empty: the first.

    `deal`: prices that a seller promised to this buyer; promotions take nothing off them. `company_id`: who pays.
    """

    site: dict[str, Any]
    day: date | None
    window: str
    payment_method: str
    deal: Deal | None = None
    company_id: int | None = None


def draft(cart: int, wishes: Sequence[CartWish], wanted: Wanted) -> tuple[Plan, dict[str, Any]]:
    """What a quote would promise now; nothing is written.

    Raises:
        Invalid: a wrong day, window or payment.
        Conflict: `stock_changed` (differences), `no_carrier`.
    """
    plan = plan_of_cart(cart, wishes, wanted.site, wanted.day or clock.today(), wanted.deal)
    if wanted.deal is None:
        plan = promoting.on_cart(plan, cart, wanted.company_id)
    slot = _slot(plan, wanted.day, wanted.window)
    _check_buyable(plan)
    check_payment(wanted.payment_method, plan.total)
    payload = _payload(plan, wanted.site, slot, wanted.payment_method)
    return plan, payload | ({"deal": wanted.deal.as_json()} if wanted.deal else {})


@unit_of_work
def promise(cart: int, wishes: Sequence[CartWish], wanted: Wanted) -> Quote:
    """Make a quote of a locked cart and hold the goods if nobody else does. Raises as `draft`."""
    reservations.let_go(cart)
    plan, payload = draft(cart, wishes, wanted)
    until = clock.now() + KEEP
    quote = CheckoutQuote(cart_id=cart, payload=payload, expires_at=until)
    session.add(quote)
    session.flush()
    held = reservations.hold(cart, _needed(plan), until)
    if held:
        timers.set_timer("cart", cart, "let_go", until)
    return Quote(quote.public_id, cart, quote.payload, until, True, until if held else None)


def _needed(plan: Plan) -> list[StockLine]:
    """What each warehouse is to give, in base units."""
    return [
        StockLine(piece.line.offer.id, trip.warehouse.id, rules.to_base(piece.quantity, piece.line.offer.factor))
        for trip in plan.trips
        for piece in trip.pieces
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


def _slot(plan: Plan, day: date | None, window: str) -> Window:
    earliest = logistics.earliest_day(plan.lead_time_days)
    chosen = day or earliest
    if not earliest <= chosen < earliest + timedelta(days=DAYS_AHEAD):
        last = earliest + timedelta(days=DAYS_AHEAD - 1)
        raise Invalid.one("/slot/day", "day_out_of_range", minimum=earliest.isoformat(), maximum=last.isoformat())
    found = logistics.windows(chosen)
    slot = next((w for w in found if w.code == window), None) if window else next(iter(found), None)
    if slot is None:
        raise Invalid.one("/slot/window", "unknown_option")
    return slot


def check_payment(method: str, total: int) -> None:
    """Refuse a way of paying that cannot be used.

    Raises:
        Invalid: unknown, not offered yet, or too much for cash.
    """
    if method not in ("invoice", "cash", "card") or (method == "card" and not providers.are_cards_taken()):
        raise Invalid.one("/payment_method", "unknown_option")
    if method == "cash" and total > rules.CASH_LIMIT:
        raise Invalid.one("/payment_method", "too_much_for_cash", maximum=rules.CASH_LIMIT // 100)


def _check_buyable(plan: Plan) -> None:
    missing = [difference_of_stock(line, line.offer.available) for line in plan.lines if line.problem]
    if missing:
        raise Conflict("stock_changed", differences=missing)
    refused = [t for t in plan.trips if t.delivery is None]
    if refused:
        raise Conflict("no_carrier", reason=refused[0].no_carrier, seller=refused[0].seller_name)


def _payload(plan: Plan, site: dict[str, Any], slot: Window, payment_method: str) -> dict[str, Any]:
    return {
        "site": site,
        "day": slot.day.isoformat(),
        "window": slot.code,
        "window_from": slot.starts_at.isoformat(),
        "window_to": slot.ends_at.isoformat(),
        "payment_method": payment_method,
        "lines": [
            {
                "line": line.id,
                "offer_id": line.offer.id,
                "quantity": f"{line.quantity:f}",
                "price": line.price,
                "rule": line.price_rule,
                "gross": line.gross,
                "discount": line.discount,
            }
            for line in plan.lines
        ],
        "trips": [_trip(trip) for trip in plan.trips],
        "changes": [difference_of_price(line, line.price_seen) for line in plan.lines if line.price_changed],
        "discounts": [one.as_json() for one in plan.discounts],
        "totals": {
            "goods": plan.goods,
            "delivery": plan.delivery,
            "total": plan.total,
            "vat": plan.vat,
            "discount": plan.discount,
        },
        "mass_kg": f"{plan.mass_kg:f}",
        "volume_m3": f"{plan.volume_m3:f}",
    }


def _trip(trip: PlannedTrip) -> dict[str, Any]:
    option = trip.delivery
    assert option is not None  # checked before: every trip has a carrier
    return {
        "seller_id": trip.seller_id,
        "seller_name": trip.seller_name,
        "warehouse_id": trip.warehouse.id,
        "warehouse_name": trip.warehouse.name,
        "reason": trip.reason,
        "distance_m": trip.distance_m,
        "goods": trip.goods,
        "mass_kg": f"{trip.mass_kg:f}",
        "volume_m3": f"{trip.volume_m3:f}",
        "length_mm": trip.length_mm,
        "carrier_id": option.carrier_id,
        "carrier_name": option.carrier_name,
        "tariff_id": option.tariff_id,
        "delivery": option.price,
        "price_lines": option.lines_json(),
        "trips": option.trips,
        "pieces": [{"line": p.line.id, "quantity": f"{p.quantity:f}"} for p in trip.pieces],
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


def check_still_true(quote: Quote, wishes: Sequence[CartWish], plan: Plan) -> None:
    """Compare what was promised with what is true now.

    Raises:
        Conflict: `quote_outdated` when the cart was changed after it, `stock_changed` or `price_changed` with
            the differences.
    """
    promised = {int(item["line"]): item for item in quote.payload["lines"]}
    if {w.id: w.quantity for w in wishes} != {i: Decimal(item["quantity"]) for i, item in promised.items()}:
        raise Conflict("quote_outdated")
    short = [
        difference_of_stock(line, line.offer.available)
        for line in plan.lines
        if line.problem or not _pieces_are_there(quote, line)
    ]
    if short:
        raise Conflict("stock_changed", differences=short)
    dearer = [
        difference_of_price(line, promised[line.id]["price"])
        for line in plan.lines
        if line.price != promised[line.id]["price"]
    ]
    if dearer:
        raise Conflict("price_changed", differences=dearer)


def _pieces_are_there(quote: Quote, line: Any) -> bool:
    return all(
        line.offer.available_at(trip["warehouse_id"]) >= Decimal(piece["quantity"])
        for trip in quote.payload["trips"]
        for piece in trip["pieces"]
        if piece["line"] == line.id
    )


def difference_of_price(line: Any, was: int) -> dict[str, Any]:
    """A line that costs another price than it did; kopeks per unit."""
    return _difference(line, "price", was=was, now=line.price)


def difference_of_stock(line: Any, there: Decimal) -> dict[str, Any]:
    """A line that is not there in full; units of sale."""
    now = there if line.offer.is_active else Decimal(0)
    found = _difference(line, "stock", was=f"{line.quantity.normalize():f}", now=f"{now.normalize():f}")
    return found | {"back_on": line.offer.back_on.isoformat()} if line.offer.back_on else found


def _difference(line: Any, kind: str, *, was: int | str, now: int | str) -> dict[str, Any]:
    return {
        "line": str(line.public_id),
        "offer": str(line.offer.public_id),
        "name_ru": line.offer.name_ru,
        "name_en": line.offer.name_en,
        "unit": line.offer.unit,
        "kind": kind,
        "was": was,
        "now": now,
    }
