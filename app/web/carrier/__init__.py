"""Pages of carriers: routes, deliveries, vehicles, couriers, tariffs. Importing the modules adds their routes."""

from app.web.carrier import (
    board,
    calendar,
    couriers,
    deliveries,
    delivery_places,
    depots,
    hand_overs,
    plan_changes,
    plans,
    road,
    slots,
    tariffs,
    vehicles,
)
from app.web.carrier.frame import pages

__all__ = [
    "board", "calendar", "couriers", "deliveries", "delivery_places", "depots", "hand_overs", "pages", "plan_changes",
    "plans", "road", "slots", "tariffs", "vehicles",
]  # fmt: skip
