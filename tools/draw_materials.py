"""Draws materials as isometric SVG: python tools/draw_materials.py [folder]. Standard library only.

A drawing is a list of polygons in millimetres, seen from above at 30 degrees and scaled to 240 x 160. Inside <img> it
follows the theme of the page. Drawings not listed in PICTURES were made the same way and are kept as files.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Point = tuple[float, float, float]
Flat = tuple[float, float]
Tones = tuple[str, str, str]
"""Colours of the top, the left and the right face."""

WIDTH, HEIGHT, MARGIN = 240, 160, 16
COSINE = math.cos(math.radians(30))
STYLE = (
    "<style>.s{fill:#17211f;opacity:.13}.e{stroke:#17211f;stroke-opacity:.34;stroke-width:.8;stroke-linejoin:round}"
    "@media(prefers-color-scheme:dark){.s{fill:#000;opacity:.38}.e{stroke:#000;stroke-opacity:.5}"
    ".m{filter:brightness(.88)}}</style>"
)
WOOD: Tones = ("#e3c48f", "#d0a868", "#b48850")
OAK: Tones = ("#d8b483", "#bf9560", "#9c7443")
SAND: Tones = ("#e2cf9f", "#cdb57c", "#a99158")
CONCRETE: Tones = ("#b9bdbb", "#9aa09d", "#777d7a")
RED: Tones = ("#c07a66", "#a85c48", "#834435")
WHITE: Tones = ("#f0f1ee", "#dcdfdb", "#b5bab6")
STEEL: Tones = ("#cfd6d9", "#aab4b8", "#848f94")
BLUE: Tones = ("#9cc4cd", "#6fa3ae", "#4a7d88")
GREEN: Tones = ("#9fbf9f", "#7ba37d", "#587f5b")
PINK: Tones = ("#ecb9a6", "#dd9a82", "#b97761")
BLACK: Tones = ("#5a6468", "#424b4f", "#2d3437")


def project(point: Point) -> Flat:
    """Isometric view: x to the lower right, y to the lower left, z up."""
    x, y, z = point
    return (x - y) * COSINE, (x + y) * 0.5 - z


@dataclass
class Picture:
    """Polygons in the order they are painted: far ones first."""

    faces: list[tuple[list[Flat], str, bool]] = field(default_factory=list)
    shadows: list[list[Flat]] = field(default_factory=list)

    def poly(self, points: Sequence[Point], fill: str, edge: bool = True) -> None:
        """A flat face."""
        self.faces.append(([project(p) for p in points], fill, edge))

    def box(self, at: Point, size: Point, tones: Tones, edge: bool = True) -> None:
        """A block standing at its far corner."""
        x, y, z = at
        right, near, top = x + size[0], y + size[1], z + size[2]
        self.poly(
            [(x, near, z), (right, near, z), (right, near, top), (x, near, top)],
            tones[1],
            edge,
        )
        self.poly(
            [(right, y, z), (right, near, z), (right, near, top), (right, y, top)],
            tones[2],
            edge,
        )
        self.poly(
            [(x, y, top), (right, y, top), (right, near, top), (x, near, top)],
            tones[0],
            edge,
        )

    def shadow(self, size: Flat, reach: float) -> None:
        """What the thing throws on the ground."""
        corners = [
            (-reach * 0.2, size[1] + reach),
            (size[0] + reach, size[1] + reach),
            (size[0] + reach, -reach * 0.2),
        ]
        self.shadows.append([project((x, y, 0)) for x, y in [*corners, (0, 0)]])

    def disc(
        self,
        centre: Point,
        radius: float,
        fill: str,
        face: str = "top",
        edge: bool = False,
        sides: int = 28,
    ) -> None:
        """A circle lying on a top, left or right face."""
        x, y, z = centre
        points: list[Point] = []
        for i in range(sides):
            u, v = (
                radius * math.cos(math.tau * i / sides),
                radius * math.sin(math.tau * i / sides),
            )
            points.append(
                {
                    "top": (x + u, y + v, z),
                    "left": (x + u, y, z + v),
                    "right": (x, y + u, z + v),
                }[face]
            )
        self.poly(points, fill, edge)

    def tube(self, at: Point, height: float, radius: float, side: str, cap: str) -> None:
        """An upright cylinder with its top."""
        x, y, z = at
        bottom, top = project((x, y, z)), project((x, y, z + height))
        across, up = radius * 1.2247, radius * 0.7071
        arc = [(bottom[0] + across * math.cos(a), bottom[1] + up * math.sin(a)) for a in _half()]
        outline = [(top[0] + across, top[1]), *arc, (top[0] - across, top[1])]
        self.faces.append((outline, side, True))
        self.disc((x, y, z + height), radius, cap, edge=True)

    def svg(self) -> str:
        """The finished file."""
        points = [p for pts, _fill, _edge in self.faces for p in pts] + [p for pts in self.shadows for p in pts]
        left, right = min(p[0] for p in points), max(p[0] for p in points)
        top, bottom = min(p[1] for p in points), max(p[1] for p in points)
        scale = min(
            (WIDTH - 2 * MARGIN) / (right - left),
            (HEIGHT - 2 * MARGIN) / (bottom - top),
        )
        dx, dy = (
            (WIDTH - scale * (right + left)) / 2,
            (HEIGHT - scale * (bottom + top)) / 2,
        )

        def path(flat: list[Flat]) -> str:
            return "M" + "L".join(f"{_n(x * scale + dx)},{_n(y * scale + dy)}" for x, y in flat) + "Z"

        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', STYLE]
        lines += [f'<path class="s" d="{path(shadow)}"/>' for shadow in self.shadows]
        lines.append('<g class="m">')
        for flat, fill, edge in self.faces:
            kind = 'class="e" ' if edge else ""
            lines.append(f'<path {kind}fill="{fill}" d="{path(flat)}"/>')
        return "\n".join([*lines, "</g></svg>"]) + "\n"


def _half() -> list[float]:
    return [math.pi * i / 14 for i in range(15)]


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def heap() -> Picture:
    """Sand, crushed stone: a cone of grains."""
    picture, chance = Picture(), random.Random(3)
    picture.shadow((760, 760), 60)
    for level in range(24):
        radius = 400 * (1 - level / 25)
        picture.disc((380, 380, level * 15), radius, SAND[2] if level % 3 == 0 else SAND[1])
    for _grain in range(120):
        angle, share = chance.uniform(-0.7, 2.3), chance.uniform(0.05, 0.97)
        x, y = 380 + 400 * share * math.cos(angle), 380 + 400 * share * math.sin(angle)
        picture.disc(
            (x, y, 360 * (1 - share) + 6),
            chance.uniform(7, 17),
            chance.choice(SAND),
            sides=6,
        )
    return picture


def boards(tones: Tones, step: float, count: int, rise: float) -> Picture:
    """Siding, lining, flooring: overlapping planks, each a little higher."""
    picture = Picture()
    picture.shadow((1500, step * count), 70)
    for row in range(count):
        length = 1500 - (row * 173) % 260
        picture.box((0, row * step, row * rise), (length, step - 8, 26), tones)
        picture.poly(
            [(0, row * step + step * 0.55, row * rise + 26.5), (length, row * step + step * 0.55, row * rise + 26.5),
             (length, row * step + step * 0.6, row * rise + 26.5), (0, row * step + step * 0.6, row * rise + 26.5)],
            tones[2], False,
        )  # fmt: skip
    return picture


def floor_board() -> Picture:
    """Laminate or decking: a pack and two loose boards on top."""
    picture = Picture()
    picture.shadow((1400, 560), 70)
    for level in range(5):
        picture.box((0, 0, level * 34), (1400, 560, 30), OAK)
    for at, length in ((40, 1290), (300, 1180)):
        picture.box((60, at, 170), (length, 190, 26), WOOD)
        for vein in (50, 105, 140):
            y = at + vein
            picture.poly(
                [
                    (60, y, 196.5),
                    (60 + length, y, 196.5),
                    (60 + length, y + 7, 196.5),
                    (60, y + 7, 196.5),
                ],
                OAK[1],
                False,
            )
    return picture


def paving() -> Picture:
    """Paving slabs: a laid field with a stack beside."""
    picture = Picture()
    picture.shadow((900, 900), 50)
    for row in range(4):
        for column in range(4):
            tones = RED if (row + column) % 3 == 0 else CONCRETE
            picture.box((column * 225, row * 225, 0), (215, 215, 50), tones)
    for level in range(3):
        picture.box((460, 460, 50 + level * 62), (215, 215, 56), CONCRETE if level % 2 else RED)
    return picture


def door() -> Picture:
    """A leaf in its frame."""
    picture = Picture()
    picture.shadow((900, 180), 80)
    picture.box((0, 0, 0), (960, 130, 2080), WHITE)
    picture.box((60, 130, 0), (840, 40, 2000), OAK)
    for low, high in ((180, 880), (1040, 1840)):
        picture.poly(
            [(170, 171, low), (790, 171, low), (790, 171, high), (170, 171, high)],
            OAK[2],
        )
        picture.poly(
            [
                (200, 171, low + 30),
                (760, 171, low + 30),
                (760, 171, high - 30),
                (200, 171, high - 30),
            ],
            OAK[1],
        )
    picture.disc((840, 176, 960), 28, "#3a3f41", "left", True)
    return picture


def window() -> Picture:
    """Two casements with panes."""
    picture = Picture()
    picture.shadow((1400, 130), 80)
    picture.box((-40, -40, 0), (1480, 260, 40), WHITE)
    picture.box((0, 0, 40), (1400, 110, 1300), WHITE)
    for left in (80, 740):
        picture.poly(
            [
                (left, 111, 120),
                (left + 580, 111, 120),
                (left + 580, 111, 1260),
                (left, 111, 1260),
            ],
            WHITE[2],
        )
        picture.poly(
            [
                (left + 40, 111, 160),
                (left + 540, 111, 160),
                (left + 540, 111, 1220),
                (left + 40, 111, 1220),
            ],
            BLUE[0],
        )
        picture.poly(
            [
                (left + 90, 111, 700),
                (left + 330, 111, 1220),
                (left + 200, 111, 1220),
                (left + 90, 111, 980),
            ],
            "#d5e8ec",
            False,
        )
    return picture


def tool() -> Picture:
    """A trowel on its blade."""
    picture = Picture()
    picture.shadow((620, 300), 50)
    picture.box((0, 0, 0), (620, 280, 14), STEEL)
    picture.box((150, 120, 14), (40, 40, 90), BLACK)
    picture.box((430, 120, 14), (40, 40, 90), BLACK)
    picture.box((110, 110, 104), (400, 60, 56), PINK)
    picture.box((170, 106, 100), (60, 68, 64), RED)
    return picture


def can() -> Picture:
    """Foam and sealant: two cans."""
    picture = Picture()
    picture.shadow((340, 200), 40)
    for x, y, side, cap in ((70, 60, BLUE[1], BLUE[0]), (250, 120, PINK[1], PINK[0])):
        picture.tube((x, y, 0), 300, 72, side, cap)
        picture.tube((x, y, 300), 24, 60, STEEL[1], STEEL[0])
        picture.tube((x, y, 324), 60, 22, WHITE[1], WHITE[0])
    return picture


def coil() -> Picture:
    """Wire, cable or tape: rings on top of each other."""
    picture = Picture()
    picture.shadow((520, 520), 50)
    for level in range(5):
        picture.tube(
            (260, 260, level * 52),
            44,
            250,
            BLACK[2] if level % 2 else BLACK[1],
            BLACK[0],
        )
    for radius, tone in ((205, BLACK[1]), (185, BLACK[0]), (160, BLACK[1])):
        picture.disc((260, 260, 252), radius, tone)
    picture.disc((260, 260, 252), 120, "#20272a", edge=True)
    return picture


def fence() -> Picture:
    """Posts, rails and pales."""
    picture = Picture()
    picture.shadow((1700, 110), 90)
    for z in (260, 820):
        picture.box((0, 20, z), (1700, 40, 70), STEEL)
    for x in (0, 820, 1640):
        picture.box((x, 0, 0), (70, 70, 1240), STEEL)
    for pale in range(12):
        x = 90 + pale * 130
        picture.box((x, 62, 90), (100, 22, 1080), GREEN)
    return picture


def radiator() -> Picture:
    """Sections side by side."""
    picture = Picture()
    picture.shadow((900, 110), 60)
    for section in range(10):
        x = section * 88
        picture.box((x, 0, 60), (80, 100, 560), WHITE)
        picture.poly(
            [
                (x + 26, 101, 110),
                (x + 54, 101, 110),
                (x + 54, 101, 570),
                (x + 26, 101, 570),
            ],
            WHITE[2],
            False,
        )
    picture.disc((881, 50, 580), 22, STEEL[2], "right", True)
    picture.disc((881, 50, 110), 22, STEEL[2], "right", True)
    return picture


def foam_board() -> Picture:
    """Insulation boards of foam in a wrapped pack."""
    picture = Picture()
    picture.shadow((1180, 580), 80)
    for level in range(7):
        picture.box((0, 0, level * 74), (1180, 580, 70), PINK)
    top = 7 * 74 - 3
    picture.poly([(480, 581, 0), (640, 581, 0), (640, 581, top), (480, 581, top)], "#fff8", False)
    picture.poly([(480, 0, top), (640, 0, top), (640, 580, top), (480, 580, top)], "#fff8", False)
    return picture


PICTURES: dict[str, Callable[[], Picture]] = {
    "heap": heap,
    "siding": lambda: boards(BLUE, 170, 6, 24),
    "floor-board": floor_board,
    "paving": paving,
    "door": door,
    "window": window,
    "tool": tool,
    "can": can,
    "coil": coil,
    "fence": fence,
    "radiator": radiator,
    "foam-board": foam_board,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "static/img")
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
