"""Invoices of a carrier for what was driven, and the pay of its drivers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from flask import Response
from pydantic import Field

from app import access
from app.api.kernel import Api, given_id
from app.api.schemas import MoneyIn, MoneyOut, Schema, money
from app.core.permissions import Permission
from app.logistics import pay
from app.logistics.pay import DayPay, Rate, Terms
from app.orders import carrier_bills
from app.web import carrier_money as files

api = Api("carrier_money", tag="Logistics")


class PeriodQuery(Schema):
    """Days, both included."""

    first: date
    last: date


class IssueIn(Schema):
    """The invoice of a period; `seller` null: to the market that sold the deliveries."""

    seller: uuid.UUID | None = None
    first: date
    last: date


class CustomerOut(Schema):
    """Somebody who owes for trips that no invoice has; `seller` null: the market."""

    seller: uuid.UUID | None
    name: str
    trips: int
    gross: MoneyOut


class CustomersOut(Schema):
    """The market first."""

    items: list[CustomerOut]


class PartOut(Schema):
    """A reason to pay: a code of the quote, `waiting` or `failed_trip`, with its figures."""

    code: str
    amount: int
    context: dict[str, Any]


class LineOut(Schema):
    """A trip; `parts` sum to `gross`."""

    kind: Literal["delivery", "failed"]
    number: str
    day: date
    address: str
    gross: MoneyOut
    parts: list[PartOut]


class InvoiceBrief(Schema):
    """An invoice in a list; VAT is inside `gross`."""

    id: uuid.UUID
    number: int
    issued_on: date
    first: date
    last: date
    customer: str
    vat_code: str
    vat_percent: int
    vat: MoneyOut
    gross: MoneyOut


class InvoicesOut(Schema):
    """Newest first, at most 200."""

    items: list[InvoiceBrief]


class CarrierInvoiceOut(InvoiceBrief):
    """An invoice; its lines sum to `gross`."""

    lines: list[LineOut]


class TermsOut(Schema):
    """How a carrier bills beyond its tariffs."""

    vat_code: str
    free_waiting_minutes: int
    waiting_per_hour: MoneyOut
    failed_percent: int


class TermsIn(Schema):
    """How a carrier bills from now on."""

    vat_code: Literal["general", "special5", "special7", "none"]
    free_waiting_minutes: int = Field(ge=0, le=1440)
    waiting_per_hour: MoneyIn
    failed_percent: int = Field(ge=0, le=100)


class RateIn(Schema):
    """What a driver is paid from a day on; `courier` null: everybody without an own rate."""

    courier: uuid.UUID | None = None
    per_hour: MoneyIn
    per_stop: MoneyIn
    per_km: MoneyIn
    valid_from: date


class RateOut(Schema):
    """A declared rate."""

    courier: uuid.UUID | None
    courier_name: str
    per_hour: MoneyOut
    per_stop: MoneyOut
    per_km: MoneyOut
    valid_from: date


class RatesOut(Schema):
    """Newest first."""

    items: list[RateOut]


class DayPayOut(Schema):
    """A driver's day; `total` is the sum of its three parts. `by_gps` false: kilometres are those of the plan."""

    courier: uuid.UUID
    name: str
    day: date
    seconds: int
    stops: int
    distance_m: int
    by_gps: bool
    for_hours: MoneyOut
    for_stops: MoneyOut
    for_km: MoneyOut
    total: MoneyOut


class EarningsOut(Schema):
    """Days worked to their end, and their sum."""

    items: list[DayPayOut]
    total: MoneyOut


@api.get(
    "/carrier/customers", permission=Permission.CARRIER_VIEW, query=PeriodQuery, answer=CustomersOut,
    summary="Who owes for what was driven",
)  # fmt: skip
def customers(query: PeriodQuery) -> CustomersOut:
    """Trips of the period that no invoice has."""
    found = carrier_bills.customers(access.actor().carrier_id, query.first, query.last)
    return CustomersOut(
        items=[CustomerOut(seller=c.seller, name=c.name, trips=c.trips, gross=money(c.gross)) for c in found]
    )


@api.get("/carrier/invoices", permission=Permission.CARRIER_VIEW, answer=InvoicesOut, summary="Invoices of the carrier")
def invoices() -> InvoicesOut:
    """Numbered without gaps in each year."""
    found = carrier_bills.issued(carrier_id=access.actor().carrier_id)
    return InvoicesOut(items=[_brief(head) for head in found])


@api.post(
    "/carrier/invoices", permission=Permission.CARRIER_FLEET, body=IssueIn, answer=CarrierInvoiceOut, status=201,
    summary="Write the invoice of a period", example={"first": "2026-10-01", "last": "2026-10-31"},
)  # fmt: skip
def issue(body: IssueIn) -> CarrierInvoiceOut:
    """The same period again gives the same invoice; 409 `period_billed`, `period_not_over`, `nothing_to_bill`."""
    made = carrier_bills.issue(access.actor(), body.seller, body.first, body.last)
    return _invoice(made)


@api.get(
    "/carrier/invoices/{invoice}", permission=Permission.CARRIER_VIEW, answer=CarrierInvoiceOut,
    summary="An invoice of the carrier",
)  # fmt: skip
def show(invoice: str) -> CarrierInvoiceOut:
    """With its trips, each with the parts of its price."""
    return _invoice(given_id(invoice))


@api.get(
    "/carrier/invoices/{invoice}/file.pdf", permission=Permission.CARRIER_VIEW, summary="The invoice as PDF", status=200
)
def pdf(invoice: str) -> Response:
    """To send to the customer."""
    return files.pdf_of(carrier_bills.invoice(given_id(invoice), carrier_id=access.actor().carrier_id))


@api.get(
    "/carrier/invoices/{invoice}/file.csv", permission=Permission.CARRIER_VIEW, summary="The invoice as CSV", status=200
)
def csv(invoice: str) -> Response:
    """A row for each part of each trip."""
    return files.csv_of(carrier_bills.invoice(given_id(invoice), carrier_id=access.actor().carrier_id))


@api.get(
    "/seller/carrier-invoices", permission=Permission.SELLER_MONEY, answer=InvoicesOut,
    summary="Invoices that carriers wrote to the seller",
)  # fmt: skip
def got() -> InvoicesOut:
    """For deliveries that the seller promised to pay."""
    found = carrier_bills.issued(seller_id=access.actor().seller_id)
    return InvoicesOut(items=[_brief(head) for head in found])


@api.get(
    "/seller/carrier-invoices/{invoice}/file.pdf", permission=Permission.SELLER_MONEY,
    summary="A carrier's invoice to the seller as PDF", status=200,
)  # fmt: skip
def got_pdf(invoice: str) -> Response:
    """As the carrier sees it."""
    return files.pdf_of(carrier_bills.invoice(given_id(invoice), seller_id=access.actor().seller_id))


@api.get("/carrier/terms", permission=Permission.CARRIER_VIEW, answer=TermsOut, summary="How the carrier bills")
def terms() -> TermsOut:
    """VAT, waiting at the door, failed trips."""
    return _terms(pay.terms(access.actor().carrier_id))


@api.put(
    "/carrier/terms", permission=Permission.CARRIER_TEAM, body=TermsIn, answer=TermsOut,
    summary="Declare how the carrier bills",
    example={"vat_code": "none", "free_waiting_minutes": 30, "waiting_per_hour": {"amount": 120000},
             "failed_percent": 100},
)  # fmt: skip
def set_terms(body: TermsIn) -> TermsOut:
    """The owner; invoices that are written stay as they are."""
    given = Terms(body.vat_code, body.free_waiting_minutes, body.waiting_per_hour.amount, body.failed_percent)
    pay.set_terms(access.actor(), given)
    return _terms(given)


@api.get("/carrier/pay-rates", permission=Permission.CARRIER_VIEW, answer=RatesOut, summary="What drivers are paid")
def rates() -> RatesOut:
    """All that were declared."""
    return _rates(access.actor().carrier_id)


@api.post(
    "/carrier/pay-rates", permission=Permission.CARRIER_TEAM, body=RateIn, answer=RatesOut, status=201,
    summary="Declare what drivers are paid",
    example={"per_hour": {"amount": 60000}, "per_stop": {"amount": 15000}, "per_km": {"amount": 500},
             "valid_from": "2026-12-01"},
)  # fmt: skip
def set_rate(body: RateIn) -> RatesOut:
    """The owner; 409 `pay_known` when one from that day is declared."""
    rate = Rate(body.per_hour.amount, body.per_stop.amount, body.per_km.amount, body.valid_from)
    pay.set_rate(access.actor(), body.courier, rate)
    return _rates(access.actor().carrier_id)


@api.get(
    "/carrier/earnings", permission=Permission.CARRIER_VIEW, query=PeriodQuery, answer=EarningsOut,
    summary="What drivers have earned",
)  # fmt: skip
def earnings(query: PeriodQuery) -> EarningsOut:
    """By driver and day."""
    return _earnings(pay.earned(access.actor().carrier_id, query.first, query.last))


@api.get(
    "/courier/earnings", permission=Permission.COURIER_ROUTE, query=PeriodQuery, answer=EarningsOut,
    summary="What the driver has earned",
)  # fmt: skip
def own_earnings(query: PeriodQuery) -> EarningsOut:
    """By day."""
    return _earnings(pay.earned_by(access.actor().user, query.first, query.last))


def _brief(head: carrier_bills.InvoiceHead) -> InvoiceBrief:
    return InvoiceBrief(**_head(head))


def _head(head: carrier_bills.InvoiceHead) -> dict[str, Any]:
    return {
        "id": head.public_id, "number": head.number, "issued_on": head.issued_on, "first": head.first_day,
        "last": head.last_day, "customer": head.customer, "vat_code": head.vat_code, "vat_percent": head.vat_percent,
        "vat": money(head.vat), "gross": money(head.gross),
    }  # fmt: skip


def _invoice(public_id: uuid.UUID) -> CarrierInvoiceOut:
    found = carrier_bills.invoice(public_id, carrier_id=access.actor().carrier_id)
    lines = [
        LineOut(
            kind=line.kind, number=line.number, day=line.day, address=line.address, gross=money(line.gross),
            parts=[PartOut(**part) for part in line.parts],
        )
        for line in found.lines
    ]  # fmt: skip
    return CarrierInvoiceOut(**_head(found.head), lines=lines)


def _terms(found: Terms) -> TermsOut:
    return TermsOut(
        vat_code=found.vat_code, free_waiting_minutes=found.free_waiting_minutes,
        waiting_per_hour=money(found.waiting_per_hour), failed_percent=found.failed_percent,
    )  # fmt: skip


def _rates(carrier_id: int) -> RatesOut:
    return RatesOut(
        items=[
            RateOut(
                courier=one.courier, courier_name=one.courier_name, per_hour=money(one.rate.per_hour),
                per_stop=money(one.rate.per_stop), per_km=money(one.rate.per_km), valid_from=one.rate.valid_from,
            )
            for one in pay.rates(carrier_id)
        ]
    )  # fmt: skip


def _earnings(days: Sequence[DayPay]) -> EarningsOut:
    items = [
        DayPayOut(
            courier=one.courier, name=one.courier_name, day=one.day, seconds=one.seconds, stops=one.stops,
            distance_m=one.distance_m, by_gps=one.by_gps, for_hours=money(one.for_hours),
            for_stops=money(one.for_stops), for_km=money(one.for_km), total=money(one.total),
        )
        for one in days
    ]  # fmt: skip
    return EarningsOut(items=items, total=money(sum(one.total for one in days)))
