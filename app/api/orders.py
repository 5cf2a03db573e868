"""Purchases and orders of the buyer."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Literal

from flask import Response
from pydantic import Field

from app import access
from app.api.kernel import Api
from app.api.schemas import MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.orders import queries, repeat, service
from app.orders.queries import (
    GroupRow,
    GroupSummary,
    GroupView,
    LineRow,
    OrderRow,
    OrderView,
    TripRow,
)
from app.web.buyer.orders import invoice_of

api = Api("orders", tag="Orders and money")


class OrderLineOut(Schema):
    """A line as it was sold. `accepted` is null until the seller answers."""

    id: uuid.UUID
    position: int
    name_ru: str
    name_en: str
    sku: str
    unit: str
    quantity: QuantityText
    accepted: QuantityText | None
    price: MoneyOut
    price_rule: str
    vat_percent: QuantityText
    net: MoneyOut
    vat: MoneyOut
    discount: MoneyOut
    """Taken off; `net`, `vat` and `total` are after it."""
    total: MoneyOut


class AppliedOut(Schema):
    """What a promotion takes off an order."""

    name_ru: str
    name_en: str
    amount: MoneyOut


class LoadOut(Schema):
    """What a trip carries of a line, in the line's unit."""

    line: uuid.UUID
    quantity: QuantityText
    picked: QuantityText | None
    delivered: QuantityText | None


class DeliveryOut(Schema):
    """The carrier's part; `pin` for the buyer only, `tracking_token` while the truck is on its way."""

    id: uuid.UUID
    state: str
    carrier: str
    eta: Utc | None
    pin: str | None = None
    tracking_token: str | None = None


class FulfilmentOut(Schema):
    """What leaves one warehouse in one trip."""

    id: uuid.UUID
    status: str
    warehouse: str
    address: str
    reason: str
    day: date
    window_from: Utc
    window_to: Utc
    delivery_price: MoneyOut
    mass_kg: QuantityText
    volume_m3: QuantityText
    lines: list[LoadOut]
    delivery: DeliveryOut | None
    method: str
    receiver: str
    pickup_code: str | None = None
    """For the buyer only: what to tell at the counter."""


class OrderTotals(Schema):
    """Sums of an order or a purchase."""

    goods: MoneyOut
    delivery: MoneyOut
    deposit: MoneyOut
    """For returnable pallets that are needed, or are with the buyer or were."""
    total: MoneyOut
    vat: MoneyOut


class OrderBrief(Schema):
    """An order in lists."""

    number: str
    seller: str
    status: str
    payment_status: str
    fulfilment_status: str
    totals: OrderTotals
    accept_by: Utc
    created_at: Utc


class EventOut(Schema):
    """A line of the history."""

    kind: str
    reason: str
    at: Utc


class OrderOut(OrderBrief):
    """An order whole."""

    reason: str
    lines: list[OrderLineOut]
    discounts: list[AppliedOut]
    fulfilments: list[FulfilmentOut]
    events: list[EventOut]


class SiteOut(Schema):
    """Where it goes, as it was when the order was placed."""

    address: str
    lat: float
    lon: float


class GroupBrief(Schema):
    """A purchase in lists."""

    number: str
    payment_method: str
    payment_status: str
    totals: OrderTotals
    site: SiteOut
    created_at: Utc
    orders: list[OrderBrief]


class PaymentOut(Schema):
    """The payment of a purchase."""

    method: str
    status: str
    amount: MoneyOut
    due_on: date | None
    paid_at: Utc | None
    invoice: str | None


class GroupOut(Schema):
    """A purchase whole."""

    number: str
    payment_method: str
    payment_status: str
    totals: OrderTotals
    site: SiteOut
    contact_name: str
    contact_phone: str
    comment: str
    created_at: Utc
    orders: list[OrderOut]
    payment: PaymentOut | None


class GroupQuery(PageQuery):
    """Filter of purchases by the state of an order in them."""

    status: Literal["placed", "accepted", "completed", "rejected", "expired", "cancelled"] | None = None


class LineOff(Schema):
    """A line that shall not come, or so many units of sale of it."""

    line: uuid.UUID
    quantity: QuantityText | None = Field(default=None, gt=0, le=1_000_000)


class CancelIn(Schema):
    """Why the buyer takes it back; `lines`: only these of the order."""

    reason: str = Field(default="", max_length=500)
    lines: list[uuid.UUID | LineOff] | None = Field(default=None, max_length=200)

    def taken_off(self) -> dict[uuid.UUID, Decimal | None] | None:
        """Line -> units, None for all of the line; None for the whole order."""
        if self.lines is None:
            return None
        return {one.line: one.quantity for one in self.lines if isinstance(one, LineOff)} | {
            one: None for one in self.lines if isinstance(one, uuid.UUID)
        }


def totals_out(row: OrderRow | GroupRow) -> OrderTotals:
    """Sums of a row."""
    return OrderTotals(
        goods=money(row.goods), delivery=money(row.delivery), deposit=money(row.deposit), total=money(row.total),
        vat=money(row.vat),
    )  # fmt: skip


def order_brief(row: OrderRow) -> OrderBrief:
    """An order for a list."""
    return OrderBrief(
        number=row.number,
        seller=row.seller_name,
        status=row.status,
        payment_status=row.payment_status,
        fulfilment_status=row.fulfilment_status,
        totals=totals_out(row),
        accept_by=row.accept_by,
        created_at=row.created_at,
    )


def line_out(line: LineRow) -> OrderLineOut:
    """A line of an order."""
    return OrderLineOut(
        id=line.public_id,
        position=line.position,
        name_ru=line.name_ru,
        name_en=line.name_en,
        sku=line.sku,
        unit=line.unit,
        quantity=line.quantity,
        accepted=line.accepted,
        price=money(line.price),
        price_rule=line.price_rule,
        vat_percent=line.vat_percent,
        net=money(line.net),
        vat=money(line.vat),
        discount=money(line.discount_now),
        total=money(line.gross),
    )


def trip_out(trip: TripRow, *, for_buyer: bool) -> FulfilmentOut:
    """A trip; the PIN and the tracking link are the buyer's."""
    seen = trip.delivery
    delivery = None
    if seen is not None:
        delivery = DeliveryOut(
            id=seen.public_id,
            state=seen.state,
            carrier=seen.carrier_name,
            eta=seen.eta,
            pin=seen.pin if for_buyer else None,
            tracking_token=seen.tracking_token if for_buyer else None,
        )
    return FulfilmentOut(
        id=trip.public_id,
        status=trip.status,
        warehouse=trip.warehouse_name,
        address=trip.warehouse_address,
        reason=trip.reason,
        day=trip.day,
        window_from=trip.window_from,
        window_to=trip.window_to,
        delivery_price=money(trip.price),
        mass_kg=trip.mass_kg,
        volume_m3=trip.volume_m3,
        lines=[
            LoadOut(line=p.line.public_id, quantity=p.quantity, picked=p.picked, delivered=p.delivered)
            for p in trip.pieces
        ],
        delivery=delivery,
        method=trip.method,
        receiver=trip.receiver,
        pickup_code=trip.pickup_code if for_buyer and trip.waits_at_counter else None,
    )


def order_out(view: OrderView, *, for_buyer: bool = True) -> OrderOut:
    """An order whole."""
    return OrderOut(
        **order_brief(view.row).__dict__,
        reason=view.row.reason,
        lines=[line_out(line) for line in view.lines],
        discounts=[AppliedOut(name_ru=d.name_ru, name_en=d.name_en, amount=money(d.amount)) for d in view.discounts],
        fulfilments=[trip_out(trip, for_buyer=for_buyer) for trip in view.trips],
        events=[EventOut(kind=e.kind, reason=e.reason, at=e.at) for e in view.events],
    )


def site_out(row: GroupRow) -> SiteOut:
    """The place of a purchase."""
    return SiteOut(address=row.site["address"], lat=row.site["lat"], lon=row.site["lon"])


def group_out(view: GroupView) -> GroupOut:
    """A purchase whole."""
    row, payment = view.row, view.payment
    return GroupOut(
        number=row.number,
        payment_method=row.payment_method,
        payment_status=row.payment_status,
        totals=totals_out(row),
        site=site_out(row),
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        comment=row.comment,
        created_at=row.created_at,
        orders=[order_out(order) for order in view.orders],
        payment=PaymentOut(
            method=payment.method,
            status=payment.status,
            amount=money(payment.amount),
            due_on=payment.due_on,
            paid_at=payment.paid_at,
            invoice=payment.invoice_number or None,
        )
        if payment
        else None,
    )


def group_brief(summary: GroupSummary) -> GroupBrief:
    """A purchase for a list."""
    row = summary.row
    return GroupBrief(
        number=row.number,
        payment_method=row.payment_method,
        payment_status=row.payment_status,
        totals=totals_out(row),
        site=site_out(row),
        created_at=row.created_at,
        orders=[order_brief(order) for order in summary.orders],
    )


def cursor_id(text: str | None) -> int | None:
    """The id where the last page ended.

    Raises:
        Invalid: not a cursor of ours.
    """
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise Invalid.one("/query/cursor", "malformed")
    return int(text)


@api.get("/order-groups", permission=Permission.BUY, query=GroupQuery, answer=Page[GroupBrief], summary="Purchases")
def list_groups(query: GroupQuery) -> Page[GroupBrief]:
    """Newest first."""
    found = queries.groups_of(
        access.actor().user, before=cursor_id(query.cursor), limit=query.limit + 1, status=query.status or ""
    )
    shown = found[: query.limit]
    more = str(shown[-1].row.id) if len(found) > query.limit else None
    return Page[GroupBrief](items=[group_brief(g) for g in shown], next_cursor=more)


@api.get("/order-groups/{number}", permission=Permission.BUY, answer=GroupOut, summary="A purchase")
def show_group(number: str) -> GroupOut:
    """With its orders, trips, PINs and payment."""
    return group_out(queries.group_view(access.actor().user, number))


@api.get("/orders/{number}", permission=Permission.BUY, answer=OrderOut, summary="An order")
def show_order(number: str) -> OrderOut:
    """The part of one seller, R1001-2."""
    return own_order(number)


@api.post(
    "/orders/{number}/cancel", permission=Permission.BUY, body=CancelIn, answer=OrderOut, summary="Cancel an order",
    example={"reason": "передумали"},
)  # fmt: skip
def cancel(number: str, body: CancelIn) -> OrderOut:
    """All of it, or lines of it, until picking begins; 409 `too_late_to_cancel` after that."""
    service.cancel(access.actor(), number, body.reason, body.taken_off())
    return own_order(number)


@api.get("/orders/{number}/invoice.pdf", permission=Permission.BUY, summary="The bill as PDF", status=200)
def invoice(number: str) -> Response:
    """By the number of the purchase or of an order of it; 404 when it is not paid by bank."""
    return invoice_of(access.actor().user, number)


class RepeatedOut(Schema):
    """What became of a line: prices for one `unit`, `price` null when nothing was added. `note` as in carts."""

    name_ru: str
    name_en: str
    unit: str
    in_cart: QuantityText
    price_was: MoneyOut
    price: MoneyOut | None
    replaced: bool
    note: str


class RepeatOut(Schema):
    """Line by line."""

    lines: list[RepeatedOut]


@api.post(
    "/order-groups/{number}/repeat",
    permission=Permission.BUY,
    answer=RepeatOut,
    summary="An order once more, to the cart",
)
def again(number: str) -> RepeatOut:
    """The same offers, or the cheapest of the same products where they are gone."""
    lines = [
        RepeatedOut(
            name_ru=one.name_ru, name_en=one.name_en, unit=one.unit, in_cart=one.quantity,
            price_was=money(one.price_was), price=None if one.price_now is None else money(one.price_now),
            replaced=one.is_replaced, note=one.note,
        )
        for one in repeat.to_cart(access.actor(), number)
    ]  # fmt: skip
    return RepeatOut(lines=lines)


def own_order(number: str) -> OrderOut:
    """An order of the person.

    Raises:
        NotFound: absent, or another person's.
    """
    _group, view = queries.order_view(access.actor().user, number)
    return order_out(view)
