"""Orders of the buyer: the list, the page that follows every step, documents, cancelling."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Response, flash, make_response, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access
from app.access import Guarded
from app.accounts import queries as accounts
from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import tracking
from app.orders import case_queries, numbers, papers, proposals, queries, repeat, service
from app.orders.queries import GroupView, OrderView
from app.orders.repeat import Repeated
from app.payments import cards, refund_queries
from app.payments import rules as payment_rules
from app.texts import orders as words
from app.web import paths
from app.web.buyer.cart import first_message, name_of
from app.web.buyer.cases import terms_told
from app.web.buyer.paying import deadline_of
from app.web.filters import moment, money, short_day, time_of_day
from app.web.htmx import redirect_to, render_live, render_page
from app.web.papers import as_pdf
from app.web.papers.act import act_pdf
from app.web.papers.invoice import invoice_pdf
from app.web.papers.upd import upd_pdf
from app.web.reading import quantities

pages = Guarded("orders", __name__)
PAGE = 24
MOST_TOLD = 12


@pages.get("/orders", permission=Permission.BUY)
def index() -> Response:
    """Purchases, newest first."""
    before = request.args.get("before", "")
    found = queries.groups_of(access.actor().user, before=int(before) if before.isdecimal() else None, limit=PAGE + 1)
    more = len(found) > PAGE
    return render_page(
        "buyer/orders.html",
        None,
        groups=found[:PAGE],
        next_url=paths.with_query(paths.ORDERS, before=found[PAGE - 1].row.id) if more else "",
    )


@pages.get("/orders/<number>", permission=Permission.BUY)
def show(number: str) -> Response:
    """A purchase (R1001) that follows its orders without reloading; an order's number leads to it."""
    if numbers.ORDER.fullmatch(number):
        return redirect_to(paths.order_path(numbers.group_of(number)))
    view = queries.group_view(access.actor().user, number)
    return render_live(
        "buyer/order.html", "buyer/_order.html", done=view.is_over, just_placed="placed" in request.args, **_shown(view)
    )


def _shown(view: GroupView) -> dict[str, Any]:
    return {
        "view": view,
        "refunds": refund_queries.of_orders(order.row.id for order in view.orders),
        "numbers": {order.row.id: order.row.number for order in view.orders},
        "ways": {order.row.id: way_of(order) for order in view.orders},
        "log": history_of(view),
        "cases": (cases := case_queries.of_orders(order.row.id for order in view.orders)),
        "terms_told": terms_told(cases.terms, cases.sections),
        "card": _card(view),
        "arrivals": _arrivals(view),
        "missing": {order.row.id for order in view.orders if repeat.missing(order)},
        "proposals": proposals.shown(view.orders),
        "acts": papers.with_acts(order.row.id for order in view.orders if order.was_at_the_door),
        "words": words,
        "name_of": name_of,
    }


def _arrivals(view: GroupView) -> dict[uuid.UUID, tuple[datetime, datetime]]:
    """When the trucks that are on their way come, as windows."""
    coming = (trip.delivery for order in view.orders for trip in order.trips if trip.delivery)
    live = [one.public_id for one in coming if one.tracking_token]
    return tracking.windows(live) if live else {}


def _card(view: GroupView) -> dict[str, Any] | None:
    """How the payment by card stands while it is waited for."""
    if view.payment is None or view.payment.method != "card" or not view.payment.left:
        return None
    return {"state": cards.last_state(view.payment.id), "until": deadline_of(view)}


@pages.get("/orders/<number>/cancel", permission=Permission.BUY)
def ask_cancel(number: str) -> Response:
    """Asks once more before an order is taken back: all of it, or which lines."""
    return _cancel_page(number)


def _cancel_page(number: str, refusal: Invalid | None = None, status: int = 200) -> Response:
    group, order = queries.order_view(access.actor().user, number)
    return render_page(
        "buyer/order_cancel.html", None, status=status, group=group, order=order, name_of=name_of,
        error=first_message(refusal) if refusal else "", typed=request.form,
    )  # fmt: skip


@pages.post("/orders/<number>/cancel", permission=Permission.BUY)
def cancel(number: str) -> Response:
    """Take one order back while nothing of it is being picked, or the lines that are named."""
    some = request.form.get("what") == "lines"
    try:
        off = dict[uuid.UUID, Decimal | None](quantities(skip_blank=True)) if some else None
        less = service.cancel(access.actor(), number, request.form.get("reason", ""), off)
    except Invalid as refusal:
        return _cancel_page(number, refusal, 422)
    except Conflict as refusal:
        flash(first_message(refusal), "bad")
        return redirect_to(paths.order_path(number))
    if some:
        flash(str(_("Taken off %(number)s: %(sum)s.", number=number, sum=money(less))), "ok")
    else:
        flash(str(_("The order %(number)s is cancelled.", number=number)), "ok")
    return redirect_to(paths.order_path(numbers.group_of(number)))


@pages.post("/orders/<number>/repeat", permission=Permission.BUY)
def again(number: str) -> Response:
    """Everything that is still sold into the cart, told line by line."""
    try:
        told = repeat.to_cart(access.actor(), number)
    except Invalid as refusal:
        flash(first_message(refusal), "bad")
        return redirect_to(paths.order_path(number))
    return _told(told)


def _told(told: Sequence[Repeated]) -> Response:
    """To the cart, with what is not as it was."""
    added = sum(one.price_now is not None for one in told)
    flash(ngettext("%(num)s line is in the cart.", "%(num)s lines are in the cart.", added), "ok" if added else "warn")
    changed = [text for text in map(_repeated, told) if text]
    for text in changed[:MOST_TOLD]:
        flash(text, "warn")
    if len(changed) > MOST_TOLD:
        flash(_("And %(count)s more that are not as they were.", count=len(changed) - MOST_TOLD), "warn")
    return redirect_to(paths.CART)


@pages.post("/orders/<number>/proposal/accept", permission=Permission.BUY)
def accept_proposal(number: str) -> Response:
    """Take what the seller proposes: the order is accepted with it."""
    return _answered(number, lambda: _agreed(number, proposals.accept(access.actor(), number)))


@pages.post("/orders/<number>/proposal/decline", permission=Permission.BUY)
def decline_proposal(number: str) -> Response:
    """Want what was ordered; the seller answers the order as it stands."""

    def act() -> str:
        proposals.decline(access.actor(), number)
        return str(_("The change is declined. The seller now answers the order as you placed it."))

    return _answered(number, act)


def _agreed(number: str, less: int) -> str:
    if less:
        return str(_("Agreed: %(number)s is %(sum)s cheaper.", number=number, sum=money(less)))
    return str(_("Agreed: %(number)s comes as proposed, at the same price.", number=number))


def _answered(number: str, act: Callable[[], str]) -> Response:
    try:
        flash(act(), "ok")
    except Conflict as refusal:
        flash(first_message(refusal), "bad")
    return redirect_to(paths.order_path(numbers.group_of(number)))


@pages.post("/orders/<number>/other-sellers", permission=Permission.BUY)
def elsewhere(number: str) -> Response:
    """What did not come, or will not, into the cart from other sellers."""
    return _told(repeat.missing_to_cart(access.actor(), number))


def _repeated(line: Repeated) -> str:
    """What is not as it was; empty when all is."""
    said = []
    if line.is_replaced:
        said.append(str(_("from another seller")))
    if line.price_now is not None and line.price_now != line.price_was:
        said.append(str(_("the price was %(was)s, now %(now)s", was=money(line.price_was), now=money(line.price_now))))
    if line.note:
        said.append(words.said(words.CHANGE_NOTES, line.note))
    return f"{name_of(line)}: {', '.join(said)}" if said else ""


@pages.get("/orders/<number>/invoice", permission=Permission.BUY)
def invoice(number: str) -> Response:
    """The bill to print or save as PDF."""
    actor = access.actor()
    view = queries.group_view(actor.user, number)
    if view.payment is None or not view.payment.invoice_number:
        raise NotFound()
    person = accounts.profile(actor.user)
    body = render_template(
        "documents/invoice.html",
        view=view,
        payment=view.payment,
        person=person,
        operator=payment_rules.OPERATOR,
        name_of=name_of,
        issued=clock.local(view.row.created_at).strftime("%d.%m.%Y"),
        due=view.payment.due_on.strftime("%d.%m.%Y") if view.payment.due_on else "",
    )
    return make_response(body)


@pages.get("/orders/<number>/invoice.pdf", permission=Permission.BUY)
def invoice_file(number: str) -> Response:
    """The bill as PDF."""
    return invoice_of(access.actor().user, number)


def invoice_of(user_id: int, number: str) -> Response:
    """The bill of a purchase, by its number or that of an order of it.

    Raises:
        NotFound: absent, another person's, or not paid by bank.
    """
    group = numbers.group_of(number) if numbers.ORDER.fullmatch(number) else number
    view = queries.group_view(user_id, group)
    if view.payment is None or not view.payment.invoice_number:
        raise NotFound()
    name = accounts.profile(user_id).name
    return as_pdf(invoice_pdf(view, view.payment, name, payment_rules.OPERATOR), f"invoice-{group}")


@pages.get("/orders/<number>/upd.pdf", permission=Permission.BUY)
def transfer_documents(number: str) -> Response:
    """The transfer documents of an order's trips that have left."""
    _group, order = queries.order_view(access.actor().user, number)
    return upd_of(order.row.id, number)


def upd_of(order_id: int, number: str) -> Response:
    """The transfer documents of an order.

    Raises:
        NotFound: nothing has left yet.
    """
    issued = papers.issued(order_id)
    if not issued:
        raise NotFound()
    return as_pdf(upd_pdf(issued), f"upd-{number}")


@pages.get("/orders/<number>/act.pdf", permission=Permission.BUY)
def acts(number: str) -> Response:
    """The acts of what was handed over."""
    _group, order = queries.order_view(access.actor().user, number)
    return acts_of(order.row.id, number)


def acts_of(order_id: int, number: str) -> Response:
    """The acts of an order.

    Raises:
        NotFound: nothing was handed over yet.
    """
    issued = papers.issued(order_id, papers.ACT)
    if not issued:
        raise NotFound()
    return as_pdf(act_pdf(issued), f"act-{number}")


_NOW = {
    "planned": 1, "picking": 2, "ready": 2, "handed_over": 3, "in_transit": 3, "failed": 4, "returning": 4,
}  # fmt: skip
"""State of the goods -> the step that is going on; in every other state all steps are past."""


def way_of(order: OrderView) -> list[dict[str, Any]]:
    """The steps of an order: label, note, state and icon, for the drawing."""
    status, goods = order.row.status, order.row.fulfilment_status
    if status in ("rejected", "expired", "cancelled"):
        return _stopped(order)
    trip = next((t for t in order.trips if t.status != "cancelled"), None)
    waits = status == "placed"
    failed = goods in ("failed", "returning", "returned")
    fetched = trip is not None and all(t.method == "pickup" for t in order.trips if t.status != "cancelled")
    door = order.reached("fulfilment.failed", "fulfilment.delivered", "fulfilment.partially_delivered")
    stages = [
        (_("Placed"), "receipt-text", order.row.created_at, ""),
        (_("Seller's answer") if waits else _("Accepted"), "clock" if waits else "check", order.row.accepted_at,
         _("until %(time)s", time=moment(order.row.accept_by))),
        (_("Picking") if goods == "picking" else _("Picked"), "package", order.reached("fulfilment.ready"), ""),
        (_("At the counter") if fetched else _("On the way"), "store" if fetched else "truck",
         order.reached("fulfilment.handed_over"), short_day(trip.day) if trip else ""),
        (_("Not delivered") if failed else _("Fetched") if fetched else _("Delivered"),
         "circle-alert" if failed else "circle-check", door, ""),
    ]  # fmt: skip
    now = 1 if waits else 3 if fetched and goods == "ready" else _NOW.get(goods, len(stages))
    return [
        {
            "label": label,
            "icon": icon,
            "note": _short(at) if at else note,
            "state": "past" if index < now else "now" if index == now else "next",
        }
        for index, (label, icon, at, note) in enumerate(stages)
    ]


def _stopped(order: OrderView) -> list[dict[str, Any]]:
    label = {
        "rejected": _("Rejected"),
        "expired": _("No answer"),
        "cancelled": _("Cancelled"),
    }[order.row.status]
    at = order.reached(f"order.{order.row.status}")
    return [
        {"label": _("Placed"), "icon": "receipt-text", "note": _short(order.row.created_at), "state": "past"},
        {"label": label, "icon": "ban", "note": _short(at) if at else "", "state": "now"},
    ]


def _short(at: datetime) -> str:
    return f"{short_day(at)}, {time_of_day(at)}"


def history_of(view: GroupView) -> list[tuple[datetime, str, str]]:
    """What happened, newest first, in words: (moment, time, sentence)."""
    found = []
    for event in sorted((e for o in view.orders for e in o.events), key=lambda e: e.at, reverse=True):
        text = words.said(words.HISTORY, event.kind)
        if event.reason:
            text = str(_("%(what)s: %(why)s", what=text, why=words.reason(event.reason)))
        if event.details.get("less"):
            less = money(event.details["less"])
            text = str(_("%(what)s, %(sum)s less", what=text, sum=less))
        prefix = f"{event.order_number} · " if len(view.orders) > 1 else ""
        found.append((event.at, _short(event.at), prefix + text))
    return found
