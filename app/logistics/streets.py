"""Streets of the shipped road graph: a point for an address, without asking anybody outside."""

from __future__ import annotations

import functools
import re

Point = tuple[float, float]
_KINDS = re.compile(
    r"\b(улица|ул|проспект|пр-т|просп|переулок|пер|проезд|пр-д|шоссе|ш|бульвар|б-р|площадь|пл|набережная|наб|street|st)\b\.?"
)


@functools.cache
def _known() -> dict[str, tuple[str, Point]]:
    from app.logistics.routing.roads import load  # scipy takes a second to load: only where a street is asked for

    longest: dict[str, tuple[float, str, Point]] = {}
    for edge in load().edges:
        if edge.name:
            lat, lon = edge.geometry[len(edge.geometry) // 2]
            key = _key(edge.name)
            if key and edge.length_m > longest.get(key, (0.0, "", (0.0, 0.0)))[0]:
                longest[key] = (edge.length_m, edge.name, (lat, lon))
    return {key: (name, point) for key, (_, name, point) in longest.items()}


def _key(text: str) -> str:
    plain = _KINDS.sub(" ", text.lower().replace("ё", "е"))
    return " ".join(re.findall(r"[^\W_]+", plain))


def names() -> list[str]:
    """All streets by alphabet."""
    return sorted(name for name, _ in _known().values())


def find(address: str) -> Point | None:
    """A point of the street that the address names, the longest name that it holds; None when none."""
    asked = f" {_key(address)} "
    held = [key for key in _known() if f" {key} " in asked]
    return _known()[max(held, key=len)][1] if held else None


def search(text: str, most: int = 8) -> list[tuple[str, Point]]:
    """Streets whose name the text names or begins, the nearest fit first: (name, a point of it)."""
    asked = _key(text)
    words = asked.split()
    if not words:
        return []
    found = []
    for key, (name, point) in _known().items():
        if f" {key} " in f" {asked} ":
            rank = 0
        elif all(any(part.startswith(word) for part in key.split()) for word in words if not word.isdigit()):
            rank = 1
        else:
            continue
        found.append((rank, -len(key) if rank == 0 else len(key), name, point))
    return [(name, point) for _rank, _length, name, point in sorted(found)[:most]]
