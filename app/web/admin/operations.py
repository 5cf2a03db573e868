"""The operator's desk."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.accounts import queries, service
from app.core import operations
from app.core.permissions import Permission
from app.web.account.profile import given

pages = Guarded("admin", __name__)
PAGE = 50


def nav(waiting: int = 0) -> list[dict[str, Any]]:
    """The rail of the operator's desk."""
    return [
        {"url": "/admin/organisations", "label": _("Companies"), "icon": "store", "count": waiting},
        {"url": "/admin/changes", "label": _("Changes of cards"), "icon": "pencil"},
        {"url": "/admin/documents", "label": _("Certificates"), "icon": "badge-check"},
        {"url": "/admin/products", "label": _("Products"), "icon": "tags"},
        {"url": "/admin/categories", "label": _("Sections"), "icon": "columns-3"},
        {"url": "/admin/feedback", "label": _("Reviews"), "icon": "message-square"},
        {"url": "/admin/statements", "label": _("Statements"), "icon": "banknote"},
        {"url": "/admin/claims", "label": _("Claims"), "icon": "circle-alert"},
        {"url": "/admin/returns", "label": _("Returns"), "icon": "undo-2"},
        {"url": "/admin/refunds", "label": _("Refunds"), "icon": "undo-2"},
        {"url": "/admin/payouts", "label": _("Payouts"), "icon": "banknote"},
        {"url": "/admin/commission", "label": _("Commission"), "icon": "percent"},
        {"url": "/admin/promotions", "label": _("Promotions"), "icon": "tags"},
        {"url": "/admin/users", "label": _("People"), "icon": "users"},
        {"url": "/admin/synonyms", "label": _("Synonyms"), "icon": "search"},
        {"url": "/admin/jobs", "label": _("Jobs"), "icon": "layers"},
        {"url": "/admin/audit", "label": _("Audit log"), "icon": "history"},
    ]


def office_page(template: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    """A page of the operator's desk."""
    return render_template(
        template, nav=nav(context.pop("waiting", 0)), office_name=_("Administration"), **context
    ), status


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 18 else None


@pages.get("/admin/users", permission=Permission.ADMIN_USERS)
def list_users() -> ResponseReturnValue:
    """People, newest first."""
    text = request.args.get("q", "").strip()[:100]
    rows = queries.users(text, _before(), PAGE)
    return office_page("admin/users.html", rows=rows, q=text, older=rows[-1].id if len(rows) == PAGE else None)


@pages.post("/admin/users/<user>", permission=Permission.ADMIN_USERS)
def set_active(user: str) -> ResponseReturnValue:
    """Block or unblock a person."""
    service.set_active(access.actor(), given(user), active=request.form.get("active") == "1")
    flash(_("Done and written to the audit log."), "ok")
    return redirect("/admin/users", code=303)


@pages.get("/admin/jobs", permission=Permission.ADMIN_JOBS)
def list_jobs() -> ResponseReturnValue:
    """Jobs, newest first; dead ones can be tried again."""
    state = request.args.get("state", "")
    rows = operations.jobs(state or None, _before(), PAGE)
    older = rows[-1].id if len(rows) == PAGE else None
    return office_page("admin/jobs.html", rows=rows, state=state, counts=operations.job_counts(), older=older)


@pages.post("/admin/jobs/<job>/retry", permission=Permission.ADMIN_JOBS)
def retry_job(job: str) -> ResponseReturnValue:
    """Give a dead job a new set of attempts."""
    operations.retry(access.actor(), given(job))
    flash(_("The job is queued again."), "ok")
    return redirect("/admin/jobs", code=303)


@pages.get("/admin/audit", permission=Permission.ADMIN_AUDIT)
def audit_log() -> ResponseReturnValue:
    """Who did what, newest first."""
    action = request.args.get("action", "").strip()[:60]
    rows = operations.audit_log(action or None, _before(), PAGE)
    return office_page("admin/audit.html", rows=rows, action=action, older=rows[-1].id if len(rows) == PAGE else None)
