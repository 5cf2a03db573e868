"""When the truck comes, told honestly: an expectation that moves with the clock, and a window as wide as past errors.

Pure. What past errors were is written by `eta_samples`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.logistics import rules
from app.logistics.positions import metres

STEPS = (15, 30, 60, 120, 240)
"""Ends of the steps of lead time, minutes; what lies farther ahead is the last step."""
LAST_STEP = len(STEPS)
SHARE = 0.8
"""So many of the arrivals fall into the window that was told."""
ENOUGH = 40
"""Fewer errors than this in a step say nothing: then those of all carriers, then the prior."""
LEAST_S = 5 * 60
"""The window reaches at least so far to either side of the expectation."""
STRAIGHT_KMH = 60.0
"""A truck in a city is not faster than this along the straight line."""
FRESH = timedelta(minutes=5)
"""A position older than this says nothing about the arrival."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """An open stop of a route. `opens`: the buyer's window, None at a warehouse; `site`: degrees, None unknown."""

    stop_id: int
    timing: rules.Timing
    told: datetime | None
    arrived_at: datetime | None
    site: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the truck was last."""

    lat: float
    lon: float
    at: datetime


def expected(stops: Sequence[Ahead], now: datetime, seen: Seen | None = None) -> list[datetime]:
    """Expected arrivals at the open stops of a route, in driving order.

    The first one is where the plan or the last tap put it, never in the past, and never sooner than the truck could
    drive there along a straight line; the others follow it as planned, so that a truck that stands still makes them
    later by itself, without a tap.
    """
    if not stops:
        return []
    first = stops[0]
    if first.arrived_at is not None:
        arrival = first.arrived_at
        leaves = max(now, first.timing.leaves(arrival))
    else:
        arrival = max(first.told or first.timing.arrival, now, _at_best(first, now, seen))
        if first.timing.opens is not None:
            arrival = max(arrival, first.timing.opens)
        leaves = first.timing.leaves(arrival)
    return [arrival, *rules.etas(first.timing, leaves, [stop.timing for stop in stops[1:]])]


def _at_best(stop: Ahead, now: datetime, seen: Seen | None) -> datetime:
    if seen is None or stop.site is None or now - seen.at > FRESH:
        return now
    hours = metres(seen.lat, seen.lon, *stop.site) / 1000 / STRAIGHT_KMH
    return seen.at + timedelta(hours=hours)


def step_of(lead: timedelta) -> int:
    """Which step a lead time belongs to."""
    minutes = lead.total_seconds() / 60
    return next((index for index, end in enumerate(STEPS) if minutes <= end), LAST_STEP)


@dataclass(frozen=True, slots=True)
class Errors:
    """Bounds of past errors in a step and how many they were taken from. Seconds; below zero: came sooner."""

    low_s: int
    high_s: int
    samples: int


def bounds(errors: Sequence[int], share: float = SHARE) -> Errors:
    """The bounds between which the next error falls with the probability `share`, equally likely to miss either way.

    They are order statistics: of n errors the k-th smallest with k = ceil((n + 1) q) bounds the next one with
    probability q at least, whatever their distribution, if it is exchangeable with them (split conformal prediction,
    Vovk et al. 2005, Lei et al. 2018).

    Args:
        errors: at least one, in any order.
    """
    ordered = sorted(errors)
    tail = (1 - share) / 2
    k = min(len(ordered), math.ceil((len(ordered) + 1) * (1 - tail)))
    return Errors(ordered[len(ordered) - k], ordered[k - 1], len(ordered))


def prior(step: int) -> Errors:
    """What is believed before anything is known: a quarter of an hour and a tenth of the lead, at most an hour."""
    minutes = STEPS[step] if step < LAST_STEP else 600
    slack = round(60 * min(60.0, 15 + minutes * 0.1))
    return Errors(-slack, slack, 0)


@dataclass(frozen=True, slots=True)
class Spread:
    """How far before and after the expectation the window reaches, by step; never narrower farther ahead."""

    before_s: tuple[int, ...]
    after_s: tuple[int, ...]

    def window(self, arrival: datetime, now: datetime) -> tuple[datetime, datetime]:
        """What is told: on whole ten minutes, around the expectation, not before the present minute."""
        arrival = max(arrival, now)
        step = step_of(arrival - now)
        start = _tens(arrival - timedelta(seconds=self.before_s[step]), up=False)
        end = _tens(arrival + timedelta(seconds=self.after_s[step]), up=True)
        return max(start, now.replace(second=0, microsecond=0)), end


def spread(own: Mapping[int, Errors], market: Mapping[int, Errors]) -> Spread:
    """The spread of a carrier: its own errors where there are enough, else those of everybody, else the prior."""
    before, after = [], []
    low = high = LEAST_S
    for step in range(LAST_STEP + 1):
        chosen = next(
            (found for known in (own, market) if (found := known.get(step)) is not None and found.samples >= ENOUGH),
            prior(step),
        )
        low, high = max(low, -chosen.low_s), max(high, chosen.high_s)
        before.append(low)
        after.append(high)
    return Spread(tuple(before), tuple(after))


def _tens(moment: datetime, *, up: bool) -> datetime:
    floor = moment.replace(second=0, microsecond=0) - timedelta(minutes=moment.minute % 10)
    return floor if not up or floor == moment else floor + timedelta(minutes=10)
