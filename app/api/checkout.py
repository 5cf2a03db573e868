"""Checkout: a quote that holds, and the purchase."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app import access
from app.accounts import queries as accounts
from app.api.approvals import approval_out
from app.api.cart import CodeOut, DiscountOut, code_out, discounts_out, figure
from app.api.delivery_shapes import DeliveryIn, GroupOptions, JointOut, Slot, joint_of, options_of
from app.api.kernel import Answer, Api, given_id
from app.api.orders import GroupOut, group_out
from app.api.schemas import MoneyOut, QuantityText, Schema, Utc, money
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission
from app.orders import approvals, checkout, choice_views, queries
from app.orders.approvals import Asked
from app.orders.placing import Contact
from app.web import limits
from app.web.sessions import client_ip

api = Api("checkout", tag="Orders and money")


class Address(Schema):
    """A place that is not kept as a site. Point in degrees."""

    address: str = Field(min_length=1, max_length=300)
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    access: str = Field(default="", max_length=500)
    floor: int = Field(default=1, ge=-5, le=200)
    lift: bool = False
    unloading: Literal["self", "hands", "crane", "tail_lift"] = "self"
    max_vehicle_kg: int | None = Field(default=None, gt=0)
    max_height_mm: int | None = Field(default=None, gt=0)


class QuoteRequest(Schema):
    """Where, when and how to pay. One of `site` (an own site) and `address`; no slot: the earliest.

    `deliveries` names what is wanted otherwise for some groups; see `options` of the answer.
    """

    site: uuid.UUID | None = None
    address: Address | None = None
    slot: Slot | None = None
    payment_method: Literal["invoice", "cash", "card"] = "invoice"
    deliveries: list[DeliveryIn] = Field(default=[], max_length=50)
    joint: bool = False
    """Everything that is brought in one go by one truck, in the window of `slot`."""
    organisation: uuid.UUID | None = None
    """Who will pay, for discounts that count buyers."""
    code: str | None = Field(default=None, max_length=64)
    """Of a promotion, kept in the cart; empty takes it out; without it the cart's own holds."""


class QuoteGroup(Schema):
    """One delivery: what one seller sends from one warehouse (`group`); one of `parts` when it comes in several."""

    group: uuid.UUID
    method: Literal["courier", "pickup"]
    option: uuid.UUID | None
    slot: Slot
    window_from: Utc
    window_to: Utc
    part: int
    parts: int
    receiver: str
    address: str

    seller: str
    warehouse: str
    carrier: str
    goods: MoneyOut
    delivery: MoneyOut
    deposit: MoneyOut
    price_lines: list[dict[str, Any]]
    mass_kg: QuantityText
    volume_m3: QuantityText
    distance_m: int
    trips: int
    reason: str


class SlotOut(Schema):
    """A day and the codes of its windows."""

    day: date
    windows: list[str]


class QuoteTotals(Schema):
    """What the purchase will cost; `goods` after discounts."""

    goods: MoneyOut
    delivery: MoneyOut
    deposit: MoneyOut
    """For returnable pallets."""
    total: MoneyOut
    vat: MoneyOut


class QuoteOut(Schema):
    """A promise that holds until `expires_at`."""

    id: uuid.UUID
    expires_at: Utc
    held_until: Utc | None
    """Until when the goods are held; null: other buyers are checking out the last of them."""
    slot: Slot
    groups: list[QuoteGroup]
    slots: list[SlotOut]
    totals: QuoteTotals
    discount: MoneyOut
    discounts: list[DiscountOut]
    code: CodeOut | None
    changes: list[dict[str, Any]]
    options: list[GroupOptions]
    joint: JointOut | None


class ContactIn(Schema):
    """Who meets the truck."""

    name: str = Field(max_length=120)
    phone: str = Field(max_length=40)


class Purchase(Schema):
    """A quote to be placed."""

    quote: uuid.UUID
    contact: ContactIn
    payment_method: Literal["invoice", "cash", "card"]
    comment: str = Field(default="", max_length=1000)
    organisation: uuid.UUID | None = None


@api.post(
    "/checkout/quote",
    permission=Permission.BUY,
    body=QuoteRequest,
    answer=QuoteOut,
    summary="Hold prices, stock and delivery for 15 minutes",
    example={"address": {"address": "Учебная ул., 1", "lat": 55.8, "lon": 37.72}, "payment_method": "invoice"},
)
def quote(body: QuoteRequest) -> QuoteOut:
    """409 `cart_empty`, `stock_changed` (with `differences`), `no_carrier` or `no_joint` (with `reason`) or
    `slot_full` (with `reason`, `group` and the `next` free windows); 422 with a `code_...` of `POST /cart/code`.
    """
    if body.code:
        limits.hit("code", client_ip())
    actor = access.actor()
    slot = body.slot
    made = checkout.make_quote(
        actor, _place(body), slot.day if slot else None, slot.window if slot else "", body.payment_method,
        {one.group: one.choice() for one in body.deliveries}, body.joint,
        organisation=body.organisation, code=body.code,
    )  # fmt: skip
    payload = made.payload
    plan = made.desk.plan
    totals = payload["totals"]
    return QuoteOut(
        id=made.public_id,
        expires_at=made.expires_at,
        held_until=made.held_until,
        slot=Slot(day=payload["day"], window=payload["window"]),
        groups=[_group(trip) for trip in payload["trips"]],
        slots=[
            SlotOut(day=s.day, windows=[w.code for w in s.windows])
            for s in checkout.slots(plan.lead_time_days, checkout.carriers_of(plan))
        ],
        totals=QuoteTotals(**{name: money(totals[name]) for name in ("goods", "delivery", "deposit", "total", "vat")}),
        discount=money(totals["discount"]),
        discounts=discounts_out(plan),
        code=code_out(plan),
        changes=payload["changes"],
        options=[options_of(view) for view in choice_views.groups(made)],
        joint=joint_of(payload),
    )


class HoldOut(Schema):
    """How long a quote is good for, and its goods held."""

    id: uuid.UUID
    expires_at: Utc
    held_until: Utc | None


@api.post(
    "/checkout/quote/{quote}/prolong",
    permission=Permission.BUY,
    answer=HoldOut,
    summary="Hold a quote for another 15 minutes, an hour at most",
)
def prolong(quote: str) -> HoldOut:
    """409 `quote_expired` when its time is over or it was placed."""
    found = checkout.prolong(access.actor(), given_id(quote))
    return HoldOut(id=found.public_id, expires_at=found.expires_at, held_until=found.held_until)


def _place(body: QuoteRequest) -> dict[str, Any]:
    if (body.site is None) == (body.address is None):
        raise Invalid.one("/site", "site_or_address")
    if body.address is not None:
        return body.address.model_dump()
    assert body.site is not None  # one of the two is there
    try:
        return accounts.site(access.actor().user, body.site).snapshot()
    except NotFound:
        raise Invalid.one("/site", "unknown_option") from None


def _group(trip: dict[str, Any]) -> QuoteGroup:
    return QuoteGroup(
        group=trip["group"],
        method=trip["method"],
        option=trip["option"],
        slot=Slot(day=trip["day"], window=trip["window"]),
        window_from=trip["window_from"],
        window_to=trip["window_to"],
        part=trip["part"],
        parts=trip["parts"],
        receiver=trip["receiver"],
        address=trip["address"],
        seller=trip["seller_name"],
        warehouse=trip["warehouse_name"],
        carrier=trip["carrier_name"],
        goods=money(trip["goods"]),
        delivery=money(trip["delivery"]),
        deposit=money(trip.get("deposit", 0)),
        price_lines=trip["price_lines"],
        mass_kg=figure(Decimal(trip["mass_kg"])),
        volume_m3=figure(Decimal(trip["volume_m3"])),
        distance_m=trip["distance_m"],
        trips=trip["trips"],
        reason=trip["reason"],
    )


@api.post(
    "/checkout",
    permission=Permission.BUY,
    body=Purchase,
    answer=GroupOut,
    status=201,
    required_key=True,
    summary="Place the order",
    example={
        "quote": "00000000-0000-7000-8000-000000000000",
        "contact": {"name": "Покупатель Демо", "phone": "+7 916 123-45-67"},
        "payment_method": "invoice",
        "comment": "",
    },
)
def place(body: Purchase) -> Answer:
    """409 `price_changed`, `discount_changed` or `stock_changed` (with `differences`), `slot_full` (with the `next`
    free windows), `quote_expired` or `quote_outdated`.

    A cart becomes one purchase: the same cart placed again answers the same purchase. Above the member's limit in a
    company it answers 202 with the request for an approval (`/approvals/{id}`) instead.
    """
    actor = access.actor()
    contact = Contact(body.contact.name, body.contact.phone)
    placed = approvals.place(actor, body.quote, contact, body.payment_method, body.comment, body.organisation)
    if isinstance(placed, Asked):
        asked = approval_out(approvals.request(actor, placed.public_id))
        return Answer(asked, 202, {"Location": f"/api/v1/approvals/{placed.public_id}"})
    view = queries.group_view(actor.user, placed.number)
    return Answer(group_out(view), 201, {"Location": f"/api/v1/order-groups/{placed.number}"})
