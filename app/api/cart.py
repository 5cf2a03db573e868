"""The cart: of the token's person, or of a guest by X-Cart-Token."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Literal

from flask import current_app, request
from pydantic import Field

from app import access
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import UNITS, MoneyOut, QuantityText, Schema, money
from app.core.permissions import Permission
from app.orders import carts, promoting, promotions, queries, quick
from app.orders.carts import CartChange
from app.orders.plan import Plan, PlannedLine, PlannedTrip
from app.orders.quick import Line
from app.web import limits
from app.web.sessions import client_ip

api = Api("cart", tag="Orders and money")


class NewLine(Schema):
    """An offer to put in; the quantity adds to what is there."""

    offer: uuid.UUID
    quantity: QuantityText = Field(gt=0, le=1_000_000)
    unit: UNITS | None = None


class LineChange(Schema):
    """The quantity a line shall have; 0 takes it out."""

    quantity: QuantityText = Field(ge=0, le=1_000_000)


class CartLineOut(Schema):
    """A line with what is true now; `total` is after `discount`. problem: gone (not on sale) or stock (less than
    wanted). `back_on`: the seller is on holiday and sells again on this day.
    """

    id: uuid.UUID
    offer: uuid.UUID
    product: uuid.UUID
    name_ru: str
    name_en: str
    sku: str
    seller: str
    unit: str
    quantity: QuantityText
    step: QuantityText
    minimum: QuantityText
    available: QuantityText
    price: MoneyOut
    price_seen: MoneyOut
    total: MoneyOut
    discount: MoneyOut
    mass_kg: QuantityText
    volume_m3: QuantityText
    problem: Literal["", "gone", "stock"]
    back_on: date | None


class CartGroupOut(Schema):
    """What one seller sends from one warehouse. `delivery` is null when nobody brings it: `no_carrier` says why."""

    seller: str
    warehouse: str
    address: str
    lines: list[uuid.UUID]
    goods: MoneyOut
    deposit: MoneyOut
    delivery: MoneyOut | None
    carrier: str | None
    no_carrier: str
    mass_kg: QuantityText
    volume_m3: QuantityText
    reason: str


class TotalsOut(Schema):
    """Sums; `goods` after discounts; `delivery` is to the centre of the city until a quote names a site."""

    goods: MoneyOut
    delivery: MoneyOut
    deposit: MoneyOut
    """For returnable pallets."""
    total: MoneyOut
    vat: MoneyOut


class DiscountOut(Schema):
    """What a promotion takes off the goods of one seller."""

    seller: str
    name_ru: str
    name_en: str
    code: str
    amount: MoneyOut


class CodeOut(Schema):
    """The code in the cart. `problem` is empty when it works: unknown, ended, not_yet (until `valid_from`), used_up,
    used_by_you, first_order, too_small (goods for `missing` more), other_goods, not_best (another takes more off).
    """

    code: str
    problem: str
    missing: MoneyOut
    valid_from: date | None


class CodeIn(Schema):
    """A code as people type it."""

    code: str = Field(min_length=1, max_length=64)


class NoteOut(Schema):
    """Why a line is not what was asked for: step, minimum, stock."""

    offer: uuid.UUID
    code: str
    quantity: QuantityText


class CartOut(Schema):
    """The cart. `cart_token` is told once, when a guest's cart is made; send it as X-Cart-Token."""

    lines: list[CartLineOut]
    groups: list[CartGroupOut]
    totals: TotalsOut
    mass_kg: QuantityText
    volume_m3: QuantityText
    discount: MoneyOut
    discounts: list[DiscountOut]
    code: CodeOut | None
    notes: list[NoteOut] = Field(default_factory=list)
    cart_token: str | None = None


def token() -> str:
    """The guest's token of this request."""
    return request.headers.get("X-Cart-Token", "")[:200]


def figure(value: Decimal) -> Decimal:
    """Masses and volumes to three places."""
    return value.quantize(Decimal("0.001"))


def line_out(line: PlannedLine) -> CartLineOut:
    """A line of the plan."""
    offer = line.offer
    return CartLineOut(
        id=line.public_id,
        offer=offer.public_id,
        product=offer.product_public_id,
        name_ru=offer.name_ru,
        name_en=offer.name_en,
        sku=offer.sku,
        seller=offer.seller_name,
        unit=offer.unit,
        quantity=line.quantity,
        step=offer.step,
        minimum=offer.minimum,
        available=offer.available,
        price=money(line.price),
        price_seen=money(line.price_seen),
        total=money(line.gross),
        discount=money(line.discount),
        mass_kg=figure(line.mass_kg),
        volume_m3=figure(line.volume_m3),
        problem=line.problem,
        back_on=offer.back_on,
    )


def group_out(trip: PlannedTrip) -> CartGroupOut:
    """A trip of the plan."""
    return CartGroupOut(
        seller=trip.seller_name,
        warehouse=trip.warehouse.name,
        address=trip.warehouse.address,
        lines=[piece.line.public_id for piece in trip.pieces],
        goods=money(trip.goods),
        deposit=money(trip.deposit),
        delivery=money(trip.price) if trip.delivery else None,
        carrier=trip.delivery.carrier_name if trip.delivery else None,
        no_carrier=trip.no_carrier,
        mass_kg=figure(trip.mass_kg),
        volume_m3=figure(trip.volume_m3),
        reason=trip.reason,
    )


def discounts_out(plan: Plan) -> list[DiscountOut]:
    """Discounts of a plan, seller by seller."""
    return [
        DiscountOut(seller=one.seller_name, name_ru=one.name_ru, name_en=one.name_en, code=one.code,
                    amount=money(one.amount))
        for one in promoting.by_seller(plan)
    ]  # fmt: skip


def code_out(plan: Plan) -> CodeOut | None:
    """What the code in the cart comes to."""
    state = plan.code
    if state is None:
        return None
    return CodeOut(code=state.code, problem=state.problem, missing=money(state.missing), valid_from=state.valid_from)


def cart_out(plan: Plan, changes: list[CartChange] | None = None) -> CartOut:
    """The cart with what was changed on the way."""
    made = next((c.token for c in changes or [] if c.token), None)
    return CartOut(
        lines=[line_out(line) for line in plan.lines],
        groups=[group_out(trip) for trip in plan.trips],
        totals=TotalsOut(
            goods=money(plan.goods),
            delivery=money(plan.delivery),
            deposit=money(plan.deposit),
            total=money(plan.total),
            vat=money(plan.vat),
        ),
        mass_kg=figure(plan.mass_kg),
        volume_m3=figure(plan.volume_m3),
        discount=money(plan.discount),
        discounts=discounts_out(plan),
        code=code_out(plan),
        notes=[NoteOut(offer=c.offer, code=c.note, quantity=c.quantity) for c in changes or [] if c.note],
        cart_token=made,
    )


@api.get("/cart", permission=Permission.CART, answer=CartOut, summary="The cart")
def show() -> CartOut:
    """An unknown or missing token is an empty cart."""
    return cart_out(queries.cart_plan(access.actor(), token()))


@api.post(
    "/cart/lines",
    permission=Permission.CART,
    body=NewLine,
    answer=CartOut,
    summary="Put an offer into the cart",
    example={"offer": "00000000-0000-7000-8000-000000000000", "quantity": "24", "unit": "bag"},
)
def add_line(body: NewLine) -> Answer:
    """More than there is gets capped, and `notes` says so; nothing there is 422 `sold_out`."""
    change = carts.add(access.actor(), token(), body.offer, body.quantity, body.unit)
    known = change.token or token()
    headers = {"X-Cart-Token": change.token} if change.token else {}
    return Answer(cart_out(queries.cart_plan(access.actor(), known), [change]), headers=headers)


class BulkLine(Schema):
    """A code (SKU, barcode or article) and how much; `offer` names one of several candidates."""

    code: str = Field(min_length=1, max_length=300)
    quantity: QuantityText = Field(gt=0, le=1_000_000)
    unit: str = Field(default="", max_length=20)
    offer: uuid.UUID | None = None


class BulkIn(Schema):
    """Up to 500 lines. `dry_run`: only say what each comes to."""

    lines: list[BulkLine] = Field(min_length=1, max_length=quick.MOST_LINES)
    dry_run: bool = False


class CandidateOut(Schema):
    """An offer that the code fits."""

    offer: uuid.UUID
    name_ru: str
    name_en: str
    seller: str
    sku: str
    unit: str
    price: MoneyOut
    available: QuantityText


class BulkLineOut(Schema):
    """What a line came to. `quantity` in the offer's unit, the nearest that is sold; `in_cart` is there now."""

    line: int
    code: str
    state: Literal["found", "choose", "quantity", "unit", "sold_out", "missing"]
    note: str
    offer: uuid.UUID | None
    quantity: QuantityText
    total: MoneyOut
    in_cart: QuantityText
    candidates: list[CandidateOut]
    suggestions: list[uuid.UUID]


class BulkOut(Schema):
    """Line by line, and the cart."""

    lines: list[BulkLineOut]
    cart: CartOut


@api.post(
    "/cart/lines/bulk", permission=Permission.CART, body=BulkIn, answer=BulkOut, summary="Many lines by their codes",
    example={"lines": [{"code": "KN-1001", "quantity": "24"}], "dry_run": True},
)  # fmt: skip
def add_many(body: BulkIn) -> Answer:
    """Lines that are `found` go into the cart, the others come back with what to mend; nothing is refused whole."""
    wanted = [
        Line(n, one.code, one.code, f"{one.quantity:f}", one.unit, one.offer) for n, one in enumerate(body.lines, 1)
    ]
    answers = quick.check(wanted, current_app.extensions["cache"])
    changes, made = ({}, "") if body.dry_run else quick.to_cart(access.actor(), token(), answers)
    lines = [_bulk_line(answer, changes.get(answer.line.number)) for answer in answers]
    cart = cart_out(queries.cart_plan(access.actor(), made or token()), list(changes.values()))
    return Answer(BulkOut(lines=lines, cart=cart), headers={"X-Cart-Token": made} if made else {})


def _bulk_line(answer: quick.Answer, change: CartChange | None) -> BulkLineOut:
    note = change.note if change is not None and change.note else answer.note
    candidates = [
        CandidateOut(
            offer=o.public_id, name_ru=o.name_ru, name_en=o.name_en, seller=o.seller_name, sku=o.sku, unit=o.unit,
            price=money(o.price), available=o.available,
        )
        for o in answer.candidates
    ]  # fmt: skip
    return BulkLineOut(
        line=answer.line.number, code=answer.line.code, state=answer.state, note=note,
        offer=answer.offer.public_id if answer.offer else None, quantity=answer.quantity, total=money(answer.gross),
        in_cart=change.quantity if change else Decimal(0), candidates=candidates,
        suggestions=[one.public_id for one in answer.suggestions],
    )  # fmt: skip


@api.patch(
    "/cart/lines/{line}", permission=Permission.CART, body=LineChange, answer=CartOut, summary="Change a quantity",
    example={"quantity": "12"},
)  # fmt: skip
def change_line(line: str, body: LineChange) -> CartOut:
    """0 takes the line out."""
    change = carts.change(access.actor(), token(), given_id(line), body.quantity)
    return cart_out(queries.cart_plan(access.actor(), token()), [change])


@api.delete("/cart/lines/{line}", permission=Permission.CART, answer=CartOut, summary="Take a line out")
def remove_line(line: str) -> CartOut:
    """Answers the cart that is left."""
    carts.remove(access.actor(), token(), given_id(line))
    return cart_out(queries.cart_plan(access.actor(), token()))


@api.post(
    "/cart/code", permission=Permission.CART, body=CodeIn, answer=CartOut, summary="Use a code of a promotion",
    example={"code": "TUTUU10"},
)  # fmt: skip
def use_code(body: CodeIn) -> CartOut:
    """422 `code_unknown`, `code_ended`, `code_not_yet`, `code_used_up`, `code_used_by_you`, `code_first_order`; a code
    that is not for these goods is kept, and `code.problem` says why it takes nothing off.
    """
    limits.hit("code", client_ip())
    promotions.use_code(access.actor(), token(), body.code)
    return cart_out(queries.cart_plan(access.actor(), token()))


@api.delete("/cart/code", permission=Permission.CART, answer=CartOut, summary="Take the code out")
def drop_code() -> CartOut:
    """Answers the cart without it."""
    promotions.use_code(access.actor(), token(), "")
    return cart_out(queries.cart_plan(access.actor(), token()))
