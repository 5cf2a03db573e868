"""what a company brings before it trades, reviews, holidays, invitations

Revision ID: 0005
Revises: 0004

Companies that wait stay submitted and companies that trade stay approved; only new ones begin as drafts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = ("draft", "submitted", "approved", "returned", "suspended")
ROLES = ("owner", "manager", "warehouse", "accountant", "dispatcher", "courier", "member")


def known(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    default = {"server_default": sa.text("now()")} if now else {}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, **default)


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), server_default="", nullable=False)


def json(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
    )


def table(name: str, refs: dict[str, tuple[str, bool]], *parts: Any, public: bool = True) -> None:
    """A table with an id, references (column -> table, may be empty), its other parts and created_at."""
    head = [sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)]
    if public:
        head.append(sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False))
        parts += (sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),)
    columns = [sa.Column(column, sa.BigInteger(), nullable=empty) for column, (_to, empty) in refs.items()]
    keys = [
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))
        for column, (to, _empty) in refs.items()
    ]
    op.create_table(
        name, *head, *columns, *parts, moment("created_at", now=True), *keys,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    for column in refs:
        if (name, column) != ("agreement_acceptance", "organisation_id"):  # its unique key begins with it
            op.create_index(op.f(f"ix_{name}_{column}"), name, [column])


def check(of: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{of}_{name}"))


def upgrade() -> None:
    organisations()
    sellers()
    documents()
    bank_changes()
    agreements()
    invitations()


def organisations() -> None:
    op.drop_constraint(op.f("ck_organisation_status_known"), "organisation")
    op.create_check_constraint(
        op.f("ck_organisation_status_known"), "organisation", known("status", (*STATES[:2], "in_review", *STATES[2:]))
    )
    op.alter_column("organisation", "status", server_default="draft")
    op.add_column("organisation", json("section_notes"))
    op.add_column("organisation", sa.Column("reviewer_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_organisation_reviewer_id"), "organisation", "user_account", ["reviewer_id"], ["id"])
    op.create_index(op.f("ix_organisation_reviewer_id"), "organisation", ["reviewer_id"])
    op.create_check_constraint(
        op.f("ck_organisation_review_has_a_reviewer"),
        "organisation",
        "(status = 'in_review') = (reviewer_id IS NOT NULL)",
    )


def sellers() -> None:
    op.drop_column("seller", "agreement_version")
    op.add_column("seller", text("pause"))
    op.add_column("seller", sa.Column("holiday_from", sa.Date(), nullable=True))
    op.execute("UPDATE seller SET holiday_until = NULL, pause = CASE WHEN is_active THEN '' ELSE 'suspended' END")
    for name, condition in (
        ("pause_known", known("pause", ("", "suspended", "holiday", "agreement"))),
        ("selling_or_paused", "NOT is_active OR pause = ''"),
        ("holiday_has_both_ends", "(holiday_from IS NULL) = (holiday_until IS NULL)"),
        ("holiday_order", "holiday_from <= holiday_until"),
    ):
        op.create_check_constraint(op.f(f"ck_seller_{name}"), "seller", condition)


def documents() -> None:
    name = "organisation_document"
    kinds = ("charter", "registration", "tax_registration", "head", "power_of_attorney", "other")
    table(
        name,
        {"organisation_id": ("organisation", False), "user_id": ("user_account", True),
         "decided_by_id": ("user_account", True)},
        sa.Column("kind", sa.String(), nullable=False), sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("stored_name", sa.String(), nullable=False), sa.Column("content_kind", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False), sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), server_default="pending", nullable=False), text("note"), moment("decided_at"),
        check(name, "kind_known", known("kind", kinds)),
        check(name, "state_known", known("state", ("pending", "accepted", "refused"))),
        check(name, "content_kind_known", known("content_kind", ("pdf", "jpeg", "png"))),
        check(name, "size_positive", "size > 0"),
        check(name, "decided_is_dated", "(state = 'pending') = (decided_at IS NULL)"),
        check(name, "refused_says_why", "state <> 'refused' OR note <> ''"),
        sa.UniqueConstraint("stored_name", name=op.f(f"uq_{name}_stored_name")),
    )  # fmt: skip
    op.create_index(f"ix_{name}_waiting", name, ["organisation_id"], postgresql_where=sa.text("state = 'pending'"))


def bank_changes() -> None:
    name = "bank_change"
    table(
        name,
        {"organisation_id": ("organisation", False), "user_id": ("user_account", False),
         "decided_by_id": ("user_account", True)},
        json("before"), json("after"),
        sa.Column("state", sa.String(), server_default="pending", nullable=False), text("note"), moment("decided_at"),
        check(name, "state_known", known("state", ("pending", "confirmed", "refused", "withdrawn"))),
        check(name, "decided_is_dated", "(state = 'pending') = (decided_at IS NULL)"),
    )  # fmt: skip
    op.create_index(
        f"uq_{name}_waiting", name, ["organisation_id"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )


def agreements() -> None:
    name = "agreement_acceptance"
    table(
        name, {"organisation_id": ("organisation", False), "user_id": ("user_account", False)},
        sa.Column("version", sa.String(), nullable=False), text("ip"),
        sa.UniqueConstraint("organisation_id", "version", name=op.f(f"uq_{name}_organisation_id_version")),
        public=False,
    )  # fmt: skip
    op.execute(
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def invitations() -> None:
    name = "invitation"
    table(
        name,
        {"organisation_id": ("organisation", False), "invited_by_id": ("user_account", False),
         "user_id": ("user_account", True)},
        sa.Column("email", sa.String(), nullable=False), sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False), sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        moment("sent_at", now=True), sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        moment("accepted_at"), moment("revoked_at"), moment("declined_at"),
        check(name, "role_known", known("role", ROLES)),
        check(name, "ended_once", "num_nonnulls(accepted_at, revoked_at, declined_at) <= 1"),
        sa.UniqueConstraint("token_hash", name=op.f(f"uq_{name}_token_hash")),
    )  # fmt: skip
    op.create_index(
        "uq_invitation_open", name, ["organisation_id", "email_key"], unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_invitation_email_key", name, ["email_key"])


def downgrade() -> None:
    for name in ("invitation", "agreement_acceptance", "bank_change", "organisation_document"):
        op.drop_table(name)
    for name in ("holiday_order", "holiday_has_both_ends", "selling_or_paused", "pause_known"):
        op.drop_constraint(op.f(f"ck_seller_{name}"), "seller")
    op.drop_column("seller", "holiday_from")
    op.drop_column("seller", "pause")
    op.add_column("seller", text("agreement_version"))
    op.drop_constraint(op.f("ck_organisation_review_has_a_reviewer"), "organisation")
    op.execute("UPDATE organisation SET status = 'submitted' WHERE status = 'in_review'")
    op.drop_column("organisation", "reviewer_id")
    op.drop_column("organisation", "section_notes")
    op.drop_constraint(op.f("ck_organisation_status_known"), "organisation")
    op.create_check_constraint(op.f("ck_organisation_status_known"), "organisation", known("status", STATES))
    op.alter_column("organisation", "status", server_default="submitted")
