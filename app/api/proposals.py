"""Changes that a seller proposes to a placed order, and what is missing from it."""

from __future__ import annotations

import uuid
from decimal import Decimal

from pydantic import Field

from app import access
from app.api.cart import CartOut, cart_out
from app.api.kernel import Api
from app.api.orders import OrderOut, order_out
from app.api.schemas import MoneyOut, QuantityText, Schema, Utc, money
from app.api.seller_orders import SellerOrderOut, shown
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.orders import proposals, queries, repeat, seller_queries
from app.orders.proposals import Proposal, Wish
from app.orders.queries import OrderView

api = Api("proposals", tag="Orders and money")


class ProposedIn(Schema):
    """What becomes of a line: `kept` units of it; instead of the rest `quantity` units of an offer at `price` kopeks.

    Without `quantity` as much as is missing, without `price` the offer's own or less: never above the agreed sum.
    """

    line: uuid.UUID
    kept: QuantityText = Field(ge=0, le=1_000_000)
    substitute: uuid.UUID | None = None
    quantity: QuantityText | None = Field(default=None, gt=0, le=1_000_000)
    price: int | None = Field(default=None, gt=0, le=10**13)


class ProposalIn(Schema):
    """Lines that change; a line not named stays as it is."""

    lines: list[ProposedIn] = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=500)


class SubstituteOut(Schema):
    """What would be sent instead."""

    offer: uuid.UUID
    product: uuid.UUID
    name_ru: str
    name_en: str
    unit: str
    quantity: QuantityText
    price: MoneyOut
    total: MoneyOut


class ProposedOut(Schema):
    """A line that would change. `off`: the sum that goes with what is not kept."""

    line: uuid.UUID
    kept: QuantityText
    off: MoneyOut
    substitute: SubstituteOut | None


class ProposalOut(Schema):
    """An open proposal; `less`: by how much the order would become cheaper."""

    id: uuid.UUID
    order: str
    note: str
    answer_by: Utc
    lines: list[ProposedOut]
    less: MoneyOut


def _out(order: OrderView) -> ProposalOut:
    found: Proposal | None = proposals.open_of([order.row.id]).get(order.row.id)
    if found is None:
        raise NotFound()
    names = {line.id: line.public_id for line in order.lines}
    return ProposalOut(
        id=found.public_id,
        order=order.row.number,
        note=found.note,
        answer_by=found.answer_by,
        lines=[_line(one, names[one.line_id]) for one in found.lines],
        less=money(found.less),
    )


def _line(one: proposals.ProposedLine, line: uuid.UUID) -> ProposedOut:
    offer = one.offer
    substitute = None
    if offer is not None:
        substitute = SubstituteOut(
            offer=offer.public_id, product=offer.product_public_id, name_ru=offer.name_ru, name_en=offer.name_en,
            unit=offer.unit, quantity=one.quantity, price=money(one.price), total=money(one.gross),
        )  # fmt: skip
    return ProposedOut(line=line, kept=one.kept, off=money(one.off), substitute=substitute)


@api.get(
    "/seller/orders/{number}/proposal", permission=Permission.SELLER_VIEW, answer=ProposalOut,
    summary="What was proposed to the buyer",
)  # fmt: skip
def seller_show(number: str) -> ProposalOut:
    """404 when nothing is open."""
    return _out(seller_queries.seller_order(access.actor().seller_id, number).order)


@api.post(
    "/seller/orders/{number}/proposal", permission=Permission.SELLER_ORDERS, body=ProposalIn, answer=ProposalOut,
    status=201, summary="Propose less of an order, or something else instead",
    example={"lines": [{"line": "00000000-0000-7000-8000-000000000000", "kept": "8"}], "note": "осталось 8 мешков"},
)  # fmt: skip
def propose(number: str, body: ProposalIn) -> ProposalOut:
    """409 `order_state` once it was answered, `proposal_open` while the buyer still thinks about another."""
    wishes = [Wish(one.line, Decimal(one.kept), one.substitute, one.quantity, one.price) for one in body.lines]
    proposals.propose(access.actor(), number, wishes, body.note)
    return _out(seller_queries.seller_order(access.actor().seller_id, number).order)


@api.delete(
    "/seller/orders/{number}/proposal", permission=Permission.SELLER_ORDERS, answer=SellerOrderOut,
    summary="Take a proposal back",
)  # fmt: skip
def withdraw(number: str) -> SellerOrderOut:
    """404 when nothing is open."""
    proposals.withdraw(access.actor(), number)
    return shown(number)


@api.get("/orders/{number}/proposal", permission=Permission.BUY, answer=ProposalOut, summary="What the seller proposes")
def show(number: str) -> ProposalOut:
    """404 when nothing is open."""
    return _out(queries.order_view(access.actor().user, number)[1])


@api.post("/orders/{number}/proposal/accept", permission=Permission.BUY, answer=OrderOut, summary="Agree to the change")
def accept(number: str) -> OrderOut:
    """The order is accepted with it. 409 `substitute_gone`, `proposal_over`, `order_state`."""
    proposals.accept(access.actor(), number)
    return order_out(queries.order_view(access.actor().user, number)[1])


@api.post("/orders/{number}/proposal/decline", permission=Permission.BUY, answer=OrderOut, summary="Decline the change")
def decline(number: str) -> OrderOut:
    """The seller answers the order as it was placed."""
    proposals.decline(access.actor(), number)
    return order_out(queries.order_view(access.actor().user, number)[1])


@api.post(
    "/orders/{number}/other-sellers", permission=Permission.BUY, answer=CartOut,
    summary="What does not come, into the cart from other sellers",
)  # fmt: skip
def elsewhere(number: str) -> CartOut:
    """The cart; 404 when nothing is missing. What nobody else sells is left out."""
    repeat.missing_to_cart(access.actor(), number)
    return cart_out(queries.cart_plan(access.actor(), ""))
