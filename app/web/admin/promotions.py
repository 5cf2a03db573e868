"""The operator's promotions."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.access import Guarded
from app.core.permissions import Permission
from app.web import promotion_form
from app.web.admin.operations import nav
from app.web.promotion_form import Desk
from app.web.reading import key_of

pages = Guarded("admin_promotions", __name__, url_prefix="/admin/promotions")
HERE = "/admin/promotions"


def _desk() -> Desk:
    return Desk(HERE, None, {"nav": nav(), "office_name": _("Administration")})


@pages.get("", permission=Permission.ADMIN_MONEY)
def show() -> ResponseReturnValue:
    """The list."""
    return promotion_form.show_list(_desk())


@pages.get("/new", permission=Permission.ADMIN_MONEY)
def new() -> ResponseReturnValue:
    """An empty form."""
    return promotion_form.show_form(_desk())


@pages.post("", permission=Permission.ADMIN_MONEY)
def make() -> ResponseReturnValue:
    """Make one."""
    return promotion_form.save(_desk())


@pages.get("/<promotion>", permission=Permission.ADMIN_MONEY)
def show_one(promotion: str) -> ResponseReturnValue:
    """One, to be edited while nobody has used it."""
    return promotion_form.show_form(_desk(), promotion)


@pages.post("/<promotion>", permission=Permission.ADMIN_MONEY)
def change(promotion: str) -> ResponseReturnValue:
    """Edit, or stop."""
    if request.form.get("act") == "stop":
        return promotion_form.stop(_desk(), key_of(promotion))
    return promotion_form.save(_desk(), promotion)
