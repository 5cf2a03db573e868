"""A seller's holiday: from and until when nothing is sold."""

from __future__ import annotations

from flask import Response, flash
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext

from app import access
from app.access import Guarded
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.offers import selling
from app.web.carrier.forms import Field, Filled, read, refused
from app.web.htmx import redirect_to, render_page
from app.web.seller import frame

pages = Guarded("seller_holiday", __name__, url_prefix="/seller/holiday")
FIELDS = (Field("first", lazy_gettext("First day"), "day"), Field("last", lazy_gettext("Last day"), "day"))


@pages.get("", permission=Permission.SELLER_OFFERS)
def show() -> Response:
    """The holiday that is or comes, and the form of one."""
    return _page(Filled())


def _page(filled: Filled, status: int = 200) -> Response:
    actor = access.actor()
    return render_page(
        "seller/holiday.html", None, now=selling.selling(actor.seller_id), filled=filled, fields=FIELDS,
        status=status,        longest=selling.LONGEST.days, **frame.context(actor),
    )  # fmt: skip


@pages.post("", permission=Permission.SELLER_OFFERS)
def save() -> Response:
    """Set the days."""
    try:
        days = read(FIELDS)
        selling.set_holiday(access.actor(), days["first"], days["last"])
    except Invalid as error:
        return _page(refused(error), error.status)
    flash(_("The holiday is set. Orders already placed go on."), "ok")
    return redirect_to("/seller/holiday")


@pages.post("/end", permission=Permission.SELLER_OFFERS)
def end() -> Response:
    """Sell again at once."""
    selling.end_holiday(access.actor())
    flash(_("The offers are on sale."), "ok")
    return redirect_to("/seller/holiday")
