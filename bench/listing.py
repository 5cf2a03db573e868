"""Category pages with live facets under load: `python -m bench.listing [--scale small|full]`.

8 clients ask a started server for lists with random filters, each address once, so that no kept page helps ("cold"),
and then the same addresses again ("kept"). The market in DATABASE_URL, or that of var/, must be loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import urllib.parse
from pathlib import Path

import sqlalchemy as sa

from app import create_app
from app.core.db import session
from app.settings import Settings
from bench import load
from tools.servers import ensure_servers

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"small": 200, "full": 800}
CLIENTS = 8
LEAVES = """
SELECT c.slug, array_agg(DISTINCT a.key || '=' || v.text) FROM category c
JOIN attribute a ON a.category_id = c.id AND a.is_facet
JOIN (SELECT DISTINCT attribute_id, text FROM product_value WHERE product_id <= 9100) v ON v.attribute_id = a.id
GROUP BY c.slug ORDER BY c.slug
"""
TOPS = "SELECT slug FROM category WHERE depth = 1 ORDER BY id"


def main() -> int:
    """Measure and print; 1 when there is no market to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=PAGES, default="small")
    number = PAGES[parser.parse_args().scale]
    running = (ROOT / "var" / "postgres" / "postmaster.pid").exists()
    servers = ensure_servers(ROOT / "var")
    url = os.environ.get("DATABASE_URL") or servers.database_url
    settings = Settings(
        environment="test", secret_key="measured only, never served to anybody", database_url=url,
        redis_url=servers.redis_url,
    )  # fmt: skip
    try:
        app = create_app(settings)
        with app.app_context():
            products = session.scalar(sa.text("SELECT count(*) FROM product_listing")) or 0
            if not products:
                print("no market is loaded: make demo", file=sys.stderr)
                return 1
            leaves = [(row[0], row[1]) for row in session.execute(sa.text(LEAVES))]
            tops = list(session.scalars(sa.text(TOPS)))
            session.rollback()
            app.extensions["cache"].bump("listing")
        metrics = {"products": float(products)} | speed(leaves, tops, number, url, servers.redis_url)
    finally:
        if not running:
            servers.stop()
    print(json.dumps({"bench": "listing", "metrics": metrics}))
    return 0


def speed(
    leaves: list[tuple[str, list[str]]], tops: list[str], number: int, url: str, redis_url: str
) -> dict[str, float]:
    """Latencies of a started server in milliseconds."""
    dice = random.Random(1)
    kinds = {
        "leaf": [leaf_path(*dice.choice(leaves), dice) for _ in range(number)],
        "top": [f"/catalog/{dice.choice(tops)}?{common(dice)}" for _ in range(number // 4)],
    }
    found: dict[str, float] = {}
    print("| page | median ms | p95 ms |\n|---|---|---|")
    with load.serving(url, redis_url) as port:
        load.asked(port, [f"/catalog/{slug}" for slug, _ in leaves[:16]], CLIENTS)
        plain = load.asked(port, ["/healthz"] * number, CLIENTS)
        found["constant_median_ms"] = load.median(plain)
        print(f"| constant route, {CLIENTS} clients | {load.median(plain)} | {load.p95(plain)} |")
        for kind, paths in kinds.items():
            for state in ("cold", "kept"):
                times = load.asked(port, list(dict.fromkeys(paths)), CLIENTS)
                found[f"{kind}_{state}_median_ms"] = load.median(times)
                found[f"{kind}_{state}_p95_ms"] = load.p95(times)
                print(f"| {kind}, {state}, {CLIENTS} clients | {load.median(times)} | {load.p95(times)} |")
        alone = [leaf_path(*dice.choice(leaves), dice) for _ in range(60)]
        found["leaf_alone_median_ms"] = load.median(load.asked(port, alone, 1))
        print(f"| leaf, cold, 1 client | {found['leaf_alone_median_ms']} | |")
    return found


def leaf_path(slug: str, values: list[str], dice: random.Random) -> str:
    """A list with up to three values chosen, and perhaps price, stock and order."""
    pairs = [tuple(v.split("=", 1)) for v in dice.sample(values, min(len(values), dice.randint(0, 3)))]
    return f"/catalog/{slug}?{urllib.parse.urlencode(pairs)}&{common(dice)}"


def common(dice: random.Random) -> str:
    """Filters that every list has; the price makes addresses differ."""
    asked = {"price_max": str(dice.randint(3000, 90_000))}
    if dice.random() < 0.3:
        asked["in_stock"] = "1"
    if dice.random() < 0.5:
        asked["sort"] = dice.choice(("price", "unit_price", "newest"))
    return urllib.parse.urlencode(asked)


if __name__ == "__main__":
    sys.exit(main())
