"""Moves a day of the demo into the past: every date of its orders, deliveries and routes by the same number of days."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from app.core.db import session, unit_of_work


@dataclass(frozen=True, slots=True)
class Moved:
    """What is moved: purchases, and the plan of a carrier's day."""

    groups: Sequence[int]
    day: date
    carrier: int


_OF_GROUPS = """
UPDATE order_group SET created_at = created_at - :d WHERE id = ANY(:g);
UPDATE seller_order SET created_at = created_at - :d, accept_by = accept_by - :d, accepted_at = accepted_at - :d
    WHERE group_id = ANY(:g);
UPDATE order_event SET created_at = created_at - :d WHERE group_id = ANY(:g);
UPDATE payment SET created_at = created_at - :d, paid_at = paid_at - :d, due_on = due_on - :n WHERE group_id = ANY(:g);
UPDATE fulfilment SET created_at = created_at - :d, ready_at = ready_at - :d, day = day - :n,
    window_from = window_from - :d, window_to = window_to - :d
    WHERE order_id IN (SELECT id FROM seller_order WHERE group_id = ANY(:g));
UPDATE commission_line SET created_at = created_at - :d WHERE order_line_id IN (SELECT l.id FROM order_line l
    JOIN seller_order o ON o.id = l.order_id WHERE o.group_id = ANY(:g));
UPDATE seller_transfer SET created_at = created_at - :d
    WHERE order_id IN (SELECT id FROM seller_order WHERE group_id = ANY(:g));
UPDATE stock_movement SET created_at = created_at - :d WHERE entity = 'order_group' AND entity_id = ANY(:g)
    OR entity = 'fulfilment' AND entity_id IN (SELECT f.id FROM fulfilment f
        JOIN seller_order o ON o.id = f.order_id WHERE o.group_id = ANY(:g));
UPDATE delivery SET created_at = created_at - :d, day = day - :n, window_from = window_from - :d,
    window_to = window_to - :d WHERE fulfilment_id IN (SELECT f.id FROM fulfilment f
        JOIN seller_order o ON o.id = f.order_id WHERE o.group_id = ANY(:g));
UPDATE delivery_event SET created_at = created_at - :d, happened_at = happened_at - :d WHERE delivery_id IN
    (SELECT e.id FROM delivery e JOIN fulfilment f ON f.id = e.fulfilment_id
        JOIN seller_order o ON o.id = f.order_id WHERE o.group_id = ANY(:g));
UPDATE delivery_attempt SET created_at = created_at - :d, happened_at = happened_at - :d WHERE delivery_id IN
    (SELECT e.id FROM delivery e JOIN fulfilment f ON f.id = e.fulfilment_id
        JOIN seller_order o ON o.id = f.order_id WHERE o.group_id = ANY(:g));
UPDATE timer SET due_at = due_at - :d WHERE entity = 'order_group' AND entity_id = ANY(:g)
    OR entity = 'order' AND entity_id IN (SELECT id FROM seller_order WHERE group_id = ANY(:g))
"""
_OF_PLANS = """
UPDATE stop SET planned_arrival = planned_arrival - :d, planned_departure = planned_departure - :d, eta = eta - :d,
    arrived_at = arrived_at - :d, unloading_at = unloading_at - :d, completed_at = completed_at - :d
    WHERE route_id IN (SELECT r.id FROM route r JOIN route_plan p ON p.id = r.plan_id
        WHERE p.carrier_id = :c AND p.day = :day);
UPDATE route SET starts_at = starts_at - :d, ends_at = ends_at - :d, break_from = break_from - :d,
    break_to = break_to - :d, started_at = started_at - :d, finished_at = finished_at - :d
    WHERE plan_id IN (SELECT id FROM route_plan WHERE carrier_id = :c AND day = :day);
UPDATE shift SET day = day - :n, starts_at = starts_at - :d, ends_at = ends_at - :d, started_at = started_at - :d,
    ended_at = ended_at - :d WHERE carrier_id = :c AND day = :day;
UPDATE route_plan SET day = day - :n, created_at = created_at - :d, published_at = published_at - :d
    WHERE carrier_id = :c AND day = :day
"""
_AS_PLANNED = """
UPDATE stop SET arrived_at = CASE WHEN arrived_at IS NOT NULL THEN planned_arrival END,
    unloading_at = CASE WHEN unloading_at IS NOT NULL THEN planned_arrival + interval '4 minutes' END,
    completed_at = CASE WHEN completed_at IS NOT NULL THEN greatest(planned_departure, planned_arrival) END
WHERE route_id = (SELECT id FROM route WHERE public_id = :r);
UPDATE route SET started_at = starts_at, finished_at = CASE WHEN finished_at IS NOT NULL THEN ends_at END
WHERE public_id = :r;
UPDATE delivery_attempt a SET happened_at = s.completed_at FROM stop s
WHERE a.stop_id = s.id AND s.completed_at IS NOT NULL AND s.route_id = (SELECT id FROM route WHERE public_id = :r)
"""


@unit_of_work
def move_back(moved: Moved, days: int) -> None:
    """Move the day back. Ledgers refuse changes by trigger; this loader of a new database may lift that."""
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    values = {"g": list(moved.groups), "n": days, "c": moved.carrier, "day": moved.day}
    for statement in [*_OF_GROUPS.split(";"), *_OF_PLANS.split(";")]:
        text = statement.replace(":day", "@@").replace(":d", "make_interval(days => :n)").replace("@@", ":day")
        session.execute(sa.text(text), values)


@unit_of_work
def stamp_as_planned(route: uuid.UUID) -> None:
    """The taps of a route happened when the plan said, not in the second in which the demo was loaded."""
    for statement in _AS_PLANNED.split(";"):
        session.execute(sa.text(statement), {"r": route})
