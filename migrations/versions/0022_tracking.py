"""tracking: days of positions instead of months, errors of arrivals, kilometres, pay of drivers, invoices of carriers

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MAKE_DAY = """
CREATE FUNCTION make_position_day(wanted date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part text := 'position_' || to_char(wanted, 'YYYYMMDD');
BEGIN
    IF to_regclass(part) IS NOT NULL OR to_regclass('position_' || to_char(wanted, 'YYYYMM')) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF position FOR VALUES FROM (%L) TO (%L)',
                   part, wanted::timestamp AT TIME ZONE 'UTC', (wanted + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END $$
"""
DAYS_AHEAD = 14
EMPTY_MONTHS_GO = """
DO $$
DECLARE
    part regclass;
    is_used boolean;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'position'::regclass
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', part) INTO is_used;
        IF NOT is_used THEN
            EXECUTE format('DROP TABLE %s', part);
        END IF;
    END LOOP;
END $$
"""
APPEND_ONLY = ("carrier_invoice", "carrier_invoice_line")


def upgrade() -> None:
    days_of_positions()
    arrivals()
    pay()
    invoices()
    for name in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def days_of_positions() -> None:
    """Months that hold positions stay until they are 90 days old; from then on a partition is a day."""
    op.execute(EMPTY_MONTHS_GO)
    op.execute(MAKE_DAY)
    op.execute(
        f"SELECT make_position_day((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(-3, {DAYS_AHEAD}) n"
    )


def key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def public_id() -> sa.Column[object]:
    return sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=False)


def number(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=nullable)


def whole(name: str, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def foreign(table: str, column: str, target: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), **options)


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def unique(table: str, *columns: str, **options: bool) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"), **options)


def primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("id",)), name=op.f(f"pk_{table}"))


def arrivals() -> None:
    name = "eta_sample"
    op.create_table(
        name, key(), number("carrier_id"), number("stop_id"), whole("step"), whole("lead_s"), moment("expected_at"),
        moment("made_at"), sa.Column("error_s", sa.Integer(), nullable=True),
        check(name, "lead_not_negative", "lead_s >= 0 AND step >= 0"), foreign(name, "carrier_id", "carrier.id"),
        foreign(name, "stop_id", "stop.id", ondelete="CASCADE"), primary(name), unique(name, "stop_id", "step"),
    )  # fmt: skip
    op.create_index("ix_eta_sample_carrier_id_step_made_at", name, ["carrier_id", "step", "made_at"])
    op.create_index("ix_eta_sample_open", name, ["stop_id"], postgresql_where=sa.text("error_s IS NULL"))
    name = "eta_spread"
    op.create_table(
        name, key(), number("carrier_id", nullable=True), whole("step"), whole("low_s"), whole("high_s"),
        whole("samples"), moment("made_at", now=True),
        check(name, "ordered", "low_s <= high_s AND samples > 0"), foreign(name, "carrier_id", "carrier.id"),
        primary(name), unique(name, "carrier_id", "step", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    name = "driven"
    op.create_table(
        name, key(), number("courier_id"), sa.Column("day", sa.Date(), nullable=False),
        number("route_id", nullable=True), whole("distance_m"), whole("points"), moment("from_at"), moment("to_at"),
        moment("created_at", now=True), check(name, "not_negative", "distance_m >= 0 AND points > 0"),
        foreign(name, "courier_id", "courier.id"), foreign(name, "route_id", "route.id"), primary(name),
        unique(name, "courier_id", "day", "route_id", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    op.create_index(op.f("ix_driven_route_id"), name, ["route_id"])


def pay() -> None:
    name = "carrier_terms"
    op.create_table(
        name, number("carrier_id"), sa.Column("vat_code", sa.String(), server_default="none", nullable=False),
        whole("free_waiting_minutes", "30"), number("waiting_per_hour", "0"), whole("failed_percent", "100"),
        whole("version", "1"),
        check(name, "vat_code_known", "vat_code IN ('general', 'special5', 'special7', 'none')"),
        check(name, "waiting_range", "free_waiting_minutes BETWEEN 0 AND 1440 AND waiting_per_hour >= 0"),
        check(name, "failed_range", "failed_percent BETWEEN 0 AND 100"), foreign(name, "carrier_id", "carrier.id"),
        primary(name, "carrier_id"),
    )  # fmt: skip
    name = "courier_pay"
    op.create_table(
        name, key(), public_id(), number("carrier_id"), number("courier_id", nullable=True), number("per_hour"),
        number("per_stop"), number("per_km"), sa.Column("valid_from", sa.Date(), nullable=False),
        moment("created_at", now=True),
        check(name, "not_negative", "per_hour >= 0 AND per_stop >= 0 AND per_km >= 0"),
        foreign(name, "carrier_id", "carrier.id"), foreign(name, "courier_id", "courier.id"), primary(name),
        unique(name, "public_id"),
        unique(name, "carrier_id", "courier_id", "valid_from", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    op.create_index(op.f("ix_courier_pay_courier_id"), name, ["courier_id"])


def invoices() -> None:
    name = "carrier_invoice_counter"
    op.create_table(
        name, number("carrier_id"), whole("year"), whole("last"), foreign(name, "carrier_id", "carrier.id"),
        primary(name, "carrier_id", "year"),
    )  # fmt: skip
    name = "carrier_invoice"
    op.create_table(
        name, key(), public_id(), number("carrier_id"), number("seller_id", nullable=True), whole("year"),
        whole("number"), *(sa.Column(day, sa.Date(), nullable=False) for day in ("first_day", "last_day", "issued_on")),
        sa.Column("vat_code", sa.String(), nullable=False), whole("vat_percent"), number("vat"), number("gross"),
        sa.Column("sides", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        moment("created_at", now=True), check(name, "period_ordered", "number > 0 AND first_day <= last_day"),
        check(name, "money_sums", "gross >= 0 AND vat BETWEEN 0 AND gross"), foreign(name, "carrier_id", "carrier.id"),
        foreign(name, "seller_id", "seller.id"), primary(name), unique(name, "public_id"),
        unique(name, "carrier_id", "year", "number"),
    )  # fmt: skip
    op.execute(
        "ALTER TABLE carrier_invoice ADD CONSTRAINT ex_carrier_invoice_period EXCLUDE USING gist"
        " (carrier_id WITH =, (coalesce(seller_id, 0)) WITH =, (daterange(first_day, last_day, '[]')) WITH &&)"
    )
    op.create_index(op.f("ix_carrier_invoice_seller_id"), name, ["seller_id"])
    name = "carrier_invoice_line"
    op.create_table(
        name, key(), number("invoice_id"), number("delivery_id"), number("attempt_id"),
        *(sa.Column(text, sa.String(), nullable=False) for text in ("kind", "number", "address")),
        sa.Column("day", sa.Date(), nullable=False), number("gross"),
        sa.Column("parts", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        check(name, "kind_known", "kind IN ('delivery', 'failed')"), check(name, "gross_not_negative", "gross >= 0"),
        foreign(name, "invoice_id", "carrier_invoice.id"), foreign(name, "delivery_id", "delivery.id"),
        foreign(name, "attempt_id", "delivery_attempt.id"), primary(name), unique(name, "attempt_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_carrier_invoice_line_invoice_id"), name, ["invoice_id"])
    op.create_index(op.f("ix_carrier_invoice_line_delivery_id"), name, ["delivery_id"])


MONTHS_AGAIN = """
DO $$
DECLARE
    part regclass;
    month date;
BEGIN
    CREATE TEMP TABLE kept_position ON COMMIT DROP AS SELECT * FROM position;
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'position'::regclass
    LOOP
        EXECUTE format('DROP TABLE %s', part);
    END LOOP;
    FOR month IN
        SELECT date_trunc('month', at AT TIME ZONE 'UTC')::date FROM kept_position
        UNION SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date
        FROM generate_series(-1, 2) n
    LOOP
        PERFORM make_position_partition(month);
    END LOOP;
    INSERT INTO position SELECT * FROM kept_position;
END $$
"""


def downgrade() -> None:
    for name in (
        "carrier_invoice_line", "carrier_invoice", "carrier_invoice_counter", "courier_pay", "carrier_terms", "driven",
        "eta_spread", "eta_sample",
    ):  # fmt: skip
        op.drop_table(name)
    op.execute(MONTHS_AGAIN)
    op.execute("DROP FUNCTION make_position_day")
