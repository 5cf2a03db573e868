"""whole schema

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


LEDGERS = (
    "audit_entry",
    "commission_line",
    "delivery_event",
    "order_event",
    "outbox_event",
    "price_change",
    "provider_event",
    "seller_transfer",
    "stock_movement",
)
"""Tables whose rows are never changed (domain invariant 4)."""

VAT_RATES = (
    ("general", 20, "2019-01-01", "2025-12-31"),
    ("general", 22, "2026-01-01", None),
    ("reduced10", 10, "2004-01-01", None),
    ("special7", 7, "2025-01-01", None),
    ("special5", 5, "2025-01-01", None),
    ("none", 0, "2004-01-01", None),
)
"""Tax Code of Russia, art. 164 and 145 with the rates of the simplified regime since 2025."""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

MAKE_PARTITION = """
CREATE FUNCTION make_position_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month);
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF position FOR VALUES FROM (%L) TO (%L)',
        'position_' || to_char(first, 'YYYYMM'), first, (first + interval '1 month')::date);
END $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("CREATE SEQUENCE order_number START 1001")
    create_tables()
    op.execute(APPEND_ONLY)
    for table in LEDGERS:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.bulk_insert(
        sa.table("vat_rate", sa.column("code"), sa.column("percent"), sa.column("valid_from"), sa.column("valid_to")),
        [
            {
                "code": code,
                "percent": percent,
                "valid_from": date.fromisoformat(start),
                "valid_to": end and date.fromisoformat(end),
            }
            for code, percent, start, end in VAT_RATES
        ],
    )
    op.execute(MAKE_PARTITION)
    for months in (-1, 0, 1, 2):
        op.execute(f"SELECT make_position_partition((now() + interval '{months} month')::date)")


def downgrade() -> None:
    drop_tables()
    op.execute("DROP FUNCTION make_position_partition")
    op.execute("DROP FUNCTION refuse_change")
    op.execute("DROP SEQUENCE order_number")
    op.execute("DROP EXTENSION btree_gist")
    op.execute("DROP EXTENSION pg_trgm")


def create_tables() -> None:
    op.create_table(
        "cache_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cache_version")),
    )
    op.create_table(
        "category",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False),
        sa.Column("drawing", sa.String(), server_default="box", nullable=False),
        sa.Column(
            "synonyms", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("depth BETWEEN 1 AND 3", name=op.f("ck_category_three_levels")),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("public_id", name=op.f("uq_category_public_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_index(op.f("ix_category_parent_id"), "category", ["parent_id"], unique=False)
    op.create_index("ix_category_path", "category", ["path"], unique=False, postgresql_using="gin")
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column(
            "headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name=op.f("ck_idempotency_key_key_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("scope", "key", name=op.f("uq_idempotency_key_scope_key")),
    )
    op.create_index("ix_idempotency_key_expires_at", "idempotency_key", ["expires_at"], unique=False)
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("inn", sa.String(), nullable=False),
        sa.Column("kpp", sa.String(), server_default="", nullable=False),
        sa.Column("ogrn", sa.String(), server_default="", nullable=False),
        sa.Column("address", sa.String(), server_default="", nullable=False),
        sa.Column(
            "bank", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("status", sa.String(), server_default="submitted", nullable=False),
        sa.Column("review_note", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("inn ~ '^([0-9]{10}|[0-9]{12})$'", name=op.f("ck_organisation_inn_digits")),
        sa.CheckConstraint("kind IN ('buyer', 'seller', 'carrier')", name=op.f("ck_organisation_kind_known")),
        sa.CheckConstraint("kpp = '' OR kpp ~ '^[0-9]{4}[0-9A-Z]{2}[0-9]{3}$'", name=op.f("ck_organisation_kpp_shape")),
        sa.CheckConstraint("ogrn = '' OR ogrn ~ '^([0-9]{13}|[0-9]{15})$'", name=op.f("ck_organisation_ogrn_digits")),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'returned', 'suspended')",
            name=op.f("ck_organisation_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("kind", "inn", "kpp", name=op.f("uq_organisation_kind_inn_kpp")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisation_public_id")),
    )
    op.create_index(op.f("ix_organisation_status"), "organisation", ["status"], unique=False)
    op.create_table(
        "outbox_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outbox_event_public_id")),
    )
    op.create_index("ix_outbox_event_entity", "outbox_event", ["entity", "entity_id"], unique=False)
    op.create_index(op.f("ix_outbox_event_name"), "outbox_event", ["name"], unique=False)
    op.create_table(
        "provider_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_provider_event_provider_event_id")),
    )
    op.create_table(
        "synonym",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("expansion", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym")),
        sa.UniqueConstraint("term", "expansion", name=op.f("uq_synonym_term_expansion")),
    )
    op.create_table(
        "timer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("transition", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
        sa.UniqueConstraint("entity", "entity_id", "transition", name=op.f("uq_timer_entity_entity_id_transition")),
    )
    op.create_index("ix_timer_due", "timer", ["due_at"], unique=False, postgresql_where=sa.text("fired_at IS NULL"))
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("locale", sa.String(), server_default="ru", nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("marketing_consent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("token_epoch", sa.Integer(), server_default="1", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "length(email) <= 254 AND position('@' in email) > 1", name=op.f("ck_user_account_email_shape")
        ),
        sa.CheckConstraint("locale IN ('ru', 'en')", name=op.f("ck_user_account_locale_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_account_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_user_account_public_id")),
    )
    op.create_table(
        "vat_rate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "code IN ('general', 'reduced10', 'special7', 'special5', 'none')", name=op.f("ck_vat_rate_code_known")
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_vat_rate_percent_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_rate")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_vat_rate_code_valid_from")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "scopes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_api_key_created_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_api_key_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_key_public_id")),
    )
    op.create_index(op.f("ix_api_key_created_by_id"), "api_key", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_api_key_organisation_id"), "api_key", ["organisation_id"], unique=False)
    op.create_table(
        "attribute",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), server_default="", nullable=False),
        sa.Column("is_facet", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('text', 'number', 'enum', 'range', 'bool')", name=op.f("ck_attribute_kind_known")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_attribute_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute")),
        sa.UniqueConstraint("category_id", "key", name=op.f("uq_attribute_category_id_key")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ip", sa.String(), server_default="", nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_audit_entry_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_created_at", "audit_entry", ["created_at"], unique=False)
    op.create_index("ix_audit_entry_entity", "audit_entry", ["entity", "entity_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_user_id"), "audit_entry", ["user_id"], unique=False)
    op.create_table(
        "carrier",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("depot_address", sa.String(), server_default="", nullable=False),
        sa.Column("depot_lat", sa.Double(), nullable=False),
        sa.Column("depot_lon", sa.Double(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["organisation.id"], name=op.f("fk_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier")),
    )
    op.create_table(
        "cart",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('open', 'ordered', 'merged')", name=op.f("ck_cart_status_known")),
        sa.CheckConstraint("user_id IS NOT NULL OR token_hash IS NOT NULL", name=op.f("ck_cart_has_holder")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_cart_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        sa.UniqueConstraint("public_id", name=op.f("uq_cart_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_cart_token_hash")),
    )
    op.create_index("uq_cart_open_user", "cart", ["user_id"], unique=True, postgresql_where=sa.text("status = 'open'"))
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("user_agent", sa.String(), server_default="", nullable=False),
        sa.Column("last_ip", sa.String(), server_default="", nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_device_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("public_id", name=op.f("uq_device_public_id")),
        sa.UniqueConstraint("user_id", "client_id", name=op.f("uq_device_user_id_client_id")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), server_default="fast", nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="5", nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("message", sa.String(), server_default="", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'running') = (lease_token IS NOT NULL)", name=op.f("ck_job_running_has_lease")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'dead', 'cancelled')", name=op.f("ck_job_state_known")
        ),
        sa.CheckConstraint("attempts >= 0 AND max_attempts >= 1", name=op.f("ck_job_attempts_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_job_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_job_dedupe_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_job_public_id")),
    )
    op.create_index("ix_job_created_at", "job", ["created_at"], unique=False)
    op.create_index("ix_job_due", "job", ["run_at"], unique=False, postgresql_where=sa.text("state = 'queued'"))
    op.create_index("ix_job_lease", "job", ["lease_until"], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index(op.f("ix_job_user_id"), "job", ["user_id"], unique=False)
    op.create_table(
        "organisation_member",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("spending_limit", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'warehouse', 'accountant', 'dispatcher', 'courier', 'member')",
            name=op.f("ck_organisation_member_role_known"),
        ),
        sa.CheckConstraint(
            "spending_limit IS NULL OR spending_limit >= 0", name=op.f("ck_organisation_member_limit_positive")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_member_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_organisation_member_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_member")),
        sa.UniqueConstraint("organisation_id", "user_id", name=op.f("uq_organisation_member_organisation_id_user_id")),
    )
    op.create_index(op.f("ix_organisation_member_user_id"), "organisation_member", ["user_id"], unique=False)
    op.create_table(
        "password_reset",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_password_reset_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
    )
    op.create_index(op.f("ix_password_reset_user_id"), "password_reset", ["user_id"], unique=False)
    op.create_table(
        "price_index",
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(precision=10, scale=4), nullable=False),
        sa.Column("coverage", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_price_index_category_id")),
        sa.PrimaryKeyConstraint("category_id", "day", name=op.f("pk_price_index")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("brand", sa.String(), server_default="", nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), server_default="", nullable=False),
        sa.Column("description_ru", sa.String(), server_default="", nullable=False),
        sa.Column("description_en", sa.String(), server_default="", nullable=False),
        sa.Column("article", sa.String(), server_default="", nullable=False),
        sa.Column("base_unit", sa.String(), nullable=False),
        sa.Column("mass_kg", sa.Numeric(precision=14, scale=4), server_default="0", nullable=False),
        sa.Column("volume_m3", sa.Numeric(precision=14, scale=6), server_default="0", nullable=False),
        sa.Column("length_mm", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "transport", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("status", sa.String(), server_default="active", nullable=False),
        sa.Column("merged_into_id", sa.BigInteger(), nullable=True),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(status = 'merged') = (merged_into_id IS NOT NULL)", name=op.f("ck_product_merged_has_target")
        ),
        sa.CheckConstraint("status IN ('draft', 'active', 'hidden', 'merged')", name=op.f("ck_product_status_known")),
        sa.CheckConstraint(
            "mass_kg >= 0 AND volume_m3 >= 0 AND length_mm >= 0", name=op.f("ck_product_size_not_negative")
        ),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_product_category_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["product.id"], name=op.f("fk_product_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("public_id", name=op.f("uq_product_public_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_slug")),
    )
    op.create_index(op.f("ix_product_article"), "product", ["article"], unique=False)
    op.create_index("ix_product_category_id_id", "product", ["category_id", "id"], unique=False)
    op.create_index(op.f("ix_product_merged_into_id"), "product", ["merged_into_id"], unique=False)
    op.create_index(
        "ix_product_name_trgm",
        "product",
        ["name_key"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
    )
    op.create_index("ix_product_search", "product", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "seller",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("accept_hours", sa.Integer(), server_default="24", nullable=False),
        sa.Column("rating", sa.Numeric(precision=3, scale=2), server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("holiday_until", sa.Date(), nullable=True),
        sa.Column("vat_code", sa.String(), server_default="general", nullable=False),
        sa.Column("agreement_version", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("accept_hours BETWEEN 1 AND 168", name=op.f("ck_seller_accept_hours_range")),
        sa.CheckConstraint("rating BETWEEN 0 AND 5", name=op.f("ck_seller_rating_range")),
        sa.ForeignKeyConstraint(["id"], ["organisation.id"], name=op.f("fk_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller")),
        sa.UniqueConstraint("slug", name=op.f("uq_seller_slug")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("access", sa.String(), server_default="", nullable=False),
        sa.Column("max_vehicle_kg", sa.Integer(), nullable=True),
        sa.Column("max_height_mm", sa.Integer(), nullable=True),
        sa.Column("floor", sa.Integer(), server_default="1", nullable=False),
        sa.Column("lift", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unloading", sa.String(), server_default="self", nullable=False),
        sa.Column("contact_name", sa.String(), server_default="", nullable=False),
        sa.Column("contact_phone", sa.String(), server_default="", nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "unloading IN ('self', 'hands', 'crane', 'tail_lift')", name=op.f("ck_site_unloading_known")
        ),
        sa.CheckConstraint("floor BETWEEN -5 AND 200", name=op.f("ck_site_floor_range")),
        sa.CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name=op.f("ck_site_point_on_earth")),
        sa.CheckConstraint("max_vehicle_kg IS NULL OR max_vehicle_kg > 0", name=op.f("ck_site_vehicle_positive")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_site_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_site_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("public_id", name=op.f("uq_site_public_id")),
    )
    op.create_index(op.f("ix_site_organisation_id"), "site", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_site_user_id"), "site", ["user_id"], unique=False)
    op.create_table(
        "checkout_quote",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_checkout_quote_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout_quote")),
        sa.UniqueConstraint("public_id", name=op.f("uq_checkout_quote_public_id")),
    )
    op.create_index(op.f("ix_checkout_quote_cart_id"), "checkout_quote", ["cart_id"], unique=False)
    op.create_table(
        "commission_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_commission_rule_percent_range")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_commission_rule_category_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_commission_rule_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rule")),
        sa.UniqueConstraint("position", name=op.f("uq_commission_rule_position")),
    )
    op.create_table(
        "delivery_slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_delivery_slot_ordered")),
        sa.CheckConstraint("taken BETWEEN 0 AND capacity", name=op.f("ck_delivery_slot_not_overbooked")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_delivery_slot_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_slot")),
        sa.UniqueConstraint("carrier_id", "starts_at", name=op.f("uq_delivery_slot_carrier_id_starts_at")),
    )
    op.create_table(
        "forecast",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column(
            "points", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("backtest_error", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column(
            "training", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_forecast_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
        sa.UniqueConstraint("product_id", "made_on", name=op.f("uq_forecast_product_id_made_on")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("current_seller_id", sa.BigInteger(), nullable=True),
        sa.Column("current_carrier_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["current_carrier_id"], ["organisation.id"], name=op.f("fk_login_session_current_carrier_id")
        ),
        sa.ForeignKeyConstraint(
            ["current_seller_id"], ["organisation.id"], name=op.f("fk_login_session_current_seller_id")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_login_session_device_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_login_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index(op.f("ix_login_session_device_id"), "login_session", ["device_id"], unique=False)
    op.create_index(op.f("ix_login_session_user_id"), "login_session", ["user_id"], unique=False)
    op.create_table(
        "order_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "site", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("contact_phone", sa.String(), nullable=False),
        sa.Column("payment_method", sa.String(), nullable=False),
        sa.Column("payment_status", sa.String(), server_default="none", nullable=False),
        sa.Column("goods", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "payment_method IN ('invoice', 'cash', 'card')", name=op.f("ck_order_group_payment_method_known")
        ),
        sa.CheckConstraint(
            "payment_status IN ('none', 'awaiting', 'authorised', 'paid', 'partially_refunded', 'refunded', 'voided', 'overdue')",
            name=op.f("ck_order_group_payment_status_known"),
        ),
        sa.CheckConstraint(
            "goods >= 0 AND delivery >= 0 AND total = goods + delivery", name=op.f("ck_order_group_totals_sum")
        ),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_order_group_cart_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_order_group_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_order_group_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_group")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_order_group_cart_id")),
        sa.UniqueConstraint("number", name=op.f("uq_order_group_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_group_public_id")),
    )
    op.create_index(op.f("ix_order_group_organisation_id"), "order_group", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_order_group_payment_status"), "order_group", ["payment_status"], unique=False)
    op.create_index(op.f("ix_order_group_user_id"), "order_group", ["user_id"], unique=False)
    op.create_table(
        "price_point",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("median", sa.BigInteger(), nullable=False),
        sa.Column("lowest", sa.BigInteger(), nullable=False),
        sa.Column("sellers", sa.Integer(), nullable=False),
        sa.CheckConstraint("sellers > 0 AND lowest > 0 AND median >= lowest", name=op.f("ck_price_point_ordered")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_price_point_product_id")),
        sa.PrimaryKeyConstraint("product_id", "day", name=op.f("pk_price_point")),
    )
    op.create_table(
        "product_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("status", sa.String(), server_default="pending", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'declined', 'revision_requested')",
            name=op.f("ck_product_change_status_known"),
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_product_change_decided_by_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_change_product_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f("fk_product_change_seller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_product_change_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_product_change_public_id")),
    )
    op.create_index(op.f("ix_product_change_decided_by_id"), "product_change", ["decided_by_id"], unique=False)
    op.create_index(op.f("ix_product_change_product_id"), "product_change", ["product_id"], unique=False)
    op.create_index(op.f("ix_product_change_seller_id"), "product_change", ["seller_id"], unique=False)
    op.create_index(op.f("ix_product_change_status"), "product_change", ["status"], unique=False)
    op.create_index(op.f("ix_product_change_user_id"), "product_change", ["user_id"], unique=False)
    op.create_table(
        "product_image",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_image_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_image")),
    )
    op.create_index(op.f("ix_product_image_product_id"), "product_image", ["product_id"], unique=False)
    op.create_table(
        "product_listing",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("price_from", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("offers_count", sa.Integer(), nullable=False),
        sa.Column("available", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "seller_ids", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False
        ),
        sa.CheckConstraint(
            "price_from >= 0 AND offers_count >= 0 AND available >= 0", name=op.f("ck_product_listing_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_listing_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_listing")),
    )
    op.create_index("ix_product_listing_price_from", "product_listing", ["price_from", "product_id"], unique=False)
    op.create_index(
        "ix_product_listing_seller_ids", "product_listing", ["seller_ids"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "product_unit",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Numeric(precision=18, scale=6), server_default="1", nullable=False),
        sa.Column("minimum", sa.Numeric(precision=18, scale=6), server_default="1", nullable=False),
        sa.Column("is_sold", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_content", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("barcode", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("numerator > 0 AND denominator > 0", name=op.f("ck_product_unit_factor_positive")),
        sa.CheckConstraint("step > 0 AND minimum > 0", name=op.f("ck_product_unit_step_positive")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_unit_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "code", name=op.f("pk_product_unit")),
    )
    op.create_index(
        "uq_product_unit_barcode", "product_unit", ["barcode"], unique=True, postgresql_where=sa.text("barcode <> ''")
    )
    op.create_table(
        "product_value",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("attribute_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("number", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.ForeignKeyConstraint(["attribute_id"], ["attribute.id"], name=op.f("fk_product_value_attribute_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_value_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "attribute_id", name=op.f("pk_product_value")),
    )
    op.create_index(
        "ix_product_value_attribute_id_text_product_id",
        "product_value",
        ["attribute_id", "text", "product_id"],
        unique=False,
    )
    op.create_table(
        "project",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_project_site_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_project_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("public_id", name=op.f("uq_project_public_id")),
    )
    op.create_index(op.f("ix_project_user_id"), "project", ["user_id"], unique=False)
    op.create_table(
        "recommendation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Numeric(precision=10, scale=6), nullable=False),
        sa.Column(
            "reason", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["product.id"], name=op.f("fk_recommendation_other_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_recommendation_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation")),
        sa.UniqueConstraint("kind", "product_id", "other_id", name=op.f("uq_recommendation_kind_product_id_other_id")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_successor", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_refresh_token_device_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_refresh_token_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_token_token_hash")),
    )
    op.create_index(op.f("ix_refresh_token_device_id"), "refresh_token", ["device_id"], unique=False)
    op.create_index("ix_refresh_token_family", "refresh_token", ["family"], unique=False)
    op.create_index(op.f("ix_refresh_token_user_id"), "refresh_token", ["user_id"], unique=False)
    op.create_table(
        "route_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("distance_m", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duration_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("solver", sa.String(), server_default="", nullable=False),
        sa.Column("quality", sa.String(), server_default="graph", nullable=False),
        sa.Column(
            "unassigned", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'published', 'superseded')", name=op.f("ck_route_plan_status_known")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_route_plan_carrier_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_route_plan_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_plan")),
        sa.UniqueConstraint("carrier_id", "day", "version", name=op.f("uq_route_plan_carrier_id_day_version")),
        sa.UniqueConstraint("job_id", name=op.f("uq_route_plan_job_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_route_plan_public_id")),
    )
    op.create_index(
        "uq_route_plan_published",
        "route_plan",
        ["carrier_id", "day"],
        unique=True,
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "seller_payout",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "requisites", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_seller_payout_amount_positive")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_seller_payout_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_payout")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seller_payout_public_id")),
    )
    op.create_index(op.f("ix_seller_payout_seller_id"), "seller_payout", ["seller_id"], unique=False)
    op.create_table(
        "tariff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("included_km", sa.Integer(), server_default="0", nullable=False),
        sa.Column("per_km", sa.BigInteger(), nullable=False),
        sa.Column("per_tonne", sa.BigInteger(), nullable=False),
        sa.Column("per_m3", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("long_from_mm", sa.Integer(), server_default="4000", nullable=False),
        sa.Column("long_piece", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("per_floor_tonne", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hands_tonne", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("crane", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tail_lift", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("minimum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_mass_kg", sa.Integer(), nullable=False),
        sa.Column("max_km", sa.Integer(), server_default="100", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "base >= 0 AND per_km >= 0 AND per_tonne >= 0 AND per_m3 >= 0 AND long_piece >= 0 AND per_floor_tonne >= 0 AND crane >= 0 AND tail_lift >= 0 AND hands_tonne >= 0 AND minimum >= 0",
            name=op.f("ck_tariff_not_negative"),
        ),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_tariff_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tariff_public_id")),
    )
    op.create_index(op.f("ix_tariff_carrier_id"), "tariff", ["carrier_id"], unique=False)
    op.create_table(
        "vehicle",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("payload_kg", sa.Integer(), nullable=False),
        sa.Column("volume_l", sa.Integer(), nullable=False),
        sa.Column("longest_mm", sa.Integer(), nullable=False),
        sa.Column("gross_mass_kg", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), server_default="3000", nullable=False),
        sa.Column("has_crane", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("has_tail_lift", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("fixed_cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_per_km", sa.BigInteger(), nullable=False),
        sa.Column("cost_per_hour", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "fixed_cost >= 0 AND cost_per_km >= 0 AND cost_per_hour >= 0", name=op.f("ck_vehicle_cost_not_negative")
        ),
        sa.CheckConstraint(
            "payload_kg > 0 AND volume_l > 0 AND longest_mm > 0 AND gross_mass_kg >= payload_kg",
            name=op.f("ck_vehicle_size_positive"),
        ),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_vehicle_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle")),
        sa.UniqueConstraint("carrier_id", "plate", name=op.f("uq_vehicle_carrier_id_plate")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vehicle_public_id")),
    )
    op.create_table(
        "warehouse",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("opens_at", sa.Integer(), server_default="480", nullable=False),
        sa.Column("closes_at", sa.Integer(), server_default="1200", nullable=False),
        sa.Column(
            "work_days",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[1,2,3,4,5,6,7]'::jsonb"),
            nullable=False,
        ),
        sa.Column("max_vehicle_kg", sa.Integer(), nullable=True),
        sa.Column("loading_minutes", sa.Integer(), server_default="20", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "0 <= opens_at AND opens_at < closes_at AND closes_at <= 1440", name=op.f("ck_warehouse_hours_in_day")
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name=op.f("ck_warehouse_point_on_earth")
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_warehouse_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("public_id", name=op.f("uq_warehouse_public_id")),
        sa.UniqueConstraint("seller_id", "name", name=op.f("uq_warehouse_seller_id_name")),
    )
    op.create_table(
        "carrier_warehouse",
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_carrier_warehouse_carrier_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_carrier_warehouse_warehouse_id")),
        sa.PrimaryKeyConstraint("carrier_id", "warehouse_id", name=op.f("pk_carrier_warehouse")),
    )
    op.create_index(op.f("ix_carrier_warehouse_warehouse_id"), "carrier_warehouse", ["warehouse_id"], unique=False)
    op.create_table(
        "courier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("licence", sa.String(), server_default="C", nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=True),
        sa.Column("shift_from", sa.Integer(), server_default="480", nullable=False),
        sa.Column("shift_to", sa.Integer(), server_default="1200", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "0 <= shift_from AND shift_from < shift_to AND shift_to <= 1440", name=op.f("ck_courier_shift_in_day")
        ),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_courier_carrier_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_courier_user_id")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name=op.f("fk_courier_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier")),
        sa.UniqueConstraint("carrier_id", "user_id", name=op.f("uq_courier_carrier_id_user_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_courier_public_id")),
    )
    op.create_index(op.f("ix_courier_user_id"), "courier", ["user_id"], unique=False)
    op.create_table(
        "estimate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column(
            "items", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "choices", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.String(), server_default="pricing", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("goods", sa.BigInteger(), nullable=True),
        sa.Column("mass_kg", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("volume_m3", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("priced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('pricing', 'priced', 'failed')", name=op.f("ck_estimate_state_known")),
        sa.CheckConstraint("user_id IS NOT NULL OR token_hash IS NOT NULL", name=op.f("ck_estimate_has_holder")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_estimate_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_estimate_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate")),
        sa.UniqueConstraint("public_id", name=op.f("uq_estimate_public_id")),
    )
    op.create_index(op.f("ix_estimate_project_id"), "estimate", ["project_id"], unique=False)
    op.create_index(op.f("ix_estimate_token_hash"), "estimate", ["token_hash"], unique=False)
    op.create_index(op.f("ix_estimate_user_id"), "estimate", ["user_id"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("vat_code", sa.String(), server_default="general", nullable=False),
        sa.Column("lead_time_days", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.String(), server_default="active", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'hidden', 'blocked')", name=op.f("ck_offer_status_known")),
        sa.CheckConstraint("lead_time_days BETWEEN 0 AND 365", name=op.f("ck_offer_lead_time_range")),
        sa.CheckConstraint("price > 0", name=op.f("ck_offer_price_positive")),
        sa.ForeignKeyConstraint(
            ["product_id", "unit"],
            ["product_unit.product_id", "product_unit.code"],
            name=op.f("fk_offer_product_id_unit"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_offer_product_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_offer_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_offer_public_id")),
        sa.UniqueConstraint("seller_id", "sku", name=op.f("uq_offer_seller_id_sku")),
    )
    op.create_index("ix_offer_product_id_status", "offer", ["product_id", "status"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="awaiting", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("provider_ref", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("method IN ('invoice', 'cash', 'card')", name=op.f("ck_payment_method_known")),
        sa.CheckConstraint(
            "status IN ('awaiting', 'authorised', 'paid', 'partially_refunded', 'refunded', 'voided', 'overdue')",
            name=op.f("ck_payment_status_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_amount_positive")),
        sa.ForeignKeyConstraint(["group_id"], ["order_group.id"], name=op.f("fk_payment_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_payment_provider_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_public_id")),
    )
    op.create_index(op.f("ix_payment_group_id"), "payment", ["group_id"], unique=False)
    op.create_index(op.f("ix_payment_status"), "payment", ["status"], unique=False)
    op.create_table(
        "price_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("comment", sa.String(), server_default="", nullable=False),
        sa.Column("order_group_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'offered', 'countered', 'accepted', 'declined', 'withdrawn', 'expired')",
            name=op.f("ck_price_request_status_known"),
        ),
        sa.ForeignKeyConstraint(["order_group_id"], ["order_group.id"], name=op.f("fk_price_request_order_group_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_price_request_organisation_id")
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_price_request_seller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_price_request_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_request_public_id")),
    )
    op.create_index(op.f("ix_price_request_seller_id"), "price_request", ["seller_id"], unique=False)
    op.create_index(op.f("ix_price_request_user_id"), "price_request", ["user_id"], unique=False)
    op.create_table(
        "seller_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="placed", nullable=False),
        sa.Column("payment_status", sa.String(), server_default="none", nullable=False),
        sa.Column("fulfilment_status", sa.String(), server_default="planned", nullable=False),
        sa.Column("goods", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("accept_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "fulfilment_status IN ('planned', 'picking', 'ready', 'handed_over', 'in_transit', 'delivered', 'partially_delivered', 'failed', 'returning', 'returned', 'cancelled')",
            name=op.f("ck_seller_order_fulfilment_status_known"),
        ),
        sa.CheckConstraint(
            "payment_status IN ('none', 'awaiting', 'authorised', 'paid', 'partially_refunded', 'refunded', 'voided', 'overdue')",
            name=op.f("ck_seller_order_payment_status_known"),
        ),
        sa.CheckConstraint(
            "status IN ('placed', 'accepted', 'completed', 'rejected', 'expired', 'cancelled')",
            name=op.f("ck_seller_order_status_known"),
        ),
        sa.CheckConstraint(
            "goods >= 0 AND delivery >= 0 AND total = goods + delivery", name=op.f("ck_seller_order_totals_sum")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["order_group.id"], name=op.f("fk_seller_order_group_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_seller_order_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_order")),
        sa.UniqueConstraint("group_id", "seller_id", name=op.f("uq_seller_order_group_id_seller_id")),
        sa.UniqueConstraint("number", name=op.f("uq_seller_order_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seller_order_public_id")),
    )
    op.create_index(op.f("ix_seller_order_fulfilment_status"), "seller_order", ["fulfilment_status"], unique=False)
    op.create_index("ix_seller_order_seller_id_status_id", "seller_order", ["seller_id", "status", "id"], unique=False)
    op.create_table(
        "basket_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("estimate_id", sa.BigInteger(), nullable=False),
        sa.Column("objective", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("bound", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "objective IN ('cheapest', 'fewest_trucks', 'soonest')", name=op.f("ck_basket_plan_objective_known")
        ),
        sa.ForeignKeyConstraint(
            ["estimate_id"], ["estimate.id"], name=op.f("fk_basket_plan_estimate_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket_plan")),
        sa.UniqueConstraint("job_id", name=op.f("uq_basket_plan_job_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_basket_plan_public_id")),
    )
    op.create_index(op.f("ix_basket_plan_estimate_id"), "basket_plan", ["estimate_id"], unique=False)
    op.create_table(
        "cart_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("price_seen", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_line_quantity_positive")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_line_cart_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_cart_line_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_line")),
        sa.UniqueConstraint("cart_id", "offer_id", name=op.f("uq_cart_line_cart_id_offer_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_cart_line_public_id")),
    )
    op.create_index(op.f("ix_cart_line_offer_id"), "cart_line", ["offer_id"], unique=False)
    op.create_table(
        "estimate_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("estimate_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("category_slug", sa.String(), nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("gross", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "spec", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("offer_id", sa.BigInteger(), nullable=True),
        sa.Column("pack_unit", sa.String(), server_default="", nullable=False),
        sa.Column("pack_content", sa.String(), server_default="", nullable=False),
        sa.Column("packs", sa.Integer(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("mass_kg", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("volume_m3", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("problem", sa.String(), server_default="", nullable=False),
        sa.Column(
            "relaxed", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.CheckConstraint("packs IS NULL OR packs >= 0", name=op.f("ck_estimate_line_packs_not_negative")),
        sa.ForeignKeyConstraint(
            ["estimate_id"], ["estimate.id"], name=op.f("fk_estimate_line_estimate_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_estimate_line_offer_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_estimate_line_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate_line")),
        sa.UniqueConstraint("estimate_id", "position", name=op.f("uq_estimate_line_estimate_id_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_estimate_line_public_id")),
    )
    op.create_table(
        "fulfilment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="planned", nullable=False),
        sa.Column("method", sa.String(), server_default="courier", nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=True),
        sa.Column("tariff_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_price", sa.BigInteger(), nullable=False),
        sa.Column(
            "price_lines",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "allocation", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("mass_kg", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("volume_m3", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("method IN ('courier', 'pickup')", name=op.f("ck_fulfilment_method_known")),
        sa.CheckConstraint(
            "status IN ('planned', 'picking', 'ready', 'handed_over', 'in_transit', 'delivered', 'partially_delivered', 'failed', 'returning', 'returned', 'cancelled')",
            name=op.f("ck_fulfilment_status_known"),
        ),
        sa.CheckConstraint("delivery_price >= 0", name=op.f("ck_fulfilment_price_not_negative")),
        sa.CheckConstraint("window_from < window_to", name=op.f("ck_fulfilment_window_ordered")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_fulfilment_carrier_id")),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_fulfilment_order_id")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_fulfilment_tariff_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_fulfilment_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfilment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_fulfilment_public_id")),
    )
    op.create_index(op.f("ix_fulfilment_carrier_id"), "fulfilment", ["carrier_id"], unique=False)
    op.create_index(op.f("ix_fulfilment_order_id"), "fulfilment", ["order_id"], unique=False)
    op.create_index(op.f("ix_fulfilment_warehouse_id"), "fulfilment", ["warehouse_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "requisites", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_invoice_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_invoice_payment_id")),
    )
    op.create_table(
        "last_position",
        sa.Column("courier_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_last_position_courier_id")),
        sa.PrimaryKeyConstraint("courier_id", name=op.f("pk_last_position")),
    )
    op.create_table(
        "offer_step",
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("from_quantity > 0", name=op.f("ck_offer_step_quantity_positive")),
        sa.CheckConstraint("price > 0", name=op.f("ck_offer_step_price_positive")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_offer_step_offer_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("offer_id", "from_quantity", name=op.f("pk_offer_step")),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("factor_numerator", sa.BigInteger(), nullable=False),
        sa.Column("factor_denominator", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_base", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("accepted", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("price_rule", sa.String(), server_default="list", nullable=False),
        sa.Column("vat_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("mass_kg", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("volume_m3", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "accepted IS NULL OR accepted BETWEEN 0 AND quantity", name=op.f("ck_order_line_accepted_range")
        ),
        sa.CheckConstraint("gross = net + vat AND gross >= 0 AND vat >= 0", name=op.f("ck_order_line_gross_sums")),
        sa.CheckConstraint("quantity > 0 AND quantity_base > 0", name=op.f("ck_order_line_quantity_positive")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_order_line_offer_id")),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_order_line_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_line_order_id_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_line_public_id")),
    )
    op.create_index(op.f("ix_order_line_offer_id"), "order_line", ["offer_id"], unique=False)
    op.create_index(op.f("ix_order_line_product_id"), "order_line", ["product_id"], unique=False)
    op.create_table(
        "payment_split",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "amount >= 0 AND refunded BETWEEN 0 AND amount", name=op.f("ck_payment_split_refund_within_amount")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_payment_split_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_split_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_split")),
        sa.UniqueConstraint("payment_id", "order_id", name=op.f("uq_payment_split_payment_id_order_id")),
    )
    op.create_index(op.f("ix_payment_split_order_id"), "payment_split", ["order_id"], unique=False)
    op.create_table(
        "position",
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("speed_mps", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_position_courier_id")),
        sa.PrimaryKeyConstraint("courier_id", "at", name=op.f("pk_position")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "price_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("old_price", sa.BigInteger(), nullable=True),
        sa.Column("new_price", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_price_change_offer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_price_change_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_change")),
    )
    op.create_index("ix_price_change_offer_id_created_at", "price_change", ["offer_id", "created_at"], unique=False)
    op.create_table(
        "price_request_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "quantity > 0 AND (price IS NULL OR price > 0)", name=op.f("ck_price_request_line_positive")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_price_request_line_offer_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_price_request_line_product_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["price_request.id"], name=op.f("fk_price_request_line_request_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_request_line")),
    )
    op.create_index(op.f("ix_price_request_line_request_id"), "price_request_line", ["request_id"], unique=False)
    op.create_table(
        "return_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column(
            "photos", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'in_transit', 'received', 'refunded', 'rejected', 'cancelled')",
            name=op.f("ck_return_request_status_known"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_return_request_order_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_return_request_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_return_request_public_id")),
    )
    op.create_index(op.f("ix_return_request_order_id"), "return_request", ["order_id"], unique=False)
    op.create_index(op.f("ix_return_request_user_id"), "return_request", ["user_id"], unique=False)
    op.create_table(
        "route",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), server_default="planned", nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("load_kg", sa.Integer(), nullable=False),
        sa.Column("load_l", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("break_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("break_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "geometry", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'started', 'finished')", name=op.f("ck_route_state_known")),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_route_courier_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["route_plan.id"], name=op.f("fk_route_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name=op.f("fk_route_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
        sa.UniqueConstraint("plan_id", "vehicle_id", name=op.f("uq_route_plan_id_vehicle_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_route_public_id")),
    )
    op.create_index(op.f("ix_route_courier_id"), "route", ["courier_id"], unique=False)
    op.create_table(
        "seller_transfer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sale', 'commission', 'refund', 'delivery', 'payout', 'correction')",
            name=op.f("ck_seller_transfer_kind_known"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_seller_transfer_amount_not_zero")),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_seller_transfer_order_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_seller_transfer_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_transfer")),
        sa.UniqueConstraint("order_id", "kind", "reference", name=op.f("uq_seller_transfer_order_id_kind_reference")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seller_transfer_public_id")),
    )
    op.create_index(op.f("ix_seller_transfer_seller_id"), "seller_transfer", ["seller_id"], unique=False)
    op.create_table(
        "shift",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("courier_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_shift_courier",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("vehicle_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_shift_vehicle",
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_shift_ordered")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_shift_carrier_id")),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_shift_courier_id")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name=op.f("fk_shift_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
        sa.UniqueConstraint("public_id", name=op.f("uq_shift_public_id")),
    )
    op.create_index("ix_shift_carrier_id_day", "shift", ["carrier_id", "day"], unique=False)
    op.create_table(
        "stock_level",
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("allocated", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("reserved", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("safety", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("forced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("forced OR allocated + reserved <= on_hand", name=op.f("ck_stock_level_not_oversold")),
        sa.CheckConstraint(
            "on_hand >= 0 AND allocated >= 0 AND reserved >= 0", name=op.f("ck_stock_level_not_negative")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_stock_level_offer_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_level_warehouse_id")),
        sa.PrimaryKeyConstraint("offer_id", "warehouse_id", name=op.f("pk_stock_level")),
    )
    op.create_index("ix_stock_level_warehouse_id", "stock_level", ["warehouse_id"], unique=False)
    op.create_table(
        "stock_movement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("on_hand_delta", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("allocated_delta", sa.Numeric(precision=18, scale=6), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("entity", sa.String(), server_default="", nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'scrapped')",
            name=op.f("ck_stock_movement_kind_known"),
        ),
        sa.CheckConstraint(
            "on_hand_delta <> 0 OR allocated_delta <> 0", name=op.f("ck_stock_movement_moves_something")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_stock_movement_offer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_stock_movement_user_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_movement_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
    )
    op.create_index("ix_stock_movement_entity_entity_id", "stock_movement", ["entity", "entity_id"], unique=False)
    op.create_index(
        "ix_stock_movement_offer_id_warehouse_id_id", "stock_movement", ["offer_id", "warehouse_id", "id"], unique=False
    )
    op.create_table(
        "commission_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_commission_line_order_line_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["commission_rule.id"], name=op.f("fk_commission_line_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_line")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_commission_line_order_line_id")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("fulfilment_id", sa.BigInteger(), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "pickup", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "site", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "cargo", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "needs", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("mass_kg", sa.Integer(), nullable=False),
        sa.Column("volume_l", sa.Integer(), nullable=False),
        sa.Column("longest_mm", sa.Integer(), nullable=False),
        sa.Column("unloading_minutes", sa.Integer(), server_default="20", nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("cash_due", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pin", sa.String(), nullable=False),
        sa.Column("pin_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tracking_token", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'planned', 'handed_over', 'in_transit', 'delivered', 'partially_delivered', 'failed', 'returning', 'returned', 'cancelled')",
            name=op.f("ck_delivery_state_known"),
        ),
        sa.CheckConstraint(
            "mass_kg >= 0 AND volume_l >= 0 AND longest_mm >= 0", name=op.f("ck_delivery_size_not_negative")
        ),
        sa.CheckConstraint("window_from < window_to", name=op.f("ck_delivery_window_ordered")),
        sa.ForeignKeyConstraint(["buyer_id"], ["user_account.id"], name=op.f("fk_delivery_buyer_id")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_delivery_carrier_id")),
        sa.ForeignKeyConstraint(["fulfilment_id"], ["fulfilment.id"], name=op.f("fk_delivery_fulfilment_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_delivery_seller_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_delivery_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("fulfilment_id", name=op.f("uq_delivery_fulfilment_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_delivery_public_id")),
        sa.UniqueConstraint("tracking_token", name=op.f("uq_delivery_tracking_token")),
    )
    op.create_index(op.f("ix_delivery_buyer_id"), "delivery", ["buyer_id"], unique=False)
    op.create_index("ix_delivery_carrier_id_day_state", "delivery", ["carrier_id", "day", "state"], unique=False)
    op.create_index(op.f("ix_delivery_number"), "delivery", ["number"], unique=False)
    op.create_index(op.f("ix_delivery_seller_id"), "delivery", ["seller_id"], unique=False)
    op.create_table(
        "fulfilment_line",
        sa.Column("fulfilment_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("picked", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("delivered", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.CheckConstraint(
            "delivered IS NULL OR delivered BETWEEN 0 AND quantity", name=op.f("ck_fulfilment_line_delivered_range")
        ),
        sa.CheckConstraint(
            "picked IS NULL OR picked BETWEEN 0 AND quantity", name=op.f("ck_fulfilment_line_picked_range")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_fulfilment_line_quantity_not_negative")),
        sa.ForeignKeyConstraint(["fulfilment_id"], ["fulfilment.id"], name=op.f("fk_fulfilment_line_fulfilment_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_fulfilment_line_order_line_id")),
        sa.PrimaryKeyConstraint("fulfilment_id", "order_line_id", name=op.f("pk_fulfilment_line")),
    )
    op.create_index(op.f("ix_fulfilment_line_order_line_id"), "fulfilment_line", ["order_line_id"], unique=False)
    op.create_table(
        "order_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("fulfilment_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), server_default="", nullable=False),
        sa.Column("to_state", sa.String(), server_default="", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["fulfilment_id"], ["fulfilment.id"], name=op.f("fk_order_event_fulfilment_id")),
        sa.ForeignKeyConstraint(["group_id"], ["order_group.id"], name=op.f("fk_order_event_group_id")),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_order_event_order_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_order_event_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index(op.f("ix_order_event_group_id"), "order_event", ["group_id"], unique=False)
    op.create_index(op.f("ix_order_event_order_id"), "order_event", ["order_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("split_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("requested_by_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'paid', 'declined')", name=op.f("ck_refund_status_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["user_account.id"], name=op.f("fk_refund_approved_by_id")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["user_account.id"], name=op.f("fk_refund_requested_by_id")),
        sa.ForeignKeyConstraint(["split_id"], ["payment_split.id"], name=op.f("fk_refund_split_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
    )
    op.create_index(op.f("ix_refund_split_id"), "refund", ["split_id"], unique=False)
    op.create_table(
        "reservation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["offer_id", "warehouse_id"],
            ["stock_level.offer_id", "stock_level.warehouse_id"],
            name=op.f("fk_reservation_offer_id_warehouse_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint(
            "holder", "offer_id", "warehouse_id", name=op.f("uq_reservation_holder_offer_id_warehouse_id")
        ),
    )
    op.create_index("ix_reservation_expires_at", "reservation", ["expires_at"], unique=False)
    op.create_table(
        "return_line",
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("received", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.CheckConstraint(
            "quantity > 0 AND (received IS NULL OR received >= 0)", name=op.f("ck_return_line_positive")
        ),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_return_line_order_line_id")),
        sa.ForeignKeyConstraint(
            ["return_id"], ["return_request.id"], name=op.f("fk_return_line_return_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("return_id", "order_line_id", name=op.f("pk_return_line")),
    )
    op.create_table(
        "delivery_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_event_delivery_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_delivery_event_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_event")),
    )
    op.create_index(op.f("ix_delivery_event_delivery_id"), "delivery_event", ["delivery_id"], unique=False)
    op.create_table(
        "stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("route_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lot", sa.Integer(), server_default="1", nullable=False),
        sa.Column("lots", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(), server_default="planned", nullable=False),
        sa.Column("planned_arrival", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_departure", sa.DateTime(timezone=True), nullable=False),
        sa.Column("eta", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unloading_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("lot BETWEEN 1 AND lots", name=op.f("ck_stop_lot_in_range")),
        sa.CheckConstraint("kind IN ('pickup', 'drop')", name=op.f("ck_stop_kind_known")),
        sa.CheckConstraint(
            "state IN ('planned', 'arrived', 'unloading', 'done', 'failed', 'skipped')",
            name=op.f("ck_stop_state_known"),
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_stop_delivery_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_stop_route_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stop_public_id")),
        sa.UniqueConstraint(
            "route_id", "delivery_id", "kind", "lot", name=op.f("uq_stop_route_id_delivery_id_kind_lot")
        ),
        sa.UniqueConstraint("route_id", "sequence", name=op.f("uq_stop_route_id_sequence")),
    )
    op.create_index(op.f("ix_stop_delivery_id"), "stop", ["delivery_id"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column(
            "lines", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "proof", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'partially_delivered', 'failed')", name=op.f("ck_delivery_attempt_outcome_known")
        ),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_delivery_attempt_courier_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_attempt_delivery_id")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_delivery_attempt_stop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempt")),
    )
    op.create_index(op.f("ix_delivery_attempt_delivery_id"), "delivery_attempt", ["delivery_id"], unique=False)


def drop_tables() -> None:
    op.drop_index(op.f("ix_delivery_attempt_delivery_id"), table_name="delivery_attempt")
    op.drop_table("delivery_attempt")
    op.drop_index(op.f("ix_stop_delivery_id"), table_name="stop")
    op.drop_table("stop")
    op.drop_index(op.f("ix_delivery_event_delivery_id"), table_name="delivery_event")
    op.drop_table("delivery_event")
    op.drop_table("return_line")
    op.drop_index("ix_reservation_expires_at", table_name="reservation")
    op.drop_table("reservation")
    op.drop_index(op.f("ix_refund_split_id"), table_name="refund")
    op.drop_table("refund")
    op.drop_index(op.f("ix_order_event_order_id"), table_name="order_event")
    op.drop_index(op.f("ix_order_event_group_id"), table_name="order_event")
    op.drop_table("order_event")
    op.drop_index(op.f("ix_fulfilment_line_order_line_id"), table_name="fulfilment_line")
    op.drop_table("fulfilment_line")
    op.drop_index(op.f("ix_delivery_seller_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_number"), table_name="delivery")
    op.drop_index("ix_delivery_carrier_id_day_state", table_name="delivery")
    op.drop_index(op.f("ix_delivery_buyer_id"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_table("commission_line")
    op.drop_index("ix_stock_movement_offer_id_warehouse_id_id", table_name="stock_movement")
    op.drop_index("ix_stock_movement_entity_entity_id", table_name="stock_movement")
    op.drop_table("stock_movement")
    op.drop_index("ix_stock_level_warehouse_id", table_name="stock_level")
    op.drop_table("stock_level")
    op.drop_index("ix_shift_carrier_id_day", table_name="shift")
    op.drop_table("shift")
    op.drop_index(op.f("ix_seller_transfer_seller_id"), table_name="seller_transfer")
    op.drop_table("seller_transfer")
    op.drop_index(op.f("ix_route_courier_id"), table_name="route")
    op.drop_table("route")
    op.drop_index(op.f("ix_return_request_user_id"), table_name="return_request")
    op.drop_index(op.f("ix_return_request_order_id"), table_name="return_request")
    op.drop_table("return_request")
    op.drop_index(op.f("ix_price_request_line_request_id"), table_name="price_request_line")
    op.drop_table("price_request_line")
    op.drop_index("ix_price_change_offer_id_created_at", table_name="price_change")
    op.drop_table("price_change")
    op.drop_table("position")
    op.drop_index(op.f("ix_payment_split_order_id"), table_name="payment_split")
    op.drop_table("payment_split")
    op.drop_index(op.f("ix_order_line_product_id"), table_name="order_line")
    op.drop_index(op.f("ix_order_line_offer_id"), table_name="order_line")
    op.drop_table("order_line")
    op.drop_table("offer_step")
    op.drop_table("last_position")
    op.drop_table("invoice")
    op.drop_index(op.f("ix_fulfilment_warehouse_id"), table_name="fulfilment")
    op.drop_index(op.f("ix_fulfilment_order_id"), table_name="fulfilment")
    op.drop_index(op.f("ix_fulfilment_carrier_id"), table_name="fulfilment")
    op.drop_table("fulfilment")
    op.drop_table("estimate_line")
    op.drop_index(op.f("ix_cart_line_offer_id"), table_name="cart_line")
    op.drop_table("cart_line")
    op.drop_index(op.f("ix_basket_plan_estimate_id"), table_name="basket_plan")
    op.drop_table("basket_plan")
    op.drop_index("ix_seller_order_seller_id_status_id", table_name="seller_order")
    op.drop_index(op.f("ix_seller_order_fulfilment_status"), table_name="seller_order")
    op.drop_table("seller_order")
    op.drop_index(op.f("ix_price_request_user_id"), table_name="price_request")
    op.drop_index(op.f("ix_price_request_seller_id"), table_name="price_request")
    op.drop_table("price_request")
    op.drop_index(op.f("ix_payment_status"), table_name="payment")
    op.drop_index(op.f("ix_payment_group_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_offer_product_id_status", table_name="offer")
    op.drop_table("offer")
    op.drop_index(op.f("ix_estimate_user_id"), table_name="estimate")
    op.drop_index(op.f("ix_estimate_token_hash"), table_name="estimate")
    op.drop_index(op.f("ix_estimate_project_id"), table_name="estimate")
    op.drop_table("estimate")
    op.drop_index(op.f("ix_courier_user_id"), table_name="courier")
    op.drop_table("courier")
    op.drop_index(op.f("ix_carrier_warehouse_warehouse_id"), table_name="carrier_warehouse")
    op.drop_table("carrier_warehouse")
    op.drop_table("warehouse")
    op.drop_table("vehicle")
    op.drop_index(op.f("ix_tariff_carrier_id"), table_name="tariff")
    op.drop_table("tariff")
    op.drop_index(op.f("ix_seller_payout_seller_id"), table_name="seller_payout")
    op.drop_table("seller_payout")
    op.drop_index("uq_route_plan_published", table_name="route_plan", postgresql_where=sa.text("status = 'published'"))
    op.drop_table("route_plan")
    op.drop_index(op.f("ix_refresh_token_user_id"), table_name="refresh_token")
    op.drop_index("ix_refresh_token_family", table_name="refresh_token")
    op.drop_index(op.f("ix_refresh_token_device_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_table("recommendation")
    op.drop_index(op.f("ix_project_user_id"), table_name="project")
    op.drop_table("project")
    op.drop_index("ix_product_value_attribute_id_text_product_id", table_name="product_value")
    op.drop_table("product_value")
    op.drop_index("uq_product_unit_barcode", table_name="product_unit", postgresql_where=sa.text("barcode <> ''"))
    op.drop_table("product_unit")
    op.drop_index("ix_product_listing_seller_ids", table_name="product_listing", postgresql_using="gin")
    op.drop_index("ix_product_listing_price_from", table_name="product_listing")
    op.drop_table("product_listing")
    op.drop_index(op.f("ix_product_image_product_id"), table_name="product_image")
    op.drop_table("product_image")
    op.drop_index(op.f("ix_product_change_user_id"), table_name="product_change")
    op.drop_index(op.f("ix_product_change_status"), table_name="product_change")
    op.drop_index(op.f("ix_product_change_seller_id"), table_name="product_change")
    op.drop_index(op.f("ix_product_change_product_id"), table_name="product_change")
    op.drop_index(op.f("ix_product_change_decided_by_id"), table_name="product_change")
    op.drop_table("product_change")
    op.drop_table("price_point")
    op.drop_index(op.f("ix_order_group_user_id"), table_name="order_group")
    op.drop_index(op.f("ix_order_group_payment_status"), table_name="order_group")
    op.drop_index(op.f("ix_order_group_organisation_id"), table_name="order_group")
    op.drop_table("order_group")
    op.drop_index(op.f("ix_login_session_user_id"), table_name="login_session")
    op.drop_index(op.f("ix_login_session_device_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_table("forecast")
    op.drop_table("delivery_slot")
    op.drop_table("commission_rule")
    op.drop_index(op.f("ix_checkout_quote_cart_id"), table_name="checkout_quote")
    op.drop_table("checkout_quote")
    op.drop_index(op.f("ix_site_user_id"), table_name="site")
    op.drop_index(op.f("ix_site_organisation_id"), table_name="site")
    op.drop_table("site")
    op.drop_table("seller")
    op.drop_index("ix_product_search", table_name="product", postgresql_using="gin")
    op.drop_index(
        "ix_product_name_trgm",
        table_name="product",
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_product_merged_into_id"), table_name="product")
    op.drop_index("ix_product_category_id_id", table_name="product")
    op.drop_index(op.f("ix_product_article"), table_name="product")
    op.drop_table("product")
    op.drop_table("price_index")
    op.drop_index(op.f("ix_password_reset_user_id"), table_name="password_reset")
    op.drop_table("password_reset")
    op.drop_index(op.f("ix_organisation_member_user_id"), table_name="organisation_member")
    op.drop_table("organisation_member")
    op.drop_index(op.f("ix_job_user_id"), table_name="job")
    op.drop_index("ix_job_lease", table_name="job", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("ix_job_due", table_name="job", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index("ix_job_created_at", table_name="job")
    op.drop_table("job")
    op.drop_table("device")
    op.drop_index("uq_cart_open_user", table_name="cart", postgresql_where=sa.text("status = 'open'"))
    op.drop_table("cart")
    op.drop_table("carrier")
    op.drop_index(op.f("ix_audit_entry_user_id"), table_name="audit_entry")
    op.drop_index("ix_audit_entry_entity", table_name="audit_entry")
    op.drop_index("ix_audit_entry_created_at", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("attribute")
    op.drop_index(op.f("ix_api_key_organisation_id"), table_name="api_key")
    op.drop_index(op.f("ix_api_key_created_by_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("vat_rate")
    op.drop_table("user_account")
    op.drop_index("ix_timer_due", table_name="timer", postgresql_where=sa.text("fired_at IS NULL"))
    op.drop_table("timer")
    op.drop_table("synonym")
    op.drop_table("provider_event")
    op.drop_index(op.f("ix_outbox_event_name"), table_name="outbox_event")
    op.drop_index("ix_outbox_event_entity", table_name="outbox_event")
    op.drop_table("outbox_event")
    op.drop_index(op.f("ix_organisation_status"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_index("ix_idempotency_key_expires_at", table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index("ix_category_path", table_name="category", postgresql_using="gin")
    op.drop_index(op.f("ix_category_parent_id"), table_name="category")
    op.drop_table("category")
    op.drop_table("cache_version")
