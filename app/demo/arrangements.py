"""How the demo market delivers: windows of the first carrier with their capacity, a closed date, a counter, pallets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.permissions import Actor
from app.logistics import slots
from app.logistics.slots import WindowFacts
from app.offers import queries as offers
from app.offers import service

WORKDAYS, WEEKEND = (1, 2, 3, 4, 5), (6, 7)
WEEK = (
    (WORKDAYS, WindowFacts(9 * 60, 12 * 60, 4, 12_000)),
    (WORKDAYS, WindowFacts(12 * 60, 15 * 60, 6, 20_000)),
    (WORKDAYS, WindowFacts(15 * 60, 18 * 60, 6, 20_000)),
    (WORKDAYS, WindowFacts(18 * 60, 21 * 60, 3, 8_000)),
    (WEEKEND, WindowFacts(10 * 60, 18 * 60, 24, None)),
)


def arrange(dispatcher: Actor, seller: Actor) -> None:
    """Declare the week of the carrier, one date without trucks, and the seller's counters."""
    for weekdays, window in WEEK:
        slots.declare(dispatcher, weekdays, window)
    day = clock.today() + timedelta(days=6)
    slots.except_on(dispatcher, day, 0, note="Техосмотр машин")
    for place in offers.warehouses_of(seller.seller_id):
        service.edit_warehouse(seller, place.public_id, {"allows_pickup": True, "pickup_after_hours": 3})


def set_deposits(seller: Actor) -> uuid.UUID:
    """Some heavy bags of a seller come on returnable pallets; the one of which most is in stock."""
    heavy = sa.text(
        "SELECT o.public_id, u.numerator FROM offer o JOIN product p ON p.id = o.product_id"
        " JOIN product_unit u ON u.product_id = p.id AND u.code = 'pallet' AND u.denominator = 1"
        " JOIN stock_level s ON s.offer_id = o.id WHERE o.seller_id = :seller AND o.unit = 'bag'"
        " AND p.base_unit = 'bag' AND p.mass_kg >= 20 AND o.lead_time_days = 0"
        " GROUP BY o.id, u.numerator ORDER BY max(s.on_hand) DESC, o.id LIMIT 5"
    )
    found = session.execute(heavy, {"seller": seller.seller_id}).all()
    for offer, bags in found:
        service.edit_offer(seller, offer, {"pallet_units": Decimal(bags), "pallet_deposit": 350_00})
    first: uuid.UUID = found[0].public_id
    return first
