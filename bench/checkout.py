"""Buying under load: `python -m bench.checkout [--scale small|full]`.

A market of its own is made in a temporary folder (10,000 products; full: 200,000). 8 clients, each purchase by another
person, over the JSON API of a started server: 30 random lines of 4 sellers are put into the cart one by one, asked the
price of, and ordered. Then one line of one seller is ordered over and over on one worker process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.accounts import service as accounts
from app.accounts.service import Client, NewUser
from app.api.accounts import signer
from app.cli import init_migrations
from app.core.db import db, session
from app.demo import scale
from app.settings import Settings
from bench import load
from tools.doctor import broken
from tools.servers import ensure_servers

SCALES = {"small": (10_000, 32), "full": (200_000, 160)}
"""Products, and purchases of 30 lines."""
CLIENTS = 8
SELLERS, LINES = 4, 30
POOL = 400
"""Offers that the lines are drawn from."""
SHORT = 300
"""Purchases of one line."""
WANTED = """
SELECT o.public_id FROM (
    SELECT o.*, row_number() OVER (PARTITION BY o.seller_id ORDER BY o.id) AS place FROM offer o
    JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit AND u.step = 1 AND u.minimum = 1
    WHERE o.status = 'active' AND EXISTS (
        SELECT FROM stock_level s WHERE s.offer_id = o.id AND s.on_hand - s.allocated - s.safety > 400)
) o WHERE o.seller_id IN (SELECT seller_id FROM offer GROUP BY seller_id ORDER BY count(*) DESC LIMIT :sellers)
    AND o.place <= :each ORDER BY o.place, o.seller_id
"""
SITE = {"address": "Учебная ул., 1", "lat": 55.80, "lon": 37.72}
CONTACT = {"name": "Покупатель Демо", "phone": "+7 916 123-45-67"}


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody with an account, seen from outside."""

    token: str
    port: int

    def ask(self, path: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Seconds of a POST, and its answer.

        Raises:
            SystemExit: it was refused.
        """
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
                   "Idempotency-Key": str(uuid.uuid4())}  # fmt: skip
        started = time.perf_counter()
        client.request("POST", f"/api/v1{path}", json.dumps(body), headers)
        answer = client.getresponse()
        text = answer.read()
        taken = time.perf_counter() - started
        client.close()
        if answer.status >= 300:
            raise SystemExit(f"{path} answered {answer.status}: {text.decode()[:500]}")
        return taken, json.loads(text)


def main() -> int:
    """Measure and print; 1 when an invariant does not hold afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    products, purchases = SCALES[parser.parse_args().scale]
    with tempfile.TemporaryDirectory(prefix="tutuu-bench-") as folder:
        servers = ensure_servers(Path(folder))
        try:
            app = create_app(
                Settings(
                    environment="demo", secret_key=load.SECRET, database_url=servers.database_url,
                    redis_url=servers.redis_url, argon2_cheap=True,
                )
            )  # fmt: skip
            init_migrations(app)
            with app.app_context():
                return measure(app, servers.database_url, servers.redis_url, products, purchases)
        finally:
            servers.stop()


def measure(app: Flask, database_url: str, redis_url: str, products: int, purchases: int) -> int:
    """Make the market, buy, and look whether everything sums."""
    from flask_migrate import upgrade

    upgrade()
    scale.grow(products)
    offers = [str(key) for key in session.scalars(sa.text(WANTED), {"sellers": SELLERS, "each": POOL // SELLERS})]
    dice = random.Random(1)
    tokens = iter([token_of(n) for n in range(purchases + SHORT)])
    db.session.remove()
    db.engine.dispose()
    with load.serving(database_url, redis_url) as port:
        long = bought([Buyer(next(tokens), port) for _ in range(purchases)], lambda: dice.sample(offers, LINES))
    with load.serving(database_url, redis_url, workers=1) as port:
        one = [Buyer(next(tokens), port) for _ in range(SHORT)]
        short, seconds = timed(lambda: bought(one, lambda: offers[:1]))
    metrics = {f"{name}_p95_ms": load.p95(times) for name, times in long.items()}
    metrics |= {f"{name}_median_ms": load.median(times) for name, times in long.items()}
    metrics["one_line_checkout_p95_ms"] = load.p95(short["checkout"])
    metrics["one_line_purchases_per_second"] = round(SHORT / seconds, 1)
    print("| step | median ms | p95 ms |\n| --- | --- | --- |")
    for name in long:
        print(
            f"| {name}, {LINES} lines of {SELLERS} sellers, {CLIENTS} clients"
            f" | {metrics[f'{name}_median_ms']} | {metrics[f'{name}_p95_ms']} |"
        )
    print(f"| checkout of one line, one worker | {load.median(short['checkout'])} | {load.p95(short['checkout'])} |")
    print(f"\n{metrics['one_line_purchases_per_second']} whole purchases of one line a second (three calls each)")
    wrong = broken(session.connection())
    print(json.dumps({"bench": "checkout", "metrics": metrics}))
    if wrong:
        print(f"invariants that do not hold: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


def token_of(number: int) -> str:
    """An access token of a new person."""
    device = uuid.uuid4()
    signed = accounts.register(
        NewUser(f"bench-{number}@test.example", "measured only 1", "Покупатель Демо"), Client(device)
    )
    return signer().sign(signed.public_id, signed.epoch, device)


def timed(work: Callable[[], dict[str, list[float]]]) -> tuple[dict[str, list[float]], float]:
    """The result of some work and the seconds it took."""
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def bought(buyers: list[Buyer], choose: Callable[[], list[str]]) -> dict[str, list[float]]:
    """Every buyer buys one of each offer chosen for him, 8 at a time; step -> seconds of each call."""
    found: dict[str, list[float]] = defaultdict(list)
    waiting, lock = iter(buyers), threading.Lock()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            while not failed:
                with lock:
                    buyer = next(waiting, None)
                if buyer is None:
                    return
                buy(buyer, choose(), found)
        except BaseException as error:  # noqa: BLE001  # a thread has nobody to raise to
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def buy(buyer: Buyer, offers: list[str], found: dict[str, list[float]]) -> None:
    """One purchase, step by step."""
    for offer in offers:
        found["add_to_cart"].append(buyer.ask("/cart/lines", {"offer": offer, "quantity": "1"})[0])
    taken, quote = buyer.ask("/checkout/quote", {"address": SITE, "payment_method": "invoice"})
    found["quote"].append(taken)
    order = {"quote": quote["id"], "contact": CONTACT, "payment_method": "invoice"}
    found["checkout"].append(buyer.ask("/checkout", order)[0])


if __name__ == "__main__":
    sys.exit(main())
