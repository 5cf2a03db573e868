"""Price lists in a worker: `python -m bench.imports [--scale small|full] [FILE]`.

A market of its own is made in a temporary folder: a seller who offers half of what the list names. The list holds
changed and unchanged offers, new ones found by name and barcode, products nobody has, and wrong rows. A worker process
reads and writes it; measured are its rows per second, its largest memory, and how long lists of the catalogue take
meanwhile. With FILE (CSV, XLSX or YML) that list is
read instead.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import openpyxl
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.cli import init_migrations
from app.core.db import session, unit_of_work
from app.core.models import Job
from app.core.permissions import Actor, Membership
from app.offers import listing
from app.offers.imports import queries, service
from app.offers.imports.service import Confirmation, Upload
from app.settings import Settings
from bench import load
from tools.servers import ensure_servers

SCALES = {"small": 10_000, "full": 100_000}
PER_SECOND, ALONE_SECONDS = 5, 20
"""How many pages of the catalogue somebody looks at in a second, and how long before the import."""
WORKER = """
import resource, sys
from workers.worker import run
run(int(sys.argv[1]))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""
MARKET = """
INSERT INTO organisation (kind, name, inn, status) VALUES ('seller', 'Bench', '7700000000', 'approved');
INSERT INTO user_account (email, email_key, password_hash, name) VALUES ('b@test.example', 'b@test.example', 'x', 'B');
INSERT INTO seller (id, slug, name, is_active) SELECT id, 'bench', name, true FROM organisation;
INSERT INTO warehouse (seller_id, name, address, lat, lon) SELECT id, 'Main', '1', 55.8, 37.7 FROM organisation;
INSERT INTO category (slug, name_ru, name_en, depth) VALUES ('bench', 'B', 'B', 1);
INSERT INTO product (slug, category_id, brand, name_ru, name_en, article, base_unit)
    SELECT 'p' || n, (SELECT id FROM category), 'Марка ' || n % 300,
        (ARRAY['Плита','Брус','Анкер','Труба','Краска','Кабель','Клей','Лист'])[1 + n % 8] || ' серия ' || n % 977
            || ' ' || n || 'x' || 10 + n % 90 || ' мм', 'Thing ' || n, 'AR-' || n, 'pcs'
    FROM generate_series(1, :rows) AS n;
INSERT INTO product_unit (product_id, code, numerator, denominator) SELECT id, 'pcs', 1, 1 FROM product;
INSERT INTO offer (seller_id, product_id, sku, unit, price)
    SELECT (SELECT id FROM seller), id, 'SKU-' || substr(slug, 2), 'pcs', 10000 + id % 5000 FROM product
    WHERE substr(slug, 2)::int % 2 = 0;
INSERT INTO stock_level (offer_id, warehouse_id, on_hand) SELECT o.id, w.id, 50 FROM offer o, warehouse w;
INSERT INTO stock_movement (offer_id, warehouse_id, kind, on_hand_delta)
    SELECT offer_id, warehouse_id, 'received', on_hand FROM stock_level;
ANALYZE
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--scale", choices=SCALES, default="small")
    asked = parser.parse_args()
    rows = SCALES[asked.scale]
    with tempfile.TemporaryDirectory(prefix="tutuu-bench-") as folder:
        servers = ensure_servers(Path(folder))
        try:
            settings = Settings(
                environment="test", secret_key="measured only, never served to anybody",
                database_url=servers.database_url, redis_url=servers.redis_url, storage=f"{folder}/files",
            )  # fmt: skip
            app = create_app(settings)
            init_migrations(app)
            with app.app_context():
                lists = [asked.file.read_bytes()] if asked.file else [csv_list(rows), xlsx_list(rows)]
                return measure(app, settings, rows, lists)
        finally:
            servers.stop()


def measure(app: Flask, settings: Settings, rows: int, lists: list[bytes]) -> int:
    """The first list is checked, written, and checked once more; the others are checked."""
    from flask_migrate import upgrade

    upgrade()
    seller = prepare(rows)
    listing.rebuild()
    metrics: dict[str, float] = {}
    pages = (f"/catalog/bench?price_max={n}" for n in itertools.count(5_000))  # each once: nothing kept helps
    with load.serving(settings.database_url, settings.redis_url) as port:
        with load.browsing(port, pages, PER_SECOND):
            time.sleep(3)
        with load.browsing(port, pages, PER_SECOND) as alone:
            time.sleep(ALONE_SECONDS)
        with load.browsing(port, pages, PER_SECOND) as beside:
            table = read(app, settings, seller, lists, metrics)
    metrics["browsing_alone_p95_ms"], metrics["browsing_beside_p95_ms"] = load.p95(alone), load.p95(beside)
    metrics["browsing_ratio"] = round(metrics["browsing_beside_p95_ms"] / metrics["browsing_alone_p95_ms"], 2)
    metrics["worker_peak_mib"] = round(max(memory for *_, memory in table))
    print("| step | rows | seconds | worker CPU s | rows/s | worker MiB |\n| --- | --- | --- | --- | --- | --- |")
    for step, n, taken_s, cpu, memory in table:
        print(f"| {step} | {n:,} | {taken_s:.1f} | {cpu:.1f} | {n / taken_s:,.0f} | {memory:.0f} |")
    print(f"\nbrowsing, {PER_SECOND} pages a second: p95 {metrics['browsing_alone_p95_ms']} ms alone,"
          f" {metrics['browsing_beside_p95_ms']} ms while lists are read")  # fmt: skip
    print(json.dumps({"bench": "imports", "metrics": metrics}))
    return 0


def read(
    app: Flask, settings: Settings, seller: Actor, lists: list[bytes], metrics: dict[str, float]
) -> list[tuple[str, int, float, float, float]]:
    """What each step took: name, rows, seconds, processor seconds and MiB of the worker."""
    table: list[tuple[str, int, float, float, float]] = []
    for index, content in enumerate(lists):
        begun = service.receive(seller, app.extensions["storage"], Upload("bench", content))
        kind = "xlsx" if content.startswith(b"PK") else "list"
        steps = [(f"check, {kind}", begun.job_id)]
        taken = [worked(settings, begun.job_id)]
        if not index:
            job = service.confirm(seller, begun.public_id, Confirmation(jumps=True))
            steps.append((f"write, {kind}", job))
            taken.append(worked(settings, job))
        session.rollback()
        head = queries.head(seller.seller_id, begun.public_id)
        print(f"{kind}: {head.state} {head.error} {dict(head.counts)}", file=sys.stderr)
        done = [head.rows_done, int(head.counts.get("applied", 0))]
        table += [(step, n, *used) for (step, _), n, used in zip(steps, done, taken, strict=False)]
        if not index:
            seconds = sum(one[0] for one in taken)
            metrics["list_seconds"] = round(seconds, 1)
            metrics["rows_per_second"] = round(head.rows_done / seconds)
            metrics["list_worker_cpu_seconds"] = round(sum(one[1] for one in taken), 1)
    return table


@unit_of_work
def prepare(rows: int) -> Actor:
    """The market, and the seller's owner."""
    session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    for statement in MARKET.split(";"):
        session.execute(sa.text(statement), {"rows": rows} if ":rows" in statement else {})
    barcodes = [{"n": f"p{n}", "code": barcode(n)} for n in range(11, rows + 1, 20)]
    session.execute(
        sa.text("UPDATE product_unit SET barcode = :code WHERE product_id = (SELECT id FROM product WHERE slug = :n)"),
        barcodes,
    )
    place = session.execute(sa.text("SELECT id, public_id FROM organisation")).one()
    user = session.scalar(sa.text("SELECT id FROM user_account"))
    seat = Membership(place.id, place.public_id, "Bench", "seller", "owner")
    return Actor(user_id=user, memberships=(seat,))


def barcode(number: int) -> str:
    """An EAN-13."""
    bare = f"46{number:010d}"
    total = sum(int(c) * (3 if place % 2 else 1) for place, c in enumerate(reversed(bare), start=1))
    return bare + str((10 - total % 10) % 10)


def rows_of(count: int) -> list[list[str]]:
    """Half are offers of the seller, most of them changed; of the rest one in 10 is new to the catalogue."""
    rng = random.Random(7)
    found = []
    for n in range(1, count + 1):
        kind = ("Плита", "Брус", "Анкер", "Труба", "Краска", "Кабель", "Клей", "Лист")[n % 8]
        name = f"{kind} серия {n % 977} {n}x{10 + n % 90} мм"
        price = (10_000 + n % 5000) / 100 * rng.choice((1, 1.02, 0.97, 1.05))
        brand, article = f"Марка {n % 300}", f"AR-{n}" if n % 3 == 0 else ""
        if n % 20 == 1:
            name, article = f"Новинка {n} особая", ""
        shown = "по запросу" if n % 100 == 50 else f"{price:.2f}".replace(".", ",")
        found.append([f"SKU-{n}", name, brand, article, barcode(n) if n % 20 == 11 else "", shown, str(n % 200)])
    return found


HEADINGS = ["Код", "Наименование", "Бренд", "Артикул производителя", "Штрихкод", "Цена", "Остаток"]


def csv_list(count: int) -> bytes:
    """As a spreadsheet of Russia saves it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([HEADINGS, *rows_of(count)])
    return text.getvalue().encode("cp1251")


def xlsx_list(count: int) -> bytes:
    """The same as a workbook."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Прайс")
    for row in [HEADINGS, *rows_of(count)]:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def worked(settings: Settings, job_id: uuid.UUID) -> tuple[float, float, float]:
    """Seconds, processor seconds and MiB of a worker process of its own for one job, its start included."""
    number = session.execute(sa.select(Job.id).where(Job.public_id == job_id)).scalar_one()
    session.rollback()
    environment = os.environ | {
        "TUTUU_ENV": "test", "SECRET_KEY": settings.secret_key, "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url, "STORAGE": settings.storage,
    }  # fmt: skip
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(number)], env=environment, capture_output=True, check=True, text=True
    )
    taken = time.monotonic() - started
    row = session.execute(sa.select(Job.state, Job.error).where(Job.id == number)).one()
    session.rollback()
    if row.state != "done":
        raise SystemExit(row.error or done.stderr)
    memory, cpu = done.stdout.split()[-2:]
    return taken, float(cpu), int(memory) / 1024


if __name__ == "__main__":
    sys.exit(main())
