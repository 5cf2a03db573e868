"""The operator's page of synonyms."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import synonyms
from app.core import jobs
from app.core.errors import Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.texts import error_text
from app.web.admin.operations import nav

pages = Guarded("synonyms", __name__)
PATH = "/admin/synonyms"


@pages.get(PATH, permission=Permission.ADMIN_CATALOGUE)
def show() -> str:
    """All groups, and the form of one; `head` fills it with a group to change."""
    head = request.args.get("head", "")
    chosen = next((g for g in synonyms.groups() if g.head == head), None)
    return _page(head if chosen else "", "\n".join(chosen.terms) if chosen else "", {})


@pages.post(PATH, permission=Permission.ADMIN_CATALOGUE)
def save() -> ResponseReturnValue:
    """Write a group."""
    head, terms = request.form.get("head", ""), request.form.get("terms", "")
    try:
        synonyms.save(access.actor(), head, terms.replace(",", "\n").splitlines())
    except Invalid as error:
        wrong = {e.pointer.removeprefix("/"): error_text(e.code, e.context) for e in error.errors}
        return _page(head, terms, wrong), 422
    flash(_("Saved. The search knows it from now on."), "ok")
    return redirect(PATH, code=303)


@pages.post(f"{PATH}/delete", permission=Permission.ADMIN_CATALOGUE)
def remove() -> ResponseReturnValue:
    """Take a group away."""
    synonyms.remove(access.actor(), request.form.get("head", ""))
    flash(_("The group is removed."), "ok")
    return redirect(PATH, code=303)


@pages.post(f"{PATH}/rebuild", permission=Permission.ADMIN_CATALOGUE)
def rebuild() -> ResponseReturnValue:
    """Let a worker rewrite the search index."""
    made = synonyms.order_rebuild(access.actor())
    return redirect(f"{PATH}?job={made}", code=303)


def _page(head: str, terms: str, wrong: dict[str, str]) -> str:
    text = request.args.get("q", "").strip()[:100]
    job = None
    key = parse_uuid(request.args.get("job", ""))
    if key is not None:
        try:
            job = jobs.view(key, any_user=True)
        except NotFound:
            job = None
    return render_template(
        "admin/synonyms.html", nav=nav(), office_name=_("Administration"), groups=synonyms.groups(text), q=text,
        head=head, terms=terms, wrong=wrong, job=job,
    )  # fmt: skip
