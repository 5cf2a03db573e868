"""How the goods of one warehouse come: which carrier and when, in several deliveries, or fetched at the counter."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, flash, request

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, DomainError, FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import checkout, choice_views
from app.orders.checkout import Quote, Wanted
from app.orders.choice_views import GroupView
from app.orders.choices import MOST_PARTS, Choice, Part
from app.texts import delivery_choice as words
from app.texts.logistics import no_carrier, price_line
from app.web import paths
from app.web.buyer.cart import name_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import key_of

pages = Guarded("delivery_choice", __name__)
PICKUP = "pickup"


@pages.get("/checkout/quote/<quote>/deliveries/<group>", permission=Permission.BUY)
def show(quote: str, group: str) -> Response:
    """Carriers with their free windows, the counter; `how` and `parts` look at another way before it is chosen."""
    found = checkout.quote_of(access.actor(), key_of(quote))
    if not found.is_open:
        return redirect_to(paths.ORDERS)
    view = choice_views.group(found, key_of(group))
    return _page(found, view, request.args.get("how", ""), _number(request.args.get("parts", "")))


def _page(
    quote: Quote, view: GroupView, how: str, parts: int | None, *, refusal: DomainError | None = None, status: int = 200
) -> Response:
    chosen = view.choice
    how = how or (PICKUP if chosen.method == PICKUP else str(chosen.option or ""))
    carrier = None if how == PICKUP else view.carrier(parse_uuid(how))
    if how != PICKUP:
        carrier = carrier or view.carrier(None)
        how = str(carrier.option.public_id) if carrier else PICKUP
    number = len(chosen.parts) if parts is None else parts
    wanted = _parts(view, chosen, number, carrier.part_days if carrier else ())
    return render_page(
        "buyer/delivery_choice.html", "buyer/_delivery_choice.html", status=status, quote=quote, view=view, how=how,
        carrier=carrier, parts=wanted, most_parts=MOST_PARTS, chosen=chosen, typed=request.form, words=words,
        price_line=price_line, no_carrier=no_carrier, name_of=name_of, errors=_said(refusal),
        back=paths.with_query(paths.CHECKOUT, quote=quote.public_id), here=request.path,
    )  # fmt: skip


def _parts(view: GroupView, chosen: Choice, number: int, days: Any) -> tuple[Part, ...]:
    if not 2 <= number <= MOST_PARTS:
        return ()
    return chosen.parts if len(chosen.parts) == number else choice_views.even_parts(view.trip, number, days)


@pages.post("/checkout/quote/<quote>/together", permission=Permission.BUY)
def together(quote: str) -> Response:
    """Everything by one truck, in a window of it; or each by itself again."""
    found = checkout.quote_of(access.actor(), key_of(quote))
    if not found.is_open:
        return redirect_to(paths.ORDERS)
    wanted = checkout.wanted_of(found.payload)
    try:
        day, window = _slot(request.form.get("slot", ""))
        is_joint = request.form.get("joint") == "1"
        wanted = replace(wanted, is_joint=is_joint, day=day or wanted.day, window=window or wanted.window)
        made = checkout.quote_anew(access.actor(), wanted)
    except (Invalid, Conflict) as refusal:
        told = [text for _name, text in _said(refusal)]
        flash(" ".join(told), "bad")
        return redirect_to(paths.with_query(paths.CHECKOUT, quote=found.public_id))
    return redirect_to(paths.with_query(paths.CHECKOUT, quote=made.public_id))


@pages.post("/checkout/quote/<quote>/deliveries/<group>", permission=Permission.BUY)
def choose(quote: str, group: str) -> Response:
    """Quote anew with what was chosen."""
    actor, key = access.actor(), key_of(group)
    found = checkout.quote_of(actor, key_of(quote))
    if not found.is_open:
        return redirect_to(paths.ORDERS)
    how, number = request.form.get("how", ""), _number(request.form.get("parts", "")) or 0
    wanted = checkout.wanted_of(found.payload)
    try:
        choice = _choice(how, number)
        # a carrier of its own takes it off the common truck, and with it the reason for that truck
        is_joint = wanted.is_joint and choice.method == PICKUP
        made = _quoted(replace(wanted, choices={**wanted.choices, key: choice}, is_joint=is_joint))
    except (Invalid, Conflict) as refusal:
        view = choice_views.group(found, key)
        return _page(found, view, how, number, refusal=refusal, status=refusal.status)
    return redirect_to(paths.with_query(paths.CHECKOUT, quote=made.public_id))


def _quoted(wanted: Wanted) -> Quote:
    """The quote; what is left for a common truck goes by itself when that is too little for one."""
    try:
        return checkout.quote_anew(access.actor(), wanted)
    except Conflict as refusal:
        if refusal.code != "no_joint":
            raise
        return checkout.quote_anew(access.actor(), replace(wanted, is_joint=False))


def _choice(how: str, number: int) -> Choice:
    """What the form says.

    Raises:
        Invalid: a day, a quantity or a carrier that cannot be read.
    """
    form = request.form
    if how == PICKUP:
        return Choice(PICKUP, day=_slot(form.get("counter", ""))[0], receiver=form.get("receiver", ""))
    option = parse_uuid(how)
    if option is None:
        raise Invalid([FieldError("/how", "unknown_option")])
    if number >= 2:
        parts = []
        for index in range(min(number, MOST_PARTS)):
            start = f"q-{index}-"
            own = {name: text for name, text in form.items() if name.startswith(start)}
            units = {_line(name.removeprefix(start)): _units(name, text) for name, text in own.items()}
            parts.append(Part({k: v for k, v in units.items() if v}, *_slot(form.get(f"slot-{index}", ""))))
        return Choice(option=option, parts=tuple(parts))
    day, window = _slot(form.get("slot", ""))
    return Choice(option=option, day=day, window=window)


def _line(text: str) -> uuid.UUID:
    key: uuid.UUID = key_of(text)
    return key


def _units(name: str, text: str) -> Decimal:
    try:
        return parse_decimal(text) if text.strip() else Decimal(0)
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None


def _slot(text: str) -> tuple[date | None, str]:
    """`2026-11-25/9-14` as day and window; empty: the earliest."""
    day, _sep, window = text.partition("/")
    try:
        return (date.fromisoformat(day) if day else None), window
    except ValueError:
        raise Invalid.one("/slot", "unknown_option") from None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 3 else None


def _said(refusal: DomainError | None) -> list[tuple[str, str]]:
    """(field, sentence) of what is wrong."""
    if refusal is None:
        return []
    if isinstance(refusal, Invalid):
        return [(_field(e.pointer), texts.error_text(e.code, e.context)) for e in refusal.errors]
    return [("slot" if refusal.code == "slot_full" else "", words.refused(refusal))]


def _field(pointer: str) -> str:
    """The field of the form that an error is about."""
    bits = pointer.strip("/").split("/")
    if "parts" in bits and len(bits) == bits.index("parts") + 3:
        return f"q-{bits[-2]}-{bits[-1]}"
    if "parts" in bits and len(bits) == bits.index("parts") + 2:
        return f"slot-{bits[-1]}"
    return {"day": "slot", "window": "slot", "slot": "slot", "receiver": "receiver", "option": "how"}.get(
        bits[-1], bits[-1]
    )
