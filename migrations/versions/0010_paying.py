"""money that comes in: bank statements, card attempts, numbers of documents

Revision ID: 0010
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
UUID7 = sa.text("uuidv7()")


def _id() -> list[sa.Column]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("public_id", sa.Uuid(), server_default=UUID7, nullable=False, unique=True),
    ]


def _created() -> sa.Column:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False)


def _ref(name: str, target: str, *, null: bool = True, index: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(target), nullable=null, index=index)


def _text(name: str, default: str | None = None, *, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), server_default=default, nullable=null)


def upgrade() -> None:
    op.add_column("payment", sa.Column("received", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("UPDATE payment SET received = amount WHERE status IN ('paid', 'partially_refunded', 'refunded')")
    op.create_check_constraint("received_not_negative", "payment", "received >= 0")
    _bank()
    _cards()
    _papers()


def _bank() -> None:
    op.create_table(
        "bank_statement",
        *_id(),
        _text("file_name"),
        _text("account"),
        sa.Column("first_day", sa.Date()),
        sa.Column("last_day", sa.Date()),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        _ref("user_id", "user_account.id"),
        _created(),
        sa.CheckConstraint("documents >= added AND added >= 0", name="counts"),
    )
    op.create_table(
        "incoming_payment",
        *_id(),
        _ref("statement_id", "bank_statement.id", null=False, index=True),
        _text("account"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("number"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *(_text(name, "") for name in ("payer_inn", "payer_account", "payer_name", "purpose")),
        _text("state", "waiting"),
        _text("problem", ""),
        _ref("payment_id", "payment.id", index=True),
        _ref("decided_by_id", "user_account.id"),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        _created(),
        sa.CheckConstraint("state IN ('matched', 'waiting', 'attached', 'not_ours')", name="state_known"),
        sa.CheckConstraint("problem IN ('', 'unknown', 'less', 'more', 'closed', 'ambiguous')", name="problem_known"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("(payment_id IS NOT NULL) = (state IN ('matched', 'attached'))", name="payment_when_known"),
        sa.UniqueConstraint("account", "day", "number", "amount", "payer_inn", "payer_account"),
    )
    op.create_index(
        "ix_incoming_payment_waiting", "incoming_payment", ["id"], postgresql_where=sa.text("state = 'waiting'")
    )


def _cards() -> None:
    op.create_table(
        "card_attempt",
        *_id(),
        _ref("payment_id", "payment.id", null=False, index=True),
        _text("provider"),
        _text("provider_ref", null=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _text("state", "open"),
        _text("told", ""),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _created(),
        sa.CheckConstraint("state IN ('open', 'paid', 'declined', 'abandoned', 'suspicious')", name="state_known"),
        sa.CheckConstraint("amount > 0 AND returned BETWEEN 0 AND amount", name="amounts"),
        sa.UniqueConstraint("provider", "provider_ref"),
    )


def _papers() -> None:
    op.create_table(
        "document_counter",
        sa.Column("seller_id", sa.BigInteger(), sa.ForeignKey("seller.id"), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("year", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer(), nullable=False),
    )
    op.create_table(
        "order_document",
        *_id(),
        _ref("seller_id", "seller.id", null=False),
        _text("kind"),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        _ref("order_id", "seller_order.id", null=False, index=True),
        _ref("fulfilment_id", "fulfilment.id", null=False),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        _created(),
        sa.CheckConstraint("kind IN ('upd')", name="kind_known"),
        sa.CheckConstraint("number > 0", name="number_positive"),
        sa.UniqueConstraint("seller_id", "kind", "year", "number"),
        sa.UniqueConstraint("fulfilment_id", "kind"),
    )
    op.execute(
        "CREATE TRIGGER order_document_is_append_only BEFORE UPDATE OR DELETE ON order_document "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for table in ("order_document", "document_counter", "card_attempt", "incoming_payment", "bank_statement"):
        op.drop_table(table)
    op.drop_constraint("received_not_negative", "payment", type_="check")
    op.drop_column("payment", "received")
