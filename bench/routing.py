"""Gap to the best known on academic instances: `python -m bench.routing DIR [--seconds 5] [--seed 1]`.

DIR holds .vrp files and bks.csv (instance,kind,n,bks_cost,status,...). The rounding follows the row. The last line is
JSON for a machine: mean gap of all rows, of published rows with at most 200 stops, and plans not feasible.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from statistics import mean

ROUNDING = {
    "CVRP": "round",
    "PDPTW": "exact",
    "HFVRP": "exact",
    "MDVRPTW": "exact",
    "VRPTW": "dimacs",
    "MTVRPTWR": "dimacs",
}


def rounding(kind: str, convention: str) -> str:
    """PyVRP's round_func: named by the convention of the row when it is, else by the kind of the problem."""
    for name in ("dimacs", "exact", "round"):
        if convention.startswith(name):
            return name
    return ROUNDING.get(kind, "round")


def solve(path: Path, round_func: str, seconds: float, seed: int) -> tuple[int | None, bool]:
    """Cost in the scaled unit of the file (None when nothing feasible was found) and feasibility."""
    import pyvrp
    from pyvrp.stop import MaxRuntime

    answer = pyvrp.solve(pyvrp.read(path, round_func), MaxRuntime(seconds), seed=seed, collect_stats=False)
    feasible = answer.is_feasible()
    return (int(answer.cost()) if feasible else None, feasible)


def run(folder: Path, seconds: float, seed: int) -> dict[str, float | int | None]:
    """Prints a row per instance; gaps are in per cent."""
    with (folder / "bks.csv").open(encoding="utf-8") as file:
        known = {row["instance"]: row for row in csv.DictReader(file)}
    gaps: list[float] = []
    published: list[float] = []
    infeasible = 0
    print(f"{'instance':<16}{'n':>6}{'cost':>12}{'gap %':>9}  feasible")
    for path in sorted(folder.glob("*.vrp")):
        row = known.get(path.stem, {})
        cost, feasible = solve(path, rounding(row.get("kind", ""), row.get("convention", "")), seconds, seed)
        infeasible += not feasible
        gap = None
        if cost is not None and row.get("bks_cost"):
            gap = 100 * (cost / int(row["bks_cost"]) - 1)
            gaps.append(gap)
            if row["status"] == "published" and int(row["n"]) <= 200:
                published.append(gap)
        shown = "-" if gap is None else f"{gap:.2f}"
        print(
            f"{path.stem:<16}{row.get('n', '-'):>6}{cost if cost is not None else '-':>12}{shown:>9}  {feasible}",
            flush=True,
        )
    return {
        "mean_gap": round(mean(gaps), 3) if gaps else None,
        "mean_gap_published_n200": round(mean(published), 3) if published else None,
        "infeasible": infeasible,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps({"bench": "routing", "metrics": run(options.folder, options.seconds, options.seed)}))


if __name__ == "__main__":
    main()
