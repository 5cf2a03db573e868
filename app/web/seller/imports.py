"""A seller's price lists: send one, say what its columns mean, look at the difference, confirm, mend errors."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, current_app, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.offers import queries as offers
from app.offers.imports import columns, queries, service
from app.offers.imports.cells import STOCK_AT
from app.offers.imports.queries import ImportHead
from app.offers.imports.service import Confirmation, Upload
from app.texts.imports import FIELDS
from app.web import import_texts, paths
from app.web.carrier.forms import Filled, refused
from app.web.htmx import redirect_to, render_live, render_page
from app.web.seller import frame

pages = Guarded("seller_imports", __name__, url_prefix="/seller/imports")
LIST = "/seller/imports"
PAGE_SIZE = 50


@pages.get("", permission=Permission.SELLER_OFFERS)
def show_all() -> Response:
    """The form for a file, and the imports so far."""
    return _list(Filled())


def _list(filled: Filled, status: int = 200) -> Response:
    actor = access.actor()
    before = request.args.get("before", "")
    found, following = queries.imports(actor.seller_id, int(before) if before.isdecimal() else None)
    return render_page(
        "seller/imports.html", None, imports=found, places=_places(), filled=filled, status=status,
        next_url=paths.with_query(LIST, before=following) if following else "", **frame.context(actor),
    )  # fmt: skip


def _places() -> list[offers.WarehouseRow]:
    return [place for place in offers.warehouses_of(access.actor().seller_id) if place.is_active]


@pages.post("", permission=Permission.SELLER_OFFERS)
def send() -> Response:
    """Take the file; the worker reads it while the page is followed or left."""
    file = request.files.get("file")
    upload = Upload(
        name=file.filename or "" if file else "", content=file.read() if file else b"",
        warehouse=parse_uuid(request.form.get("warehouse", "")), mode=request.form.get("mode", "good_rows"),
    )  # fmt: skip
    try:
        begun = service.receive(access.actor(), current_app.extensions["storage"], upload)
    except (Invalid, Conflict) as error:
        return _list(refused(error), error.status)
    return redirect_to(f"{LIST}/{begun.public_id}")


def _id(text: str) -> uuid.UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


@pages.get("/<key>", permission=Permission.SELLER_OFFERS)
def show(key: str) -> Response:
    """One import: progress while a worker has it, then the difference, questions and errors."""
    return _page(queries.head(access.actor().seller_id, _id(key)))


def _page(head: ImportHead, error: str = "", status: int = 200) -> Response:
    actor = access.actor()
    url = f"{LIST}/{head.public_id}"
    view = _view(head)
    context = _rows(actor.seller_id, head, view, url) if not head.is_busy else {}
    response = render_live(
        "seller/import.html", "seller/_import.html", done=not head.is_busy, head=head, url=url, view=view, error=error,
        done_rows=_done(head), total_rows=_total(head),
        columns=_columns(head), fields=_field_options(), error_kinds=_error_kinds(head), say=import_texts.row_errors,
        refusal=texts.error_text(head.error, dict(head.error_context)) if head.error else "",
        open_jumps=service.unconfirmed(head.id) if head.counts.get("jump") else 0, **context, **frame.context(actor),
    )  # fmt: skip
    response.status_code = status if status != 200 else response.status_code
    return response


def _done(head: ImportHead) -> int:
    return head.rows_done if head.state == "checking" else head.job_done


def _total(head: ImportHead) -> int:
    return head.rows_total if head.state == "checking" else head.job_total


def _view(head: ImportHead) -> str:
    asked = request.args.get("view", "")
    if asked in queries.VIEWS:
        return asked
    return next((view for view in queries.VIEWS if head.counts.get(view)), "changed")


def _rows(seller_id: int, head: ImportHead, view: str, url: str) -> dict[str, Any]:
    """The rows of a view, and the address of the next page."""
    after = request.args.get("after", "")[:100]
    if view == "gone":
        found, following = queries.gone_offers(seller_id, head, after, PAGE_SIZE)
        return {"gone": found, "rows": (), "next_url": _further(url, view, following)}
    rows, last = queries.rows(seller_id, head, view, int(after) if after.isdecimal() else 0, PAGE_SIZE)
    return {"rows": rows, "gone": (), "next_url": _further(url, view, last)}


def _further(url: str, view: str, after: str | int | None) -> str:
    return paths.with_query(url, view=view, after=after) if after is not None else ""


def _error_kinds(head: ImportHead) -> list[tuple[int, str]]:
    if not head.counts.get("error"):
        return []
    found = queries.error_kinds(head)
    return [(rows, import_texts.row_error({"field": f, "code": c, "context": x})) for f, c, x, rows in found]


def _columns(head: ImportHead) -> list[dict[str, Any]]:
    """Each column of the file with an example and what it is taken for."""
    return [
        {
            "place": place, "heading": heading, "value": head.mapping.get(str(place), ""),
            "example": next((str(s[place])[:60] for s in head.samples if place < len(s) and s[place] != ""), ""),
        }
        for place, heading in enumerate(head.headers)
        if not columns.is_added(heading)
    ]  # fmt: skip


def _field_options() -> list[tuple[str, str]]:
    places = _places()
    stocks = [(f"{STOCK_AT}{place.public_id}", _("Stock: %(place)s", place=place.name)) for place in places]
    plain = [(name, str(label)) for name, label in FIELDS.items()]
    cut = next(i for i, (name, _label) in enumerate(plain) if name == "stock") + 1
    return [("", _("do not take")), *plain[:cut], *(stocks if len(places) > 1 else []), *plain[cut:]]


@pages.post("/<key>/columns", permission=Permission.SELLER_OFFERS)
def say_columns(key: str) -> Response:
    """What the columns mean; the file is checked anew."""
    given = {name.removeprefix("column-"): value for name, value in request.form.items() if name.startswith("column-")}
    try:
        service.set_columns(access.actor(), _id(key), given)
    except (Invalid, Conflict) as error:
        return _refused(key, error)
    return redirect_to(f"{LIST}/{key}")


def _refused(key: str, error: Invalid | Conflict) -> Response:
    head = queries.head(access.actor().seller_id, _id(key))
    said = [
        f"{import_texts.field_label(one.pointer.rpartition('/')[2])}: {texts.error_text(one.code, one.context)}"
        for one in getattr(error, "errors", [])
    ]
    return _page(head, " ".join(said) or texts.message(error), error.status)


@pages.post("/<key>/rows/<number>", permission=Permission.SELLER_OFFERS)
def answer(key: str, number: str) -> Response:
    """Which product a doubtful row means."""
    choice = request.form.get("choice", "")
    if not number.isdecimal() or len(number) > 9:
        raise NotFound()
    try:
        service.decide(access.actor(), _id(key), int(number), choice if choice in service.CHOICES else _id(choice))
    except (Invalid, Conflict) as error:
        return _refused(key, error)
    return redirect_to(paths.with_query(f"{LIST}/{key}", view="doubtful"))


@pages.post("/<key>/confirm", permission=Permission.SELLER_OFFERS)
def confirm(key: str) -> Response:
    """Have it written."""
    numbers = [int(text) for text in request.form.getlist("jump") if text.isdecimal()]
    given = Confirmation(
        jumps=request.form.get("all_jumps") == "1" or numbers, hide_gone=request.form.get("hide_gone") == "1",
        mode=request.form.get("mode") or None,
    )  # fmt: skip
    try:
        service.confirm(access.actor(), _id(key), given)
    except (Invalid, Conflict) as error:
        return _refused(key, error)
    return redirect_to(f"{LIST}/{key}")


@pages.post("/<key>/cancel", permission=Permission.SELLER_OFFERS)
def cancel(key: str) -> Response:
    """Stop; what is written stays."""
    try:
        service.cancel(access.actor(), _id(key))
    except Conflict as error:
        return _refused(key, error)
    flash(_("The import is stopped."), "ok")
    return redirect_to(f"{LIST}/{key}")


@pages.get("/<key>/errors", permission=Permission.SELLER_OFFERS)
def errors(key: str) -> Response:
    """The rows to be mended, as a file like the one that came."""
    actor = access.actor()
    return import_texts.errors_file(actor, queries.head(actor.seller_id, _id(key)))
