"""Reads of reviews and questions. What a product's page needs comes in one statement."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import NotFound
from app.feedback.models import Question, QuestionAnswer, Review
from app.offers.sellers import sold_by
from app.orders.received import RECEIVED_SQL

ON_PAGE = 3
"""So many reviews and questions stand on the page of a product; the rest is behind a link."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A review. `answer` is the seller's; `hidden_reason` is told to the author and the operator only."""

    id: int
    public_id: uuid.UUID
    product_id: int
    author: str
    seller_name: str
    stars: int
    text: str
    pluses: str
    minuses: str
    answer: str
    answered_at: datetime | None
    hidden_reason: str
    version: int
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer to a question; the operator's names no seller."""

    public_id: uuid.UUID
    seller_name: str
    text: str
    hidden_reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with its answers, the first answer first."""

    id: int
    public_id: uuid.UUID
    product_id: int
    author: str
    text: str
    hidden_reason: str
    created_at: datetime
    answers: tuple[AnswerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """Reviews that count: how many of one to five stars."""

    counts: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def average(self) -> Decimal | None:
        """To one place; None without reviews."""
        if not self.count:
            return None
        total = sum(stars * n for stars, n in enumerate(self.counts, start=1))
        return (Decimal(total) / self.count).quantize(Decimal("0.1"), ROUND_HALF_UP)

    @classmethod
    def of(cls, counts: Mapping[str, int] | None) -> Rating:
        """From stars -> number."""
        one, two, three, four, five = ((counts or {}).get(str(stars), 0) for stars in range(1, 6))
        return cls((one, two, three, four, five))


@dataclass(frozen=True, slots=True)
class OfProduct:
    """What the page of a product says. `mine`: the person's own review; `may_review`: something was delivered."""

    rating: Rating
    reviews: tuple[ReviewRow, ...]
    questions: tuple[QuestionRow, ...]
    questions_count: int
    mine: uuid.UUID | None
    may_review: bool


_REVIEW = ", ".join(f"r.{field.name}" for field in fields(ReviewRow))
_REVIEWS = f"SELECT {_REVIEW} FROM review r WHERE r.product_id = :product AND r.hidden_at IS NULL"
_QUESTION = ", ".join(f"q.{field.name}" for field in fields(QuestionRow) if field.name != "answers")
_ANSWER = ", ".join(f"a.{field.name}" for field in fields(AnswerRow))
_QUESTIONS = f"""
SELECT {_QUESTION}, (SELECT json_agg(shown ORDER BY shown.created_at) FROM (
    SELECT {_ANSWER} FROM question_answer a WHERE a.question_id = q.id AND a.hidden_at IS NULL) shown) AS answers
FROM question q WHERE q.product_id = :product AND q.hidden_at IS NULL
"""
_STARS = "SELECT stars, count(*) AS n FROM review WHERE product_id = :product AND hidden_at IS NULL GROUP BY stars"
_PAGE = sa.text(
    f"""
SELECT (SELECT json_object_agg(stars, n) FROM ({_STARS}) counted) AS stars,
    (SELECT json_agg(one ORDER BY one.id DESC) FROM ({_REVIEWS} ORDER BY r.id DESC LIMIT :shown) one) AS reviews,
    (SELECT json_agg(one ORDER BY one.id DESC) FROM ({_QUESTIONS} ORDER BY q.id DESC LIMIT :shown) one) AS questions,
    (SELECT count(*) FROM question WHERE product_id = :product AND hidden_at IS NULL) AS questions_count,
    (SELECT public_id FROM review WHERE user_id = :user AND product_id = :product) AS mine,
    EXISTS ({RECEIVED_SQL}) AS may_review
"""
)


def of_product(product_id: int, user_id: int | None) -> OfProduct:
    """Everything the page of a product shows of what people say, in one query."""
    row = session.execute(_PAGE, {"product": product_id, "user": user_id, "shown": ON_PAGE}).one()
    return OfProduct(
        Rating.of(row.stars), tuple(_review(r) for r in row.reviews or ()),
        tuple(_question(q) for q in row.questions or ()), row.questions_count, row.mine, row.may_review,
    )  # fmt: skip


def ratings(product_ids: Sequence[int]) -> dict[int, Rating]:
    """Ratings of several products; those without a review have none."""
    rows = session.execute(
        sa.select(Review.product_id, Review.stars, sa.func.count())
        .where(Review.product_id.in_(product_ids), Review.hidden_at.is_(None))
        .group_by(Review.product_id, Review.stars)
    )
    found: dict[int, dict[str, int]] = {}
    for product, stars, count in rows:
        found.setdefault(product, {})[str(stars)] = count
    return {product: Rating.of(counts) for product, counts in found.items()}


def reviews_of_product(product_id: int, before: int | None, limit: int) -> list[ReviewRow]:
    """Reviews that are shown, newest first, with ids below `before`."""
    return [_review(row._asdict()) for row in _newest(_REVIEWS, "r", product_id, before, limit)]


def questions_of_product(product_id: int, before: int | None, limit: int) -> list[QuestionRow]:
    """Questions that are shown, newest first, with ids below `before`."""
    return [_question(row._asdict()) for row in _newest(_QUESTIONS, "q", product_id, before, limit)]


def _newest(statement: str, name: str, product_id: int, before: int | None, limit: int) -> Sequence[sa.Row[Any]]:
    below = f"AND {name}.id < :before" if before is not None else ""
    bound = {"product": product_id, "limit": limit} | ({"before": before} if before is not None else {})
    return session.execute(sa.text(f"{statement} {below} ORDER BY {name}.id DESC LIMIT :limit"), bound).all()


def _review(values: Mapping[str, Any]) -> ReviewRow:
    return ReviewRow(**_typed(values))


def _question(values: Mapping[str, Any]) -> QuestionRow:
    typed = _typed(values)
    return QuestionRow(**typed | {"answers": tuple(AnswerRow(**_typed(a)) for a in typed.get("answers") or ())})


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Ids and moments out of JSON become what they are; rows of the database have them already."""
    found = dict(values)
    for name, value in found.items():
        if name == "public_id" and isinstance(value, str):
            found[name] = uuid.UUID(value)
        elif name.endswith("_at") and isinstance(value, str):
            found[name] = datetime.fromisoformat(value)
    return found


_OWN = sa.select(*(getattr(Review, field.name) for field in fields(ReviewRow)))


def own_review(user_id: int, product_id: int) -> ReviewRow | None:
    """The person's review of a product, hidden or not."""
    return _one(sa.and_(Review.user_id == user_id, Review.product_id == product_id))


def review_of(user_id: int, public_id: uuid.UUID) -> ReviewRow:
    """An own review.

    Raises:
        NotFound: absent, or another person's.
    """
    found = _one(sa.and_(Review.user_id == user_id, Review.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def _one(condition: sa.ColumnElement[bool]) -> ReviewRow | None:
    row = session.execute(_OWN.where(condition)).one_or_none()
    return None if row is None else ReviewRow(*row)


def reviews_by(user_id: int, before: int | None, limit: int) -> list[ReviewRow]:
    """A person's reviews, newest first."""
    return _reviews(Review.user_id == user_id, before, limit)


def reviews_of_seller(seller_id: int, answered: bool, before: int | None, limit: int) -> list[ReviewRow]:
    """Reviews of the seller's sales that are shown, newest first."""
    wanted = Review.answered_at.is_not(None) if answered else Review.answered_at.is_(None)
    return _reviews(sa.and_(Review.seller_id == seller_id, Review.hidden_at.is_(None), wanted), before, limit)


def reviews_to_check(hidden: bool, before: int | None, limit: int) -> list[ReviewRow]:
    """The operator's list of what is shown, or of what is hidden."""
    return _reviews(Review.hidden_at.is_not(None) if hidden else Review.hidden_at.is_(None), before, limit)


def _reviews(condition: sa.ColumnElement[bool], before: int | None, limit: int) -> list[ReviewRow]:
    statement = _OWN.where(condition).order_by(Review.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Review.id < before)
    return [ReviewRow(*row) for row in session.execute(statement)]


def _own_answer(seller_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(QuestionAnswer.question_id == Question.id, QuestionAnswer.seller_id == seller_id)


def questions_for_seller(seller_id: int, answered: bool, before: int | None, limit: int) -> list[QuestionRow]:
    """Questions about what the seller offers: those without the own answer yet, or those with it."""
    own = _own_answer(seller_id)
    condition = sa.and_(
        Question.product_id.in_(sold_by(seller_id)), Question.hidden_at.is_(None), own if answered else ~own
    )
    return _questions(condition, before, limit)


def questions_to_check(hidden: bool, before: int | None, limit: int) -> list[QuestionRow]:
    """The operator's list: questions shown, with all their answers; or those hidden, or with a hidden answer."""
    veiled = sa.exists().where(QuestionAnswer.question_id == Question.id, QuestionAnswer.hidden_at.is_not(None))
    condition = sa.or_(Question.hidden_at.is_not(None), veiled) if hidden else Question.hidden_at.is_(None)
    return _questions(condition, before, limit, with_hidden=True)


def _questions(
    condition: sa.ColumnElement[bool], before: int | None, limit: int, with_hidden: bool = False
) -> list[QuestionRow]:
    columns = (Question.id, Question.public_id, Question.product_id, Question.author, Question.text,
               Question.hidden_reason, Question.created_at)  # fmt: skip
    statement = sa.select(*columns).where(condition).order_by(Question.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Question.id < before)
    rows = session.execute(statement).all()
    answers = _answers([row.id for row in rows], with_hidden)
    return [QuestionRow(*row, tuple(answers.get(row.id, ()))) for row in rows]


def _answers(question_ids: Sequence[int], with_hidden: bool) -> dict[int, list[AnswerRow]]:
    statement = sa.select(
        QuestionAnswer.question_id, QuestionAnswer.public_id, QuestionAnswer.seller_name, QuestionAnswer.text,
        QuestionAnswer.hidden_reason, QuestionAnswer.created_at,
    ).where(QuestionAnswer.question_id.in_(question_ids))  # fmt: skip
    if not with_hidden:
        statement = statement.where(QuestionAnswer.hidden_at.is_(None))
    found: dict[int, list[AnswerRow]] = {}
    for row in session.execute(statement.order_by(QuestionAnswer.created_at, QuestionAnswer.id)):
        found.setdefault(row[0], []).append(AnswerRow(*row[1:]))
    return found


def waiting_for_seller(seller_id: int) -> tuple[int, int]:
    """(reviews, questions) that wait for the seller's answer."""
    reviews = sa.select(sa.func.count()).where(
        Review.seller_id == seller_id, Review.hidden_at.is_(None), Review.answered_at.is_(None)
    )
    questions = sa.select(sa.func.count()).where(
        Question.product_id.in_(sold_by(seller_id)), Question.hidden_at.is_(None), ~_own_answer(seller_id)
    )
    row = session.execute(sa.select(reviews.scalar_subquery(), questions.scalar_subquery())).one()
    return row[0], row[1]
