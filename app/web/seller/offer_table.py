"""The seller's table of offers: filters and order in the address, files of what is filtered, many changed at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Response, current_app, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from werkzeug.datastructures import MultiDict

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.core.errors import Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import bulk, queries, table
from app.offers.bulk import Change
from app.offers.table import TableFilter
from app.texts import offers as words
from app.web import paths
from app.web.carrier.forms import kopeks
from app.web.filters import language
from app.web.htmx import redirect_to, render_live, render_page
from app.web.reading import key_of, sentence
from app.web.seller import frame, offer_files

pages = Guarded("seller_offer_table", __name__, url_prefix="/seller/offers")
LIST = "/seller/offers"
PAGE_SIZE = 50
MOST_CHOSEN = 200
FILTERS = ("q", "view", "category", "price_min", "price_max")


def read_filter(args: MultiDict[str, str]) -> TableFilter:
    """The filter of an address or form; what cannot be read narrows nothing."""
    view = args.get("view", "all")
    return TableFilter(
        text=args.get("q", "").strip()[:100],
        view=view if view in table.VIEWS else "all",
        category=args.get("category", "")[:100],
        price_min=_price(args.get("price_min", "")),
        price_max=_price(args.get("price_max", "")),
        ids=tuple(key for key in map(parse_uuid, args.getlist("id")[:MOST_CHOSEN]) if key is not None),
    )


def _price(text: str) -> int | None:
    try:
        return kopeks(text, "/price") if text.strip() else None
    except Invalid:
        return None


def _query(args: MultiDict[str, str], names: tuple[str, ...] = FILTERS) -> dict[str, str]:
    found = {name: args.get(name, "").strip() for name in names}
    return {name: value for name, value in found.items() if value and (name, value) != ("view", "all")}


@pages.get("", permission=Permission.SELLER_OFFERS)
def show_all() -> Response:
    """A page of the table."""
    actor, wanted = access.actor(), read_filter(request.args)
    sort = request.args.get("sort", "sku")
    sort = sort if sort in table.SORTS else "sku"
    cursor = request.args.get("cursor", "")[:400] or None
    try:
        found, following = table.page(actor.seller_id, wanted, sort=sort, cursor=cursor, limit=PAGE_SIZE)
    except Invalid:  # the cursor of another order, out of an edited address
        found, following = table.page(actor.seller_id, wanted, sort=sort, limit=PAGE_SIZE)
    query = _query(request.args) | ({"sort": sort} if sort != "sku" else {})
    return render_page(
        "seller/offers.html", "seller/_offers.html", offers=found, places=queries.warehouses_of(actor.seller_id),
        query=query, sort=sort, counts=table.counts(actor.seller_id, wanted), wanted=wanted,
        categories=_categories(), why=words.NOT_SOLD, actions=words.BULK_ACTIONS, roundings=words.ROUNDINGS,
        is_narrowed=bool(_query(request.args)),
        next_url=paths.with_query(LIST, query, cursor=following) if following else "", **frame.context(actor),
    )  # fmt: skip


def _categories() -> list[tuple[str, str]]:
    tops = catalog.tree(current_app.extensions["cache"])
    return [("", str(_("All categories")))] + [(node.slug, node.name(language())) for node in tops]


@pages.get("/export.<kind>", permission=Permission.SELLER_OFFERS)
def export(kind: str) -> Response:
    """All filtered rows as a file, CSV or XLSX."""
    if kind not in offer_files.KINDS:
        raise NotFound()
    seller_id = access.actor().seller_id
    return offer_files.answer(
        kind, table.whole(seller_id, read_filter(request.args)), queries.warehouses_of(seller_id)
    )  # fmt: skip


def _scope(form: MultiDict[str, str]) -> TableFilter:
    """The chosen rows, or everything that the filter shows.

    Raises:
        Invalid: nothing is chosen.
    """
    wanted = read_filter(form)
    if form.get("scope") == "all":
        return TableFilter(wanted.text, wanted.view, wanted.category, wanted.price_min, wanted.price_max)
    if not wanted.ids:
        raise Invalid.one("/id", "nothing_chosen")
    return TableFilter(ids=wanted.ids)


def _change(form: MultiDict[str, str]) -> Change:
    """The change that a form describes.

    Raises:
        Invalid: with the field that cannot be read.
    """
    kind = form.get("action", "")
    if kind not in words.BULK_ACTIONS:
        raise Invalid.one("/action", "unknown_option")
    rounding = form.get("rounding", "1")
    text = form.get("value", "").strip()
    return Change(kind, _value(kind, text), int(rounding) if rounding.isdecimal() else 0)  # type: ignore[arg-type]  # checked above


def _value(kind: str, text: str) -> Decimal:
    if kind in ("show", "hide"):
        return Decimal(0)
    if not text:
        raise Invalid.one("/value", "required")
    try:
        value = parse_decimal(text.replace("−", "-").removesuffix("%").strip())
    except NotANumber as error:
        raise Invalid.one("/value", error.code) from None
    return value * 100 if kind in ("add", "price") else value


@pages.post("/bulk", permission=Permission.SELLER_OFFERS)
def look() -> Response:
    """What a change of many offers would do; nothing is written yet."""
    actor, form = access.actor(), request.form
    context: dict[str, Any] = {"preview": None, "error": ""}
    try:
        scope = _scope(form)
        context["preview"] = bulk.preview(actor.seller_id, scope, _change(form))
    except Invalid as refusal:
        context["error"] = sentence(refusal)
    return render_page(
        "seller/bulk.html", None, status=422 if context["error"] else 200, sent=_sent(form),
        back=paths.with_query(LIST, _query(form)), actions=words.BULK_ACTIONS, refusals=words.BULK_REFUSALS,
        roundings=words.ROUNDINGS, form=form, **context, **frame.context(actor),
    )  # fmt: skip


def _sent(form: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was sent, to be sent again by the button that means it."""
    assert isinstance(form, MultiDict)
    names = (*FILTERS, "scope", "action", "value", "rounding")
    return [(name, form.get(name, "")) for name in names] + [("id", key) for key in form.getlist("id")[:MOST_CHOSEN]]


@pages.post("/bulk/apply", permission=Permission.SELLER_OFFERS)
def apply() -> Response:
    """Hand the change to a worker and follow it."""
    try:
        job = bulk.request(access.actor(), _scope(request.form), _change(request.form))
    except Invalid:
        return look()
    return redirect_to(paths.with_query(f"{LIST}/bulk/{job}", _query(request.form)))


@pages.get("/bulk/<key>", permission=Permission.SELLER_OFFERS)
def follow(key: str) -> Response:
    """Progress of a change, then what became of it."""
    view = bulk.job(access.actor().seller_id, key_of(key))
    query = _query(request.args)
    return render_live(
        "seller/bulk_job.html", "seller/_bulk_job.html", done=view.is_finished, result=view.result or {},
        job={"status": view.state, "done": view.done, "total": view.total, "message": ""},
        url=paths.with_query(f"{LIST}/bulk/{key}", query), back=paths.with_query(LIST, query),
        refusals=words.BULK_REFUSALS, **frame.context(access.actor()),
    )  # fmt: skip
