"""Dimensioned drawings of a wall (elevation) and of a plane (floor, roof slope, ceiling seen from above).

Only geometry: sizes in metres in, SVG path data out. The macros of components/draw.html add the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 860.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 50.0, 60.0, 80.0
MAX_COURSES = 40
"""More rows than this would be a grey blur: rows are then drawn several at a time."""
MAX_JOINTS = 900
DOOR_HEIGHT = 1.8
"""An opening at least this high stands on the floor, a lower one hangs in the wall."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Opening:
    """A window or a door with the size written above it."""

    box: Box
    width_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the macro draws: the body, its joints, openings and dimension lines."""

    body: Box
    joints: str
    openings: tuple[Opening, ...]
    dimensions: str
    length_m: float
    height_m: float
    middle_x: float
    middle_y: float
    dimension_y: float
    view_height: float


def wall(
    length_m: float,
    height_m: float,
    openings: Sequence[tuple[float, float]] = (),
    block: tuple[float, float] | None = None,
) -> Drawing:
    """An elevation of a wall.

    Args:
        openings: (width, height) of each window and door, in metres; spread evenly.
        block: (length, height) of a brick, block or sheet in metres; draws the courses.
    """
    body = _fit(length_m, height_m)
    scale = body.width / length_m
    placed = _placed(openings, body, length_m, scale)
    return Drawing(
        body=body,
        joints=_courses(body, block[0] * scale, block[1] * scale) if block else "",
        openings=placed,
        dimensions=_dimensions(body, placed),
        length_m=length_m,
        height_m=height_m,
        middle_x=_r(body.x + body.width / 2),
        middle_y=_r(body.y + body.height / 2),
        dimension_y=_r(body.y + body.height + 72),
        view_height=_r(body.y + body.height + BOTTOM),
    )


def plane(length_m: float, width_m: float, tile: tuple[float, float] | None = None) -> Drawing:
    """A floor, ceiling, slope or slab seen from above; `tile` draws the grid of boards or tiles."""
    body = _fit(length_m, width_m)
    scale = body.width / length_m
    return Drawing(
        body=body,
        joints=_grid(body, tile[0] * scale, tile[1] * scale) if tile else "",
        openings=(),
        dimensions=_dimensions(body, ()),
        length_m=length_m,
        height_m=width_m,
        middle_x=_r(body.x + body.width / 2),
        middle_y=_r(body.y + body.height / 2),
        dimension_y=_r(body.y + body.height + 72),
        view_height=_r(body.y + body.height + BOTTOM),
    )


def _fit(length_m: float, height_m: float) -> Box:
    """The body in true proportion, as large as the sheet allows; a sliver is kept visible."""
    free_w, free_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM + 60
    scale = min(free_w / length_m, free_h / height_m)
    width, height = max(length_m * scale, 40.0), max(height_m * scale, 24.0)
    return Box(_r(LEFT + (free_w - width) / 2), TOP, _r(width), _r(height))


def _placed(openings: Sequence[tuple[float, float]], body: Box, length_m: float, scale: float) -> tuple[Opening, ...]:
    fitting = [(w, min(h, body.height / scale)) for w, h in openings if 0 < w < length_m and h > 0]
    while fitting and sum(w for w, _h in fitting) >= length_m:
        fitting.pop()
    gap = (length_m - sum(w for w, _h in fitting)) / (len(fitting) + 1)
    placed, at = [], gap
    for width, height in fitting:
        free = body.height - height * scale
        top = free if height >= DOOR_HEIGHT else free * 0.45
        box = Box(
            _r(body.x + at * scale),
            _r(body.y + top),
            _r(width * scale),
            _r(height * scale),
        )
        placed.append(Opening(box, width, height))
        at += width + gap
    return tuple(placed)


def _courses(body: Box, length: float, height: float) -> str:
    """Rows of blocks with the upright joints of every second row shifted by half a block."""
    rows = max(1, round(body.height / height))
    merge = -(-rows // MAX_COURSES)
    height, length = height * merge, length * merge
    ys = _steps(body.y, body.y + body.height, height)
    path = "".join(f"M{body.x} {_r(y)}h{body.width}" for y in ys)
    edges = [body.y, *ys, body.y + body.height]
    for index, (top, bottom) in enumerate(pairwise(edges)):
        shift = -length / 2 if index % 2 == 0 else 0.0
        path += "".join(
            f"M{_r(x)} {_r(top)}v{_r(bottom - top)}" for x in _steps(body.x + shift, body.x + body.width, length)
        )
        if path.count("M") > MAX_JOINTS:
            break
    return path


def _grid(body: Box, width: float, height: float) -> str:
    while body.width / width > MAX_COURSES * 2 or body.height / height > MAX_COURSES:
        width, height = width * 2, height * 2
    across = "".join(f"M{_r(x)} {body.y}v{body.height}" for x in _steps(body.x, body.x + body.width, width))
    return across + "".join(f"M{body.x} {_r(y)}h{body.width}" for y in _steps(body.y, body.y + body.height, height))


def _steps(start: float, end: float, step: float) -> list[float]:
    """Places strictly between the ends."""
    count = int((end - start) / step) + 1
    return [start + step * i for i in range(1, count + 1) if start + step * i < end - 0.5 and step > 0]


def _dimensions(body: Box, openings: Sequence[Opening]) -> str:
    """Extension and dimension lines with the slanted ticks of a construction drawing."""
    right, bottom, line = (
        body.x + body.width,
        body.y + body.height,
        body.y + body.height + 44,
    )
    side = body.x - 32
    path = (
        f"M{body.x} {_r(bottom + 6)}v46M{_r(right)} {_r(bottom + 6)}v46"
        f"M{_r(body.x - 8)} {_r(line)}H{_r(right + 8)}{_tick(body.x, line)}{_tick(right, line)}"
        f"M{body.x} {body.y}h-46M{body.x} {_r(bottom)}h-46"
        f"M{_r(side)} {_r(body.y - 8)}V{_r(bottom + 8)}{_tick(side, body.y)}{_tick(side, bottom)}"
    )
    for opening in openings:
        box, above = opening.box, body.y - 22
        path += (
            f"M{box.x} {_r(box.y - 6)}V{_r(above - 6)}M{_r(box.x + box.width)} {_r(box.y - 6)}V{_r(above - 6)}"
            f"M{_r(box.x - 6)} {_r(above)}h{_r(box.width + 12)}{_tick(box.x, above)}{_tick(box.x + box.width, above)}"
        )
    return path


def _tick(x: float, y: float) -> str:
    return f"M{_r(x - 6)} {_r(y + 6)}l12-12"


def _r(value: float) -> float:
    return round(value, 1)
