"""Pages of carriers: routes, deliveries, vehicles, couriers, tariffs. Importing the modules adds their routes."""

from app.web.carrier import board, couriers, deliveries, plan_changes, plans, slots, tariffs, vehicles
from app.web.carrier.frame import pages

__all__ = ["board", "couriers", "deliveries", "pages", "plan_changes", "plans", "slots", "tariffs", "vehicles"]
