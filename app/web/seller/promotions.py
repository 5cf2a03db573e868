"""A seller's own promotions, and those of the operator on this seller's goods alone."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from app import access
from app.access import Guarded
from app.core.permissions import Permission
from app.web import promotion_form
from app.web.promotion_form import Desk
from app.web.reading import key_of
from app.web.seller import frame

pages = Guarded("seller_promotions", __name__, url_prefix="/seller/promotions")
HERE = "/seller/promotions"


def _desk() -> Desk:
    actor = access.actor()
    return Desk(HERE, actor.seller_id, frame.context(actor))


@pages.get("", permission=Permission.SELLER_OFFERS)
def show() -> ResponseReturnValue:
    """The list."""
    return promotion_form.show_list(_desk())


@pages.get("/new", permission=Permission.SELLER_OFFERS)
def new() -> ResponseReturnValue:
    """An empty form."""
    return promotion_form.show_form(_desk())


@pages.post("", permission=Permission.SELLER_OFFERS)
def make() -> ResponseReturnValue:
    """Make one."""
    return promotion_form.save(_desk())


@pages.get("/<promotion>", permission=Permission.SELLER_OFFERS)
def show_one(promotion: str) -> ResponseReturnValue:
    """One, to be edited while nobody has used it."""
    return promotion_form.show_form(_desk(), promotion)


@pages.post("/<promotion>", permission=Permission.SELLER_OFFERS)
def change(promotion: str) -> ResponseReturnValue:
    """Edit, or stop."""
    if request.form.get("act") == "stop":
        return promotion_form.stop(_desk(), key_of(promotion))
    return promotion_form.save(_desk(), promotion)
