"""Gap to the best known on academic instances: `python -m bench.routing DIR [--seconds 5] [--seed 1]`.

DIR holds .vrp files and, if it likes, bks.csv (instance,kind,n,bks_cost,status,convention,...). The rounding follows
the row, without one the TYPE of the file. Cost and feasibility are re-computed from the text of the file by
bench/_vrplib.py; the solver's word counts for nothing. A file that cannot be read is a row of its own. The last line is
JSON for a machine: mean gap in per cent of all rows, of published rows with at most 200 stops, plans not feasible,
files not readable.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from bench import _vrplib as vrplib

ROUNDING = {
    "CVRP": "round",
    "PDPTW": "exact",
    "HFVRP": "exact",
    "MDVRPTW": "exact",
    "VRPTW": "dimacs",
    "MTVRPTWR": "dimacs",
}


TRIES = 4
"""On a busy machine so many times the seconds are given to a file for which nothing feasible was found."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one file: its size, the re-computed cost in the scaled unit of the file, and broken rules."""

    n: int | None
    cost: int | None
    faults: tuple[str, ...] = ()
    unreadable: str = ""

    @property
    def feasible(self) -> bool:
        return not self.unreadable and not self.faults and self.cost is not None


def rounding(kind: str, convention: str) -> str:
    """PyVRP's round_func: named by the convention of the row when it is, else by the kind of the problem."""
    for name in ("dimacs", "exact", "round"):
        if convention.startswith(name):
            return name
    return ROUNDING.get(kind, "round")


def solve(path: Path, row: Mapping[str, str], seconds: float, seed: int) -> Answer:
    """Solve one file and judge the routes against its text."""
    try:
        kind = row.get("kind") or vrplib.header_of(path).get("TYPE", "")
        round_func = rounding(kind, row.get("convention") or "")
        instance = vrplib.read(path, round_func)
        tours = _tours(path, round_func, seconds, seed)
    except Exception as error:  # noqa: BLE001  # whatever a broken file makes of a parser, the others must still be run
        return Answer(None, None, unreadable=f"{type(error).__name__}: {error}".splitlines()[0][:100])
    found = tuple(vrplib.faults(instance, tours))
    return Answer(instance.n, None if found else vrplib.cost_of(instance, tours), found)


def _tours(path: Path, round_func: str, seconds: float, seed: int) -> list[vrplib.Tour]:
    import pyvrp
    from pyvrp.stop import MaxRuntime

    data = pyvrp.read(path, round_func)
    best = pyvrp.solve(data, MaxRuntime(seconds), seed=seed, collect_stats=False).best
    for more in range(1, TRIES):
        if best.is_feasible():
            break
        best = pyvrp.solve(data, MaxRuntime(seconds), seed=seed + more, collect_stats=False).best
    types = data.vehicle_types()
    # The name of a type lists the vehicles of the file that it stands for.
    free = [[int(number) for number in one.name.split(",")] for one in types]
    tours = []
    for route in best.routes():
        numbers = free[route.vehicle_type()]
        visits = tuple(_place(data, stop) for stop in list(route.schedule())[1:-1])
        tours.append(vrplib.Tour(numbers.pop(0) if numbers else -1, visits))
    return tours


def _place(data: Any, stop: Any) -> int:
    if stop.is_client():
        return int(data.client(stop.idx).location)
    if stop.is_shipment():
        shipment = data.shipment(stop.idx)
        return int((shipment.pickup if stop.is_pickup() else shipment.delivery).location)
    return int(data.depot(stop.idx).location)


def known_of(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of bks.csv by instance; none without the file."""
    path = folder / "bks.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["instance"]: row for row in csv.DictReader(file) if row.get("instance")}


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def run(folder: Path, seconds: float, seed: int) -> dict[str, float | int | None]:
    """Prints a row per instance; gaps are in per cent."""
    known = known_of(folder)
    gaps: list[float] = []
    published: list[float] = []
    infeasible = unreadable = 0
    print(f"{'instance':<16}{'n':>6}{'cost':>12}{'gap %':>9}  feasible")
    for path in sorted(folder.glob("*.vrp")):
        row = known.get(path.stem, {})
        answer = solve(path, row, seconds, seed)
        unreadable += bool(answer.unreadable)
        infeasible += not answer.feasible and not answer.unreadable
        best, n = _number(row.get("bks_cost")), _number(row.get("n")) or answer.n
        gap = None
        if answer.cost is not None and best:
            gap = 100 * (answer.cost / best - 1)
            gaps.append(gap)
            if row.get("status") == "published" and n is not None and n <= 200:
                published.append(gap)
        _print_row(path.stem, n, answer, gap)
    return {
        "mean_gap": round(mean(gaps), 3) if gaps else None,
        "mean_gap_published_n200": round(mean(published), 3) if published else None,
        "infeasible": infeasible,
        "unreadable": unreadable,
    }


def _print_row(name: str, n: float | None, answer: Answer, gap: float | None) -> None:
    size, cost = "-" if n is None else int(n), "-" if answer.cost is None else answer.cost
    shown = "-" if gap is None else f"{gap:.2f}"
    why = f"  {answer.unreadable or answer.faults[0]}" if answer.unreadable or answer.faults else ""
    word = "unreadable" if answer.unreadable else answer.feasible
    print(f"{name:<16}{size:>6}{cost:>12}{shown:>9}  {word}{why}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps({"bench": "routing", "metrics": run(options.folder, options.seconds, options.seed)}))


if __name__ == "__main__":
    main()
