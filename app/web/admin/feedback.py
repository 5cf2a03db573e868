"""The operator's look at reviews, questions and answers: hiding with a reason, showing again, answering."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.feedback import moderation, queries, questions
from app.web import paths
from app.web.admin.operations import nav
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of, sentence

pages = Guarded("admin_feedback", __name__, url_prefix="/admin/feedback")
LIST = "/admin/feedback"
PAGE_SIZE = 20


@pages.get("", permission=Permission.ADMIN_CATALOGUE)
def show_all() -> Response:
    """Reviews, or questions with their answers; what is shown, or what is hidden."""
    return _page({}, "")


def _page(typed: dict[str, str], error: str, status: int = 200) -> Response:
    what = "questions" if request.args.get("what") == "questions" else "reviews"
    hidden = request.args.get("state") == "hidden"
    read = queries.questions_to_check if what == "questions" else queries.reviews_to_check
    found = read(hidden, before(), PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    kept = {"what": "questions" if what == "questions" else None, "state": "hidden" if hidden else None}
    return render_page(
        "admin/feedback.html", None, rows=shown, what=what, hidden=hidden, typed=typed, error=error, kept=kept,
        products=catalog.product_names([row.product_id for row in shown]), nav=nav(),
        office_name=_("Administration"), status=status,
        next_url=paths.with_query(LIST, kept, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
    )  # fmt: skip


@pages.post("/<kind>/<item>", permission=Permission.ADMIN_CATALOGUE)
def decide(kind: str, item: str) -> Response:
    """Hide with a reason, show again, or answer a question."""
    actor, form, key = access.actor(), request.form, key_of(item)
    try:
        if form.get("do") == "show":
            moderation.show(actor, kind, key)
        elif form.get("do") == "answer":
            questions.answer_as_operator(actor, key, form.get("text", ""))
        else:
            moderation.hide(actor, kind, key, form.get("reason", ""))
    except Invalid as error:
        return _page({"id": item} | form.to_dict(), sentence(error), 422)
    flash(_("Done and written to the audit log."), "ok")
    return redirect_to(paths.with_query(LIST, {name: request.args.get(name) for name in ("what", "state")}))
