"""Pages as ratios to the constant route: `python -m bench.pages [--scale small|full]`.

All routes are asked in turns within one run of one process, through WSGI, so a slow machine slows all of them
alike. Counted is the processor time of the process.
The demo market in DATABASE_URL, or that of var/, must be loaded (`make demo`). "cold" is the first answer after the
cache was emptied of the listing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.core.db import session
from app.settings import Settings
from tools.servers import ensure_servers

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = {"small": 60, "full": 600}
CART_LINES = 20


def main() -> int:
    """Measure and print; 2 when there is no market to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=ROUNDS, default="small")
    rounds = ROUNDS[parser.parse_args().scale]
    running = (ROOT / "var" / "postgres" / "postmaster.pid").exists()
    servers = ensure_servers(ROOT / "var")
    try:
        app = create_app(
            Settings(
                environment="test",
                secret_key="measured only, never served to anybody",
                database_url=os.environ.get("DATABASE_URL") or servers.database_url,
                redis_url=servers.redis_url,
            )
        )
        app.config["WTF_CSRF_ENABLED"] = False
        return measure(app, rounds)
    finally:
        if not running:
            servers.stop()


def measure(app: Flask, rounds: int) -> int:
    """Ask every route in turns and print medians and ratios."""
    with app.app_context():
        product = session.scalar(sa.text("SELECT slug FROM product JOIN product_listing ON product_id = id LIMIT 1"))
        offers = session.scalars(
            sa.text(f"SELECT public_id FROM offer WHERE status = 'active' LIMIT {CART_LINES}")
        ).all()
        category = session.scalar(
            sa.text("SELECT c.slug FROM category c JOIN product p ON p.category_id = c.id GROUP BY c.slug "
                    "ORDER BY count(*) DESC LIMIT 1")
        )  # fmt: skip
    if product is None:
        print("no market is loaded: make demo", file=sys.stderr)
        return 2
    client = app.test_client()
    for offer in offers:
        client.post("/cart/lines", data={"offer": str(offer), "quantity": "1"})
    empty: Callable[[], object] = lambda: app.extensions["cache"].bump("listing")  # noqa: E731
    routes: dict[str, tuple[str, Callable[[], object] | None]] = {
        "constant route": ("/healthz", None),
        "home": ("/", None),
        "listing, cold": (f"/catalog/{category}", empty),
        "listing, warm": (f"/catalog/{category}", None),
        "search": ("/search?q=штукатурка", None),
        "product": (f"/product/{product}", None),
        f"cart of {CART_LINES} lines": ("/cart", None),
    }
    times: dict[str, list[float]] = {name: [] for name in routes}
    for _ in range(rounds):
        for name, (path, before) in routes.items():
            if before:
                before()
            times[name].append(asked(client, path))
    base = statistics.median(times["constant route"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        high = statistics.quantiles(taken, n=20)[-1]
        print(f"{name:<20} {middle * 1000:7.1f} ms  p95 {high * 1000:7.1f} ms  {middle / base:7.1f} x")
    return 0


def asked(client: FlaskClient, path: str) -> float:
    """Seconds of this process for one answer; waiting for the database is not counted."""
    started = time.process_time()
    answer = client.get(path)
    taken = time.process_time() - started
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return taken


if __name__ == "__main__":
    sys.exit(main())
