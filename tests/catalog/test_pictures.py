"""Photographs of a card: from the upload to what is shown, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalog import pictures
from app.catalog.media_models import ProductImage
from app.catalog.models import Product
from app.catalog.picture_files import Upload, files_of
from app.catalog.pictures import Made
from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid
from app.core.models import Job
from app.core.permissions import Actor
from tests.factories import catalog as make
from tests.factories import images
from tests.factories import orders as people
from tests.imports.lists import number_of
from workers import worker

ROOT = Path(__file__).resolve().parents[2]
FACTS = (ROOT / "tools" / "invariants.sql").read_text(encoding="utf-8")
ABOUT_PICTURES = ("a_card_names_its_first_photograph", "photographs_are_numbered_without_gaps")


def invariants() -> list[Any]:
    """Rows that break what `make doctor` asks of photographs."""
    broken = []
    for name in ABOUT_PICTURES:
        statement = FACTS.split(f"-- name: {name}\n")[1].split(";")[0]
        broken += session.execute(sa.text(statement)).all()
    return broken


def ready(card: Product, actor: Actor) -> uuid.UUID:
    """An upload whose files are made."""
    return make.upload(card, actor.user).public_id


steps = st.lists(st.tuples(st.sampled_from(["set", "crop", "remove"]), st.permutations(range(5)), st.integers(0, 5)),
                 min_size=1, max_size=8)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_card_always_names_its_first_photograph(db_session: Any, plan: list[tuple[str, list[int], int]]) -> None:
    operator = people.person("Оператор", is_admin=True)
    card = make.product(make.category(), "Товар")
    ids = [ready(card, operator) for _ in range(5)]
    other = ready(make.product(make.category(), "Другой"), operator)
    session.commit()
    wished: list[uuid.UUID] = []
    for what, order, count in plan:
        chosen = [ids[i] for i in order if i < len(ids)][:count]
        if what == "set":
            pictures.set_images(operator, card.id, chosen)
            wished = chosen
            for wrong in ([*chosen, other], [*chosen, *chosen[:1], *chosen[:1]] if chosen else [other]):
                with pytest.raises(Invalid):
                    pictures.set_images(operator, card.id, wrong)
        elif what == "crop" and chosen:
            width = 100 + 10 * order[0]
            row = session.scalars(sa.select(ProductImage).where(ProductImage.public_id == chosen[0])).one()
            if pictures.edit(operator, card.id, chosen[0], [0, 0, width, 100], ("", "")):
                pictures.finish(row.id, row.next_name, row.whole, Made(width, 100, (800, 600)))
        elif what == "remove" and chosen:
            if chosen[0] in wished:
                with pytest.raises(Conflict):
                    pictures.remove(operator, card.id, chosen[0])
            elif len(ids) > 1:
                pictures.remove(operator, card.id, chosen[0])
                ids.remove(chosen[0])
        session.expire_all()
        assert pictures.shown_ids(card.id) == wished
        assert invariants() == []
    db_session.rollback()


@pytest.fixture
def files(committed_db: Flask) -> Callable[[], set[str]]:
    """The files of the storage, by name."""
    root = Path(committed_db.extensions["settings"].storage)
    before = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def now() -> set[str]:
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - before

    return now


def run_due(app: Flask, kind: str) -> None:
    """Do every job of a kind that is not done, whenever it is due."""
    _due_now(kind)
    for number in session.scalars(sa.select(Job.id).where(Job.kind == kind, Job.state == "queued")).all():
        worker.run_in_context(number, app)


@unit_of_work
def _due_now(kind: str) -> None:
    session.execute(sa.update(Job).where(Job.kind == kind, Job.state == "queued").values(run_at=sa.func.now()))


@unit_of_work
def _lose(number: int) -> None:
    session.execute(sa.update(Job).where(Job.id == number).values(lease_until=sa.func.now() - timedelta(seconds=1)))


def killed_at(app: Flask, number: int, reached: Callable[[], bool]) -> None:
    """A real worker, killed with SIGKILL as soon as it has come so far."""
    environment = os.environ | {
        "TUTUU_ENV": "test", "SECRET_KEY": app.config["SECRET_KEY"],
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"], "REDIS_URL": app.config["REDIS_URL"],
        "STORAGE": app.extensions["settings"].storage,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", f"from workers.worker import run; run({number})"], env=environment
    )
    deadline = time.monotonic() + 90
    while not reached() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _lose(number)
    jobs.sweep_expired()


@pytest.mark.slow
def test_a_killed_worker_is_followed_by_one_that_ends_the_same_and_nothing_stays_behind(
    committed_db: Flask, files: Callable[[], set[str]]
) -> None:
    app = committed_db
    operator = people.person("Оператор", is_admin=True)
    card = make.product(make.category(), "Товар")
    session.commit()
    storage = app.extensions["storage"]
    received = pictures.receive(operator, storage, card.id, Upload("a.jpg", images.encoded(images.quarters(800, 600))))
    row = session.scalars(sa.select(ProductImage)).one()
    session.rollback()
    original, name, whole = row.original, row.next_name, row.whole
    assert files() == {original}

    killed_at(app, number_of(received.job_id), lambda: len(files()) > 2)
    assert files() > {original}, "it was in the middle of writing"
    worker.run_in_context(number_of(received.job_id), app)
    made = {*files_of(name), f"media/{whole}-640.webp"}
    assert files() == {original, *made}
    session.expire_all()
    assert (pictures.shown_ids(card.id), invariants()) == ([row.public_id], [])
    assert session.get_one(Product, card.id).picture == name
    session.rollback()

    job = pictures.edit(operator, card.id, row.public_id, [0, 0, 400, 300], ("", ""))
    assert job is not None
    worker.run_in_context(number_of(job), app)
    run_due(app, "media.forget")
    session.expire_all()
    cropped = session.get_one(Product, card.id).picture
    assert cropped != name
    assert files() == {original, *files_of(cropped), f"media/{whole}-640.webp"}
    assert images.corners(storage.get(f"media/{cropped}-640.webp")) == ["red"] * 4
    session.rollback()

    pictures.set_images(operator, card.id, [])
    job = pictures.edit(operator, card.id, row.public_id, None, ("", ""))
    assert job is not None
    pictures.remove(operator, card.id, row.public_id)
    worker.run_in_context(number_of(job), app)
    run_due(app, "media.forget")
    assert files() == set()


def test_old_uploads_that_nobody_shows_or_proposes_are_swept_with_their_files(app: Flask, db_session: Any) -> None:
    operator = people.person("Оператор", is_admin=True)
    card = make.product(make.category(), "Товар")
    shown, wanted, old, new = (ready(card, operator) for _ in range(4))
    pictures.set_images(operator, card.id, [shown])
    long_ago = sa.func.now() - timedelta(days=30)
    session.execute(
        sa.update(ProductImage).where(ProductImage.public_id.in_([shown, wanted, old])).values(created_at=long_ago)
    )
    assert pictures.sweep([wanted]) == 1
    left = set(session.scalars(sa.select(ProductImage.public_id).where(ProductImage.product_id == card.id)))
    assert left == {shown, wanted, new}
    payload = session.scalars(sa.select(Job.payload).where(Job.kind == "media.forget")).one()
    assert len(payload["names"]) == 8


def test_photographs_of_a_merged_card_stand_behind_those_of_the_other(app: Flask, db_session: Any) -> None:
    operator = people.person("Оператор", is_admin=True)
    kept, gone = (make.product(make.category(), name) for name in ("Товар", "Двойник"))
    own, theirs = [ready(kept, operator) for _ in range(2)], [ready(gone, operator) for _ in range(3)]
    pictures.set_images(operator, kept.id, own[:1])
    pictures.set_images(operator, gone.id, theirs[:2])
    pictures.take_over(operator, gone.id, kept.id)
    session.expire_all()
    assert pictures.shown_ids(kept.id) == [own[0], *theirs[:2]]
    assert (pictures.shown_ids(gone.id), gone.picture, invariants()) == ([], "", [])
