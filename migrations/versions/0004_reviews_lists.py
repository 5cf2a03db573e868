"""reviews, questions, answers; favourites and lists

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NOW = sa.text("now()")


def identity() -> list[sa.Column]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
    ]


def hidden() -> list[sa.Column]:
    return [
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_reason", sa.String(), server_default="", nullable=False),
    ]


def created() -> sa.Column:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False)


def rules(table: str, checks: dict[str, str], foreign: dict[str, str]) -> list[sa.Constraint]:
    return [
        *(sa.CheckConstraint(sql, name=op.f(f"ck_{table}_{name}")) for name, sql in checks.items()),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
            for column, target in foreign.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


HIDDEN = {"hidden_says_why": "(hidden_at IS NULL) = (hidden_reason = '')"}
SPOKEN = {"says_something": "text <> ''"}


def upgrade() -> None:
    reviews()
    questions()
    lists()


def reviews() -> None:
    op.create_table(
        "review",
        *identity(),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("user_id", "product_id", "seller_id")),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("seller_name", sa.String(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *(sa.Column(n, sa.String(), server_default="", nullable=False) for n in ("pluses", "minuses", "answer")),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_user_id", sa.BigInteger(), nullable=True),
        *hidden(),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        created(),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        *rules(
            "review",
            {
                "stars_range": "stars BETWEEN 1 AND 5",
                "answer_has_moment": "(answered_at IS NULL) = (answer = '')",
                **SPOKEN,
                **HIDDEN,
            },
            {
                "user_id": "user_account.id",
                "product_id": "product.id",
                "seller_id": "seller.id",
                "order_line_id": "order_line.id",
                "answer_user_id": "user_account.id",
            },
        ),
        sa.UniqueConstraint("user_id", "product_id", name=op.f("uq_review_user_id_product_id")),
    )
    op.create_index(
        "ix_review_shown", "review", ["product_id", "id"], postgresql_include=["stars"],
        postgresql_where=sa.text("hidden_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_review_product_id", "review", ["product_id"])
    op.create_index("ix_review_seller_id_id", "review", ["seller_id", "id"])
    op.create_index(op.f("ix_review_order_line_id"), "review", ["order_line_id"])


def questions() -> None:
    op.create_table(
        "question",
        *identity(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *hidden(),
        created(),
        *rules("question", SPOKEN | HIDDEN, {"user_id": "user_account.id", "product_id": "product.id"}),
    )
    op.create_index("ix_question_product_id_id", "question", ["product_id", "id"])
    op.create_index(op.f("ix_question_user_id"), "question", ["user_id"])
    op.create_table(
        "question_answer",
        *identity(),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_name", sa.String(), server_default="", nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *hidden(),
        created(),
        *rules(
            "question_answer",
            {"seller_has_name": "(seller_id IS NULL) = (seller_name = '')", **SPOKEN, **HIDDEN},
            {"question_id": "question.id", "seller_id": "seller.id", "user_id": "user_account.id"},
        ),
        sa.UniqueConstraint(
            "question_id", "seller_id", name=op.f("uq_question_answer_question_id_seller_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_question_answer_seller_id"), "question_answer", ["seller_id"])


def lists() -> None:
    op.create_table(
        "product_list",
        *identity(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("is_favourites", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        created(),
        *rules(
            "product_list", {"named_unless_favourites": "is_favourites = (name = '')"}, {"user_id": "user_account.id"}
        ),
    )
    op.create_index("ix_product_list_user_id", "product_list", ["user_id"])
    op.create_index(
        "uq_product_list_favourites", "product_list", ["user_id"], unique=True,
        postgresql_where=sa.text("is_favourites"),
    )  # fmt: skip
    op.create_table(
        "product_list_item",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(18, 6), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        created(),
        sa.CheckConstraint(
            "(quantity IS NULL) = (unit IS NULL)", name=op.f("ck_product_list_item_quantity_has_unit")
        ),
        sa.CheckConstraint(
            "quantity IS NULL OR quantity > 0", name=op.f("ck_product_list_item_quantity_positive")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["product_list.id"], name=op.f("fk_product_list_item_list_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_list_item_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_id", "product_id", name=op.f("pk_product_list_item")),
    )  # fmt: skip
    op.create_index("ix_product_list_item_product_id", "product_list_item", ["product_id"])


def downgrade() -> None:
    for table in ("product_list_item", "product_list", "question_answer", "question", "review"):
        op.drop_table(table)
