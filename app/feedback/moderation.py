"""The operator hides what must not be read, with a reason, and shows it again. Hidden reviews do not count."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Invalid, NotFound
from app.core.permissions import Actor
from app.feedback.models import Question, QuestionAnswer, Review

Said = type[Review] | type[Question] | type[QuestionAnswer]
KINDS: dict[str, Said] = {"review": Review, "question": Question, "answer": QuestionAnswer}
LONGEST_REASON = 500


@unit_of_work
def hide(actor: Actor, kind: str, public_id: uuid.UUID, reason: str) -> None:
    """Let nobody read it.

    Raises:
        NotFound: unknown kind or id.
        Invalid: no reason, or a long one.
    """
    why = reason.strip()
    if not why:
        raise Invalid.one("/reason", "required")
    if len(why) > LONGEST_REASON:
        raise Invalid.one("/reason", "too_long", maximum=LONGEST_REASON)
    row = _locked(kind, public_id)
    row.hidden_at, row.hidden_reason = clock.now(), why
    audit.record(actor, f"{kind}.hidden", kind, row.id, after={"reason": why})


@unit_of_work
def show(actor: Actor, kind: str, public_id: uuid.UUID) -> None:
    """Let it be read again.

    Raises:
        NotFound: unknown kind or id.
    """
    row = _locked(kind, public_id)
    before = {"reason": row.hidden_reason}
    row.hidden_at, row.hidden_reason = None, ""
    audit.record(actor, f"{kind}.shown", kind, row.id, before=before)


def _locked(kind: str, public_id: uuid.UUID) -> Review | Question | QuestionAnswer:
    model = KINDS.get(kind)
    if model is None:
        raise NotFound()
    row = session.scalars(sa.select(model).where(model.public_id == public_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound()
    assert isinstance(row, Review | Question | QuestionAnswer)
    return row
