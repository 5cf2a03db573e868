"""Ledgers: what happened is added to and never changed, whoever asks the database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.core import audit
from app.core.db import Base, session, unit_of_work
from app.core.models import AuditEntry
from app.core.permissions import Actor
from tests.factories import accounts as make

LEDGERS = (
    "agreement_acceptance", "applied_promotion",
    "audit_entry", "carrier_invoice", "carrier_invoice_line", "commission_line", "delivery_event", "order_document",
    "order_event", "outbox_event",
    "pallet_return", "payout_transfer",
    "price_change", "price_request_round", "provider_event", "refund_line", "return_terms", "seller_transfer",
    "stock_movement",
)  # fmt: skip
_SAMPLES = {
    "int8": "1", "int4": "1", "int2": "1", "numeric": "1", "float8": "1", "text": "'x'", "varchar": "'x'",
    "uuid": "gen_random_uuid()", "timestamptz": "now()", "jsonb": "'{}'", "bool": "true", "bytea": "'x'",
    "date": "current_date",
}  # fmt: skip


def _row_in(table: str) -> int:
    """A row with a value in every column; keys and checks of other tables are not what is tested here."""
    columns = session.execute(
        sa.text(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = :table AND column_name <> 'id' AND is_nullable = 'NO' AND column_default IS NULL"
        ),
        {"table": table},
    ).all()
    checks = session.scalars(
        sa.text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype = 'c'"),
        {"table": table},
    ).all()
    for check in checks:
        session.execute(sa.text(f'ALTER TABLE {table} DROP CONSTRAINT "{check}"'))
    names = ", ".join(f'"{c.column_name}"' for c in columns)
    values = ", ".join(_SAMPLES[c.udt_name] for c in columns)
    foreign = "SET LOCAL session_replication_role = "
    session.execute(sa.text(foreign + "replica"))
    made = session.scalar(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values}) RETURNING id"))
    session.execute(sa.text(foreign + "origin"))
    assert made is not None
    return int(made)


@pytest.mark.parametrize("table", LEDGERS)
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET id = id WHERE id = :key", "DELETE FROM {table} WHERE id = :key"]
)
def test_a_row_of_a_ledger_is_neither_changed_nor_deleted(db_session: Any, table: str, change: str) -> None:
    key = _row_in(table)
    with pytest.raises(sa.exc.IntegrityError, match=f"rows of {table} are never changed"):
        session.execute(sa.text(change.format(table=table)), {"key": key})
    session.rollback()


def test_the_database_guards_exactly_these_tables(db_session: Any) -> None:
    guarded = session.scalars(
        sa.text(
            "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE proname = 'refuse_change' AND tgenabled = 'O'"
        )
    )
    assert sorted(guarded) == sorted(LEDGERS)
    assert set(LEDGERS) <= Base.metadata.tables.keys()


def test_the_audit_log_says_who_did_what_from_where(db_session: Any) -> None:
    user = make.account()
    actor = Actor(user_id=user.id, device_id=None, ip="192.0.2.1", request_id="abc")

    @unit_of_work
    def act() -> None:
        audit.record(actor, "probe.done", "probe", 5, before={"a": 1}, after={"a": 2})

    act()
    row = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "probe.done")).one()
    assert (row.user_id, row.entity, row.entity_id, row.before, row.after) == (user.id, "probe", 5, {"a": 1}, {"a": 2})
    assert (row.ip, row.request_id) == ("192.0.2.1", "abc")


def test_what_was_undone_is_not_in_the_audit_log(db_session: Any) -> None:
    @unit_of_work
    def act() -> None:
        audit.record(Actor(), "probe.failed", "probe", 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert make.audited("probe.failed") == 0
