"""Reviews and questions: of buyers on products, sellers answer, the operator hides."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.orders import cursor_id
from app.api.schemas import Page, PageQuery, QuantityText, Schema, Utc
from app.catalog import queries as catalog
from app.core.permissions import Permission
from app.feedback import moderation, queries, questions, reviews
from app.feedback.queries import QuestionRow, ReviewRow
from app.feedback.reviews import Opinion
from app.web import limits

api = Api("feedback", tag="Reviews and questions")


class ReviewIn(Schema):
    """What a buyer thinks. `line`: the order line it is about, when the product was bought more than once."""

    stars: int = Field(ge=1, le=5)
    text: str = Field(min_length=1, max_length=reviews.LONGEST["text"])
    pluses: str = Field(default="", max_length=reviews.LONGEST["pluses"])
    minuses: str = Field(default="", max_length=reviews.LONGEST["minuses"])


class NewReview(ReviewIn):
    """A review; `line`: the order line it is about, when the product was bought more than once."""

    line: uuid.UUID | None = None


class AnswerIn(Schema):
    """An answer; a second one replaces the first."""

    text: str = Field(min_length=1, max_length=reviews.LONGEST_ANSWER)


class ReviewOut(Schema):
    """A review. `author` is a first name with an initial; `hidden_reason` is empty while it is shown."""

    id: uuid.UUID
    product: uuid.UUID
    author: str
    seller: str
    stars: int
    text: str
    pluses: str
    minuses: str
    answer: str
    answered_at: Utc | None
    hidden_reason: str
    version: int
    created_at: Utc
    edited_at: Utc | None


class ReviewsOut(Page[ReviewOut]):
    """A page of reviews. `average` of all that are shown, null when there are none; `counts` of 1 to 5 stars."""

    average: QuantityText | None
    counts: list[int]


class QuestionIn(Schema):
    """A question."""

    text: str = Field(min_length=1, max_length=questions.LONGEST)


class AnswerOut(Schema):
    """An answer; `seller` is null when the operator answers."""

    id: uuid.UUID
    seller: str | None
    text: str
    hidden_reason: str
    created_at: Utc


class QuestionOut(Schema):
    """A question with its answers."""

    id: uuid.UUID
    product: uuid.UUID
    author: str
    text: str
    hidden_reason: str
    created_at: Utc
    answers: list[AnswerOut]


class AskedOut(Schema):
    """The id of what was written."""

    id: uuid.UUID


class StateQuery(PageQuery):
    """`state`: waiting for the own answer, or answered."""

    state: Literal["waiting", "answered"] = "waiting"


class HiddenQuery(PageQuery):
    """`hidden=1`: what the operator took away."""

    hidden: bool = False


class HideIn(Schema):
    """Why nobody may read it."""

    reason: str = Field(min_length=1, max_length=moderation.LONGEST_REASON)


def _review(row: ReviewRow, product: uuid.UUID) -> ReviewOut:
    same = {name: getattr(row, name) for name in ReviewOut.model_fields if name not in ("id", "product", "seller")}
    return ReviewOut(id=row.public_id, product=product, seller=row.seller_name, **same)


def _question(row: QuestionRow, product: uuid.UUID) -> QuestionOut:
    answers = [
        AnswerOut(id=a.public_id, seller=a.seller_name or None, text=a.text, hidden_reason=a.hidden_reason,
                  created_at=a.created_at)
        for a in row.answers
    ]  # fmt: skip
    return QuestionOut(
        id=row.public_id, product=product, author=row.author, text=row.text, hidden_reason=row.hidden_reason,
        created_at=row.created_at, answers=answers,
    )  # fmt: skip


def _page(found: list[Any], limit: int, make: Any) -> dict[str, Any]:
    """A page of rows that were read with one more than asked for."""
    shown = found[:limit]
    names = catalog.product_names([row.product_id for row in shown])
    following = str(shown[-1].id) if len(found) > limit else None
    return {"items": [make(row, names[row.product_id].public_id) for row in shown], "next_cursor": following}


@api.get(
    "/products/{product}/reviews", permission=Permission.PUBLIC, query=PageQuery, answer=ReviewsOut,
    summary="Reviews of a product",
)  # fmt: skip
def product_reviews(product: str, query: PageQuery) -> ReviewsOut:
    """Newest first; hidden ones neither show nor count."""
    card = catalog.product(given_id(product))
    rating = queries.ratings([card.id]).get(card.id, queries.Rating())
    found = queries.reviews_of_product(card.id, cursor_id(query.cursor), query.limit + 1)
    return ReviewsOut(**_page(found, query.limit, _review), average=rating.average, counts=list(rating.counts))


@api.post(
    "/products/{product}/reviews", permission=Permission.BUY, body=NewReview, answer=ReviewOut, status=201,
    summary="Review a product that was delivered",
    example={"stars": 5, "text": "Ложится ровно, схватывается за час.", "pluses": "мало усадки", "minuses": ""},
)  # fmt: skip
def add_review(product: str, body: NewReview) -> Answer:
    """403 `not_received` before anything of it was delivered; 409 `already_reviewed` for a second one."""
    card = catalog.product(given_id(product))
    opinion = Opinion(body.stars, body.text, body.pluses, body.minuses)
    made = reviews.write(access.actor(), card.id, opinion, body.line)
    return _own(made, 201)


def _own(review: uuid.UUID, status: int = 200) -> Answer:
    row = queries.review_of(access.actor().user, review)
    product = catalog.product_names([row.product_id])[row.product_id].public_id
    return Answer(_review(row, product), status, etag(row.version))


@api.get("/me/reviews", permission=Permission.BUY, query=PageQuery, answer=Page[ReviewOut], summary="Own reviews")
def own_reviews(query: PageQuery) -> Page[ReviewOut]:
    """Newest first, hidden ones with the reason."""
    found = queries.reviews_by(access.actor().user, cursor_id(query.cursor), query.limit + 1)
    return Page[ReviewOut](**_page(found, query.limit, _review))


@api.patch(
    "/me/reviews/{review}", permission=Permission.BUY, body=ReviewIn, answer=ReviewOut, summary="Edit an own review",
    example={"stars": 4, "text": "Через месяц появилась трещина."},
)  # fmt: skip
def edit_review(review: str, body: ReviewIn) -> Answer:
    """Written anew as a whole; honours If-Match."""
    key = given_id(review)
    reviews.edit(
        access.actor(), key, Opinion(body.stars, body.text, body.pluses, body.minuses), expected_version()
    )  # fmt: skip
    return _own(key)


@api.get(
    "/products/{product}/questions", permission=Permission.PUBLIC, query=PageQuery, answer=Page[QuestionOut],
    summary="Questions about a product",
)  # fmt: skip
def product_questions(product: str, query: PageQuery) -> Page[QuestionOut]:
    """Newest first, with their answers."""
    card = catalog.product(given_id(product))
    found = queries.questions_of_product(card.id, cursor_id(query.cursor), query.limit + 1)
    return Page[QuestionOut](**_page(found, query.limit, _question))


@api.post(
    "/products/{product}/questions", permission=Permission.BUY, body=QuestionIn, answer=AskedOut, status=201,
    summary="Ask about a product", example={"text": "Можно ли класть на тёплый пол?"},
)  # fmt: skip
def ask(product: str, body: QuestionIn) -> AskedOut:
    """Sellers of the product answer; at most ten questions an hour."""
    card, actor = catalog.product(given_id(product)), access.actor()
    limits.hit("question", str(actor.user))
    return AskedOut(id=questions.ask(actor, card.id, body.text))


@api.get(
    "/seller/reviews", permission=Permission.SELLER_ORDERS, query=StateQuery, answer=Page[ReviewOut],
    summary="Reviews of own sales",
)  # fmt: skip
def seller_reviews(query: StateQuery) -> Page[ReviewOut]:
    """Those without an answer, or those with one; newest first."""
    answered = query.state == "answered"
    found = queries.reviews_of_seller(access.actor().seller_id, answered, cursor_id(query.cursor), query.limit + 1)
    return Page[ReviewOut](**_page(found, query.limit, _review))


@api.post(
    "/seller/reviews/{review}/answer", permission=Permission.SELLER_ORDERS, body=AnswerIn, summary="Answer a review",
    status=204, example={"text": "Спасибо, передали на завод."},
)  # fmt: skip
def answer_review(review: str, body: AnswerIn) -> None:
    """The author is told by mail of the first answer."""
    reviews.answer(access.actor(), given_id(review), body.text)


@api.get(
    "/seller/questions", permission=Permission.SELLER_OFFERS, query=StateQuery, answer=Page[QuestionOut],
    summary="Questions about what the seller offers",
)  # fmt: skip
def seller_questions(query: StateQuery) -> Page[QuestionOut]:
    """Those without an own answer, or those with one; newest first."""
    answered = query.state == "answered"
    found = queries.questions_for_seller(access.actor().seller_id, answered, cursor_id(query.cursor), query.limit + 1)
    return Page[QuestionOut](**_page(found, query.limit, _question))


@api.post(
    "/seller/questions/{question}/answer", permission=Permission.SELLER_OFFERS, body=AnswerIn, status=204,
    summary="Answer a question", example={"text": "Да, до 35 градусов на поверхности."},
)  # fmt: skip
def answer_question(question: str, body: AnswerIn) -> None:
    """404 unless the seller offers the product."""
    questions.answer(access.actor(), given_id(question), body.text)


@api.get(
    "/admin/reviews", permission=Permission.ADMIN_CATALOGUE, query=HiddenQuery, answer=Page[ReviewOut],
    summary="Reviews to look at",
)  # fmt: skip
def admin_reviews(query: HiddenQuery) -> Page[ReviewOut]:
    """Newest first."""
    found = queries.reviews_to_check(query.hidden, cursor_id(query.cursor), query.limit + 1)
    return Page[ReviewOut](**_page(found, query.limit, _review))


@api.get(
    "/admin/questions", permission=Permission.ADMIN_CATALOGUE, query=HiddenQuery, answer=Page[QuestionOut],
    summary="Questions to look at",
)  # fmt: skip
def admin_questions(query: HiddenQuery) -> Page[QuestionOut]:
    """Newest first, with all answers."""
    found = queries.questions_to_check(query.hidden, cursor_id(query.cursor), query.limit + 1)
    return Page[QuestionOut](**_page(found, query.limit, _question))


@api.post(
    "/admin/questions/{question}/answer", permission=Permission.ADMIN_CATALOGUE, body=AnswerIn, status=204,
    summary="Answer a question as the operator", example={"text": "Вернуть можно в течение семи дней."},
)  # fmt: skip
def answer_as_operator(question: str, body: AnswerIn) -> None:
    """Any question that is shown."""
    questions.answer_as_operator(access.actor(), given_id(question), body.text)


@api.post(
    "/admin/feedback/{kind}/{item}/hide", permission=Permission.ADMIN_CATALOGUE, body=HideIn, status=204,
    summary="Hide a review, question or answer", example={"reason": "Личные данные"},
)  # fmt: skip
def hide(kind: str, item: str, body: HideIn) -> None:
    """`kind`: review, question or answer. Written to the audit log; a hidden review does not count."""
    moderation.hide(access.actor(), kind, given_id(item), body.reason)


@api.post(
    "/admin/feedback/{kind}/{item}/show", permission=Permission.ADMIN_CATALOGUE, status=204,
    summary="Show it again",
)  # fmt: skip
def show(kind: str, item: str) -> None:
    """Written to the audit log."""
    moderation.show(access.actor(), kind, given_id(item))
