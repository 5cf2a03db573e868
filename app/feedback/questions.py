"""Commands on questions: asked by anybody signed in, answered by who sells the product, or the operator."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Invalid, NotFound
from app.core.permissions import Actor
from app.feedback.models import Question, QuestionAnswer
from app.feedback.reviews import answer_text, public_name, tell
from app.offers.sellers import sold_by

LONGEST = 1000


@unit_of_work
def ask(actor: Actor, product_id: int, text: str) -> uuid.UUID:
    """A question about a product.

    Raises:
        Invalid: empty or too long.
    """
    kept = text.strip()
    if not kept:
        raise Invalid.one("/text", "required")
    if len(kept) > LONGEST:
        raise Invalid.one("/text", "too_long", maximum=LONGEST)
    row = Question(user_id=actor.user, product_id=product_id, author=public_name(actor.name), text=kept)
    session.add(row)
    session.flush()
    return row.public_id


@unit_of_work
def answer(actor: Actor, public_id: uuid.UUID, text: str) -> None:
    """The answer of the actor's seller; a second one replaces the first. The asker is told once.

    Raises:
        NotFound: no such question, hidden, or the seller does not offer its product.
        Invalid: empty or too long.
    """
    seller = actor.seller_id
    place = actor.seller
    assert place is not None  # seller_id has looked
    asked = _question(sa.and_(Question.public_id == public_id, Question.product_id.in_(sold_by(seller))))
    _answer(actor, asked, text, seller, place.organisation_name)


@unit_of_work
def answer_as_operator(actor: Actor, public_id: uuid.UUID, text: str) -> None:
    """The operator's answer to any question.

    Raises:
        NotFound, Invalid.
    """
    _answer(actor, _question(Question.public_id == public_id), text, None, "")


def _question(condition: sa.ColumnElement[bool]) -> Question:
    row = session.scalars(sa.select(Question).where(condition, Question.hidden_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _answer(actor: Actor, asked: Question, text: str, seller: int | None, name: str) -> None:
    kept = answer_text(text)
    made = insert(QuestionAnswer).values(
        question_id=asked.id, seller_id=seller, user_id=actor.user, seller_name=name, text=kept
    )
    is_new = session.scalar(
        made.on_conflict_do_update(
            index_elements=[QuestionAnswer.question_id, QuestionAnswer.seller_id],
            set_={"text": kept, "user_id": actor.user, "created_at": clock.now()},
        ).returning(sa.literal_column("xmax = 0"))
    )
    audit.record(actor, "question.answered", "question", asked.id)
    if is_new:
        tell(asked.user_id, "question_answered", asked.product_id, name, kept)
