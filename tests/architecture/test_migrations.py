"""The migrations make exactly the tables of the models, and take all of them back."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from app import create_app
from app.cli import init_migrations
from app.core.db import Base, db
from tests.conftest import _settings, copy_database


@pytest.fixture
def migrated(servers: dict[str, str]) -> Iterator[Flask]:
    """An application on a database of its own that may be migrated up and down."""
    name = f"moved_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    app = create_app(_settings(copy_database(servers, name), servers["redis"]))
    init_migrations(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def differences() -> list[object]:
    """What the models have and the database has not, or the other way round."""
    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_object": lambda _o, name, kind, reflected, _c: not (
            kind == "table" and reflected and str(name).startswith("position_"))}  # fmt: skip
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def left() -> set[tuple[str, str]]:
    """Everything of ours in the public schema: tables, sequences, types, functions."""
    statement = """
        SELECT 'class', relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
        UNION ALL SELECT 'function', p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    """
    with db.engine.connect() as connection:
        found = {(row[0], row[1]) for row in connection.execute(sa.text(statement))}
    of_extensions = {"gbtreekey", "gtrgm", "_gtrgm", "_gbtreekey"}
    return {
        (kind, name)
        for kind, name in found
        if "alembic_version" not in name and not any(name.startswith(known) for known in of_extensions)
    }


def test_models_and_migrations_agree(migrated: Flask) -> None:
    assert differences() == []


def test_checks_of_the_models_are_in_the_database(migrated: Flask) -> None:
    wanted = {
        (table.name, str(check.name))
        for table in Base.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, sa.CheckConstraint)
    }
    found = {
        (table, str(check["name"]))
        for table in sa.inspect(db.engine).get_table_names()
        for check in sa.inspect(db.engine).get_check_constraints(table)
    }
    assert wanted - found == set()


def test_down_to_nothing_and_up_again(migrated: Flask) -> None:
    downgrade(revision="base")
    assert left() == set()
    upgrade()
    assert differences() == []
