"""Commands on reviews: written by who was brought the goods, answered by who sold them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import queries as accounts
from app.catalog import queries as catalog
from app.core import audit, clock, mail
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.feedback.models import Review
from app.orders import received

LONGEST = {"text": 3000, "pluses": 1000, "minuses": 1000}
LONGEST_ANSWER = 3000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a buyer says of a product."""

    stars: int
    text: str
    pluses: str = ""
    minuses: str = ""


def public_name(name: str) -> str:
    """First name and initial, which is all that others read of a person: "Ольга П."."""
    words = name.split()
    initial = f" {words[1][0].upper()}." if len(words) > 1 and words[1][0].isalpha() else ""
    return (words[0] if words else "") + initial


@unit_of_work
def write(actor: Actor, product_id: int, opinion: Opinion, line: uuid.UUID | None = None) -> uuid.UUID:
    """The person's review of a product; of several deliveries the last one counts unless `line` names another.

    Raises:
        Forbidden: `not_received`, or `own_goods` for somebody of the company that sold it.
        Conflict: `already_reviewed`: there is one, which may be edited.
        Invalid: with every wrong field.
    """
    found = _checked(opinion)
    bought = next(iter(received.received_lines(actor.user, product_id, line)), None)
    if bought is None:
        raise Forbidden("not_received")
    if any(place.organisation_id == bought.seller_id for place in actor.memberships):
        raise Forbidden("own_goods")
    made: uuid.UUID | None = session.scalar(
        insert(Review)
        .values(
            user_id=actor.user, product_id=product_id, seller_id=bought.seller_id, order_line_id=bought.id,
            author=public_name(actor.name), seller_name=bought.seller_name, stars=found.stars, text=found.text,
            pluses=found.pluses, minuses=found.minuses,
        )
        .on_conflict_do_nothing(index_elements=[Review.user_id, Review.product_id])
        .returning(Review.public_id)
    )  # fmt: skip
    if made is None:
        raise Conflict("already_reviewed")
    return made


@unit_of_work
def edit(actor: Actor, public_id: uuid.UUID, opinion: Opinion, version: int | None = None) -> None:
    """Write an own review anew. A hidden one stays hidden until the operator has looked.

    Raises:
        NotFound, Stale, Invalid.
    """
    row = _locked(sa.and_(Review.public_id == public_id, Review.user_id == actor.user))
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    found = _checked(opinion)
    row.stars, row.text, row.pluses, row.minuses = found.stars, found.text, found.pluses, found.minuses
    row.author = public_name(actor.name)
    row.version += 1
    row.edited_at = clock.now()


def _checked(opinion: Opinion) -> Opinion:
    texts = {name: getattr(opinion, name).strip() for name in LONGEST}
    errors = [
        FieldError(f"/{name}", "too_long", {"maximum": most}) for name, most in LONGEST.items()
        if len(texts[name]) > most
    ]  # fmt: skip
    if not texts["text"]:
        errors.append(FieldError("/text", "required"))
    if not 1 <= opinion.stars <= 5:
        errors.append(FieldError("/stars", "unknown_option"))
    if errors:
        raise Invalid(errors)
    return Opinion(opinion.stars, **texts)


@unit_of_work
def answer(actor: Actor, public_id: uuid.UUID, text: str) -> None:
    """The seller's answer to a review of the own sale; a second one replaces the first. The author is told once.

    Raises:
        NotFound: absent, or of another seller's sale.
        Invalid: empty or too long.
    """
    row = _locked(sa.and_(Review.public_id == public_id, Review.seller_id == actor.seller_id))
    first = row.answered_at is None
    row.answer = answer_text(text)
    row.answered_at, row.answer_user_id = clock.now(), actor.user
    audit.record(actor, "review.answered", "review", row.id)
    if first:
        tell(row.user_id, "review_answered", row.product_id, row.seller_name, row.answer)


def answer_text(text: str) -> str:
    """An answer as it may be kept.

    Raises:
        Invalid: empty or too long.
    """
    kept = text.strip()
    if not kept:
        raise Invalid.one("/text", "required")
    if len(kept) > LONGEST_ANSWER:
        raise Invalid.one("/text", "too_long", maximum=LONGEST_ANSWER)
    return kept


def tell(user_id: int, template: str, product_id: int, seller: str, text: str) -> None:
    """Mail a person what was answered, in the present transaction."""
    person = accounts.profile(user_id)
    product = catalog.product_names([product_id])[product_id]
    mail.queue(
        person.email, template, person.locale, name=person.name, product=product.name(person.locale), seller=seller,
        text=text, path=f"/product/{product.slug}",
    )  # fmt: skip


def _locked(condition: sa.ColumnElement[bool]) -> Review:
    row = session.scalars(
        sa.select(Review).where(condition).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    return row
