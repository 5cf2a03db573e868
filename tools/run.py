"""`make run`: servers under var/, migrations, demo data once, then the processes of the Procfile until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psycopg2
from honcho.manager import Manager

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
sys.path.insert(0, str(ROOT))

from tools.servers import ServerError, Servers, ensure_servers  # noqa: E402  # the root must be on the path first

LOGINS = ("buyer", "seller", "carrier", "courier", "admin")


def main() -> int:
    """Start everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only-data", action="store_true", help="prepare database and demo data, then stop")
    only_data = parser.parse_args().only_data
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # also before honcho listens: `finally` stops the servers
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` means to stay
        signal.signal(signal.SIGHUP, end_with_terminal)
    # not HOST: some shells export it with the name of the machine
    host, port = os.environ.get("LISTEN", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        print(f"PORT is {port!r}: a number from 1 to 65535 is needed", file=sys.stderr)
        return 1
    if not only_data and not is_free(host, int(port)):
        print(f"Port {port} is taken. Stop what listens there, or choose another: PORT=8001 make run", file=sys.stderr)
        return 1
    try:
        servers = ensure_servers(VAR)
    except ServerError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    try:
        environment = settings(servers, host, port)
        prepare(environment)
        return 0 if only_data else serve(environment, host, port)
    except subprocess.CalledProcessError as error:
        print(f"This step failed: {shlex.join(error.cmd)}\nMend what it says above and start again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        servers.stop()


def end_with_terminal(*_: object) -> None:
    """The terminal was closed: end as by Ctrl-C, and write to nowhere, since there is nowhere to write to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.kill(os.getpid(), signal.SIGTERM)


def is_free(host: str, port: int) -> bool:
    """Whether the port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def settings(servers: Servers, host: str, port: str) -> dict[str, str]:
    """The environment of all processes; secrets are drawn once and kept under var/."""
    own = {
        "TUTUU_ENV": "demo",
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": kept_secret("secret_key"),
        "JWT_SEED": kept_secret("jwt_seed"),
        "PUBLIC_URL": f"http://{host}:{port}",
        "STORAGE": str(VAR / "files"),
        "HOST": host,
        "PORT": port,
        "CARD_PROVIDER": "test",
        "CARD_TEST_URL": f"http://{host}:{bank_port(host, int(port))}",
        "CARD_SECRET": kept_secret("card_secret"),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # six processes start at once
    return inherited | {key: os.environ.get(key, value) if key != "PATH" else value for key, value in own.items()}


def bank_port(host: str, port: int) -> int:
    """A free port for the test bank of cards."""
    return next(number for number in range(port + 50, 65536) if is_free(host, number))


def kept_secret(name: str) -> str:
    """A random secret of this checkout."""
    path = VAR / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(secrets.token_urlsafe(48))
        path.chmod(0o600)
    return path.read_text()


def prepare(environment: dict[str, str]) -> None:
    """Migrate, load the demo market into an empty database, and fill again what a migration gave new columns."""
    at, is_filled = state_of(environment["DATABASE_URL"])
    if at == newest_migration() and is_filled:  # asking costs milliseconds, the commands cost seconds
        return
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    commands = [[*flask, "db", "upgrade"], [*flask, "demo", "--if-empty"]]
    if is_filled:
        commands += [[*flask, "rebuild-search"], [*flask, "rebuild-listing"]]
    for command in commands:
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def newest_migration() -> str:
    """The revision that no other one follows."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "migrations" / "versions").glob("*.py")]
    known, followed = (
        {word for text in texts for word in re.findall(rf'^{name} = "(\w+)"', text, flags=re.M)}
        for name in ("revision", "down_revision")
    )
    [newest] = known - followed
    return newest


def state_of(database_url: str) -> tuple[str | None, bool]:
    """The migration a database is at (None: it has no tables) and whether it holds a catalogue."""
    connection = psycopg2.connect(database_url.replace("+psycopg2", "", 1))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT version_num, EXISTS (SELECT FROM category) FROM alembic_version")
            at, is_filled = cursor.fetchone() or (None, False)
            return at, bool(is_filled)
    except psycopg2.errors.UndefinedTable:
        return None, False
    finally:
        connection.close()


def serve(environment: dict[str, str], host: str, port: str) -> int:
    """Run the Procfile until a signal or until one process ends."""
    manager = Manager()
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        command = command.strip().replace("$HOST", host).replace("$PORT", port)
        if name != "web":  # on two cores six programs that load at once keep the first page waiting twice as long
            command = f"python tools/wait.py http://{host}:{port}/healthz; exec {command}"
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    bank = urllib.parse.urlsplit(environment["CARD_TEST_URL"])
    command = f"exec python -m tools.test_bank --host {bank.hostname} --port {bank.port}"
    manager.add_process("bank", command, env=environment, cwd=str(ROOT))
    threading.Thread(target=announce, args=(f"http://{host}:{port}",), daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def announce(address: str) -> None:
    """Print where the market is as soon as it answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    else:
        print(f"{address} does not answer; see the lines above.", file=sys.stderr)
        return
    people = "\n".join(f"    {name}@demo.example" for name in LOGINS)
    told = f"Tutuu Market is ready: {address}\n\n  Demo logins, password tutuu-demo:\n{people}\n\n  Ctrl-C ends it."
    print(f"\n  {told}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
