"""Estimates: choose a piece of work, type its dimensions, see the materials and put them into the cart."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.estimates import queries, russian, service
from app.estimates.assemblies import Assembly, Bundle, Input, assemblies, bundles
from app.estimates.service import Item
from app.texts import estimates as words
from app.web import sessions
from app.web.draw import Drawing, plane, wall
from app.web.filters import language
from app.web.htmx import redirect_to, render_live

pages = Guarded("estimates", __name__)


def token() -> str:
    """The guest's token, or an empty string."""
    return request.cookies.get(sessions.ESTIMATES_COOKIE, "")


def _key(text: str) -> uuid.UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


@pages.get("/estimates", permission=Permission.CART)
def index() -> str:
    """Own estimates and all the work that can be counted."""
    rows = queries.estimates(access.actor(), token())
    groups: dict[str, list[Assembly]] = {}
    for assembly in assemblies().values():
        groups.setdefault(assembly.group, []).append(assembly)
    return render_template(
        "buyer/estimates.html", rows=rows, groups=groups, group_names=words.GROUPS, bundles=bundles().values()
    )


def work(key: str) -> Assembly | Bundle:
    """The assembly or bundle of a path.

    Raises:
        NotFound: there is none.
    """
    found: Assembly | Bundle | None = assemblies().get(key) or bundles().get(key)
    if found is None:
        raise NotFound()
    return found


@pages.get("/estimates/new/<key>", permission=Permission.CART)
def new(key: str) -> str:
    """The form of dimensions, with defaults."""
    item = work(key)
    return _form_page(item, {i.key: _typed_as(i, i.default) for i in item.inputs}, {})


def _typed_as(item: Input, text: str) -> str:
    """A default as the reader would type it: with a comma in Russian."""
    return text if item.options or language() == "en" else text.replace(".", ",")


def _form_page(
    item: Assembly | Bundle, values: Mapping[str, str], errors: Mapping[str, str], estimate: str = "", title: str = ""
) -> str:
    return render_template(
        "buyer/estimate_form.html", item=item, values=values, errors=errors, estimate=estimate, title=title,
        shown=_shown,
        summary=[(f"f-{key}" if key else "", f"{_label(item, key)}{text}") for key, text in errors.items()],
        drawing_of=drawing(item.inputs, values), hints={i.key: bounds(i) for i in item.inputs},
        group_of=item.group if isinstance(item, Assembly) else "",
    )  # fmt: skip


def _label(item: Assembly | Bundle, key: str) -> str:
    name = next((i.name(language()) for i in item.inputs if i.key == key), "")
    return f"{name}: " if name else ""


def bounds(item: Input) -> str:
    """What a field accepts, in words."""
    if item.minimum is None or item.maximum is None:
        return ""
    low, high = (f"{float(v):g}".replace(".", "," if language() != "en" else ".") for v in (item.minimum, item.maximum))
    return str(_("from %(low)s to %(high)s", low=low, high=high))


def drawing(inputs: tuple[Input, ...], values: Mapping[str, str]) -> Drawing | None:
    """The dimensioned drawing of what was typed: a wall from length and height, a plane from length and width."""
    keys = {i.key for i in inputs}

    def metres(key: str) -> float:
        try:
            return min(max(float(parse_decimal(values.get(key, ""))), 0.3), 500.0)
        except NotANumber:
            return 0.0

    length = metres("length") or metres("per")
    if not length:
        return None
    if "width" in keys and "height" not in keys and metres("width"):
        return plane(length, metres("width"))
    if metres("height"):
        return wall(length, metres("height"))
    return None


@pages.post("/estimates/new/<key>", permission=Permission.CART)
def create(key: str) -> ResponseReturnValue:
    """Count the materials, keep the estimate and queue the pricing."""
    item = work(key)
    values = typed(item)
    title = request.form.get("title", "").strip()
    try:
        made = service.create(access.actor(), token(), title or item.name(language()), [Item(item.id, values)])
    except Invalid as error:
        return _form_page(item, values, field_errors(error), title=title), 422
    response = redirect_to(f"/estimates/{made.public_id}")
    if made.token and made.token != token():
        sessions.set_cookie(response, sessions.ESTIMATES_COOKIE, made.token, sessions.YEAR)
    return response


def typed(item: Assembly | Bundle) -> dict[str, str]:
    """What was typed, by input; a checkbox that is off sends nothing and means 0."""
    values = {}
    for field in item.inputs:
        given = request.form.get(field.key)
        values[field.key] = given if given is not None else ("0" if field.unit == "bool" else "")
    return values


def field_errors(error: Invalid) -> dict[str, str]:
    """Input key (or empty) -> sentence."""
    found = {}
    for item in error.errors:
        tail = item.pointer.rsplit("/", 1)[-1]
        context = dict(item.context)
        if language() == "en" and "part_en" in context:
            context["part"] = context["part_en"]
        found[tail if tail not in ("inputs", "items") else ""] = texts.error_text(item.code, context)
    return found


@pages.get("/estimates/<estimate>", permission=Permission.CART)
def show(estimate: str) -> Response:
    """The materials; while they are priced the part asks again by itself."""
    view = queries.estimate(access.actor(), token(), _key(estimate))
    return render_live(
        "buyer/estimate.html", "buyer/_estimate.html", done=view.is_final, view=view, works=_works(view),
        problems=words.PROBLEMS, progress=_progress(view), facts=None if language() == "en" else russian,
    )  # fmt: skip


def _works(view: queries.EstimateView) -> list[dict[str, Any]]:
    """The pieces of work with their dimensions as typed."""
    found = []
    for item in view.items:
        kind = work(item["assembly"])
        given = [(i.name(language()), _shown(i, item["inputs"].get(i.key, i.default)), i.unit) for i in kind.inputs]
        found.append({"name": kind.name(language()), "inputs": given, "id": kind.id})
    return found


def _shown(item: Input, text: str) -> str:
    if item.unit == "bool":
        return str(_("yes") if text == "1" else _("no"))
    if item.unit == "enum":
        return str(words.OPTIONS.get(text, text))
    return text if language() == "en" else text.replace(".", ",")


def _progress(view: queries.EstimateView) -> dict[str, Any] | None:
    if view.state != "pricing":
        return None
    job = view.job
    return {
        "status": job.state if job else "failed",
        "done": job.done if job else 0,
        "total": job.total if job else 0,
        "message": "",
    }


@pages.get("/estimates/<estimate>/edit", permission=Permission.CART)
def edit(estimate: str) -> str:
    """The form with the present dimensions; of an estimate with several works the first is edited here."""
    view = queries.estimate(access.actor(), token(), _key(estimate))
    item = work(view.items[0]["assembly"])
    values = {i.key: view.items[0]["inputs"].get(i.key, i.default) for i in item.inputs}
    return _form_page(item, values, {}, str(view.public_id), view.title)


@pages.post("/estimates/<estimate>/edit", permission=Permission.CART)
def save(estimate: str) -> ResponseReturnValue:
    """Count and price again with new dimensions."""
    view = queries.estimate(access.actor(), token(), _key(estimate))
    item = work(view.items[0]["assembly"])
    values, title = typed(item), request.form.get("title", "").strip()
    others = [Item(i["assembly"], i["inputs"]) for i in view.items[1:]]
    try:
        service.change(
            access.actor(), token(), view.public_id, title=title or view.title,
            items=[Item(item.id, values), *others],
        )  # fmt: skip
    except Invalid as error:
        return _form_page(item, values, field_errors(error), str(view.public_id), title), 422
    return redirect_to(f"/estimates/{view.public_id}")


@pages.post("/estimates/<estimate>/reprice", permission=Permission.CART)
def reprice(estimate: str) -> ResponseReturnValue:
    """Look at the present prices and stock again."""
    service.reprice(access.actor(), token(), _key(estimate))
    return redirect_to(f"/estimates/{estimate}")


@pages.post("/estimates/<estimate>/to-cart", permission=Permission.CART)
def to_cart(estimate: str) -> ResponseReturnValue:
    """Everything that was found goes into the cart."""
    try:
        changes, made = service.to_cart(access.actor(), token(), sessions.guest_cart_token(), _key(estimate))
    except DomainError as error:
        if error.status == 404:
            raise
        flash(texts.message(error), "warn")
        return redirect(f"/estimates/{estimate}", code=303)
    for change in changes:
        if change.note in ("stock", "sold_out"):
            name = change.name_en if language() == "en" else change.name_ru
            flash(_("Less than needed is in stock: %(name)s", name=name), "warn")
    flash(_("The materials are in the cart."), "ok")
    response = make_response(redirect("/cart", code=303))
    if made:
        sessions.set_cookie(response, sessions.CART_COOKIE, made, sessions.YEAR)
    return response


@pages.post("/estimates/<estimate>/delete", permission=Permission.CART)
def delete(estimate: str) -> ResponseReturnValue:
    """Remove an estimate."""
    service.remove(access.actor(), token(), _key(estimate))
    flash(_("The estimate is removed."), "ok")
    return redirect("/estimates", code=303)
