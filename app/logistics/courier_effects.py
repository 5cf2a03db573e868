"""What a tap brings about: goods on the truck, the truck on its way, the hand-over, the times ahead, the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core import clock, events
from app.core.db import lock_rows, session
from app.core.errors import Conflict
from app.logistics import rules
from app.logistics.courier_photos import Attached
from app.logistics.courier_taps import OVER, HandOver, Opened, finish
from app.logistics.events import DeliveryCompleted, DeliveryHandedOver, DeliveryOnTheWay
from app.logistics.models import Delivery, DeliveryAttempt, Route, RoutePlan, Shift, Stop
from app.logistics.service import move


def load(found: Opened, step: rules.Step, given: HandOver, user_id: int, pictures: Attached) -> None:
    """Goods are on the truck; when nothing more is loaded here, the truck leaves for the sites."""
    lines = rules.count_lines(found.delivery.cargo, given.counted, given.reason, given.reasons, loading=True)
    _remember_loaded(found, lines)
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.completed_at = found.at
    told: dict[str, Any] = {"released_by": given.received_by} if given.received_by else {}
    finish(found, step, "loaded", lines=[line.as_json() for line in lines], **told, **pictures.as_json())
    if found.delivery.state == "planned":
        move(found.delivery, "handed_over", user_id, found.at)
        events.record(
            DeliveryHandedOver(
                entity_id=found.delivery.id,
                fulfilment_id=found.delivery.fulfilment_id,
                user_id=user_id,
                happened_at=found.at.isoformat(),
                lines=[line.as_json() for line in lines],
            )
        )
    else:
        if found.delivery.state not in rules.ON_THE_WAY:
            raise Conflict("delivery_state", state=found.delivery.state, wanted="handed_over")
    session.flush()
    refresh_etas(found, found.at)
    depart(found, user_id)


def _remember_loaded(found: Opened, lines: list[rules.CountedLine]) -> None:
    """Write what is on the truck into the cargo: at the door it is counted against that, not against the waybill.

    A delivery in several lots is counted whole at the door: which lot a line rides in is not known.
    """
    if found.stop.lots > 1:
        return
    counted = {line.line: line for line in lines}
    found.delivery.cargo = [
        {**item, "loaded": format(line.delivered, "f"), "load_reason": line.reason} if line.short else item
        for item in found.delivery.cargo
        for line in (counted[str(item["line"])],)
    ]


def depart(found: Opened, user_id: int) -> None:
    """Everything loaded sets off once the next open stop is not another pickup at the same warehouse."""
    following = session.execute(
        sa.select(Stop.kind, Delivery.warehouse_id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id == found.route.id, Stop.sequence > found.stop.sequence, Stop.state.not_in(OVER))
        .order_by(Stop.sequence)
        .limit(1)
    ).one_or_none()
    if following is not None and following.kind == "pickup" and following.warehouse_id == found.delivery.warehouse_id:
        return
    loaded = session.scalars(
        sa.select(Stop.delivery_id).where(Stop.route_id == found.route.id, Stop.kind == "pickup", Stop.state == "done")
    ).all()
    for row in lock_rows(Delivery, loaded):
        if row.state != "handed_over":
            continue
        move(row, "in_transit", user_id, found.at)
        events.record(
            DeliveryOnTheWay(
                entity_id=row.id,
                fulfilment_id=row.fulfilment_id,
                user_id=user_id,
                happened_at=found.at.isoformat(),
            )
        )


def leave_at_warehouse(
    found: Opened, step: rules.Step, reason: str, comment: str, user_id: int, pictures: Attached
) -> None:
    found.stop.completed_at = found.at
    finish(found, step, "pickup_failed", reason=reason, comment=comment, **pictures.as_json())
    session.execute(
        sa.update(Stop)
        .where(
            Stop.route_id == found.route.id,
            Stop.delivery_id == found.delivery.id,
            Stop.kind == "drop",
            Stop.lot == found.stop.lot,
        )
        .values(state="skipped", version=Stop.version + 1)
    )
    if found.delivery.state == "planned":
        move(found.delivery, "ready", user_id, found.at, reason=reason)
    session.flush()
    depart(found, user_id)
    close_route(found.route, found.at)


def hand_over(
    found: Opened,
    step: rules.Step,
    given: HandOver,
    lines: list[rules.CountedLine],
    user_id: int,
    pictures: Attached,
    *,
    confirmed: bool,
) -> None:
    """Goods are with the buyer. `confirmed`: by the right PIN."""
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.completed_at = found.at
    finish(found, step, "handed_to_buyer" if confirmed else "handed_over_unconfirmed")
    if last_lot(found):
        outcome = rules.outcome_of(lines)
        if outcome == "delivered" and some_lot_failed(found):
            outcome = "partially_delivered"
        proof = {
            "pin_ok": confirmed,
            "offline": given.offline,
            "received_by": given.received_by,
            "cash_counted": given.cash_counted,
            "lat": found.tap.lat,
            "lon": found.tap.lon,
            **given.proof,
            **pictures.as_json(),
        }
        told = [line.as_json() for line in lines]
        conclude(found, outcome, given.reason or _first_reason(lines), told, proof, given.cash_counted, user_id)
    refresh_etas(found, found.at)
    close_route(found.route, found.at)


def conclude(
    found: Opened,
    outcome: str,
    reason: str,
    lines: list[dict[str, Any]],
    proof: dict[str, Any],
    cash_counted: int | None,
    user_id: int,
) -> None:
    """The delivery is over at the door: its state, the attempt with the proof, and the fact for other domains."""
    delivery = found.delivery
    if delivery.state == "handed_over":
        move(delivery, "in_transit", user_id, found.at)
    rules.DELIVERY.check(delivery.state, outcome)
    move(delivery, outcome, user_id, found.at, reason=reason)
    session.add(
        DeliveryAttempt(
            delivery_id=delivery.id,
            stop_id=found.stop.id,
            courier_id=found.courier_id,
            outcome=outcome,
            reason=reason,
            lines=lines,
            proof=proof,
            happened_at=found.at,
        )
    )
    events.record(
        DeliveryCompleted(
            entity_id=delivery.id,
            fulfilment_id=delivery.fulfilment_id,
            user_id=user_id,
            outcome=outcome,
            reason=reason,
            lines=lines,
            cash_counted=cash_counted,
            happened_at=found.at.isoformat(),
        )
    )


def _first_reason(lines: list[rules.CountedLine]) -> str:
    """Why the delivery is not whole, when no reason was given for all of it."""
    return next((line.reason for line in lines if line.reason), "")


def _lot_states(found: Opened) -> list[str]:
    """States of the other drops of the delivery in published plans."""
    if found.stop.lots == 1:
        return []
    return list(
        session.scalars(
            sa.select(Stop.state)
            .join(Route, Route.id == Stop.route_id)
            .join(RoutePlan, RoutePlan.id == Route.plan_id)
            .where(
                Stop.delivery_id == found.delivery.id,
                Stop.kind == "drop",
                Stop.id != found.stop.id,
                RoutePlan.status == "published",
            )
        )
    )


def last_lot(found: Opened) -> bool:
    return all(state in OVER for state in _lot_states(found))


def some_lot_failed(found: Opened) -> bool:
    return any(state in ("failed", "skipped") for state in _lot_states(found))


def some_lot_done(found: Opened) -> bool:
    return "done" in _lot_states(found)


def refresh_etas(found: Opened, leaves: datetime) -> None:
    """Tell the stops ahead when the truck will come, now that it leaves this one at `leaves`."""
    rows = session.execute(
        sa.select(Stop, Delivery.window_from)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id == found.route.id, Stop.sequence > found.stop.sequence, Stop.state.not_in(OVER))
        .order_by(Stop.sequence)
    ).all()
    ahead = [_timing(stop, opens) for stop, opens in rows]
    for (stop, _opens), eta in zip(rows, rules.etas(own_timing(found), leaves, ahead), strict=True):
        stop.eta = eta


def _timing(stop: Stop, opens: datetime) -> rules.Timing:
    return rules.Timing(stop.planned_arrival, stop.planned_departure, opens if stop.kind == "drop" else None)


def own_timing(found: Opened) -> rules.Timing:
    return _timing(found.stop, found.delivery.window_from)


def close_route(route: Route, at: datetime) -> None:
    """The route is finished when no stop is open; the shift of that day ends with it."""
    session.flush()
    still = session.scalar(sa.select(sa.exists().where(Stop.route_id == route.id, Stop.state.not_in(OVER))))
    if still:
        return
    route.state = "finished"
    route.finished_at = at
    day: date = clock.local(route.starts_at).date()
    session.execute(
        sa.update(Shift)
        .where(Shift.courier_id == route.courier_id, Shift.day == day, Shift.started_at.is_not(None))
        .values(ended_at=sa.func.coalesce(Shift.ended_at, at))
    )
