"""A seller's stock: what lies where, why it is so, adjustments with a reason, safety stock, the stock-taking sheet."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import counts, desk, queries, stock_desk, table
from app.offers.counts import StatedStock
from app.offers.desk import DeskOffer
from app.offers.queries import WarehouseRow
from app.offers.stock_desk import Movement
from app.offers.table import TableFilter
from app.orders import seller_queries
from app.texts import offers as words
from app.web import paths
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, key_of, sentence
from app.web.seller import frame

pages = Guarded("seller_stock", __name__, url_prefix="/seller/stock")
LIST = "/seller/stock"
VIEWS = ("all", "low", "out")
PAGE_SIZE = 50


@pages.get("", permission=Permission.SELLER_STOCK)
def show_all() -> Response:
    """Offers with their stock; what runs low or is gone first of all by the tabs."""
    actor = access.actor()
    view = request.args.get("view", "all")
    wanted = TableFilter(request.args.get("q", "").strip()[:100], view if view in VIEWS else "all")
    found, following = _page(wanted)
    query = {"q": wanted.text, "view": wanted.view if wanted.view != "all" else ""}
    return render_page(
        "seller/stock.html", None, offers=found, places=queries.warehouses_of(actor.seller_id), wanted=wanted,
        query=query, counts=table.counts(actor.seller_id, wanted), why=words.NOT_SOLD,
        next_url=paths.with_query(LIST, query, cursor=following) if following else "", **frame.context(actor),
    )  # fmt: skip


def _page(wanted: TableFilter) -> tuple[list[DeskOffer], str | None]:
    seller_id, cursor = access.actor().seller_id, request.args.get("cursor", "")[:400] or None
    try:
        return table.page(seller_id, wanted, cursor=cursor, limit=PAGE_SIZE)
    except Invalid:  # the cursor of another order, out of an edited address
        return table.page(seller_id, wanted, limit=PAGE_SIZE)


@pages.get("/<offer>", permission=Permission.SELLER_STOCK)
def show(offer: str) -> Response:
    """Stock of an offer by warehouse, and every movement that made it so."""
    return _offer_page(desk.offer(access.actor().seller_id, key_of(offer)), {}, {})


def _offer_page(offer: DeskOffer, typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    actor = access.actor()
    places = stock_desk.levels(offer.id, actor.seller_id)
    asked = request.args.get("warehouse", "")
    place = next((p for p in places if str(p.warehouse) == asked), None)
    found = stock_desk.movements(offer.id, place.warehouse_id if place else None, before(), PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    here = f"{LIST}/{offer.public_id}"
    query = {"warehouse": asked if place else ""}
    return render_page(
        "seller/stock_offer.html", None, offer=offer, places=places, place=place, movements=shown,
        numbers=_numbers(actor.seller_id, shown), kinds=words.MOVEMENTS, reasons=words.STOCK_REASONS,
        stock_reason=words.stock_reason, typed=typed, errors=errors, status=status, here=here, why=words.NOT_SOLD,
        next_url=paths.with_query(here, query, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
        **frame.context(actor),
    )  # fmt: skip


def _numbers(seller_id: int, found: Sequence[Movement]) -> dict[tuple[str, int], str]:
    ids: dict[str, list[int]] = {}
    for one in found:
        if one.entity_id is not None:
            ids.setdefault(one.entity, []).append(one.entity_id)
    return seller_queries.numbers_behind(seller_id, ids)


def _quantity(name: str) -> Decimal:
    text = request.form.get(name, "").strip()
    if not text:
        raise Invalid.one(f"/{name}", "required")
    try:
        return parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None


def _refused(offer: str, error: Invalid | Conflict) -> Response:
    found = desk.offer(access.actor().seller_id, key_of(offer))
    told = by_field(error) if isinstance(error, Invalid) else {"quantity": sentence(error)}
    return _offer_page(found, request.form.to_dict(), told, error.status)


@pages.post("/<offer>/adjust", permission=Permission.SELLER_STOCK)
def adjust(offer: str) -> Response:
    """Add or take away with a reason."""
    try:
        stock_desk.adjust(
            access.actor(), key_of(offer), key_of(request.form.get("warehouse", "")), _quantity("quantity"),
            request.form.get("reason", ""), request.form.get("note", "").strip()[:150],
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _refused(offer, error)
    flash(_("Saved."), "ok")
    return redirect_to(f"{LIST}/{offer}")


@pages.post("/<offer>/safety", permission=Permission.SELLER_STOCK)
def set_safety(offer: str) -> Response:
    """Keep so much from being sold."""
    try:
        stock_desk.set_safety(
            access.actor(), key_of(offer), key_of(request.form.get("warehouse", "")), _quantity("safety")
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _refused(offer, error)
    flash(_("Saved."), "ok")
    return redirect_to(f"{LIST}/{offer}")


@pages.get("/count/<warehouse>", permission=Permission.SELLER_STOCK)
def sheet(warehouse: str) -> Response:
    """The sheet to walk the warehouse with: on paper, or filled in here."""
    return _sheet_page(_place(warehouse), {}, {})


def _place(text: str) -> WarehouseRow:
    return queries.warehouse_of(access.actor().seller_id, key_of(text))


def _sheet_page(
    place: WarehouseRow, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:  # fmt: skip
    wanted = TableFilter(request.args.get("q", "").strip()[:100])
    found, following = _page(wanted)
    here = f"{LIST}/count/{place.public_id}"
    query = {"q": wanted.text}
    return render_page(
        "seller/stock_sheet.html", None, offers=found, place=place, typed=typed, errors=errors, status=status,
        here=here, wanted=wanted, action=paths.with_query(here, query, cursor=request.args.get("cursor")),
        next_url=paths.with_query(here, query, cursor=following) if following else "", **frame.context(access.actor()),
    )  # fmt: skip


@pages.post("/count/<warehouse>", permission=Permission.SELLER_STOCK)
def count(warehouse: str) -> Response:
    """Write what was counted. Rows left empty stay as they are; a wrong row stops none of the others."""
    place = _place(warehouse)
    typed = {name: text.strip() for name, text in request.form.items() if name.startswith("n-") and text.strip()}
    skus = _skus(typed)
    errors: dict[str, str] = {}
    rows: dict[str, StatedStock] = {}
    for name, text in typed.items():
        try:
            rows[name] = StatedStock(skus[name], place.public_id, parse_decimal(text))
        except NotANumber as error:
            errors[name] = str(texts.error_text(error.code, {}))
    results = counts.set_stock(access.actor(), list(rows.values()), "stock_taking")
    for name, result in zip(rows, results, strict=True):
        if result.code:
            errors[name] = str(texts.error_text(result.code, {"allocated": _plain(result.promised), "minimum": 0}))
    done = len(rows) - sum(name in rows for name in errors)
    if done:
        flash(ngettext("%(num)s row saved.", "%(num)s rows saved.", done), "ok")
    if errors:
        return _sheet_page(place, {name: typed[name] for name in errors}, errors, 422)
    return redirect_to(request.full_path.rstrip("?"))


def _skus(typed: dict[str, str]) -> dict[str, str]:
    """Name of a field -> SKU of the own offer it is about.

    Raises:
        NotFound: a field is about no offer of this seller.
    """
    keys = {name: key_of(name.removeprefix("n-")) for name in list(typed)[:PAGE_SIZE]}
    found, _cursor = table.page(access.actor().seller_id, TableFilter(ids=tuple(keys.values())), limit=PAGE_SIZE)
    known = {offer.public_id: offer.sku for offer in found}
    if len(typed) > PAGE_SIZE or not keys.keys() <= {name for name, key in keys.items() if key in known}:
        raise NotFound()
    return {name: known[key] for name, key in keys.items()}


def _plain(value: Any) -> str:
    return format(Decimal(value or 0).normalize(), "f")
