"""Cache, files and mail: what is kept, what is refused, what an outage costs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.core import cache, jobs, mail, storage
from app.core.cache import Cache
from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.models import Job
from tests.factories import accounts as make
from workers.worker import run_in_context

DOWN = "redis://127.0.0.1:1/0"


@pytest.fixture
def valkey(servers: dict[str, str]) -> Cache:
    found = Cache(servers["redis"])
    found.bump("probe")
    return found


def counting() -> tuple[list[int], Any]:
    calls: list[int] = []

    def make_text() -> str:
        calls.append(1)
        return f"текст {len(calls)}"

    return calls, make_text


def test_a_text_is_made_once_for_each_detail(valkey: Cache) -> None:
    calls, text = counting()
    assert [valkey.get_or_make("probe", "a", text) for _ in range(3)] == ["текст 1"] * 3
    assert valkey.get_or_make("probe", "b", text) == "текст 2"
    assert len(calls) == 2


def test_bumping_a_name_forgets_it_and_no_other(valkey: Cache) -> None:
    valkey.bump("other")
    assert valkey.get_or_make("probe", "a", lambda: "old") == "old"
    assert valkey.get_or_make("other", "a", lambda: "kept") == "kept"
    valkey.bump("probe")
    assert valkey.get_or_make("probe", "a", lambda: "new") == "new"
    assert valkey.get_or_make("other", "a", lambda: "made again") == "kept"


def test_a_text_is_kept_for_the_given_seconds(valkey: Cache, servers: dict[str, str]) -> None:
    valkey.get_or_make("probe", "short", lambda: "x", seconds=77)
    key = valkey._key("probe", "short")
    left = redis.Redis.from_url(servers["redis"]).ttl(str(key))
    assert isinstance(left, int)
    assert 70 < left <= 77


def test_valkey_down_is_a_miss_and_costs_one_try_in_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Cache(DOWN)
    _, text = counting()
    tried: list[int] = []
    inner = down._client.execute_command
    monkeypatch.setattr(down._client, "execute_command", lambda *a, **k: (tried.append(1), inner(*a, **k))[1])
    started = time.monotonic()
    for n in range(1, 4):
        assert down.get_or_make("probe", "a", text) == f"текст {n}"
    down.bump("probe")
    assert len(tried) == 1
    assert not down.ping()
    assert time.monotonic() - started < cache.PAUSE_AFTER_FAILURE


def test_a_valkey_that_hangs_is_given_up_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = Cache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.monotonic()
        assert hung.get_or_make("probe", "a", lambda: "made") == "made"
        assert time.monotonic() - started < 2


def test_a_valkey_that_came_back_is_asked_again(servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    back = Cache(DOWN)
    back.get_or_make("probe", "a", lambda: "x")
    back._client = redis.Redis.from_url(servers["redis"])
    now = time.monotonic()
    monkeypatch.setattr(cache.time, "monotonic", lambda: now + cache.PAUSE_AFTER_FAILURE + 1)
    _, text = counting()
    back.bump("probe")
    assert [back.get_or_make("probe", "again", text) for _ in range(2)] == ["текст 1"] * 2


@pytest.fixture
def files(tmp_path: Path) -> storage.LocalStorage:
    return storage.LocalStorage(tmp_path / "files")


def test_a_file_is_kept_replaced_and_removed(files: storage.LocalStorage, tmp_path: Path) -> None:
    name = storage.new_name("photos", "webp")
    files.put(name, b"one", "image/webp")
    assert files.get(name) == b"one"
    files.put(name, b"two", "image/webp")
    assert files.get(name) == b"two"
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".webp"]  # no half-written part stays
    files.delete(name)
    files.delete(name)
    with pytest.raises(NotFound):
        files.get(name)


@pytest.mark.parametrize("name", [
    "../secret", "/etc/passwd", "a/../../b", "a//b", "", ".", "a/.hidden", "a\\b", "A.webp", "a b", "a\n", "a.webp\n",
    "имя", "a.toolongsuffix", "a\x00b",
])  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(files: storage.LocalStorage, name: str) -> None:
    for call in (lambda: files.put(name, b"x", ""), lambda: files.get(name), lambda: files.delete(name)):
        with pytest.raises(ValueError, match="not a storage name"):
            call()


@given(st.text(max_size=40))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        storage._checked(name)
    except ValueError:
        return
    root = Path("/srv/files")
    assert (root / name).resolve().is_relative_to(root)
    assert "\n" not in name


def test_names_are_never_the_same() -> None:
    assert len({storage.new_name("a", "pdf") for _ in range(100)}) == 100


def test_the_setting_names_the_place(tmp_path: Path) -> None:
    assert isinstance(storage.open_storage(str(tmp_path)), storage.LocalStorage)
    bucket = storage.open_storage("s3://box/inner/part")
    assert isinstance(bucket, storage.S3Storage)
    assert bucket._key("a/b.pdf") == "inner/part/a/b.pdf"
    with pytest.raises(ValueError, match="not a storage name"):
        bucket._key("../b")


def test_the_first_line_is_the_subject() -> None:
    made = mail.message("from@test.example", "to@test.example", "\nПривет\n\nТело письма\nконец\n")
    assert (made["Subject"], made["To"], made["From"]) == ("Привет", "to@test.example", "from@test.example")
    assert made.get_content() == "Тело письма\nконец\n"


def test_nothing_adds_a_header_to_a_mail() -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        mail.message("from@test.example", "to@test.example\nBcc: all@test.example", "x\n\ny")


class Relay(threading.Thread):
    """An SMTP server of one conversation, speaking for real over a socket."""

    def __init__(self, refuse: bool = False) -> None:
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.refuse = refuse
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.getsockname()[1]}"

    def run(self) -> None:
        connection, _ = self.server.accept()
        with connection, connection.makefile("rwb") as wire:
            self._say(wire, "220 ready")
            while line := wire.readline().decode().rstrip("\r\n"):
                self.lines.append(line)
                if line.upper() == "DATA":
                    self._say(wire, "354 go on")
                    while (text := wire.readline().decode().rstrip("\r\n")) != ".":
                        self.lines.append(text)
                if line.upper() == "QUIT":
                    self._say(wire, "221 bye")
                    return
                self._say(wire, "550 no" if self.refuse and line.upper().startswith("RCPT") else "250 ok")

    @staticmethod
    def _say(wire: Any, text: str) -> None:
        wire.write(text.encode() + b"\r\n")
        wire.flush()


@pytest.fixture
def relayed(app: Flask, db_session: Any) -> Iterator[Any]:
    """Mails of the application go to a relay given by the test."""
    before = app.extensions["mail"]

    def through(relay: Relay) -> Relay:
        relay.start()
        app.extensions["mail"] = mail.open_backend("smtp", relay.url)
        return relay

    yield through
    app.extensions["mail"] = before


@pytest.mark.parametrize(("locale", "encoded"), [("ru", True), ("en", False)])
def test_a_queued_mail_reaches_the_relay_in_the_readers_language(relayed: Any, locale: str, encoded: bool) -> None:
    relay = relayed(Relay())
    unit_of_work(
        lambda: mail.queue("to@test.example", "password_reset", locale, name="<Имя>", path="/password/reset/TOKEN")
    )()
    make.run_jobs("mail.send")
    relay.join(timeout=5)
    assert "rcpt to:<to@test.example>" in [line.lower() for line in relay.lines]
    header = next(line for line in relay.lines if line.startswith("Subject:"))
    assert ("=?utf-8?" in header) is encoded
    assert "To: to@test.example" in relay.lines


def test_a_relay_that_refuses_leaves_the_mail_for_another_try(app: Flask, relayed: Any) -> None:
    relayed(Relay(refuse=True))
    unit_of_work(lambda: mail.queue("to@test.example", "welcome", "ru", name="Имя"))()
    ((job_id, _),) = jobs.take_due()
    run_in_context(job_id, app)
    assert "550" in str(session.scalar(sa.select(Job.error)))
    assert session.scalar(sa.select(Job.state)) == "queued"


def test_a_mail_of_what_was_undone_is_never_sent(db_session: Any) -> None:
    @unit_of_work
    def failing() -> None:
        mail.queue("to@test.example", "welcome", "ru", name="Имя")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert make.mails("welcome") == []
