"""What was told of arrivals is compared with what came true, so that the next windows are as wide as needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock, jobs
from app.core.db import session, unit_of_work
from app.logistics import eta, rules
from app.logistics.models import Courier, Delivery, LastPosition, Route, RoutePlan, Stop, Vehicle
from app.logistics.tracking_models import EtaSample, EtaSpread

EVERY = timedelta(minutes=5)
LOOKED_BACK = timedelta(days=60)
MOST = 500
"""So many of the latest errors of a step are looked at."""
KEPT = timedelta(days=180)
OVER = ("done", "failed", "skipped")


def queue() -> None:
    """Queue the next look at routes under way, once in five minutes whoever asks."""
    turn = int(clock.now().timestamp() // EVERY.total_seconds())
    jobs.enqueue("eta.sample", {}, queue="slow", dedupe_key=f"eta.sample:{turn}")


_OPEN: tuple[Any, ...] = (
    Stop.route_id, RoutePlan.carrier_id, Stop.id, Stop.kind, Stop.planned_arrival, Stop.planned_departure, Stop.eta,
    Stop.arrived_at, Delivery.window_from, Delivery.site, LastPosition.lat, LastPosition.lon, LastPosition.at,
    Route.started_at,
)  # fmt: skip


def open_stops(*conditions: sa.ColumnElement[bool], extra: Sequence[Any] = ()) -> list[list[Any]]:
    """Rows of the open stops of routes of published plans, grouped by route in driving order, with the last position.

    Args:
        extra: more columns of stop, route, plan, delivery, vehicle or courier.
    """
    rows = session.execute(
        sa.select(*_OPEN, *extra)
        .select_from(Stop)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(Courier, Courier.id == Route.courier_id)
        .outerjoin(LastPosition, LastPosition.courier_id == Route.courier_id)
        .where(RoutePlan.status == "published", Stop.state.not_in(OVER), *conditions)
        .order_by(Stop.route_id, Stop.sequence)
    )
    return [list(group) for _route, group in groupby(rows, key=lambda row: row.route_id)]


def ahead_of(rows: Iterable[Any]) -> list[eta.Ahead]:
    """Rows of `open_stops` of one route as the reckoning wants them."""
    return [
        eta.Ahead(
            row.id,
            rules.Timing(row.planned_arrival, row.planned_departure, row.window_from if row.kind == "drop" else None),
            row.eta,
            row.arrived_at,
            _site(row) if row.kind == "drop" else None,
        )
        for row in rows
    ]


def _site(row: Any) -> tuple[float, float] | None:
    lat, lon = row.site.get("lat"), row.site.get("lon")
    return None if lat is None or lon is None else (float(lat), float(lon))


def seen_of(row: Any) -> eta.Seen | None:
    """The truck's last position since it set out; before that the phone was anywhere."""
    is_of_route = row.at is not None and row.started_at is not None and row.at >= row.started_at
    return eta.Seen(row.lat, row.lon, row.at) if is_of_route else None


@unit_of_work
def take() -> int:
    """Note what is told now of every door ahead, once for each step of lead time. Returns how many were new."""
    now = clock.now()
    samples = []
    for rows in open_stops(Route.state == "started"):
        for row, arrival in zip(rows, eta.expected(ahead_of(rows), now, seen_of(rows[0])), strict=True):
            if row.kind == "drop" and row.arrived_at is None:
                lead = arrival - now
                samples.append({
                    "carrier_id": row.carrier_id, "stop_id": row.id, "step": eta.step_of(lead),
                    "lead_s": int(lead.total_seconds()), "expected_at": arrival, "made_at": now,
                })  # fmt: skip
    if not samples:
        return 0
    written = session.execute(insert(EtaSample).values(samples).on_conflict_do_nothing().returning(EtaSample.id))
    return len(written.all())


@unit_of_work
def settle() -> int:
    """Compare samples with arrivals that are known now, and reckon the spreads anew. Returns how many were compared.

    A sample made after the arrival (the tap came late from a phone without signal) and one of a stop that nobody
    reached say nothing and go.
    """
    arrived = Stop.arrived_at.is_not(None)
    open_ones = sa.and_(EtaSample.stop_id == Stop.id, EtaSample.error_s.is_(None))
    useless = sa.or_(
        sa.and_(arrived, Stop.arrived_at <= EtaSample.made_at), sa.and_(~arrived, Stop.state.in_(OVER))
    )  # fmt: skip
    session.execute(sa.delete(EtaSample).where(open_ones, useless).execution_options(synchronize_session=False))
    wrong_by = sa.cast(sa.func.extract("epoch", Stop.arrived_at - EtaSample.expected_at), sa.Integer)
    compared = session.execute(
        sa.update(EtaSample)
        .where(open_ones, arrived)
        .values(error_s=wrong_by)
        .returning(EtaSample.id)
        .execution_options(synchronize_session=False)
    ).all()
    if compared:
        _reckon()
    return len(compared)


def _reckon() -> None:
    """Write the bounds of the latest errors, of each carrier and of all together."""
    since = clock.now() - LOOKED_BACK
    recent = sa.and_(EtaSample.error_s.is_not(None), EtaSample.made_at >= since)
    for carrier in (EtaSample.carrier_id, sa.cast(sa.null(), sa.BigInteger)):
        place = sa.func.row_number().over(partition_by=(carrier, EtaSample.step), order_by=EtaSample.made_at.desc())
        latest = (
            sa.select(carrier.label("carrier_id"), EtaSample.step, EtaSample.error_s, place.label("place"))
            .where(recent)
            .subquery()
        )
        rows = session.execute(
            sa.select(latest.c.carrier_id, latest.c.step, sa.func.array_agg(latest.c.error_s))
            .where(latest.c.place <= MOST)
            .group_by(latest.c.carrier_id, latest.c.step)
        )
        for carrier_id, step, errors in rows.all():
            _write(carrier_id, step, eta.bounds(errors))


def _write(carrier_id: int | None, step: int, found: eta.Errors) -> None:
    values = {"low_s": found.low_s, "high_s": found.high_s, "samples": found.samples, "made_at": clock.now()}
    statement = insert(EtaSpread).values(carrier_id=carrier_id, step=step, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["carrier_id", "step"], set_=values))


@unit_of_work
def forget_old() -> None:
    """Samples of more than half a year ago go."""
    session.execute(sa.delete(EtaSample).where(EtaSample.made_at < clock.now() - KEPT))


def spread_of(carrier_id: int) -> eta.Spread:
    """How wide the windows of a carrier are now: one query."""
    return _spread(
        session.execute(
            sa.select(EtaSpread.carrier_id, EtaSpread.step, EtaSpread.low_s, EtaSpread.high_s, EtaSpread.samples).where(
                sa.or_(EtaSpread.carrier_id == carrier_id, EtaSpread.carrier_id.is_(None))
            )
        ).all()
    )


def _spread(rows: Sequence[Any]) -> eta.Spread:
    own = {row.step: eta.Errors(row.low_s, row.high_s, row.samples) for row in rows if row.carrier_id is not None}
    market = {row.step: eta.Errors(row.low_s, row.high_s, row.samples) for row in rows if row.carrier_id is None}
    return eta.spread(own, market)
