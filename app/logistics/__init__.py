"""Carriers, tariffs, deliveries, route plans, couriers and tracking."""
