"""Commands on purchases and orders: place, accept, reject, cancel, expire. Each is one unit of work."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.accounts import requisites
from app.catalog import queries as catalog
from app.catalog.queries import CategoryNode
from app.core import audit, clock, events, mail, timers
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import reservations, stock
from app.offers.levels import StockLine
from app.orders import carts, cuts, limits, placing, promoting, rules
from app.orders.checkout import (
    Quote,
    check_payment,
    is_fetched,
    quote_of,
    wishes_of,
)
from app.orders.differences import check_still_true, difference_of_stock
from app.orders.events import OrderPlaced
from app.orders.models import Cart, Fulfilment, Order, OrderGroup
from app.orders.placing import Contact
from app.orders.plan import Deal, Plan, PlannedLine, make_plan
from app.orders.totals import (
    Load,
    load_of,
    recount,
)
from app.orders.transitions import (
    SYSTEM,
    locked_order,
    move_order,
    note,
)
from app.payments import queries as payment_queries

REASON_LENGTH = 500
RUSSIAN_PHONE = len("+79161234567")


@dataclass(frozen=True, slots=True)
class Payer:
    """Who meets the truck, and who pays."""

    contact: Contact
    requisites: dict[str, str]
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A purchase; `replayed`: it had been placed from this cart before."""

    id: int
    number: str
    replayed: bool = False


@unit_of_work
def place(
    actor: Actor,
    quote_id: uuid.UUID,
    contact: Contact,
    payment_method: str,
    comment: str = "",
    organisation: uuid.UUID | None = None,
    *,
    is_checked: bool = False,
) -> Placed:
    """Turn a cart into one purchase with an order for each seller, in one transaction.

    Args:
        organisation: the person's company that pays; None: the person.
        is_checked: the caller has looked at the limits of spending; then the cart may be one that waits.

    The cart is the replay key: placed again, however often and at once, it answers the same purchase.

    Raises:
        NotFound: the quote is absent or another person's.
        Invalid: contact, payment, or a company the person does not belong to.
        Conflict: `quote_expired`, `quote_outdated`, `price_changed`, `discount_changed` or `stock_changed` with the
            differences,
            `above_limit` of the person in the company (`approvals.place` then asks for an approval).
    """
    quote = quote_of(actor, quote_id)
    [cart] = lock_rows(Cart, [quote.cart_id])
    return place_locked(actor, quote, cart, contact, payment_method, comment, organisation, is_checked=is_checked)


@unit_of_work
def place_locked(
    actor: Actor,
    quote: Quote,
    cart: Cart,
    contact: Contact,
    payment_method: str,
    comment: str = "",
    organisation: uuid.UUID | None = None,
    *,
    is_checked: bool = False,
) -> Placed:
    """`place` for a caller that has read the quote of this person and then locked its cart. Raises as `place`."""
    if cart.status == "ordered":
        return _placed_before(cart.id)
    who = _check_contact(contact, comment)
    check_payment(payment_method, quote.payload["totals"]["total"], is_fetched=is_fetched(quote.payload))
    if quote.expires_at <= clock.now() or (cart.status != "open" and not is_checked):
        raise Conflict("quote_expired")
    wishes = wishes_of(cart.id)
    plan = make_plan(wishes, quote.payload["site"], clock.today(), with_delivery=False, deal=Deal.of(quote.payload))
    check_still_true(quote.payload, wishes, plan)
    plan = promoting.as_promised(plan, quote.payload)
    payer = _payer(actor, who, organisation)
    if payer.organisation_id is not None:
        limits.locked(payer.organisation_id)
        if not is_checked:
            limits.check(actor.user, payer.organisation_id, quote.payload["totals"]["total"])
    group, needed = placing.write(actor, _purchase(quote, plan, payer, payment_method, comment))
    cart.status = "ordered"
    timers.clear("cart", cart.id, "let_go")
    changed(carts.kept_as(actor.user))
    events.record(OrderPlaced(group.id, group.number))
    audit.record(actor, "order.placed", "order_group", group.id, after={"number": group.number, "total": group.total})
    if actor.email:
        mail.queue(actor.email, "order_placed", actor.locale, number=group.number, name=who.name, total=group.total)
    session.flush()
    _take_stock(actor, group, needed, plan)  # last: until the commit others wait for these levels
    return Placed(group.id, group.number)


def _placed_before(cart_id: int) -> Placed:
    row = session.execute(sa.select(OrderGroup.id, OrderGroup.number).where(OrderGroup.cart_id == cart_id)).one()
    return Placed(row.id, row.number, replayed=True)


def _check_contact(contact: Contact, comment: str) -> Contact:
    errors = []
    name = contact.name.strip()
    phone = requisites.phone_normal(contact.phone)
    if phone and phone.startswith("+7") and len(phone) != RUSSIAN_PHONE:
        phone = None
    if not name:
        errors.append(FieldError("/contact/name", "required"))
    elif len(name) > 120:
        errors.append(FieldError("/contact/name", "too_long", {"maximum": 120}))
    if not phone:
        errors.append(FieldError("/contact/phone", "required" if not contact.phone.strip() else "phone_malformed"))
    if len(comment) > 1000:
        errors.append(FieldError("/comment", "too_long", {"maximum": 1000}))
    if errors:
        raise Invalid(errors)
    return Contact(name, phone or "")


def _payer(actor: Actor, who: Contact, organisation: uuid.UUID | None) -> Payer:
    """Who receives and who pays, with the requisites a bill needs."""
    if organisation is None:
        return Payer(who, {"name": who.name, "phone": who.phone})
    company = limits.company(actor.user, organisation)
    requisites_of = {"name": company.name, "inn": company.inn, "kpp": company.kpp, "address": company.address}
    return Payer(who, requisites_of, company.id)


def _purchase(quote: Quote, plan: Plan, payer: Payer, payment_method: str, comment: str) -> placing.Purchase:
    return placing.Purchase(
        quote=quote,
        lines={line.id: line for line in plan.lines},
        warehouses=offers.warehouses(t["warehouse_id"] for t in quote.payload["trips"]),
        category_paths=paths_of({line.offer.category_id for line in plan.lines}),
        contact=payer.contact,
        payment_method=payment_method,
        comment=comment.strip(),
        payer=payer.requisites,
        organisation_id=payer.organisation_id,
    )


def _take_stock(actor: Actor, group: OrderGroup, needed: Sequence[StockLine], plan: Plan) -> None:
    """What was held for the cart becomes the promise to the orders."""
    reservations.let_go(group.cart_id, relist=False)
    try:
        stock.take(needed, stock.Cause("order_group", group.id, actor, "placed"))
    except Conflict as refusal:
        if refusal.code != "stock_changed":
            raise
        raise Conflict("stock_changed", differences=_differences(refusal.context["items"], plan.lines)) from None


def paths_of(categories: set[int]) -> dict[int, tuple[int, ...]]:
    """Category -> itself and everything above it, for rules of fees; the tree is read only when a rule asks."""
    if not payment_queries.has_category_rules(clock.today()):
        return {category: (category,) for category in categories}
    found: dict[int, tuple[int, ...]] = {}
    waiting: list[tuple[CategoryNode, tuple[int, ...]]] = [(node, ()) for node in catalog.tree()]
    while waiting:
        node, above = waiting.pop()
        found[node.id] = (*above, node.id)
        waiting.extend((child, found[node.id]) for child in node.children)
    return {category: found.get(category, (category,)) for category in categories}


def _differences(items: Sequence[Mapping[str, Any]], lines: Sequence[PlannedLine]) -> list[dict[str, Any]]:
    """What the stock refused, in the words of the cart."""
    by_offer = {line.offer.id: line for line in lines}
    found = []
    for item in items:
        line = by_offer[item["offer_id"]]
        there = rules.to_units(item["available"], line.offer.factor, line.offer.step)
        found.append(difference_of_stock(line, there))
    return found


@unit_of_work
def accept(actor: Actor, number: str, quantities: Mapping[uuid.UUID, Decimal] | None = None) -> int:
    """The seller agrees: to all, or to less of some lines; what is refused goes back to the stock.

    Args:
        quantities: order line -> units of sale agreed to; a line not named is agreed to whole.

    Returns:
        By how many kopeks the order became cheaper.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: an unknown line, more than was ordered, nothing at all.
        Conflict: `order_state`, `accept_deadline_passed`.
    """
    group, order, trips = of_seller(actor, number)
    rules.ORDER.check(order.status, "accepted")
    if order.accept_by <= clock.now():
        raise Conflict("accept_deadline_passed")
    load = load_of(order.id)
    agreed = _check_agreed(load, quantities or {})
    cut = []
    for line in load.lines:
        before, line.accepted = cuts.wanted(line), agreed[line.id]
        if line.accepted < before:
            cut.append({"position": line.position, "was": f"{before:f}", "now": f"{line.accepted:f}"})
            cuts.give_up(actor, line, line.accepted, trips, load, "accepted_less")
    order.accepted_at = clock.now()
    move_order(actor, order, "accepted", details={"cut": cut} if cut else None)
    timers.clear("order", order.id, "expire")
    less = cuts.settle(actor, group, order, trips, load, "accepted_less") if cut else 0
    session.flush()
    return less


def _check_agreed(load: Load, quantities: Mapping[uuid.UUID, Decimal]) -> dict[int, Decimal]:
    by_public = {line.public_id: line for line in load.lines}
    errors = []
    agreed = {line.id: cuts.wanted(line) for line in load.lines}
    for public_id, units in quantities.items():
        line = by_public.get(public_id)
        if line is None:
            errors.append(FieldError(f"/lines/{public_id}", "unknown_order_line"))
        elif not units.is_finite() or not 0 <= units <= cuts.wanted(line):
            most = f"{cuts.wanted(line).normalize():f}"
            errors.append(FieldError(f"/lines/{public_id}", "counted_range", {"maximum": most}))
        else:
            agreed[line.id] = units
    if not errors and not any(agreed.values()):
        errors.append(FieldError("/lines", "accept_nothing"))
    if errors:
        raise Invalid(errors)
    return agreed


@unit_of_work
def reject(actor: Actor, number: str, reason: str) -> None:
    """The seller refuses the whole order; everything goes back to the stock.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: no reason.
        Conflict: `order_state`.
    """
    group, order, trips = of_seller(actor, number)
    call_off(actor, group, order, trips, "rejected", _check_reason(reason))


@unit_of_work
def cancel(actor: Actor, number: str, reason: str = "", lines: Mapping[uuid.UUID, Decimal | None] | None = None) -> int:
    """The buyer takes an order back while nothing of it is being picked, or some of its lines.

    Args:
        lines: order line -> units of sale that shall not come, None for all of the line; without lines the whole order.

    Returns:
        By how many kopeks the order became cheaper.

    Raises:
        NotFound: absent, or another person's.
        Invalid: an unknown line, more than is still to come, nothing at all.
        Conflict: `order_state`, or `too_late_to_cancel` when picking has begun.
    """
    group, order, trips = of_buyer(actor, number)
    rules.ORDER.check(order.status, "cancelled")
    if any(t.status not in rules.CANCELLABLE and t.status != "cancelled" for t in trips):
        raise Conflict("too_late_to_cancel", state=order.fulfilment_status)
    why, before = _check_reason(reason, required=False), order.total
    load = load_of(order.id)
    left = _check_left(load, lines) if lines is not None else {}
    if any(left.values()):
        return _take_off(actor, (group, order, trips), load, left, why)
    call_off(actor, group, order, trips, "cancelled", why)
    return before


def _check_left(load: Load, lines: Mapping[uuid.UUID, Decimal | None]) -> dict[int, Decimal]:
    """Order line -> units that still come."""
    by_public = {line.public_id: line for line in load.lines}
    errors = []
    left = {line.id: cuts.wanted(line) for line in load.lines}
    for public_id, units in lines.items():
        line = by_public.get(public_id)
        if line is None:
            errors.append(FieldError(f"/lines/{public_id}", "unknown_order_line"))
            continue
        most = cuts.wanted(line)
        off = most if units is None else units
        if not off.is_finite() or not 0 < off <= most:
            errors.append(FieldError(f"/lines/{public_id}", "counted_range", {"maximum": f"{most.normalize():f}"}))
        else:
            left[line.id] = most - off
    if not lines:
        errors.append(FieldError("/lines", "required"))
    if errors:
        raise Invalid(errors)
    return left


def _take_off(
    actor: Actor,
    locked: tuple[OrderGroup, Order, list[Fulfilment]],
    load: Load,
    left: Mapping[int, Decimal],
    reason: str,
) -> int:
    group, order, trips = locked
    off = []
    for line in load.lines:
        before = cuts.wanted(line)
        if left[line.id] < before:
            line.accepted = left[line.id]
            off.append({"position": line.position, "was": f"{before:f}", "now": f"{line.accepted:f}"})
            cuts.give_up(actor, line, line.accepted, trips, load, "cancelled_by_buyer")
    note(actor, order, "order.lines_cancelled", reason=reason, details={"cut": off})
    audit.record(actor, "order.lines_cancelled", "order", order.id, after={"cut": off})
    return cuts.settle(actor, group, order, trips, load, "cancelled_by_buyer")


@unit_of_work
def expire(order_id: int) -> None:
    """The seller did not answer in time. Called by the timer; an order that moved on stays as it is."""
    try:
        group, order, trips = locked_order(order_id)
    except NotFound:
        return
    if order.status == "placed":
        call_off(SYSTEM, group, order, trips, "expired", "")


def call_off(actor: Actor, group: OrderGroup, order: Order, trips: Sequence[Fulfilment], new: str, reason: str) -> None:
    """End an order before anything of it left: state, trips, deliveries, stock, money. The caller holds the locks."""
    move_order(actor, order, new, reason=reason, details={"total": order.total})
    order.reason = reason
    load = load_of(order.id)
    back = []
    for trip in trips:
        if trip.status != "cancelled":
            back += [
                StockLine(load.line(p.order_line_id).offer_id, trip.warehouse_id, p.quantity)
                for p in load.of_trip(trip.id)
                if p.quantity
            ]
            cuts.cancel_trip(actor, order, trip, new)
    stock.release(back, stock.Cause("order", order.id, actor, new))
    timers.clear("order", order.id, "expire")
    recount(actor, group, order, trips, load, new)
    session.flush()


def _check_reason(reason: str, *, required: bool = True) -> str:
    text = reason.strip()
    if required and not text:
        raise Invalid.one("/reason", "required")
    if len(text) > REASON_LENGTH:
        raise Invalid.one("/reason", "too_long", maximum=REASON_LENGTH)
    return text


def of_buyer(actor: Actor, number: str) -> tuple[OrderGroup, Order, list[Fulfilment]]:
    """An order of the person with its purchase and trips, locked.

    Raises:
        NotFound: absent, or another person's.
    """
    order_id = session.scalar(
        sa.select(Order.id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.number == number, OrderGroup.user_id == actor.user)
    )
    if order_id is None:
        raise NotFound()
    return locked_order(order_id)


def of_seller(actor: Actor, number: str) -> tuple[OrderGroup, Order, list[Fulfilment]]:
    """An order of the actor's shop with its purchase and trips, locked.

    Raises:
        NotFound: absent, or another seller's.
    """
    order_id = session.scalar(sa.select(Order.id).where(Order.number == number, Order.seller_id == actor.seller_id))
    if order_id is None:
        raise NotFound()
    return locked_order(order_id)
