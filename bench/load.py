"""A started web server and some clients that ask it at the same time: shared by the benchmarks of pages."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
SECRET = "measured only, never served to anybody, never kept"


@contextmanager
def serving(database_url: str, redis_url: str, workers: int = WORKERS) -> Iterator[int]:
    """The program as `make run` serves it, on a free port; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "TUTUU_ENV": "demo", "DATABASE_URL": database_url, "REDIS_URL": redis_url, "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": SECRET,
    }  # fmt: skip
    command = [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "8", "--no-access-log", "--log-level", "warning", "wsgi:app",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        _wait(port)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            if _get(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server does not answer")


def _get(client: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    client.request("GET", path, headers={"Accept-Language": "ru"})
    answer = client.getresponse()
    return answer.status, answer.read()


def asked(port: int, paths: Sequence[str], clients: int) -> list[float]:
    """Seconds of every answer when so many clients ask the paths, each the next one that nobody has asked yet.

    Raises:
        SystemExit: an answer is not 200.
    """
    waiting, lock = iter(paths), threading.Lock()
    times: list[float] = []
    wrong: list[str] = []

    def run() -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with lock:
                path = next(waiting, None)
            if path is None:
                return
            started = time.perf_counter()
            status, _ = _get(client, path)
            taken = time.perf_counter() - started
            with lock:
                times.append(taken)
                if status != 200:
                    wrong.append(f"{path} answered {status}")

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(wrong[0])
    return times


@contextmanager
def browsing(port: int, paths: Iterator[str], per_second: float) -> Iterator[list[float]]:
    """Somebody looks at one page after the other at an even pace while the block runs; gives the seconds of each."""
    times: list[float] = []
    is_over = threading.Event()

    def run() -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not is_over.wait(1 / per_second):
            started = time.perf_counter()
            _get(client, next(paths))
            times.append(time.perf_counter() - started)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield times
    finally:
        is_over.set()
        thread.join()


def p95(times: Sequence[float]) -> float:
    """Milliseconds that 95 of 100 answers take at most."""
    return round(statistics.quantiles(times, n=20)[-1] * 1000, 1)


def median(times: Sequence[float]) -> float:
    """Milliseconds that half of the answers take at most."""
    return round(statistics.median(times) * 1000, 1)
