"""Search: how often the right product comes first, and how fast: `python -m bench.search [--scale small|full]`.

300 queries are mistyped in nine ways (bench/misspell.py); right means that one of the first three has every word that
was meant, which hardly any other product has. 100 SKUs and barcodes must come first. Then 8 clients at once, and one
alone, ask a started server for search pages that no cache has seen.
The market in DATABASE_URL, or that of var/, must be loaded (`make demo`, or `flask demo --scale N`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.parse
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from app import create_app
from app.catalog import listing, search, words
from app.catalog.listing import Filters
from app.core.db import session
from app.settings import Settings
from bench import load, misspell
from tools.servers import ensure_servers

ROOT = Path(__file__).resolve().parent.parent
QUERIES = {"small": 150, "full": 600}
TYPED = 300
CLIENTS = 8
NAMES = "SELECT id, name_ru FROM product JOIN product_listing ON product_id = id WHERE id <= 9100 ORDER BY id"
"""Series of a scaled market differ by their number alone, so what is looked for comes from the first products."""
NUMBERS = """
(SELECT product_id, sku FROM offer WHERE status = 'active' AND product_id IN (SELECT product_id FROM product_listing)
    ORDER BY id LIMIT 50)
UNION ALL (SELECT product_id, barcode FROM product_unit WHERE barcode <> ''
    AND product_id IN (SELECT product_id FROM product_listing) ORDER BY product_id LIMIT 50)
"""


def main() -> int:
    """Measure and print; 1 when there is no market to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=QUERIES, default="small")
    number = QUERIES[parser.parse_args().scale]
    running = (ROOT / "var" / "postgres" / "postmaster.pid").exists()
    servers = ensure_servers(ROOT / "var")
    url = os.environ.get("DATABASE_URL") or servers.database_url
    settings = Settings(
        environment="test", secret_key="measured only, never served to anybody", database_url=url,
        redis_url=servers.redis_url,
    )  # fmt: skip
    try:
        with create_app(settings).app_context():
            products = session.scalar(sa.text("SELECT count(*) FROM product_listing")) or 0
            if not products:
                print("no market is loaded: make demo", file=sys.stderr)
                return 1
            metrics = quality()
            names = {row[0]: row[1] for row in session.execute(sa.text(NAMES))}
            session.rollback()
        metrics |= {"products": float(products)} | speed(names, number, url, servers.redis_url)
    finally:
        if not running:
            servers.stop()
    print(json.dumps({"bench": "search", "metrics": metrics}))
    return 0


def quality() -> dict[str, float]:
    """Shares of queries whose product is where it should be."""
    names = {row[0]: row[1] for row in session.execute(sa.text(NAMES))}
    asked, right = Counter[str](), Counter[str]()
    for query in misspell.queries(names, TYPED):
        asked[query.kind] += 1
        wanted = set(query.meant.split())
        right[query.kind] += any(wanted <= set(words.tokens(name)) for name in first_names(query.typed, 3))
    print("| mistake | queries | right in the first 3 |\n|---|---|---|")
    for kind in misspell.KINDS:
        print(f"| {kind} | {asked[kind]} | {right[kind]} |")
    exact = list(session.execute(sa.text(NUMBERS)))
    hits = sum(first(text) == product for product, text in exact)
    print(f"| exact SKU or barcode, first | {len(exact)} | {hits} |")
    return {"typo_top3": round(right.total() / asked.total(), 4), "exact_top1": round(hits / len(exact), 4)}


def first_names(text: str, number: int) -> list[str]:
    """Names of the first products of a search."""
    return [item.name_ru for item in answers(text, number)]


def first(text: str) -> int | None:
    """The first product of a search."""
    return next((item.id for item in answers(text, 1)), None)


def answers(text: str, number: int) -> list[listing.ListedProduct]:
    """The first products of a search."""
    found = search.match(text)
    return listing.page(Filters(match=found), [], "relevance", None, number)[0] if found else []


def speed(names: dict[int, str], number: int, url: str, redis_url: str) -> dict[str, float]:
    """Latencies of a started server in milliseconds."""
    typed = misspell.queries(names, number * 2, seed=2)
    kinds = {
        "typo": [q.typed for q in typed if q.kind not in ("layout", "letters")][:number],
        "layout": [q.typed for q in typed if q.kind == "layout"][: number // 3],
        "words": [q.meant for q in misspell.queries(names, number, seed=3)],
        "one_word": sorted({q.meant.split()[0] for q in misspell.queries(names, 400, seed=4)})[: number // 3],
    }
    found: dict[str, float] = {}
    print("\n| page | median ms | p95 ms |\n|---|---|---|")
    with load.serving(url, redis_url) as port:
        for kind, texts in kinds.items():
            paths = [f"/search?q={urllib.parse.quote(text)}" for text in texts]
            load.asked(port, paths[:16], CLIENTS)
            times = load.asked(port, paths[16:], CLIENTS)
            found[f"{kind}_{CLIENTS}_clients_p95_ms"] = load.p95(times)
            print(f"| search, {kind}, {CLIENTS} clients | {load.median(times)} | {load.p95(times)} |")
        for kind, texts in kinds.items():
            times = load.asked(port, [f"/search?sort=price&q={urllib.parse.quote(text)}" for text in texts[:60]], 1)
            times += load.asked(port, [f"/search?in_stock=1&q={urllib.parse.quote(text)}" for text in texts[:60]], 1)
            found[f"{kind}_p95_ms"] = load.p95(times)
            print(f"| search, {kind}, 1 client | {load.median(times)} | {load.p95(times)} |")
        parts = [q.meant[: 3 + i % 8] for i, q in enumerate(typed[:number])]
        times = load.asked(port, [f"/search/suggest?q={urllib.parse.quote(p)}" for p in parts], CLIENTS)
        found["suggest_p95_ms"] = load.p95(times)
        print(f"| suggestions, {CLIENTS} clients | {load.median(times)} | {load.p95(times)} |")
    return found


if __name__ == "__main__":
    sys.exit(main())
