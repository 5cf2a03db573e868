"""Favourites and lists: hearts, pages of lists, and a whole list into the cart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, flash, make_response, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access
from app.access import Guarded
from app.catalog import lists, queries
from app.catalog.lists import Item, ListRow, ListView
from app.core.errors import DomainError, Invalid, NotFound, Stale
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import list_to_cart
from app.orders.list_to_cart import Outcome
from app.texts.orders import CHANGE_NOTES, said
from app.web import paths, sessions
from app.web.account.auth import safe_next
from app.web.buyer import marks
from app.web.filters import language, qty
from app.web.htmx import is_part_request, redirect_to, render_page
from app.web.reading import key_of, sentence
from app.web.unit_texts import unit_label

pages = Guarded("lists", __name__, url_prefix="/lists")
PATH = "/lists"
MOST_TOLD = 12
"""So many products that could not be added are named one by one; a cookie carries no more."""


def title_of(row: ListRow) -> str:
    """The name of a list; the favourites are called so."""
    return str(_("Favourites")) if row.is_favourites else row.name


@pages.get("", permission=Permission.BUY)
def index() -> Response:
    """All lists; with `add` the product of that id may be put into one of them."""
    return _index("", "")


def _index(typed: str, error: str, status: int = 200) -> Response:
    add = request.values.get("add", "")
    product = next(iter(queries.products([key_of(add)])), None) if add else None
    return render_page(
        "buyer/lists.html", None, rows=lists.lists_of(access.actor().user), title_of=title_of, typed=typed, error=error,
        product=product, name=product.name(language()) if product else "", longest=lists.LONGEST_NAME, status=status,
    )  # fmt: skip


@pages.post("", permission=Permission.BUY)
def create() -> Response:
    """A new list; with `add` the product goes right into it."""
    actor, name = access.actor(), request.form.get("name", "")
    try:
        made = lists.create(actor, name)
        if request.form.get("add"):
            lists.put(actor, made, key_of(request.form["add"]))
    except Invalid as error:
        return _index(name, sentence(error), 422)
    return redirect_to(f"{PATH}/{made}")


@pages.post("/favourites", permission=Permission.CART)
def favour() -> Response:
    """Turn the heart of a product. A guest signs in first and then finds it turned."""
    actor, key = access.actor(), key_of(request.form.get("product", ""))
    product = next(iter(queries.products([key])), None)
    if product is None:
        raise NotFound()
    if not actor.is_signed_in:
        back = safe_next(request.form.get("next") or paths.product_path(product.slug))
        response = redirect_to(paths.with_query(paths.LOGIN, next=back))
        sessions.set_cookie(response, marks.SAVE_COOKIE, str(key), marks.HOUR)
        return response
    try:
        on = lists.favour(actor, key)
    except Invalid as error:
        flash(sentence(error), "bad")
        return redirect_to(PATH)
    if is_part_request():
        return make_response(
            render_template(
                "buyer/_favoured.html", id=str(key), name=product.name(language()), on=on,
                text=request.args.get("text") == "1",
            )
        )  # fmt: skip
    return redirect_to(safe_next(request.form.get("next") or PATH))


@pages.get("/<list_id>", permission=Permission.BUY)
def show(list_id: str) -> Response:
    """The products of a list."""
    return _page(lists.list_view(access.actor().user, key_of(list_id)), "", {})


def _page(view: ListView, error: str, typed: dict[str, Any], status: int = 200) -> Response:
    return render_page(
        "buyer/list.html", None, view=view, title=title_of(view.row), error=error, typed=typed, units_of=units_of,
        name_of=name_of, longest=lists.LONGEST_NAME, status=status,
    )  # fmt: skip


def name_of(item: Item) -> str:
    """The name of a product in the reader's language."""
    return item.name_en if language() == "en" else item.name_ru


def units_of(item: Item) -> list[tuple[str, str]]:
    """(code, name) of the units a quantity may be said in, the base unit first."""
    return sorted(((code, unit_label(code)) for code in item.units), key=lambda one: (one[0] != item.base_unit, one))


@pages.post("/<list_id>/name", permission=Permission.BUY)
def rename(list_id: str) -> Response:
    """Another name; what was typed stays when somebody was faster."""
    key, form = key_of(list_id), request.form
    version = form.get("version", "")
    try:
        lists.rename(access.actor(), key, form.get("name", ""), int(version) if version.isdecimal() else None)
    except (Invalid, Stale) as error:
        view = lists.list_view(access.actor().user, key)
        return _page(view, sentence(error), {"name": form.get("name", "")}, error.status)
    flash(_("The list has a new name."), "ok")
    return redirect_to(f"{PATH}/{key}")


@pages.get("/<list_id>/delete", permission=Permission.BUY)
def ask_delete(list_id: str) -> Response:
    """Asks once more, by the name of the list."""
    view = lists.list_view(access.actor().user, key_of(list_id))
    return render_page("buyer/list_delete.html", None, row=view.row, title=title_of(view.row))


@pages.post("/<list_id>/delete", permission=Permission.BUY)
def delete(list_id: str) -> Response:
    """Delete the list."""
    try:
        lists.remove(access.actor(), key_of(list_id))
        flash(_("The list is deleted."), "ok")
    except Invalid as error:
        flash(sentence(error), "bad")
    return redirect_to(PATH)


@pages.post("/<list_id>/items", permission=Permission.BUY)
def put(list_id: str) -> Response:
    """Put a product in, or say how much of it is wanted; nothing typed: as little as one may buy."""
    key, form, actor = key_of(list_id), request.form, access.actor()
    lists.list_view(actor.user, key)
    try:
        quantity = _quantity(form.get("quantity", ""))
        lists.put(actor, key, key_of(form.get("product", "")), quantity, form.get("unit") or None)
    except Invalid as error:
        view = lists.list_view(actor.user, key)
        return _page(view, sentence(error), form.to_dict(), 422)
    return redirect_to(f"{PATH}/{key}")


def _quantity(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        return parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one("/quantity", error.code) from None


@pages.post("/<list_id>/items/<product>/remove", permission=Permission.BUY)
def take_out(list_id: str, product: str) -> Response:
    """Take a product out."""
    lists.take_out(access.actor(), key_of(list_id), key_of(product))
    return redirect_to(f"{PATH}/{list_id}")


@pages.post("/<list_id>/to-cart", permission=Permission.BUY)
def to_cart(list_id: str) -> Response:
    """Everything into the cart; what could not be added is told line by line."""
    try:
        outcomes = list_to_cart.put(access.actor(), key_of(list_id))
    except NotFound:
        raise
    except DomainError as error:
        flash(sentence(error), "bad")
        return redirect_to(f"{PATH}/{list_id}")
    added = sum(one.is_added for one in outcomes)
    flash(ngettext("%(num)s product of the list is in the cart.", "%(num)s products of the list are in the cart.",
                   added), "ok" if added else "warn")  # fmt: skip
    told = [one for one in outcomes if one.note]
    for one in told[:MOST_TOLD]:
        flash(sentence_of(one), "warn")
    if len(told) > MOST_TOLD:
        flash(_("And %(count)s more that are not as wanted.", count=len(told) - MOST_TOLD), "warn")
    return redirect_to(paths.CART)


def sentence_of(outcome: Outcome) -> str:
    """What became of a product that is not in the cart as it was wanted."""
    name = name_of(outcome.item)
    why = said(CHANGE_NOTES, outcome.note)
    if outcome.is_added:
        amount = qty(outcome.in_cart, outcome.unit)
        return str(_("%(name)s: %(amount)s, %(why)s", name=name, amount=amount, why=why))
    return f"{name}: {why}"
