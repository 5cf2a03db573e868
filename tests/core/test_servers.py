"""The embedded servers: started once, found again, stopped whole, and started again after the worst."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis
import sqlalchemy as sa

from tools.servers import Servers, ensure_servers


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose servers are gone after the test, whatever happened in it."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = Path(tempfile.mkdtemp(prefix="tutuu-servers-"))  # short: the path of a Unix socket has 107 bytes at most
    yield folder
    for process in processes_of(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Servers that were started on this folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(word.startswith(f"{folder}/") for word in process.cmdline()):
                found.append(process)
    return found


def query(servers: Servers, *statements: str) -> list[str]:
    """Run the statements, each committed; the first column of the last one."""
    engine = sa.create_engine(servers.database_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return [str(row[0]) for row in results[-1]]
    finally:
        engine.dispose()


@pytest.mark.slow
def test_servers_start_are_found_again_and_keep_their_data(root: Path) -> None:
    first = ensure_servers(root, durable=False)
    query(first, "CREATE TABLE kept AS SELECT 'кирпич' AS word", "SELECT 1")
    pids = {process.pid for process in processes_of(root)}

    again = ensure_servers(root, durable=False)
    assert again == first
    assert {process.pid for process in processes_of(root)} == pids, (
        "a second call must find the servers, not start more"
    )

    first.stop()
    assert processes_of(root) == []
    first.stop()  # nothing to stop is no fault

    later = ensure_servers(root, durable=False)
    assert query(later, "SELECT upper(word) FROM kept") == ["КИРПИЧ"], "data is found again, Cyrillic has letters"
    assert redis.Redis.from_url(later.redis_url).ping()
    later.stop()
    assert processes_of(root) == []


@pytest.mark.slow
def test_servers_start_after_kill_and_reused_process_numbers(root: Path) -> None:
    first = ensure_servers(root)
    query(first, "CREATE TABLE kept AS SELECT 1 AS word", "SELECT 1")
    for process in processes_of(root):
        process.send_signal(signal.SIGKILL)
        with suppress(psutil.TimeoutExpired):
            process.wait(10)
    # after a power cut the numbers in the notes may belong to anybody, here to this test
    note = root / "postgres" / "postmaster.pid"
    note.write_text("\n".join([str(os.getpid()), *note.read_text().splitlines()[1:]]) + "\n")
    valkey = root / "valkey" / "server.json"
    valkey.write_text(f'{{"port": 1, "pid": {os.getpid()}}}')

    later = ensure_servers(root)
    assert query(later, "SELECT word FROM kept") == ["1"]
    assert redis.Redis.from_url(later.redis_url).ping()
    later.stop()
    assert processes_of(root) == []


@pytest.mark.slow
def test_only_test_servers_give_up_safety(root: Path) -> None:
    servers = ensure_servers(root)
    assert query(servers, "SHOW fsync") == ["on"]
    assert query(servers, "SHOW server_encoding") == ["UTF8"]
    assert query(servers, "SHOW max_connections") == ["100"]
    servers.stop()


def test_servers_named_by_the_environment_are_used_and_left_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2://db.example/market")
    monkeypatch.setenv("REDIS_URL", "redis://valkey.example/0")
    servers = ensure_servers(root)
    assert (servers.database_url, servers.redis_url) == (
        "postgresql+psycopg2://db.example/market",
        "redis://valkey.example/0",
    )
    servers.stop()
    assert processes_of(root) == []
