"""Reviews and questions of a product: all of them page by page, writing one's own."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.catalog.queries import ProductCard
from app.core.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from app.core.permissions import Permission
from app.feedback import queries, questions, reviews
from app.feedback.reviews import Opinion
from app.orders import received
from app.web import limits, paths
from app.web.filters import language
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, key_of, sentence

pages = Guarded("feedback", __name__)
PAGE_SIZE = 20
FIELDS = ("text", "pluses", "minuses")


@pages.get("/product/<slug>/reviews", permission=Permission.PUBLIC)
def all_reviews(slug: str) -> Response:
    """Every review that is shown, newest first."""
    card = catalog.product_by_slug(slug)
    found = queries.reviews_of_product(card.id, before(), PAGE_SIZE + 1)
    rating = queries.ratings([card.id]).get(card.id)
    return _list("reviews", card, found, rating=rating)


@pages.get("/product/<slug>/questions", permission=Permission.PUBLIC)
def all_questions(slug: str) -> Response:
    """Every question that is shown, newest first."""
    card = catalog.product_by_slug(slug)
    return _list("questions", card, queries.questions_of_product(card.id, before(), PAGE_SIZE + 1))


def _list(kind: str, card: ProductCard, found: list[Any], **context: Any) -> Response:
    shown = found[:PAGE_SIZE]
    path = f"{paths.product_path(card.slug)}/{kind}"
    more = paths.with_query(path, before=shown[-1].id) if len(found) > PAGE_SIZE else ""
    return render_page(
        "buyer/feedback.html", "buyer/_feedback.html", kind=kind, card=card, name=card.name(language()), rows=shown,
        next_url=more, **context,
    )  # fmt: skip


@pages.get("/orders/lines/<line>/review", permission=Permission.BUY)
def of_line(line: str) -> Response:
    """From a line of an order to the review of its product."""
    key = key_of(line)
    found = received.received_lines(access.actor().user, line=key)
    if not found:
        raise NotFound()
    product = catalog.product_names([found[0].product_id])[found[0].product_id]
    return redirect_to(paths.with_query(f"{paths.product_path(product.slug)}/review", line=key))


@pages.get("/product/<slug>/review", permission=Permission.BUY)
def review_form(slug: str) -> Response:
    """The own review to edit, or an empty form for whoever was brought the product."""
    card = catalog.product_by_slug(slug)
    mine = queries.own_review(access.actor().user, card.id)
    typed: dict[str, Any] = {"line": request.args.get("line", "")}
    if mine is not None:
        typed |= {"stars": str(mine.stars), "version": mine.version} | {name: getattr(mine, name) for name in FIELDS}
    return _review_form(card, mine, typed, {})


def _review_form(
    card: ProductCard, mine: queries.ReviewRow | None, typed: dict[str, Any], errors: dict[str, str], status: int = 200
) -> Response:
    may = mine is not None or bool(received.received_lines(access.actor().user, card.id))
    return render_page(
        "buyer/review_form.html", None, card=card, name=card.name(language()), mine=mine, typed=typed, errors=errors,
        may=may, longest=reviews.LONGEST, status=status,
    )  # fmt: skip


@pages.post("/product/<slug>/review", permission=Permission.BUY)
def save_review(slug: str) -> Response:
    """Write the review, or edit the own one."""
    card, actor, form = catalog.product_by_slug(slug), access.actor(), request.form.to_dict()
    mine = queries.own_review(actor.user, card.id)
    stars = form.get("stars", "")
    opinion = Opinion(int(stars) if stars in "12345" and len(stars) == 1 else 0, *(form.get(n, "") for n in FIELDS))
    try:
        if mine is None:
            line = form.get("line", "")
            reviews.write(actor, card.id, opinion, key_of(line) if line else None)
        else:
            version = form.get("version", "")
            reviews.edit(actor, mine.public_id, opinion, int(version) if version.isdecimal() else None)
    except Invalid as error:
        return _review_form(card, mine, form, by_field(error), 422)
    except (Stale, Forbidden) as error:
        fresh = form | ({"version": mine.version} if mine else {})
        return _review_form(card, mine, fresh, {"": sentence(error)}, error.status)
    flash(_("Your review is on the page of the product."), "ok")
    return redirect_to(f"{paths.product_path(slug)}#reviews")


@pages.get("/product/<slug>/ask", permission=Permission.BUY)
def question_form(slug: str) -> Response:
    """The form of a question."""
    return _question_form(catalog.product_by_slug(slug), "", "")


def _question_form(card: ProductCard, text: str, error: str, status: int = 200) -> Response:
    return render_page(
        "buyer/question_form.html", None, card=card, name=card.name(language()), text=text, error=error,
        longest=questions.LONGEST, status=status,
    )  # fmt: skip


@pages.post("/product/<slug>/ask", permission=Permission.BUY)
def ask(slug: str) -> Response:
    """Put the question; sellers of the product see it."""
    card, actor = catalog.product_by_slug(slug), access.actor()
    text = request.form.get("text", "")
    try:
        limits.hit("question", str(actor.user))
        questions.ask(actor, card.id, text)
    except DomainError as error:
        return _question_form(card, text, sentence(error), error.status)
    flash(_("The question is asked. The answer comes by mail and stands here."), "ok")
    return redirect_to(f"{paths.product_path(slug)}#questions")
