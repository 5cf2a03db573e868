"""Exactness and speed of estimates: `python -m bench.estimates [--scale small|full]`.

Packs of random estimates are compared with a path of their own, over exact fractions (nothing may differ) and over
binary floats (which shows why fractions are used). Pricing runs on the demo market in DATABASE_URL, or in var/.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import json
import math
import os
import random
import re
import statistics
import time
import types
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.core.errors import Invalid
from app.estimates.assemblies import Assembly, assemblies, calculate, derive, packs, parse_inputs
from app.estimates.formula import evaluate
from app.estimates.service import Item, materials

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261124
ROUNDS = {"small": 1000, "full": 9000}
PRICED = {"small": 10, "full": 60}
LINES = 50


class _Python(ast.NodeTransformer):
    """A formula as Python: numbers of the wanted type, `iif` as a conditional expression."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            return node
        return ast.Call(ast.Name("N", ast.Load()), [ast.Constant(repr(node.value))], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "iif":
            return ast.IfExp(*node.args)
        return node


@functools.cache
def _compiled(text: str) -> types.CodeType:
    return compile(ast.fix_missing_locations(_Python().visit(ast.parse(text, mode="eval"))), text, "eval")


def independent(text: str, names: Mapping[str, Any], number: Callable[[Any], Any]) -> Any:
    """Python's own arithmetic over numbers of the given type: shares nothing with app.estimates.formula but cosines."""
    scope = {
        "N": number,
        "ceil": lambda v: number(math.ceil(v)),
        "floor": lambda v: number(math.floor(v)),
        "min": min,
        "max": max,
        "cos_deg": lambda v: number(evaluate("cos_deg(v)", {"v": Fraction(v)})),
        "sqrt": lambda v: number(evaluate("sqrt(v)", {"v": Fraction(v)})),
    }
    return eval(_compiled(text), {"__builtins__": {}}, scope | dict(names))  # formulas of our own data, nobody's input


def independent_packs(assembly: Assembly, inputs: Mapping[str, Any], number: Callable[[Any], Any]) -> dict[str, int]:
    """Line id -> packs, worked out of the inputs without the program's evaluator."""
    names = {key: value if isinstance(value, str) else number(value) for key, value in inputs.items()}
    for item in assembly.derived:
        if item.lookup_by:
            key = inputs[item.lookup_by]
            wanted = next(k for k in item.table if k == key or (_is_number(k) and Fraction(k) == key))
            names[item.key] = number(item.table[wanted])
        else:
            names[item.key] = independent(item.formula, names, number)
    found = {}
    for line in assembly.lines:
        if line.include_if and not independent(line.include_if, names, number):
            continue
        gross = independent(line.formula, names, number) * (1 + number(line.waste_pct) / number(100))
        found[line.id] = math.ceil(gross / independent(line.sold_content, names, number))
    return found


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", text))


def random_inputs(assembly: Assembly, rng: random.Random) -> dict[str, Any]:
    """Dimensions within the bounds, to a centimetre or a tenth, as a person would type them."""
    raw = {}
    for item in assembly.inputs:
        if item.options:
            raw[item.key] = rng.choice(item.options)
        else:
            low, high = item.minimum or Fraction(0), item.maximum or Fraction(60)
            step = 100 if item.unit in ("m", "m2", "m3") else 10
            span = min(high - low, Fraction(60))
            raw[item.key] = f"{float(low + Fraction(rng.randint(0, int(span * step)), step)):.3f}"
    return parse_inputs(assembly.inputs, raw)


def wrong_packs(number: Callable[[Any], Any], rounds: int) -> int:
    """Random estimates in which the other path buys another number of packs of anything."""
    rng = random.Random(SEED)
    known = list(assemblies().values())
    wrong = counted = 0
    while counted < rounds:
        assembly = rng.choice(known)
        try:
            inputs = random_inputs(assembly, rng)
            ours = {line.line: packs(line.gross, line.sold_content) for line in calculate(assembly, inputs)}
        except Invalid:
            continue  # openings larger than the wall and the like
        counted += 1
        wrong += ours != independent_packs(assembly, inputs, number)
    return wrong


def exact_examples() -> int:
    """Worked examples that come out with every base, gross and number of packs as published with the facts."""
    return sum(_is_exact(assembly) for assembly in assemblies().values())


def _is_exact(assembly: Assembly) -> bool:
    example = assembly.example
    inputs = parse_inputs(assembly.inputs, {k: str(v) for k, v in example["inputs"].items()})
    lines = {line.line: line for line in calculate(assembly, inputs)}
    close = Fraction(5, 10000)  # the facts are written to three places
    return lines.keys() == {e["line"] for e in example["expected"]} and all(
        abs(lines[e["line"]].base - Fraction(str(e["base"]))) <= close
        and abs(lines[e["line"]].gross - Fraction(str(e["gross"]))) <= close
        and packs(lines[e["line"]].gross, lines[e["line"]].sold_content) == e["buy"]
        for e in example["expected"]
    )


def published_within() -> int:
    """Published results that agree within 0.5 %."""
    within = 0
    for assembly in assemblies().values():
        for check in assembly.example.get("published_checks") or []:
            if check["kind"] == "published_result":
                within += _agrees(assembly, check)
    return within


def _agrees(assembly: Assembly, check: Mapping[str, Any]) -> bool:
    raw = assembly.example["inputs"] | check.get("inputs_changed", {})
    inputs = parse_inputs(assembly.inputs, {k: str(v) for k, v in raw.items()})
    line = next((found for found in calculate(assembly, inputs) if found.line == check["line"]), None)
    if line is None:
        ours = derive(assembly, inputs).get(check["line"])
    else:
        count = packs(line.gross, line.sold_content)
        ours = {"base": line.base, "gross": line.gross, "buy": Fraction(count),
                "buy_content": count * line.sold_content}.get(check["field"])  # fmt: skip
    published = Fraction(str(check["published"]))
    return ours is not None and abs(Fraction(ours) - published) <= published * Fraction(5, 1000)


def pricing(rounds: int) -> dict[str, float]:
    """Seconds to find products and prices for 50 materials on the demo market; empty when there is none."""
    from app import create_app
    from app.estimates.pricing import price
    from app.settings import Settings
    from tools.servers import ensure_servers

    running = (ROOT / "var" / "postgres" / "postmaster.pid").exists()
    servers = None if os.environ.get("DATABASE_URL") else ensure_servers(ROOT / "var")
    try:
        url = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url} if servers else {}
        app = create_app(Settings.from_env({"TUTUU_ENV": "demo", "SECRET_KEY": "bench"} | dict(os.environ) | url))
        with app.app_context():
            if not _has_goods():
                return {}
            lines = _fifty()
            gc.freeze()  # as workers/process.py does
            cpu = time.process_time()
            took = [_timed(lambda: price(lines, {}, _silent)) for _ in range(rounds)]
            cpu = time.process_time() - cpu
    finally:
        if servers and not running:
            servers.stop()
    took.sort()
    return {
        "priced_lines": len(lines),
        "priced_cpu_ms": round(1000 * cpu / rounds, 1),
        "priced_median_ms": round(1000 * statistics.median(took), 1),
        "priced_p95_ms": round(1000 * took[math.ceil(0.95 * len(took)) - 1], 1),
    }


def _fifty() -> list[Any]:
    works = ("room_renovation", "bathroom_full", "partition_with_finish", "house_box_aac", "yard")
    return materials([Item(work, {}) for work in works], {})[:LINES]


def _has_goods() -> bool:
    import sqlalchemy as sa

    from app.core.db import session

    return bool(session.scalar(sa.text("SELECT EXISTS (SELECT FROM offer)")))


def _silent(_done: int, _total: int) -> None:
    """Nobody watches the progress here."""


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(scale: str) -> dict[str, float]:
    """All measurements of the scale."""
    rounds = ROUNDS[scale]
    metrics: dict[str, float] = {
        "examples_exact": exact_examples(),
        "published_within": published_within(),
        "random_estimates": rounds,
        "wrong_packs": wrong_packs(Fraction, rounds),
        "float_wrong_packs": wrong_packs(float, rounds),
    }
    return metrics | pricing(PRICED[scale])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=list(ROUNDS), default="small")
    metrics = run(parser.parse_args().scale)
    print("| what | figure |\n| --- | --- |")
    for name, value in metrics.items():
        print(f"| {name} | {value} |")
    if "priced_p95_ms" not in metrics:
        print("No demo market to price on: run `make demo` first.")
    print(json.dumps({"bench": "estimates", "metrics": metrics}))


if __name__ == "__main__":
    main()
