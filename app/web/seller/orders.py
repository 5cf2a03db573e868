"""Orders of a seller: the inbox with deadlines, answering, picking, handing to the truck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, flash, make_response, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core import clock
from app.core.errors import Conflict, FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission, may
from app.orders import case_queries, fulfilments, pallet_returns, papers, proposals, queries, seller_queries, service
from app.orders.queries import OrderView
from app.texts import orders as words
from app.web import paths
from app.web.buyer.cart import first_message, name_of, uuid_or_404
from app.web.buyer.orders import acts_of, upd_of, way_of
from app.web.filters import money, short_day, time_of_day
from app.web.htmx import redirect_to, render_live, render_page
from app.web.papers import as_pdf
from app.web.papers.packing import packing_pdf
from app.web.papers.pallets import pallets_pdf
from app.web.reading import quantities
from app.web.seller import frame
from app.web.seller.trucks import trucks_of

pages = Guarded("seller_orders", __name__, url_prefix="/seller")
PAGE = 24
URGENT = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long the seller may still think."""

    left: timedelta

    @property
    def is_urgent(self) -> bool:
        return self.left < URGENT

    @property
    def is_over(self) -> bool:
        return self.left <= timedelta()


def deadline_of(order: queries.OrderRow) -> Deadline | None:
    """The time left to answer; None when it was answered."""
    return Deadline(order.accept_by - clock.now()) if order.status == "placed" else None


@pages.get("/orders", permission=Permission.SELLER_VIEW)
def inbox() -> Response:
    """New orders first, by deadline; `tab` narrows; the part is asked again every 15 s."""
    actor = access.actor()
    tab = request.args.get("tab", "")
    before = request.args.get("before", "")
    found = seller_queries.inbox(
        actor.seller_id, tab, before=int(before) if before.isdecimal() else None, limit=PAGE + 1
    )
    oldest = min((row.order.id for row in found.rows[:PAGE]), default=0)
    return render_live(
        "seller/orders.html",
        "seller/_orders.html",
        done=False,
        rows=found.rows[:PAGE],
        counts=found.counts,
        tab=tab if tab in seller_queries.TABS else "",
        deadline_of=deadline_of,
        words=words,
        next_url=paths.with_query(request.path, tab=tab, before=oldest) if len(found.rows) > PAGE else "",
        here=paths.with_query(request.path, tab=tab, before=before),
        **frame.context(actor),
    )


@pages.get("/orders/<number>", permission=Permission.SELLER_VIEW)
def show(number: str) -> Response:
    """An order: to answer, to pick, to hand over."""
    return order_page(number)


def order_page(number: str, *, status: int = 200, errors: list[tuple[str, str]] | None = None) -> Response:
    """The page, with what is wrong in a refused form."""
    actor = access.actor()
    view = seller_queries.seller_order(actor.seller_id, number)
    row = view.order.row
    return render_page(
        "seller/order.html",
        None,
        status=status,
        view=view,
        way=way_of(view.order),
        cases=case_queries.of_orders([view.order.row.id]),
        deadline=deadline_of(view.order.row),
        errors=errors or [],
        typed=request.form if request.method == "POST" else {},
        may_answer=may(actor, Permission.SELLER_ORDERS),
        may_pick=may(actor, Permission.SELLER_PICK),
        may_refund=may(actor, Permission.REFUND),
        pallets=pallet_returns.of_order(row.id) if view.order.pallets else [],
        words=words,
        name_of=name_of,
        reached=_reached(view.order),
        acts=papers.with_acts([row.id] if view.order.was_at_the_door else []),
        proposal=proposals.shown([view.order]).get(row.id),
        trucks=trucks_of(view.order),
        now=clock.now(),
        **frame.context(actor),
    )


def _reached(order: OrderView) -> list[tuple[Any, str, str]]:
    found = []
    for event in order.events:
        text = words.said(words.HISTORY, event.kind)
        if event.reason:
            text = str(_("%(what)s: %(why)s", what=text, why=words.reason(event.reason)))
        found.append((event.at, f"{short_day(event.at)}, {time_of_day(event.at)}", text))
    return found


@pages.get("/orders/<number>/picking-list", permission=Permission.SELLER_VIEW)
def picking_list(number: str) -> Response:
    """The sheet a picker walks with, for printing."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    return make_response(render_template("documents/picking_list.html", view=view, name_of=name_of))


@pages.post("/orders/<number>/accept", permission=Permission.SELLER_ORDERS)
def accept(number: str) -> Response:
    """Agree to all, or to what was typed in the lines."""

    def act() -> str:
        less = service.accept(access.actor(), number, quantities())
        if less:
            return str(_("Accepted in part: the order is %(sum)s cheaper, the buyer has been told.", sum=money(less)))
        return str(_("Accepted. The warehouse can begin to pick."))

    return _acted(number, act)


@pages.post("/orders/<number>/reject", permission=Permission.SELLER_ORDERS)
def reject(number: str) -> Response:
    """Refuse the order with a reason."""

    def act() -> str:
        service.reject(access.actor(), number, request.form.get("reason", ""))
        return str(_("Rejected. The goods are back in stock, the buyer has been told why."))

    return _acted(number, act)


@pages.post("/orders/<number>/pallets", permission=Permission.REFUND)
def pallets(number: str) -> Response:
    """So many returnable pallets came back."""

    def act() -> str:
        before = request.form.get("before", "")
        deposit = pallet_returns.came_back(
            access.actor(), number, quantities(skip_blank=True), int(before) if before.isdecimal() else None
        )
        return str(_("Counted. The deposit of %(sum)s goes back to the buyer.", sum=money(deposit)))

    return _acted(number, act)


@pages.get("/orders/<number>/packing.pdf", permission=Permission.SELLER_VIEW)
def packing_slip(number: str) -> Response:
    """The packing slip of each trip."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    return as_pdf(packing_pdf(view), f"packing-{number}")


@pages.get("/orders/<number>/pallets.pdf", permission=Permission.SELLER_VIEW)
def pallet_list(number: str) -> Response:
    """What stands on which pallet of each trip."""
    return pallets_of(access.actor().seller_id, number)


def pallets_of(seller_id: int, number: str) -> Response:
    """The list of pallets of an order of the seller.

    Raises:
        NotFound: absent, or another seller's.
    """
    return as_pdf(pallets_pdf(seller_queries.seller_order(seller_id, number)), f"pallets-{number}")


@pages.get("/orders/<number>/upd.pdf", permission=Permission.SELLER_VIEW)
def transfer_documents(number: str) -> Response:
    """The transfer documents of trips that have left."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    return upd_of(view.order.row.id, number)


@pages.get("/orders/<number>/act.pdf", permission=Permission.SELLER_VIEW)
def acts(number: str) -> Response:
    """The acts of what was handed over."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    return acts_of(view.order.row.id, number)


@pages.post("/fulfilments/<trip>/start-picking", permission=Permission.SELLER_PICK)
def start_picking(trip: str) -> Response:
    """The warehouse begins."""
    known = uuid_or_404(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)

    def act() -> str:
        fulfilments.start_picking(access.actor(), known)
        return str(_("Picking has begun. Count every line and press “Ready”."))

    return _acted(number, act)


@pages.post("/fulfilments/<trip>/ready", permission=Permission.SELLER_PICK)
def ready(trip: str) -> Response:
    """Packed, counted, waiting for the truck."""
    known = uuid_or_404(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)

    def act() -> str:
        less = fulfilments.ready(access.actor(), known, quantities())
        if less:
            return str(_("Ready with less: the order is %(sum)s cheaper, the buyer has been told.", sum=money(less)))
        trips = seller_queries.seller_order(access.actor().seller_id, number).order.trips
        if any(one.public_id == known and one.method == "pickup" for one in trips):
            return str(_("Ready. The buyer sees that it can be fetched."))
        return str(_("Ready. The carrier sees the delivery now."))

    return _acted(number, act)


@pages.post("/fulfilments/<trip>/returned", permission=Permission.SELLER_PICK)
def returned(trip: str) -> Response:
    """What was not handed over is back on the shelf."""
    known = uuid_or_404(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)

    def act() -> str:
        fulfilments.receive_back(access.actor(), known)
        return str(_("The goods are back in stock."))

    return _acted(number, act)


@pages.post("/fulfilments/<trip>/collected", permission=Permission.SELLER_PICK)
def collected(trip: str) -> Response:
    """The buyer told the code at the counter and has the goods."""
    known = uuid_or_404(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)

    def act() -> str:
        fulfilments.collect(access.actor(), known, request.form.get("code", ""))
        return str(_("Handed over at the counter."))

    return _acted(number, act)


@pages.post("/fulfilments/<trip>/not-collected", permission=Permission.SELLER_PICK)
def not_collected(trip: str) -> Response:
    """Nobody came in time: the goods are on sale again."""
    known = uuid_or_404(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)

    def act() -> str:
        less = fulfilments.not_collected(access.actor(), known)
        return str(_("The goods are on sale again; the order is %(sum)s less.", sum=money(less)))

    return _acted(number, act)


def _acted(number: str, act: Callable[[], str]) -> Response:
    """Do it and show the order anew, or show what is wrong beside what was typed."""
    try:
        told = act()
    except Invalid as refusal:
        wrong = [(_field(e), texts.error_text(e.code, e.context)) for e in refusal.errors]
        return order_page(number, status=422, errors=wrong)
    except Conflict as refusal:
        flash(first_message(refusal), "bad")
        return redirect_to(f"/seller/orders/{number}")
    flash(told, "ok")
    return redirect_to(f"/seller/orders/{number}")


def _field(error: FieldError) -> str:
    name = error.pointer.rsplit("/", 1)[-1]
    return f"q-{name}" if parse_uuid(name) else name if name in ("reason", "code") else ""
