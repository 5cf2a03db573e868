"""Pages of carriers: routes, deliveries, vehicles, couriers, tariffs. Importing the modules adds their routes."""

from app.web.carrier import (
    calendar,
    couriers,
    deliveries,
    delivery_places,
    depots,
    hand_overs,
    plans,
    slots,
    tariffs,
    vehicles,
)
from app.web.carrier.frame import pages

__all__ = [
    "calendar", "couriers", "deliveries", "delivery_places", "depots", "hand_overs", "pages", "plans", "slots",
    "tariffs", "vehicles",
]  # fmt: skip
