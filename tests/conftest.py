"""Real servers for every test that asks: one PostgreSQL and one Valkey per run, one database per xdist worker.

The servers start when the first test needs them, so pure unit tests wait for nothing. A template database is migrated
once; each worker copies it. `db_session` runs a test inside an outer transaction that is rolled back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from app import create_app
from app.core.db import db
from app.settings import Settings
from tests.client import ApiClient

ROOT_VARIABLE = "TUTUU_TEST_ROOT"
FIRST_VALKEY = 8
"""Numbers from here are for markets that are started as processes; below, each worker has its own."""
SECRET = "only-for-tests-0123456789-abcdefghij"


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process makes the run's folder; workers inherit its name."""
    if not hasattr(config, "workerinput"):
        os.environ[ROOT_VARIABLE] = tempfile.mkdtemp(prefix="tutuu-test-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first, so that no worker waits for one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controlling process stops what the run started."""
    if hasattr(config, "workerinput"):
        return
    root = Path(os.environ.pop(ROOT_VARIABLE))
    if (root / "servers.json").exists():
        from tools.servers import ensure_servers

        ensure_servers(root, durable=False).stop()
    shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    with (root / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        environment="test",
        secret_key=SECRET,
        database_url=database_url,
        redis_url=redis_url,
        argon2_cheap=True,
        storage=str(Path(os.environ[ROOT_VARIABLE]) / "files"),
        pool_size=20,
    )


@pytest.fixture(scope="session")
def servers() -> dict[str, str]:
    """Addresses of the run's servers, started by whoever comes first; holds a migrated template database."""
    root = Path(os.environ[ROOT_VARIABLE])
    known = root / "servers.json"
    with _only_one(root):
        if not known.exists():
            from tools.servers import ensure_servers

            found = ensure_servers(root, durable=False)
            urls = {"database": found.database_url, "redis": found.redis_url}
            _make_template(urls)
            known.write_text(json.dumps(urls))
        urls = dict(json.loads(known.read_text()))
    # workers of the run have databases of their own, so what is cached from them must be apart as well
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % FIRST_VALKEY
    return urls | {"redis": f"{urls['redis'].rsplit('/', 1)[0]}/{number}"}


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _admin(url: str, *statements: str) -> None:
    engine = sa.create_engine(_database(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _make_template(urls: dict[str, str]) -> None:
    from flask_migrate import upgrade

    from app.cli import init_migrations

    _admin(urls["database"], "DROP DATABASE IF EXISTS template_market", "CREATE DATABASE template_market")
    app = create_app(_settings(_database(urls["database"], "template_market"), urls["redis"]))
    init_migrations(app)
    with app.app_context():
        upgrade()
        db.engine.dispose()


def copy_database(urls: dict[str, str], name: str, template: str = "template_market") -> str:
    """A fresh database copied from a template, the one without rows unless named; returns its URL."""
    with _only_one(Path(os.environ[ROOT_VARIABLE])):
        _copy(urls["database"], name, template)
    return _database(urls["database"], name)


def _copy(url: str, name: str, template: str) -> None:
    _admin(
        url,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY",
    )


@pytest.fixture(scope="session")
def demo_template(servers: dict[str, str]) -> str:
    """Name of a database that holds the demo market, loaded once in a run (it takes 20 s); its files lie in `demo`."""
    root = Path(os.environ[ROOT_VARIABLE])
    with _only_one(root):
        if not (root / "demo").exists():
            _copy(servers["database"], "template_demo", "template_market")
            settings = _settings(_database(servers["database"], "template_demo"), servers["redis"])
            app = create_app(dataclasses.replace(settings, storage=str(root / "demo")))
            with app.app_context():
                answer = app.test_cli_runner().invoke(args=["demo"], catch_exceptions=False)
                assert answer.exit_code == 0, answer.output
                db.session.remove()
                db.engine.dispose()
            (root / "demo").mkdir(exist_ok=True)
    return "template_demo"


@pytest.fixture(scope="session")
def app(servers: dict[str, str]) -> Flask:
    """The application on this worker's own database, whose tests roll back."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    app = create_app(_settings(copy_database(servers, name), servers["redis"]))
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["RATELIMIT_ENABLED"] = False
    return app


@pytest.fixture
def db_session(app: Flask) -> Iterator[Any]:
    """The session inside an outer transaction: commits are savepoints, nothing stays."""
    with app.app_context():
        connection = db.engine.connect()
        outer = connection.begin()
        options = {"bind": connection, "join_transaction_mode": "create_savepoint"}
        before = dict(db.session.session_factory.kw)
        db.session.remove()
        db.session.session_factory.kw.update(options)
        scope = db.session.registry.scopefunc
        db.session.registry.scopefunc = lambda: 0  # requests of the test share the session with the test
        try:
            yield db.session
        finally:
            db.session.remove()
            db.session.registry.scopefunc = scope
            db.session.session_factory.kw.clear()
            db.session.session_factory.kw.update(before)
            outer.rollback()
            connection.close()


@pytest.fixture
def client(app: Flask, db_session: Any) -> FlaskClient:
    """A browser without script; forms need no CSRF token here (a test of its own proves they do)."""
    return app.test_client()


@pytest.fixture
def api(app: Flask, db_session: Any) -> ApiClient:
    """A JSON client: `api.as_user(user).get("/me")`."""
    return ApiClient(app)


@pytest.fixture
def committed_db(servers: dict[str, str]) -> Iterator[Flask]:
    """An application on a database of its own, with real commits, for races and killed processes."""
    name = f"race_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    app = create_app(_settings(copy_database(servers, name), servers["redis"]))
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["RATELIMIT_ENABLED"] = False
    redis.Redis.from_url(servers["redis"]).flushdb()  # what is kept there names rows of the database before
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], contextlib.AbstractContextManager[list[str]]]:
    """`with count_queries() as seen:` collects the SQL sent (savepoints of the test harness not counted)."""

    @contextlib.contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO")):
                seen.append(statement)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)

    return counting
