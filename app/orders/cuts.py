"""Taking goods off an order before they are picked: off its trips, its deliveries, the promised stock and the money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.core.permissions import Actor
from app.logistics import service as logistics
from app.offers import stock
from app.offers.levels import StockLine
from app.orders import rules
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderGroup, OrderLine
from app.orders.totals import Load, cash_of_trip, factor_of, recount, resize
from app.orders.transitions import move_trip


def wanted(line: OrderLine) -> Decimal:
    """Units of sale that are still to come: what was ordered, less what either side took off."""
    return line.quantity if line.accepted is None else line.accepted


def given_up(line: OrderLine, kept: Decimal, pieces: Sequence[FulfilmentLine]) -> list[Decimal]:
    """Base units that each piece of a line (first trip first) loses when `kept` units of it are left."""
    present = [p.quantity for p in pieces]
    base = line.quantity_base if kept == line.quantity else rules.to_base(kept, factor_of(line))
    return rules.taken_back(present, max(Decimal(0), sum(present, Decimal(0)) - base))


def give_up(actor: Actor, line: OrderLine, kept: Decimal, trips: Sequence[Fulfilment], load: Load, reason: str) -> None:
    """Leave `kept` units of a line: the rest is taken off the trips, the last one first, and off the stock promised."""
    pieces = load.of_line(line.id)
    given = given_up(line, kept, pieces)
    places = {trip.id: trip.warehouse_id for trip in trips}
    for piece, less in zip(pieces, given, strict=True):
        if less:
            piece.quantity -= less
            back = StockLine(line.offer_id, places[piece.fulfilment_id], less)
            stock.release([back], stock.Cause("fulfilment", piece.fulfilment_id, actor, reason))


def settle(actor: Actor, group: OrderGroup, order: Order, trips: Sequence[Fulfilment], load: Load, reason: str) -> int:
    """What follows when goods were taken off: trips, deliveries, sums, cash. By how many kopeks it became cheaper."""
    for trip in trips:
        if any(p.quantity for p in load.of_trip(trip.id)):
            resize(trip, load)
        elif trip.status != "cancelled":
            cancel_trip(actor, order, trip, "nothing_to_carry")
    less = recount(actor, group, order, trips, load, reason)
    if group.payment_method == "cash":
        for trip in trips:
            if trip.status != "cancelled" and trip.method == "courier":
                logistics.change_cash_due(trip.id, cash_of_trip(trip, trips, load))
    return less


def cancel_trip(actor: Actor, order: Order, trip: Fulfilment, reason: str) -> None:
    """Call a trip off with its delivery; it costs nothing then."""
    move_trip(actor, order, trip, "cancelled", reason=reason)
    trip.delivery_price = 0
    if trip.method == "courier":
        logistics.cancel(trip.id, reason, user_id=actor.user_id)
