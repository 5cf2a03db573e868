"""Pages of carriers: routes, deliveries, vehicles, couriers, tariffs. Importing the modules adds their routes."""

from app.web.carrier import couriers, deliveries, plans, road, slots, tariffs, vehicles
from app.web.carrier.frame import pages

__all__ = ["couriers", "deliveries", "pages", "plans", "road", "slots", "tariffs", "vehicles"]
