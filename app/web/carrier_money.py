"""Invoices of a carrier and the pay of its drivers: pages of the carrier's office and of the driver's phone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access
from app.access import Guarded
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission, may
from app.logistics import fleet, pay
from app.logistics.pay import DayPay, Rate, Terms
from app.orders import carrier_bills
from app.texts import tracking as words
from app.web import paths
from app.web.carrier.forms import Field, Filled, read, refused, shown
from app.web.carrier.frame import key_of, office
from app.web.htmx import redirect_to, render_page
from app.web.papers import as_pdf
from app.web.papers.carrier_invoice import carrier_invoice_csv, carrier_invoice_pdf, pay_csv, told
from app.web.reading import sentence

pages = Guarded("carrier_money", __name__)
INVOICES, EARNINGS = "/carrier/invoices", "/carrier/earnings"
TERMS = (
    Field("vat_code", _l("VAT"), "choice", options=tuple(words.VAT.items())),
    Field("free_waiting_minutes", _l("Free waiting at the door"), "number", "min"),
    Field("waiting_per_hour", _l("An hour of waiting beyond"), "money", "₽"),
    Field("failed_percent", _l("A trip that failed by the receiver's doing, % of the quote"), "number"),
)
RATE = (
    Field("per_hour", _l("An hour"), "money", "₽"),
    Field("per_stop", _l("A door"), "money", "₽"),
    Field("per_km", _l("A kilometre"), "money", "₽"),
    Field("valid_from", _l("First day"), "day"),
)


def period() -> tuple[date, date]:
    """The days in the address; without them the month before until the tenth, then this one until yesterday."""
    today = clock.today()
    first, last = _day("first"), _day("last")
    if first is None or last is None:
        month = today.replace(day=1)
        if today.day <= 10:
            return (month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)
        return month, today - timedelta(days=1)
    return (first, last) if first <= last else (last, first)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return None


@pages.get("/carrier/invoices", permission=Permission.CARRIER_VIEW)
def invoices() -> Response:
    """Who owes for a period, what is invoiced, and the terms."""
    return _invoices()


def _invoices(refusal: str = "", status: int = 200, filled: Filled | None = None) -> Response:
    actor, (first, last) = access.actor(), period()
    terms = pay.terms(actor.carrier_id)
    return render_page(
        "carrier/invoices.html", None, status=status, first=first, last=last, refusal=refusal,
        customers=carrier_bills.customers(actor.carrier_id, first, last), issued=carrier_bills.issued(
            carrier_id=actor.carrier_id), terms=terms, fields=TERMS, filled=filled or shown(TERMS, terms),
        may_set=may(actor, Permission.CARRIER_TEAM), words=words, today=clock.today(), **office(),
    )  # fmt: skip


@pages.post("/carrier/invoices", permission=Permission.CARRIER_FLEET)
def issue() -> Response:
    """Write the invoice of the period to a customer."""
    first, last = period()
    seller = request.form.get("seller", "")
    try:
        made = carrier_bills.issue(access.actor(), parse_uuid(seller) if seller else None, first, last)
    except (Conflict, Invalid) as refusal:
        return _invoices(sentence(refusal), refusal.status)
    flash(_("The invoice is written."), "ok")
    return redirect_to(f"{INVOICES}/{made}")


@pages.post("/carrier/invoices/terms", permission=Permission.CARRIER_TEAM)
def set_terms() -> Response:
    """Declare how the carrier bills."""
    return _saved(TERMS, lambda values: pay.set_terms(access.actor(), Terms(**values)), _invoices, INVOICES)


@pages.get("/carrier/invoices/<key>", permission=Permission.CARRIER_VIEW)
def invoice(key: str) -> Response:
    """One invoice, line by line."""
    found = carrier_bills.invoice(key_of(key), carrier_id=access.actor().carrier_id)
    return render_page("carrier/invoice.html", None, found=found, words=words, told=told, **office())


@pages.get("/carrier/invoices/<key>/file.pdf", permission=Permission.CARRIER_VIEW)
def invoice_pdf(key: str) -> Response:
    """As PDF."""
    return pdf_of(carrier_bills.invoice(key_of(key), carrier_id=access.actor().carrier_id))


@pages.get("/carrier/invoices/<key>/file.csv", permission=Permission.CARRIER_VIEW)
def invoice_csv(key: str) -> Response:
    """As a table for spreadsheets."""
    return csv_of(carrier_bills.invoice(key_of(key), carrier_id=access.actor().carrier_id))


def pdf_of(found: carrier_bills.Invoice) -> Response:
    """An invoice as PDF."""
    return as_pdf(carrier_invoice_pdf(found), f"carrier-invoice-{found.head.number}")


def csv_of(found: carrier_bills.Invoice) -> Response:
    """An invoice as CSV."""
    return table(carrier_invoice_csv(found), f"carrier-invoice-{found.head.number}")


def table(body: bytes, name: str) -> Response:
    """A CSV to keep."""
    response = Response(body, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/carrier/earnings", permission=Permission.CARRIER_VIEW)
def earnings() -> Response:
    """What drivers have earned, by day, and the declared rates."""
    return _earnings()


def _earnings(refusal: str = "", status: int = 200, filled: Filled | None = None) -> Response:
    actor, (first, last) = access.actor(), period()
    days = pay.earned(actor.carrier_id, first, last)
    return render_page(
        "carrier/earnings.html", None, status=status, first=first, last=last, refusal=refusal, days=days,
        total=sum(day.total for day in days), rates=pay.rates(actor.carrier_id),
        couriers=[(str(one.public_id), one.name) for one in fleet.couriers(actor.carrier_id)], fields=RATE,
        filled=filled or Filled({"valid_from": clock.today().isoformat()}),
        may_set=may(actor, Permission.CARRIER_TEAM),
        csv_url=paths.with_query(f"{EARNINGS}.csv", first=first.isoformat(), last=last.isoformat()), **office(),
    )  # fmt: skip


@pages.get("/carrier/earnings.csv", permission=Permission.CARRIER_VIEW)
def earnings_csv() -> Response:
    """As a table for spreadsheets."""
    first, last = period()
    return table(pay_csv(pay.earned(access.actor().carrier_id, first, last)), f"earnings-{first}-{last}")


@pages.post("/carrier/earnings/rates", permission=Permission.CARRIER_TEAM)
def set_rate() -> Response:
    """Declare what drivers are paid from a day on."""
    courier: uuid.UUID | None = parse_uuid(request.form.get("courier", ""))
    return _saved(RATE, lambda values: pay.set_rate(access.actor(), courier, Rate(**values)), _earnings, EARNINGS)


def _saved(
    fields: tuple[Field, ...], act: Callable[[Mapping[str, Any]], None], page: Callable[..., Response], back: str
) -> Response:
    try:
        act(read(fields))
    except (Invalid, Conflict) as refusal:
        return page(status=refusal.status, filled=refused(refusal))
    flash(_("Saved."), "ok")
    return redirect_to(back)


@pages.get("/courier/earnings", permission=Permission.COURIER_ROUTE)
def own_earnings() -> Response:
    """What the driver has earned, by day."""
    first, last = period()
    if _day("first") is None:
        first, last = clock.today() - timedelta(days=30), clock.today()
    days = pay.earned_by(access.actor().user, first, last)
    return render_page(
        "courier/earnings.html", None, days=days[::-1], total=_total(days), first=first, last=last,
        csv_url=paths.with_query("/courier/earnings.csv", first=first.isoformat(), last=last.isoformat()),
    )  # fmt: skip


def _total(days: list[DayPay]) -> int:
    return sum(day.total for day in days)


@pages.get("/courier/earnings.csv", permission=Permission.COURIER_ROUTE)
def own_earnings_csv() -> Response:
    """As a table for spreadsheets."""
    first, last = period()
    return table(pay_csv(pay.earned_by(access.actor().user, first, last)), f"earnings-{first}-{last}")
