"""Quick order: codes and quantities pasted or in a sheet, an answer for each line, the good ones into the cart."""

from __future__ import annotations

from flask import Response, current_app, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access
from app.access import Guarded
from app.core.errors import DomainError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.orders import quick
from app.orders.quick import Answer, Line
from app.texts import company as words
from app.texts.orders import CHANGE_NOTES, said
from app.web import paths, sessions
from app.web.buyer.cart import KEEP_SECONDS, name_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import sentence

pages = Guarded("quick", __name__)
PATH = "/quick"


@pages.get(PATH, permission=Permission.CART)
def show() -> Response:
    """The field and the file."""
    return _page([])


def _page(
    answers: list[Answer], *, text: str = "", error: str = "", where: str = "text", left: dict[int, str] | None = None
) -> Response:
    status = 422 if error else 200
    good = [answer for answer in answers if answer.is_good]
    return render_page(
        "buyer/quick.html", None, status=status, answers=answers, text=text, error=error, where=where, words=words,
        left=left or {}, name_of=name_of, good=len(good), total=sum(a.gross for a in good), most=quick.MOST_LINES,
    )  # fmt: skip


@pages.post(PATH, permission=Permission.CART)
def check() -> Response:
    """What every line comes to; nothing is changed yet."""
    text, file = request.form.get("text", ""), request.files.get("file")
    try:
        if "n" in request.form:
            lines = _typed()
        elif file is not None and file.filename:
            lines = quick.of_file(file.stream.read(quick.MOST_BYTES + 1))
        else:
            lines = quick.of_text(text)
    except DomainError as refusal:
        is_file = file is not None and bool(file.filename)
        return _page([], text=text, error=sentence(refusal), where="file" if is_file else "text")
    return _page(quick.check(lines, current_app.extensions["cache"]), text=text)


def _typed() -> list[Line]:
    """The lines of the table, as they were mended.

    Raises:
        Invalid: more than there may be.
    """
    form, lines = request.form, []
    numbers = form.getlist("n")
    if len(numbers) > quick.MOST_LINES:
        raise Invalid.one("/text", "too_many_lines", maximum=quick.MOST_LINES)
    for text in numbers:
        if not text.isdecimal() or len(text) > 6:
            continue
        code, quantity, unit = (form.get(f"{name}{text}", "")[: quick.LONGEST_LINE].strip() for name in "cqu")
        if code and f"x{text}" not in form:
            shown = f"{code} {quantity} {unit}".strip()
            lines.append(Line(int(text), shown, code, quantity, unit, parse_uuid(form.get(f"o{text}", ""))))
    return lines


@pages.post(f"{PATH}/to-cart", permission=Permission.CART)
def to_cart() -> Response:
    """The good lines into the cart; the others stay here, to be mended."""
    try:
        answers = quick.check(_typed(), current_app.extensions["cache"])
        changes, token = quick.to_cart(access.actor(), sessions.guest_cart_token(), answers)
    except DomainError as refusal:
        return _page([], error=sentence(refusal))
    put = {number for number, change in changes.items() if change.quantity}
    left = {n: said(CHANGE_NOTES, change.note) for n, change in changes.items() if not change.quantity}
    rest = [answer for answer in answers if answer.line.number not in put]
    if put:
        flash(ngettext("%(num)s line is in the cart.", "%(num)s lines are in the cart.", len(put)), "ok")
    response = redirect_to(paths.CART) if put and not rest else _page(rest, left=left)
    if not put and not rest:
        response = _page([], error=str(_("Nothing can go into the cart yet.")))
    if token:
        sessions.set_cookie(response, sessions.CART_COOKIE, token, KEEP_SECONDS)
    return response
