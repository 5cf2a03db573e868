"""Which carriers pick up at a warehouse of the seller."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import serving
from app.offers import queries
from app.offers.queries import WarehouseRow
from app.web.htmx import redirect_to, render_page
from app.web.seller import frame

pages = Guarded("seller_warehouse_carriers", __name__, url_prefix="/seller/warehouses")


def _place(text: str) -> WarehouseRow:
    key = parse_uuid(text)
    if key is None:
        raise NotFound()
    return queries.warehouse_of(access.actor().seller_id, key)


@pages.get("/<warehouse>/carriers", permission=Permission.SELLER_OFFERS)
def show(warehouse: str) -> Response:
    """Every carrier with two ticks: picks up here, asked first."""
    return _page(_place(warehouse))


def _page(place: WarehouseRow, error: str = "", status: int = 200) -> Response:
    return render_page(
        "seller/warehouse_carriers.html", None, place=place, carriers=serving.carriers_of(place.id), error=error,
        status=status, **frame.context(access.actor()),
    )  # fmt: skip


@pages.post("/<warehouse>/carriers", permission=Permission.SELLER_OFFERS)
def choose(warehouse: str) -> Response:
    """Save the ticks."""
    place = _place(warehouse)
    served, preferred = (
        [key for text in request.form.getlist(name) if (key := parse_uuid(text)) is not None]
        for name in ("carriers", "preferred")
    )
    try:
        serving.choose(access.actor(), place.public_id, served, preferred)
    except Invalid as error:
        return _page(place, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    flash(_("Saved."), "ok")
    return redirect_to(f"/seller/warehouses/{place.public_id}/carriers")
