"""Seconds for a road matrix: `python -m bench.matrix`. Random points of the shipped region, cold and from the cache."""

from __future__ import annotations

import json
import random
import time

from app.logistics.routing.matrix import matrix
from app.logistics.routing.roads import load


def main() -> None:
    began = time.perf_counter()
    graph = load()
    metrics = {"load_s": round(time.perf_counter() - began, 4)}
    dice = random.Random(1)
    low, high = graph.nodes.min(axis=0), graph.nodes.max(axis=0)
    for count in (50, 200, 500):
        points = [(dice.uniform(low[0], high[0]), dice.uniform(low[1], high[1])) for _ in range(count)]
        for name in ("cold", "cached"):
            began = time.perf_counter()
            matrix(points)
            metrics[f"{name}_{count}_s"] = round(time.perf_counter() - began, 4)
            print(f"{count} x {count} {name}: {metrics[f'{name}_{count}_s']} s")
    print(json.dumps({"bench": "matrix", "metrics": metrics}))


if __name__ == "__main__":
    main()
