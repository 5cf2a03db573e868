"""Reviews of the seller's sales and questions about what it sells: reading and answering in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.core.errors import Invalid
from app.core.permissions import Actor, Permission
from app.feedback import queries, questions, reviews
from app.web import paths
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of, sentence
from app.web.seller import frame

pages = Guarded("seller_feedback", __name__, url_prefix="/seller")
PAGE_SIZE = 20


@pages.get("/reviews", permission=Permission.SELLER_ORDERS)
def all_reviews() -> Response:
    """Those that wait for an answer first; the answered ones on their own tab."""
    return _page("reviews", {}, "")


@pages.get("/questions", permission=Permission.SELLER_OFFERS)
def all_questions() -> Response:
    """Questions about products the seller offers."""
    return _page("questions", {}, "")


def _page(kind: str, typed: dict[str, str], error: str, status: int = 200) -> Response:
    actor = access.actor()
    answered = request.args.get("state") == "answered"
    read: Callable[[int, bool, int | None, int], Sequence[Any]] = (
        queries.reviews_of_seller if kind == "reviews" else queries.questions_for_seller
    )
    found = read(actor.seller_id, answered, before(), PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    path = f"/seller/{kind}"
    state = "answered" if answered else None
    return render_page(
        f"seller/{kind}.html", None, rows=shown, answered=answered, path=path, typed=typed, error=error, status=status,
        products=catalog.product_names([row.product_id for row in shown]),
        waiting=queries.waiting_for_seller(actor.seller_id),
        next_url=paths.with_query(path, state=state, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
        **frame.context(actor),
    )  # fmt: skip


@pages.post("/reviews/<review>", permission=Permission.SELLER_ORDERS)
def answer_review(review: str) -> Response:
    """Answer a review, or write the answer anew."""
    return _answered("reviews", review, reviews.answer)


@pages.post("/questions/<question>", permission=Permission.SELLER_OFFERS)
def answer_question(question: str) -> Response:
    """Answer a question, or write the answer anew."""
    return _answered("questions", question, questions.answer)


def _answered(kind: str, text_id: str, command: Callable[[Actor, UUID, str], None]) -> Response:
    text = request.form.get("text", "")
    try:
        command(access.actor(), key_of(text_id), text)
    except Invalid as error:
        return _page(kind, {"id": text_id, "text": text}, sentence(error), 422)
    flash(_("The answer is on the page of the product."), "ok")
    return redirect_to(paths.with_query(f"/seller/{kind}", state=request.args.get("state")))
