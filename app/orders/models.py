"""Tables of ordering: cart, group, order, fulfilment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import QUANTITY, Base, Created, Id, Json, JsonList, Kopeks, Moment, PublicId, one_value_enum, ref

PAYMENT_METHODS = ("invoice", "cash", "card")
ORDER_STATES = ("placed", "accepted", "completed", "rejected", "expired", "cancelled")
PAYMENT_STATES = (
    "none", "awaiting", "authorised", "paid", "partially_refunded", "refunded", "voided", "overdue",
)  # fmt: skip
FULFILMENT_STATES = (
    "planned", "picking", "ready", "handed_over", "in_transit", "delivered", "partially_delivered", "failed",
    "returning", "returned", "cancelled",
)  # fmt: skip
APPROVAL_STATES = ("waiting", "approved", "declined", "withdrawn", "expired")
TOTALS_SUM = "goods >= 0 AND delivery >= 0 AND deposit >= 0 AND total = goods + delivery + deposit"
QUOTE_STATES = ("requested", "offered", "countered", "accepted", "declined", "withdrawn", "expired")


class Cart(Base):
    """A cart of a guest (token) or a person (one open cart each). `waiting`: for an approval, or for the seller's price
    to be placed at; nobody fills it any more.
    """

    __tablename__ = "cart"
    __table_args__ = (
        one_value_enum("status", ("open", "ordered", "merged", "waiting")),
        sa.CheckConstraint("user_id IS NOT NULL OR token_hash IS NOT NULL", name="has_holder"),
        sa.Index("uq_cart_open_user", "user_id", unique=True, postgresql_where=sa.text("status = 'open'")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(server_default="open")
    code: Mapped[str] = mapped_column(server_default="")
    """Of a promotion, as the buyer typed it, in upper case."""
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class CartLine(Base):
    """A wish: so many units of an offer. `price_seen` is the price when it was put in."""

    __tablename__ = "cart_line"
    __table_args__ = (
        sa.UniqueConstraint("cart_id", "offer_id"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cart_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("cart.id", ondelete="CASCADE"))
    offer_id: Mapped[int] = ref("offer.id")
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    """In the offer's unit of sale."""
    price_seen: Mapped[Kopeks]
    created_at: Mapped[Created]


class CheckoutQuote(Base):
    """What checkout promised: allocation, delivery per group, totals. Placing compares it with the present."""

    __tablename__ = "checkout_quote"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cart_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("cart.id", ondelete="CASCADE"), index=True)
    payload: Mapped[Json]
    expires_at: Mapped[Moment]
    created_at: Mapped[Created]


class OrderGroup(Base):
    """One purchase. `number` (R1001) is what people say; `cart_id` is the replay key."""

    __tablename__ = "order_group"
    __table_args__ = (
        one_value_enum("payment_method", PAYMENT_METHODS),
        one_value_enum("payment_status", PAYMENT_STATES),
        sa.CheckConstraint(TOTALS_SUM, name="totals_sum"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    number: Mapped[str] = mapped_column(unique=True)
    cart_id: Mapped[int] = ref("cart.id", index=False, unique=True)
    user_id: Mapped[int] = ref("user_account.id")
    organisation_id: Mapped[int | None] = ref("organisation.id")
    site: Mapped[Json]
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    payment_method: Mapped[str]
    payment_status: Mapped[str] = mapped_column(server_default="none", index=True)
    goods: Mapped[Kopeks]
    delivery: Mapped[Kopeks]
    deposit: Mapped[Kopeks] = mapped_column(server_default="0")
    """For returnable pallets; neither goods nor delivery, no VAT in it."""
    total: Mapped[Kopeks]
    vat: Mapped[Kopeks]
    comment: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class Order(Base):
    """The part of one seller. `number` is R1001-2."""

    __tablename__ = "seller_order"
    __table_args__ = (
        one_value_enum("status", ORDER_STATES),
        one_value_enum("payment_status", PAYMENT_STATES),
        one_value_enum("fulfilment_status", FULFILMENT_STATES),
        sa.CheckConstraint(TOTALS_SUM, name="totals_sum"),
        sa.UniqueConstraint("group_id", "seller_id"),
        sa.Index("ix_seller_order_seller_id_status_id", "seller_id", "status", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    number: Mapped[str] = mapped_column(unique=True)
    group_id: Mapped[int] = ref("order_group.id", index=False)
    seller_id: Mapped[int] = ref("seller.id", index=False)
    seller_name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="placed")
    payment_status: Mapped[str] = mapped_column(server_default="none")
    fulfilment_status: Mapped[str] = mapped_column(server_default="planned", index=True)
    goods: Mapped[Kopeks]
    delivery: Mapped[Kopeks]
    deposit: Mapped[Kopeks] = mapped_column(server_default="0")
    """For returnable pallets; neither goods nor delivery, no VAT in it."""
    total: Mapped[Kopeks]
    vat: Mapped[Kopeks]
    accept_by: Mapped[Moment]
    accepted_at: Mapped[Moment | None]
    reason: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class OrderLine(Base):
    """A snapshot: later edits of product or offer change nothing here.

    quantity is in `unit`; quantity_base = quantity x factor; price is per unit; gross = net + vat.
    `accepted` is what the seller agreed to deliver, in `unit`.
    `discount` is what promotions took off the whole line when it was ordered; net, vat and gross are after it.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND quantity_base > 0", name="quantity_positive"),
        sa.CheckConstraint("accepted IS NULL OR accepted BETWEEN 0 AND quantity", name="accepted_range"),
        sa.CheckConstraint("gross = net + vat AND gross >= 0 AND vat >= 0", name="gross_sums"),
        sa.CheckConstraint("discount >= 0", name="discount_not_negative"),
        sa.CheckConstraint(
            "pallet_units >= 0 AND pallet_deposit >= 0 AND (pallet_units = 0) = (pallet_deposit = 0)",
            name="pallet_whole",
        ),
        sa.UniqueConstraint("order_id", "position"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = ref("seller_order.id", index=False)
    position: Mapped[int]
    offer_id: Mapped[int] = ref("offer.id")
    product_id: Mapped[int] = ref("product.id")
    name_ru: Mapped[str]
    name_en: Mapped[str]
    sku: Mapped[str]
    unit: Mapped[str]
    factor_numerator: Mapped[int] = mapped_column(sa.BigInteger)
    factor_denominator: Mapped[int] = mapped_column(sa.BigInteger)
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    quantity_base: Mapped[Decimal] = mapped_column(QUANTITY)
    accepted: Mapped[Decimal | None] = mapped_column(QUANTITY)
    price: Mapped[Kopeks]
    price_rule: Mapped[str] = mapped_column(server_default="list")
    """`list`, `ladder:<from quantity>`, `quote:<id of the price request>` or `substitute`."""
    replaces_id: Mapped[int | None] = ref("order_line.id", index=False)
    """The line in whose place the seller sends this one."""
    discount: Mapped[Kopeks] = mapped_column(server_default="0")
    pallet_units: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    """Units of sale on a returnable pallet, and ..."""
    pallet_deposit: Mapped[Kopeks] = mapped_column(server_default="0")
    """... kopeks for each pallet; both 0 without."""
    vat_percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    net: Mapped[Kopeks]
    vat: Mapped[Kopeks]
    gross: Mapped[Kopeks]
    mass_kg: Mapped[Decimal] = mapped_column(sa.Numeric(14, 4))
    """Of the whole line."""
    volume_m3: Mapped[Decimal] = mapped_column(sa.Numeric(14, 6))
    length_mm: Mapped[int]


class OrderEvent(Base):
    """Append-only history of an order: who moved what from where to where, and why."""

    __tablename__ = "order_event"

    id: Mapped[Id]
    group_id: Mapped[int] = ref("order_group.id")
    order_id: Mapped[int | None] = ref("seller_order.id")
    fulfilment_id: Mapped[int | None] = ref("fulfilment.id", index=False)
    kind: Mapped[str]
    """`order.accepted`, `fulfilment.ready`, ..."""
    from_state: Mapped[str] = mapped_column(server_default="")
    to_state: Mapped[str] = mapped_column(server_default="")
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    reason: Mapped[str] = mapped_column(server_default="")
    details: Mapped[Json]
    created_at: Mapped[Created]


class Fulfilment(Base):
    """What leaves one warehouse in one trip. Window as moments; `allocation` says why this warehouse."""

    __tablename__ = "fulfilment"
    __table_args__ = (
        one_value_enum("status", FULFILMENT_STATES),
        one_value_enum("method", ("courier", "pickup")),
        sa.CheckConstraint("window_from < window_to", name="window_ordered"),
        sa.CheckConstraint("delivery_price >= 0", name="price_not_negative"),
        sa.CheckConstraint(
            "method <> 'pickup' OR (delivery_price = 0 AND carrier_id IS NULL AND pickup_code <> '')",
            name="pickup_free",
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = ref("seller_order.id")
    warehouse_id: Mapped[int] = ref("warehouse.id")
    status: Mapped[str] = mapped_column(server_default="planned")
    method: Mapped[str] = mapped_column(server_default="courier")
    carrier_id: Mapped[int | None] = ref("carrier.id")
    tariff_id: Mapped[int | None] = ref("tariff.id", index=False)
    day: Mapped[date]
    window_from: Mapped[Moment]
    window_to: Mapped[Moment]
    delivery_price: Mapped[Kopeks]
    price_lines: Mapped[JsonList]
    """How the delivery price was made, line by line."""
    allocation: Mapped[Json]
    mass_kg: Mapped[Decimal] = mapped_column(sa.Numeric(14, 4))
    volume_m3: Mapped[Decimal] = mapped_column(sa.Numeric(14, 6))
    length_mm: Mapped[int]
    ready_at: Mapped[Moment | None]
    pickup_code: Mapped[str] = mapped_column(server_default="")
    """Six digits that the buyer tells at the counter; only of a pickup."""
    pickup_failures: Mapped[int] = mapped_column(server_default="0")
    receiver: Mapped[str] = mapped_column(server_default="")
    """Who may take a pickup, if not the contact of the purchase."""
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class FulfilmentLine(Base):
    """Quantities in base units: allocated to this trip, counted when picked, counted at the door."""

    __tablename__ = "fulfilment_line"
    __table_args__ = (
        sa.CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        sa.CheckConstraint("picked IS NULL OR picked BETWEEN 0 AND quantity", name="picked_range"),
        sa.CheckConstraint("delivered IS NULL OR delivered BETWEEN 0 AND quantity", name="delivered_range"),
        sa.CheckConstraint("pallets >= 0", name="pallets_not_negative"),
    )

    fulfilment_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("fulfilment.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("order_line.id"), primary_key=True, index=True
    )
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    picked: Mapped[Decimal | None] = mapped_column(QUANTITY)
    delivered: Mapped[Decimal | None] = mapped_column(QUANTITY)
    pallets: Mapped[int] = mapped_column(server_default="0")
    """Returnable pallets that are paid for; goods taken off make them fewer, nothing makes them more."""


ORDER_NUMBERS = sa.Sequence("order_number", start=1001, metadata=Base.metadata)
"""R1001, R1002, ... Gaps are allowed: a number is drawn before the transaction is sure to commit."""
