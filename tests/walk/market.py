"""A whole market as `make run` starts it: all its processes, on a database of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[2]
SECRET = "only-for-tests-0123456789-abcdefghij"


@dataclass
class Market:
    """Where the market answers, and its database for looking behind the pages."""

    url: str
    database_url: str
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start one process; its output goes to the log of the run."""
        log = Path(self.environment["MARKET_LOGS"]) / f"{name}.log"
        with log.open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.environment, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    def stop(self, name: str, sent: signal.Signals = signal.SIGTERM) -> None:
        """End one process and what it started."""
        process = self.processes.pop(name)
        try:
            os.killpg(process.pid, sent)
            process.wait(timeout=15)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)

    def query(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Look into the database."""
        engine = sa.create_engine(self.database_url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]

    def value(self, statement: str, **values: object) -> object:
        """One value out of the database."""
        return self.query(statement, **values)[0][0]

    def change(self, statement: str, **values: object) -> None:
        """Change the database behind the pages, as somebody else would."""
        engine = sa.create_engine(self.database_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def start_web(self) -> None:
        """Start the pages, for the first time or again at the same address."""
        port = self.url.rpartition(":")[2]
        self.start(
            "web", "granian", "--interface", "wsgi", "wsgi:app", "--host", "127.0.0.1", "--port", port, "--workers",
            "1", "--blocking-threads", "8", "--no-access-log", "--log-level", "warning",
        )  # fmt: skip
        _wait(f"{self.url}/readyz")

    def driver_of(self, order: str) -> str:
        """Login of the courier whose published route takes the order: which truck that is, the solver decides."""
        found = self.value(
            "SELECT u.email FROM stop s JOIN delivery d ON d.id = s.delivery_id JOIN route r ON r.id = s.route_id"
            " JOIN route_plan p ON p.id = r.plan_id JOIN courier c ON c.id = r.courier_id"
            " JOIN user_account u ON u.id = c.user_id WHERE p.status = 'published' AND d.number = :n LIMIT 1",
            n=order,
        )
        return str(found)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(database_url: str, redis_url: str, logs: Path) -> Market:
    """Start all processes on a loaded database; returns when pages answer."""
    port, bank = free_port(), free_port()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
        "TUTUU_ENV": "demo",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CARD_PROVIDER": "test",
        "CARD_TEST_URL": f"http://127.0.0.1:{bank}",
        "CARD_SECRET": SECRET,
        "STORAGE": str(logs / "files"),
        "MARKET_LOGS": str(logs),
    }
    market = Market(f"http://127.0.0.1:{port}", database_url, environment)
    market.start("bank", "tools.test_bank", "--port", str(bank))
    market.start("worker", "workers.worker", "fast", "imports")
    market.start("solver", "workers.worker", "slow", "fast")
    market.start("relay", "workers.relay")
    market.start("schedule", "workers.schedule")
    market.start_web()
    return market


def _wait(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
