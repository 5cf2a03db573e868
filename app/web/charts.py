"""Geometry of charts: numbers in, coordinates out. The macros of components/chart.html draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

WIDTH, HEIGHT = 760.0, 266.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 10.0, 8.0, 28.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A rule with its figure."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A point or bar: place, size and the words said about it."""

    x: float
    y: float
    label: str
    say: str
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines as lists of points, ready for `points="..."`."""

    line: str
    forecast: str
    band: str
    ticks: tuple[Tick, ...]
    dots: tuple[Dot, ...]
    now_x: float | None


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars of this period and, behind them, of the period before."""

    bars: tuple[Dot, ...]
    before: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    base: float


def line_chart(
    values: Sequence[float],
    labels: Sequence[str],
    says: Sequence[str],
    forecast: Sequence[tuple[float, float, float]] = (),
) -> LineChart:
    """A line of past values and, behind a mark, a forecast with its band.

    Args:
        values: known values, oldest first (at least one).
        labels: words under the axis, one per point of both parts; empty strings draw nothing.
        says: words read out for a point, one per point of both parts.
        forecast: (middle, low, high) per future point.
    """
    everything = [*values, *(edge for point in forecast for edge in point)]
    ticks, low, high = _scale(everything, from_zero=False)
    count = len(values) + len(forecast)
    step = (WIDTH - LEFT - RIGHT) / max(count - 1, 1)
    xs = [LEFT + index * step for index in range(count)]

    def y(value: float) -> float:
        return _place(value, low, high)

    middles = [*values, *(middle for middle, _low, _high in forecast)]
    points = [(x, y(value)) for x, value in zip(xs, middles, strict=True)]
    start = len(values) - 1
    upper = [
        points[start],
        *((x, y(top)) for x, (_m, _l, top) in zip(xs[start + 1 :], forecast, strict=True)),
    ]
    lower = [(x, y(bottom)) for x, (_m, bottom, _h) in zip(xs[start + 1 :], forecast, strict=True)]
    return LineChart(
        line=_points(points[: len(values)]),
        forecast=_points(points[start:]) if forecast else "",
        band=_points([*upper, *reversed(lower)]) if forecast else "",
        ticks=ticks,
        dots=tuple(Dot(x, at, label, say) for (x, at), label, say in zip(points, labels, says, strict=True)),
        now_x=round(xs[start], 1) if forecast else None,
    )


def bar_chart(
    values: Sequence[float],
    labels: Sequence[str],
    says: Sequence[str],
    before: Sequence[float] = (),
) -> BarChart:
    """Bars from zero; `before` stands beside each bar for comparison."""
    ticks, low, high = _scale([*values, *before, 0], from_zero=True)
    slot = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    base = _place(0, low, high)
    share = 0.44 if before else 0.62

    def bar(index: int, value: float, offset: float, width: float) -> Dot:
        top = _place(value, low, high)
        x = LEFT + slot * index + slot * offset
        return Dot(
            round(x, 1),
            top,
            labels[index],
            says[index],
            round(slot * width, 1),
            round(base - top, 1),
        )

    return BarChart(
        bars=tuple(bar(i, v, 0.46 if before else 0.19, share) for i, v in enumerate(values)),
        before=tuple(bar(i, v, 0.08, 0.34) for i, v in enumerate(before)),
        ticks=ticks,
        base=base,
    )


def sparkline(values: Sequence[float], width: float = 84, height: float = 30) -> str:
    """`points` of a line without axes; one value gives a level line."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = width / max(len(values) - 1, 1)
    row = list(values) if len(values) > 1 else [values[0], values[0]]
    step = width / (len(row) - 1)
    return _points([(i * step, height - 4 - (v - low) / span * (height - 8)) for i, v in enumerate(row)])


def _scale(values: Sequence[float], *, from_zero: bool) -> tuple[tuple[Tick, ...], float, float]:
    """Three to six round ticks around the values."""
    low, high = (min(*values, 0), max(*values, 0)) if from_zero else (min(values), max(values))
    if low == high:
        low, high = low - abs(low or 1) * 0.1, high + abs(high or 1) * 0.1
    step = _round_step((high - low) / 4)
    first = floor(low / step) * step
    levels = [first]
    while levels[-1] < high - step * 1e-9:
        levels.append(round(levels[-1] + step, 10))
    return (
        tuple(Tick(_place(v, first, levels[-1]), v) for v in levels),
        first,
        levels[-1],
    )


def _round_step(raw: float) -> float:
    power = 10.0 ** floor(log10(raw))
    return float(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9)))


def _place(value: float, low: float, high: float) -> float:
    inside = HEIGHT - TOP - BOTTOM
    return round(TOP + inside * (1 - (value - low) / (high - low)), 1)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
