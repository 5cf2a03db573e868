"""Tables of reviews, questions and answers."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Moment, PublicId, ref


def hidden_says_why() -> sa.CheckConstraint:
    """Whoever hides something leaves a reason."""
    return sa.CheckConstraint("(hidden_at IS NULL) = (hidden_reason = '')", name="hidden_says_why")


class Review(Base):
    """What a buyer thinks of a product that was delivered: one for each person and product.

    `author` and `seller_name` are what people read, as they were when it was written, like the names in an order.
    """

    __tablename__ = "review"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "product_id"),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars_range"),
        sa.CheckConstraint("text <> ''", name="says_something"),
        sa.CheckConstraint("(answered_at IS NULL) = (answer = '')", name="answer_has_moment"),
        hidden_says_why(),
        sa.Index(
            "ix_review_shown", "product_id", "id", postgresql_include=["stars"],
            postgresql_where=sa.text("hidden_at IS NULL"),
        ),
        sa.Index("ix_review_product_id", "product_id"),
        sa.Index("ix_review_seller_id_id", "seller_id", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id", index=False)
    product_id: Mapped[int] = ref("product.id", index=False)
    seller_id: Mapped[int] = ref("seller.id", index=False)
    order_line_id: Mapped[int] = ref("order_line.id")
    """The line that was delivered: why this person may speak, and from whom it was bought."""
    author: Mapped[str]
    seller_name: Mapped[str]
    stars: Mapped[int]
    text: Mapped[str]
    pluses: Mapped[str] = mapped_column(server_default="")
    minuses: Mapped[str] = mapped_column(server_default="")
    answer: Mapped[str] = mapped_column(server_default="")
    """The seller's."""
    answered_at: Mapped[Moment | None]
    answer_user_id: Mapped[int | None] = ref("user_account.id", index=False)
    hidden_at: Mapped[Moment | None]
    hidden_reason: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]
    edited_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))


class Question(Base):
    """What somebody asks about a product."""

    __tablename__ = "question"
    __table_args__ = (
        sa.CheckConstraint("text <> ''", name="says_something"),
        hidden_says_why(),
        sa.Index("ix_question_product_id_id", "product_id", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id")
    product_id: Mapped[int] = ref("product.id", index=False)
    author: Mapped[str]
    text: Mapped[str]
    hidden_at: Mapped[Moment | None]
    hidden_reason: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class QuestionAnswer(Base):
    """The answer of one seller, or of the operator (no seller): one each, may be written anew."""

    __tablename__ = "question_answer"
    __table_args__ = (
        sa.UniqueConstraint("question_id", "seller_id", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("text <> ''", name="says_something"),
        sa.CheckConstraint("(seller_id IS NULL) = (seller_name = '')", name="seller_has_name"),
        hidden_says_why(),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    question_id: Mapped[int] = ref("question.id", index=False)
    seller_id: Mapped[int | None] = ref("seller.id")
    user_id: Mapped[int] = ref("user_account.id", index=False)
    seller_name: Mapped[str] = mapped_column(server_default="")
    text: Mapped[str]
    hidden_at: Mapped[Moment | None]
    hidden_reason: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
