"""Trucks that tell their place and buyers who watch: `python -m bench.tracking [--scale small|full]`.

A market of its own in a temporary folder: trucks on routes, five buyers behind each. One worker process of the web
server answers, as it does for couriers and links. First as fast as it goes (batches of 1, 6 and 100 positions; a page
that has changed, one that has not), then at the pace of the goal: every truck tells its place every 5 s in batches of
six, every watcher asks every 10 s, and is told only every half minute that the truck has moved.

The clients of the measurement share the machine with what is measured. Prints a table, and JSON on the last line.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.api.accounts import signer
from app.cli import init_migrations
from app.core import clock
from app.core.db import db, session
from app.settings import Settings
from bench import load
from tools.servers import ensure_servers

SCALES = {"small": (100, 500, 4.0), "full": (1_000, 5_000, 15.0)}
"""Trucks, watchers, seconds of each measurement."""
TELLS_EVERY, BATCH, WATCHES_EVERY = 5.0, 6, 10.0
CLIENTS = 6
LATE = 1.0
"""Seconds by which the measurement may lag behind its own pace."""
TICK = os.sysconf("SC_CLK_TCK")

MARKET = (
    "INSERT INTO user_account (email, email_key, password_hash, name) SELECT 'u' || n || '@b.example', 'u' || n ||"
    " '@b.example', '!', 'U' || n FROM generate_series(1, :trucks) n",
    "INSERT INTO organisation (kind, name, inn, status, bank) VALUES ('carrier', 'C', '7700000001', 'approved', '{}'),"
    " ('seller', 'S', '7700000002', 'approved', '{}')",
    "INSERT INTO carrier (id, name, depot_lat, depot_lon, is_active) SELECT id, name, 55.8, 37.6, true"
    " FROM organisation WHERE kind = 'carrier'",
    "INSERT INTO seller (id, slug, name, is_active) SELECT id, 's', name, true FROM organisation WHERE kind = 'seller'",
    "INSERT INTO warehouse (seller_id, name, address, lat, lon) SELECT id, 'W', 'A', 55.8, 37.6 FROM seller",
    "INSERT INTO device (user_id, client_id, name) SELECT id, gen_random_uuid(), 'b' FROM user_account",
    "INSERT INTO organisation_member (organisation_id, user_id, role) SELECT c.id, u.id, 'courier'"
    " FROM carrier c, user_account u",
    "INSERT INTO vehicle (carrier_id, name, plate, payload_kg, volume_l, longest_mm, gross_mass_kg, cost_per_km,"
    " cost_per_hour) SELECT c.id, 'T', 'P' || u.id, 5000, 20000, 6000, 9000, 1, 1 FROM carrier c, user_account u",
    "INSERT INTO courier (carrier_id, user_id, name, vehicle_id) SELECT v.carrier_id, u.id, u.name, v.id"
    " FROM user_account u JOIN vehicle v ON v.plate = 'P' || u.id",
    "INSERT INTO route_plan (carrier_id, day, version, status) SELECT id, current_date, 1, 'published' FROM carrier",
    "INSERT INTO route (plan_id, vehicle_id, courier_id, state, distance_m, duration_s, cost, load_kg, load_l,"
    " starts_at, ends_at, geometry, started_at) SELECT p.id, k.vehicle_id, k.id, 'started', 1, 1, 1, 1, 1,"
    " now(), now(), '[]',"
    " now() - interval '20 hours' FROM route_plan p, courier k",
    "INSERT INTO cart (user_id, status) SELECT min(id), 'ordered' FROM user_account",
    "INSERT INTO order_group (number, cart_id, user_id, site, contact_name, contact_phone, payment_method, goods,"
    " delivery, total, vat) SELECT 'R1', id, user_id, '{}', 'B', '1', 'cash', 1, 0, 1, 0 FROM cart",
    "INSERT INTO seller_order (number, group_id, seller_id, seller_name, accept_by, goods, delivery, total, vat)"
    " SELECT 'R1-1', g.id, s.id, 'S', now(), 1, 0, 1, 0 FROM order_group g, seller s",
    "INSERT INTO fulfilment (order_id, warehouse_id, carrier_id, day, window_from, window_to, delivery_price,"
    " price_lines, allocation, mass_kg, volume_m3, length_mm) SELECT o.id, w.id, c.id, current_date, now(),"
    " now() + interval '9 hours', 0, '[]', '{}', 1, 1, 1 FROM seller_order o, warehouse w, carrier c,"
    " generate_series(1, :watchers)",
    "INSERT INTO delivery (fulfilment_id, carrier_id, seller_id, buyer_id, warehouse_id, number, state, day,"
    " window_from, window_to, pickup, site, cargo, mass_kg, volume_l, longest_mm, price, pin, tracking_token)"
    " SELECT f.id,"
    " f.carrier_id, s.id, g.user_id, f.warehouse_id, 'R1-1', 'in_transit', f.day, f.window_from, f.window_to, '{}',"
    """ '{"lat": 55.9, "lon": 37.7, "address": "A"}', '[]', 1, 1, 1, 0, '0000', md5(f.id::text) || md5('x' || f.id)"""
    " FROM fulfilment f, seller s, order_group g",
    "INSERT INTO delivery_event (delivery_id, kind, happened_at) SELECT id, kind, now()"
    " FROM delivery, unnest(ARRAY['created', 'ready', 'planned', 'handed_over', 'in_transit']) kind",
    "INSERT INTO stop (route_id, delivery_id, sequence, kind, state, planned_arrival, planned_departure)"
    " SELECT r.id, d.id, 2 * d.place + (k.kind = 'drop')::int * 1000, k.kind, CASE k.kind WHEN 'drop' THEN"
    " 'planned' ELSE 'done' END,"
    " now() + d.place * interval '30 minutes', now() + d.place * interval '30 minutes' + interval '15 minutes'"
    " FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, 1 + (row_number() OVER (ORDER BY id)) / :trucks AS place"
    " FROM delivery) d JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM route) r"
    " ON r.n = 1 + d.n % :trucks, (VALUES ('pickup'), ('drop')) k (kind)",
)


@dataclass(slots=True)
class Truck:
    """A phone that drives and tells, from twenty hours ago on."""

    token: str
    at: datetime
    north: float = field(default_factory=lambda: random.uniform(0, 0.1))

    def batch(self, size: int) -> str:
        """The next positions, five seconds apart."""
        found = []
        for _ in range(size):
            self.at += timedelta(seconds=TELLS_EVERY)
            self.north += 0.00002
            found.append({"at": self.at.isoformat(), "lat": 55.8 + self.north, "lon": 37.6, "accuracy_m": 8})
        return json.dumps(found)


@dataclass(slots=True)
class Watcher:
    """An open page: the tag it has, and which half minute of positions it has seen."""

    token: str
    tag: str = ""


@dataclass(slots=True)
class Told:
    """Answers of a measurement: seconds of each, by status."""

    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0
    cores: float = 0
    """Processor time of web server and database by the time that passed."""

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    @property
    def not_modified(self) -> float:
        return self.statuses.get(304, 0) / max(1, len(self.times))


Ask = Callable[[http.client.HTTPConnection], int]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    trucks, watchers, seconds = SCALES[parser.parse_args().scale]
    with tempfile.TemporaryDirectory(prefix="tutuu-bench-") as folder:
        servers = ensure_servers(Path(folder))
        try:
            settings = Settings(
                environment="demo", secret_key=load.SECRET, database_url=servers.database_url,
                redis_url=servers.redis_url, argon2_cheap=True,
            )  # fmt: skip
            app = create_app(settings)
            init_migrations(app)
            with app.app_context():
                upgrade()
                phones, pages = market(trucks, watchers)
                db.session.remove()
                with load.serving(servers.database_url, servers.redis_url, workers=1) as port:
                    measure(port, Path(folder), phones, pages, seconds)
        finally:
            servers.stop()
    return 0


def market(trucks: int, watchers: int) -> tuple[list[Truck], list[Watcher]]:
    """Write the market; gives the phones and the open pages."""
    for statement in MARKET:
        given = {"trucks": trucks, "watchers": watchers}
        session.execute(sa.text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
    session.commit()
    session.execute(sa.text("ANALYZE"))
    rows = session.execute(
        sa.text("SELECT u.public_id, u.token_epoch, d.client_id FROM user_account u JOIN device d ON d.user_id = u.id")
    ).all()
    began = clock.now() - timedelta(hours=19)
    phones = [Truck(signer().sign(row.public_id, row.token_epoch, row.client_id), began) for row in rows]
    return phones, [Watcher(token) for token in session.scalars(sa.text("SELECT tracking_token FROM delivery"))]


def tell(truck: Truck, size: int, *, now: bool = False) -> Ask:
    """A truck that sends a batch: of long ago, or of the last seconds."""

    def ask(client: http.client.HTTPConnection) -> int:
        if now:
            truck.at = clock.now() - timedelta(seconds=TELLS_EVERY * size)
        headers = {"Authorization": f"Bearer {truck.token}", "Content-Type": "application/json"}
        client.request("POST", "/api/v1/courier/positions", truck.batch(size), headers)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != 202 or json.loads(body)["dropped"]:
            raise SystemExit(f"positions answered {answer.status}: {body.decode()[:300]}")
        return answer.status

    return ask


def watch(watcher: Watcher, *, has_it: bool = True, tail: str = "") -> Ask:
    """A page that asks for its part."""

    def ask(client: http.client.HTTPConnection) -> int:
        headers = {"HX-Request": "true", "Accept-Language": "ru"}
        if has_it and watcher.tag:
            headers["If-None-Match"] = watcher.tag
        client.request("GET", f"/t/{watcher.token}{tail}", headers=headers)
        answer = client.getresponse()
        answer.read()
        if answer.status not in (200, 304):
            raise SystemExit(f"a page answered {answer.status}")
        watcher.tag = answer.headers["ETag"]
        return answer.status

    return ask


def run(port: int, folder: Path, seconds: float, asks: Iterator[tuple[float, Ask]], warm: float = 0) -> Told:
    """Ask until the time is over; each ask not before its second. What was asked in the first `warm` s is not told."""
    told, lock = Told(), threading.Lock()
    failed: list[BaseException] = []
    began, used = time.perf_counter(), cpu(port, folder)

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while not failed:
                with lock:
                    due, ask = next(asks)
                if due > seconds or time.perf_counter() - began > seconds:
                    return
                time.sleep(max(0.0, due - (time.perf_counter() - began)))
                started = time.perf_counter()
                status = ask(connection)
                taken = time.perf_counter() - max(started, began + due) if due else time.perf_counter() - started
                with lock:
                    if due >= warm:
                        told.times.append(taken)
                        told.statuses[status] = told.statuses.get(status, 0) + 1
        except (
            OSError,
            http.client.HTTPException,
            SystemExit,
        ) as error:  # told by the caller, after the others have ended
            failed.append(error)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    passed = time.perf_counter() - began
    told.seconds = passed - warm
    told.cores = (cpu(port, folder) - used) / passed
    return told


def at_once(asks: Sequence[Ask]) -> Iterator[tuple[float, Ask]]:
    """One after the other, as fast as answers come."""
    while True:
        for ask in asks:
            yield 0.0, ask


def paced(trucks: Sequence[Truck], watchers: Sequence[Watcher]) -> Iterator[tuple[float, Ask]]:
    """Every truck and every page at its own pace, evenly spread; who is late asks late, nothing piles up."""
    tells, asks = TELLS_EVERY * BATCH / len(trucks), WATCHES_EVERY / len(watchers)
    began = time.perf_counter()
    next_tell = next_ask = 0.0
    truck = page = 0
    while True:
        late = time.perf_counter() - began - LATE
        if next_tell <= next_ask:
            next_tell = max(next_tell, late)
            yield next_tell, tell(trucks[truck % len(trucks)], BATCH, now=True)
            next_tell, truck = next_tell + tells, truck + 1
        else:
            next_ask = max(next_ask, late)
            yield next_ask, watch(watchers[page % len(watchers)])
            next_ask, page = next_ask + asks, page + 1


def opened(trucks: Sequence[Truck], watchers: Sequence[Watcher]) -> Iterator[tuple[float, Ask]]:
    """Every page is opened once, while the trucks tell where they are at their pace."""
    began, told = time.perf_counter(), 0
    every = TELLS_EVERY * BATCH / len(trucks)
    for truck in trucks:
        yield 0.0, tell(truck, BATCH, now=True)
    for page in watchers:
        page.tag = ""
        while told * every < time.perf_counter() - began:
            yield 0.0, tell(trucks[told % len(trucks)], BATCH, now=True)
            told += 1
        yield 0.0, watch(page)
    while True:
        yield 9e9, watch(watchers[0])


def cpu(port: int, folder: Path) -> float:
    """Processor seconds so far of the web server on the port (all of its process group) and of the database."""
    ticks: dict[str, int] = {}
    server = ""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
            _state, _parent, group, *facts = (path / "stat").read_text().rpartition(")")[2].split()
            is_database = b"postgres" in words and str(folder) in os.readlink(path / "cwd")
        except OSError:
            continue
        if b"--port\0%d\0" % port in words:
            server = group
        name = "database" if is_database else group
        ticks[name] = ticks.get(name, 0) + int(facts[8]) + int(facts[9])
    return (ticks.get(server, 0) + ticks.get("database", 0)) / TICK


@contextmanager
def row(name: str, rows: list[str]) -> Iterator[Callable[[Told, str], None]]:
    """Adds a line of the table."""

    def add(told: Told, unit: str) -> None:
        rows.append(
            f"| {name} | {unit} | {load.median(told.times)} | {load.p95(told.times)} | {told.cores:.2f} |"
            f" {100 * told.not_modified:.0f} % |"
        )

    yield add


def measure(port: int, folder: Path, trucks: list[Truck], watchers: list[Watcher], seconds: float) -> None:
    """All measurements, then the table and the line for machines."""
    rows: list[str] = []
    figures: dict[str, float] = {}
    for size in (1, BATCH, 100):
        told = run(port, folder, seconds, at_once([tell(truck, size) for truck in trucks]))
        figures[f"positions_per_s_batch_{size}"] = round(told.per_second * size, 1)
        with row(f"positions, batches of {size}", rows) as add:
            add(told, f"{told.per_second * size:,.0f} positions/s")
    fresh = run(port, folder, seconds, at_once([watch(page, has_it=False) for page in watchers]))
    with row("a page that has changed (200)", rows) as add:
        add(fresh, f"{fresh.per_second:,.0f} answers/s")
    for page in watchers:
        page.tag = ""
    few = watchers[: max(1, len(watchers) // 20)]  # so that each asks again within a minute
    for page in few:
        run(port, folder, 5, iter([(0.0, watch(page)), *[(9e9, watch(page))] * CLIENTS]))
    same = run(port, folder, seconds, at_once([watch(page) for page in few]))
    with row("a page that has not (304)", rows) as add:
        add(same, f"{same.per_second:,.0f} answers/s")
    run(port, folder, 600, opened(trucks, watchers))
    both = run(port, folder, WATCHES_EVERY + 2 * seconds, paced(trucks, watchers), warm=WATCHES_EVERY)
    wanted = len(trucks) / (TELLS_EVERY * BATCH) + len(watchers) / WATCHES_EVERY
    with row(f"{len(trucks):,} trucks and {len(watchers):,} watchers at their pace", rows) as add:
        add(both, f"{both.per_second:,.0f} of {wanted:,.0f} calls/s")
    print("| measured on one web worker | rate | median, ms | p95, ms | cores used | 304 |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))
    figures |= {
        "pages_200_per_s": round(fresh.per_second, 1), "pages_304_per_s": round(same.per_second, 1),
        "p95_304_ms": load.p95(same.times), "paced_share": round(both.per_second / wanted, 3),
        "paced_p95_ms": load.p95(both.times), "paced_cores": round(both.cores, 2),
        "paced_304": round(both.not_modified, 3), "trucks": len(trucks), "watchers": len(watchers),
    }  # fmt: skip
    print(json.dumps({"bench": "tracking", "metrics": figures}))


if __name__ == "__main__":
    sys.exit(main())
