"""A worker killed with SIGKILL while it reads, and again while it writes: the next one ends in the same market."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.models import Job
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers.import_models import PriceImport
from app.offers.imports import service
from app.offers.imports.service import Confirmation, Upload
from tests.factories import catalog as make
from tests.factories import orders as people
from tests.imports import lists
from workers import worker

ROWS = 6_000
KNOWN = 500


@unit_of_work
def market() -> tuple[Actor, Actor]:
    """Two sellers who are alike."""
    made = make.market(sellers=2)
    place = make.category()
    things = [make.product(place, f"Блок {n}x{n + 7} мм", barcode="") for n in range(KNOWN)]
    for index, thing in enumerate(things):
        for seller in (0, 1):
            make.offer(made, thing, seller, price=10_000 + index, stock=5, sku=f"S-{index}")
    return made.sellers[0], made.sellers[1]


def price_list() -> bytes:
    """Offers that change, offers that are new, rows that are wrong."""
    rows = []
    for number in range(ROWS):
        thing = number % KNOWN
        price = "x" if number % 97 == 0 else str(100 + thing % 7)
        rows.append([f"S-{number}", f"Блок {thing}x{thing + 7} мм", price, str(number % 13)])
    return lists.csv_file(rows)


def position(import_id: uuid.UUID) -> tuple[str, int, int]:
    row = session.execute(
        sa.select(PriceImport.state, PriceImport.rows_done, PriceImport.applied_position).where(
            PriceImport.public_id == import_id
        )
    ).one()
    session.rollback()
    return row.state, row.rows_done, row.applied_position


def killed_when(app: Flask, job_id: uuid.UUID, reached: Callable[[], bool]) -> None:
    """A real worker process, killed as soon as it has come so far; its job is due again."""
    number = lists.number_of(job_id)
    environment = os.environ | {
        "TUTUU_ENV": "test", "SECRET_KEY": app.config["SECRET_KEY"],
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"], "REDIS_URL": app.config["REDIS_URL"],
        "STORAGE": app.extensions["settings"].storage,
    }  # fmt: skip
    code = f"from workers.worker import run; run({number})"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not reached() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, process.stderr.read() if process.stderr else "it was done too soon"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    expire(number)
    assert jobs.sweep_expired() == 1


@unit_of_work
def expire(number: int) -> None:
    session.execute(sa.update(Job).where(Job.id == number).values(lease_until=sa.func.now() - timedelta(seconds=1)))


def without_places(seller_id: int) -> dict[str, Any]:
    """The seller's market; warehouses by their order, because two sellers have different ones."""
    state = lists.state_of(seller_id)
    session.rollback()
    return {sku: (*row[:6], tuple(on_hand for _place, on_hand in row[6]), *row[7:]) for sku, row in state.items()}


@pytest.mark.slow
def test_killed_while_reading_and_while_writing_it_ends_the_same(committed_db: Flask) -> None:
    app = committed_db
    unlucky, lucky = people.committed(market)
    storage, content = app.extensions["storage"], price_list()

    begun = service.receive(unlucky, storage, Upload("a.csv", content))
    killed_when(app, begun.job_id, lambda: position(begun.public_id)[1] >= 2_000)
    state, done, _ = position(begun.public_id)
    assert state == "checking"
    assert 0 < done < ROWS
    lists.work(app, begun.job_id)
    assert position(begun.public_id)[:2] == ("checked", ROWS)

    job = service.confirm(unlucky, begun.public_id, Confirmation(jumps=True))
    killed_when(app, job, lambda: position(begun.public_id)[2] >= 2_000)
    state, _, applied = position(begun.public_id)
    assert state == "applying"
    assert 0 < applied < ROWS
    lists.work(app, job)
    worker.run_in_context(lists.number_of(job), app)

    made = lists.send(app, lucky, content)
    lists.confirm(app, lucky, made, jumps=True)
    assert without_places(unlucky.seller_id) == without_places(lucky.seller_id)
    assert lists.errors(unlucky, begun.public_id) == lists.errors(lucky, made)
    assert lists.look(unlucky, begun.public_id).counts == lists.look(lucky, made).counts
    assert offers.stock_drift() == []
