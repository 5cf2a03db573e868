"""Alembic's environment: one transaction per migration, names from the models' naming convention."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app

from app import registry
from app.core.db import Base, db

config = context.config
assert registry.MODELS


def is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Leave partitions alone: they are made by the migration and by housekeeping, not declared as tables."""
    return not (kind == "table" and reflected and name is not None and name.startswith("position_"))


def run() -> None:
    """Run the migrations on one connection, holding an advisory lock so that two starters take turns."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(7411001)")
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=is_ours,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.exec_driver_sql("SELECT pg_advisory_unlock(7411001)")
        connection.commit()


assert current_app
run()
