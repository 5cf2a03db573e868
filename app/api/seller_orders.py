"""Orders of a seller: answer, pick, hand over."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from flask import Response
from pydantic import Field

from app import access
from app.api.kernel import Api, given_id
from app.api.orders import OrderBrief, OrderOut, cursor_id, order_brief, order_out
from app.api.schemas import MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.orders import fulfilments, seller_queries, service
from app.web.seller.orders import pallets_of

api = Api("seller_orders", tag="Orders and money")


class InboxQuery(PageQuery):
    """`tab`: new, work, done or off; or one `status`."""

    tab: Literal["new", "work", "done", "off"] | None = None
    status: Literal["placed", "accepted", "completed", "rejected", "expired", "cancelled"] | None = None


class InboxItem(OrderBrief):
    """An order in the seller's list."""

    site_address: str
    contact_name: str
    day: date | None
    window_from: Utc | None
    window_to: Utc | None
    mass_kg: QuantityText
    lines_count: int
    payment_method: str


class SellerOrderOut(OrderOut):
    """An order as its seller sees it."""

    contact_name: str
    contact_phone: str
    site_address: str
    comment: str
    payment_method: str
    fee: MoneyOut


class LineCount(Schema):
    """So many units of a line."""

    line: uuid.UUID
    quantity: QuantityText = Field(ge=0, le=1_000_000)


class AcceptIn(Schema):
    """Lines agreed to in part; a line not named is agreed to whole."""

    lines: list[LineCount] = Field(default=[], max_length=200)


class RejectIn(Schema):
    """Why not."""

    reason: str = Field(min_length=1, max_length=500)


class CountIn(Schema):
    """Lines counted; a line not named was found whole."""

    lines: list[LineCount] = Field(default=[], max_length=200)


def counts(lines: Sequence[LineCount]) -> dict[uuid.UUID, Decimal]:
    """Lines by id.

    Raises:
        Invalid: a line named twice.
    """
    found: dict[uuid.UUID, Decimal] = {}
    for index, line in enumerate(lines):
        if line.line in found:
            raise Invalid.one(f"/lines/{index}/line", "line_twice")
        found[line.line] = line.quantity
    return found


def shown(number: str) -> SellerOrderOut:
    """The order as it is now."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    return SellerOrderOut(
        **order_out(view.order, for_buyer=False).__dict__,
        contact_name=view.group.contact_name,
        contact_phone=view.group.contact_phone,
        site_address=view.group.site["address"],
        comment=view.group.comment,
        payment_method=view.group.payment_method,
        fee=money(view.fee),
    )


@api.get(
    "/seller/orders", permission=Permission.SELLER_VIEW, query=InboxQuery, answer=Page[InboxItem],
    summary="Orders of the seller",
)  # fmt: skip
def inbox(query: InboxQuery) -> Page[InboxItem]:
    """New ones first, by deadline."""
    found = seller_queries.inbox(
        access.actor().seller_id, query.status or query.tab or "", before=cursor_id(query.cursor), limit=query.limit + 1
    )
    newest = sorted(found.rows, key=lambda r: -r.order.id)[: query.limit]
    more = str(newest[-1].order.id) if len(found.rows) > query.limit else None
    kept = {row.order.id for row in newest}
    items = [
        InboxItem(
            **order_brief(row.order).__dict__,
            site_address=row.site_address,
            contact_name=row.contact_name,
            day=row.day,
            window_from=row.window_from,
            window_to=row.window_to,
            mass_kg=row.mass_kg,
            lines_count=row.lines,
            payment_method=row.payment_method,
        )
        for row in found.rows
        if row.order.id in kept
    ]
    return Page[InboxItem](items=items, next_cursor=more)


@api.get(
    "/seller/orders/{number}",
    permission=Permission.SELLER_VIEW,
    answer=SellerOrderOut,
    summary="An order of the seller",
)
def show(number: str) -> SellerOrderOut:
    """With the buyer's contact and the fee of the market."""
    return shown(number)


@api.get("/seller/orders/{number}/pallets.pdf", permission=Permission.SELLER_VIEW, summary="The list of pallets as PDF",
         status=200)  # fmt: skip
def pallet_list(number: str) -> Response:
    """What stands on which pallet of each trip, with mass and volume."""
    return pallets_of(access.actor().seller_id, number)


@api.post(
    "/seller/orders/{number}/accept",
    permission=Permission.SELLER_ORDERS,
    body=AcceptIn,
    answer=SellerOrderOut,
    summary="Accept an order, or less of it",
    example={"lines": []},
)
def accept(number: str, body: AcceptIn) -> SellerOrderOut:
    """Less of a line lowers the order and what the buyer pays; 409 `accept_deadline_passed`, `order_state`."""
    service.accept(access.actor(), number, counts(body.lines))
    return shown(number)


@api.post(
    "/seller/orders/{number}/reject",
    permission=Permission.SELLER_ORDERS,
    body=RejectIn,
    answer=SellerOrderOut,
    summary="Reject an order",
    example={"reason": "нет в наличии"},
)
def reject(number: str, body: RejectIn) -> SellerOrderOut:
    """Everything goes back to the stock."""
    service.reject(access.actor(), number, body.reason)
    return shown(number)


@api.post(
    "/seller/fulfilments/{trip}/start-picking",
    permission=Permission.SELLER_PICK,
    answer=SellerOrderOut,
    summary="Begin to pick",
)
def start_picking(trip: str) -> SellerOrderOut:
    """409 `fulfilment_state`, or `order_state` while the order is not accepted."""
    known = given_id(trip)
    fulfilments.start_picking(access.actor(), known)
    return shown(seller_queries.order_of_trip(access.actor().seller_id, known))


@api.post(
    "/seller/fulfilments/{trip}/ready",
    permission=Permission.SELLER_PICK,
    body=CountIn,
    answer=SellerOrderOut,
    summary="Counted and ready for loading",
    example={"lines": []},
)
def ready(trip: str, body: CountIn) -> SellerOrderOut:
    """What was not found is taken off the order."""
    known = given_id(trip)
    fulfilments.ready(access.actor(), known, counts(body.lines))
    return shown(seller_queries.order_of_trip(access.actor().seller_id, known))


class CodeIn(Schema):
    """The six digits that the buyer tells."""

    code: str = Field(max_length=20)


@api.post(
    "/seller/fulfilments/{trip}/collected",
    permission=Permission.SELLER_PICK,
    body=CodeIn,
    answer=SellerOrderOut,
    summary="Handed over at the counter",
    example={"code": "123456"},
)
def collected(trip: str, body: CodeIn) -> SellerOrderOut:
    """422 `pickup_code_wrong` with the tries left; 409 `pickup_locked`, `not_a_pickup`, `fulfilment_state`."""
    known = given_id(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)
    fulfilments.collect(access.actor(), known, body.code)
    return shown(number)


@api.post(
    "/seller/fulfilments/{trip}/not-collected",
    permission=Permission.SELLER_PICK,
    answer=SellerOrderOut,
    summary="Nobody fetched it in time",
)
def not_collected(trip: str) -> SellerOrderOut:
    """The goods are on sale again; 409 `pickup_not_over` before the end of the time agreed."""
    known = given_id(trip)
    number = seller_queries.order_of_trip(access.actor().seller_id, known)
    fulfilments.not_collected(access.actor(), known)
    return shown(number)
