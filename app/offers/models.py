"""Tables of offers, prices, warehouses and stock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import (
    QUANTITY,
    Base,
    Created,
    Id,
    Kopeks,
    Moment,
    PublicId,
    one_value_enum,
    ref,
)

OFFER_STATES = ("active", "hidden", "blocked")
MOVEMENT_KINDS = ("received", "allocated", "released", "shipped", "returned", "adjusted", "scrapped")
SELLER_PAUSES = ("", "suspended", "holiday", "agreement")
VAT_CODES = ("general", "reduced10", "special7", "special5", "none")


class VatRate(Base):
    """A VAT rate and the days on which it is in force."""

    __tablename__ = "vat_rate"
    __table_args__ = (
        one_value_enum("code", VAT_CODES),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
        sa.UniqueConstraint("code", "valid_from"),
    )

    id: Mapped[Id]
    code: Mapped[str]
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Seller(Base):
    """The selling side of an organisation; the id is the organisation's."""

    __tablename__ = "seller"
    __table_args__ = (
        sa.CheckConstraint("accept_hours BETWEEN 1 AND 168", name="accept_hours_range"),
        sa.CheckConstraint("rating BETWEEN 0 AND 5", name="rating_range"),
        one_value_enum("pause", SELLER_PAUSES),
        sa.CheckConstraint("NOT is_active OR pause = ''", name="selling_or_paused"),
        sa.CheckConstraint("(holiday_from IS NULL) = (holiday_until IS NULL)", name="holiday_has_both_ends"),
        sa.CheckConstraint("holiday_from <= holiday_until", name="holiday_order"),
    )

    id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("organisation.id"), primary_key=True, autoincrement=False
    )
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    accept_hours: Mapped[int] = mapped_column(server_default="24")
    rating: Mapped[Decimal] = mapped_column(sa.Numeric(3, 2), server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default=sa.false())
    """Nothing pauses the selling; only then do the offers show. Written by `sellers.settle` alone."""
    pause: Mapped[str] = mapped_column(server_default="")
    """Why it does not sell: suspended by the operator, on holiday, or a newer agreement is not accepted in time."""
    holiday_from: Mapped[date | None]
    holiday_until: Mapped[date | None]
    """First and last day of a holiday, in the market's zone."""
    vat_code: Mapped[str] = mapped_column(server_default="general")
    is_trusted: Mapped[bool] = mapped_column(server_default=sa.false())
    """Edits of cards that need no person are approved at once (`app.offers.card_changes`)."""
    created_at: Mapped[Created]


class Warehouse(Base):
    """A place of a seller that goods leave from. Hours are minutes from midnight."""

    __tablename__ = "warehouse"
    __table_args__ = (
        sa.CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="point_on_earth"),
        sa.CheckConstraint("0 <= opens_at AND opens_at < closes_at AND closes_at <= 1440", name="hours_in_day"),
        sa.CheckConstraint("pickup_after_hours BETWEEN 0 AND 240", name="pickup_hours_range"),
        sa.UniqueConstraint("seller_id", "name"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    name: Mapped[str]
    address: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    opens_at: Mapped[int] = mapped_column(server_default="480")
    closes_at: Mapped[int] = mapped_column(server_default="1200")
    work_days: Mapped[list[int]] = mapped_column(JSONB, server_default=sa.text("'[1,2,3,4,5,6,7]'::jsonb"))
    """ISO weekdays."""
    max_vehicle_kg: Mapped[int | None]
    loading_minutes: Mapped[int] = mapped_column(server_default="20")
    allows_pickup: Mapped[bool] = mapped_column(server_default=sa.false())
    """Buyers may fetch their goods at the counter."""
    pickup_after_hours: Mapped[int] = mapped_column(server_default="4")
    """So long after the order the goods are ready, beside the lead time."""
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    version: Mapped[int] = mapped_column(server_default="1")


class Offer(Base):
    """A seller sells a product at a price: kopeks with VAT for one `unit` of sale."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.UniqueConstraint("seller_id", "sku"),
        sa.ForeignKeyConstraint(["product_id", "unit"], ["product_unit.product_id", "product_unit.code"]),
        sa.CheckConstraint("price > 0", name="price_positive"),
        sa.CheckConstraint("lead_time_days BETWEEN 0 AND 365", name="lead_time_range"),
        sa.CheckConstraint(
            "pallet_units >= 0 AND pallet_deposit >= 0 AND (pallet_units = 0) = (pallet_deposit = 0)",
            name="pallet_whole",
        ),
        one_value_enum("status", OFFER_STATES),
        sa.Index("ix_offer_product_id_status", "product_id", "status"),
        sa.Index("ix_offer_upper_sku", sa.text("upper(sku)")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    product_id: Mapped[int] = ref("product.id", index=False)
    sku: Mapped[str]
    unit: Mapped[str]
    price: Mapped[Kopeks]
    vat_code: Mapped[str] = mapped_column(server_default="general")
    lead_time_days: Mapped[int] = mapped_column(server_default="0")
    pallet_units: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    """Units of sale on one returnable pallet; 0: it does not come on such pallets."""
    pallet_deposit: Mapped[Kopeks] = mapped_column(server_default="0")
    """What the buyer leaves for each of them until it comes back."""
    status: Mapped[str] = mapped_column(server_default="active")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class OfferStep(Base):
    """A step of the price ladder: from this quantity of units the price is lower."""

    __tablename__ = "offer_step"
    __table_args__ = (
        sa.CheckConstraint("from_quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("price > 0", name="price_positive"),
    )

    offer_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("offer.id", ondelete="CASCADE"), primary_key=True
    )
    from_quantity: Mapped[Decimal] = mapped_column(QUANTITY, primary_key=True)
    price: Mapped[Kopeks]


class PriceChange(Base):
    """Append-only history of prices."""

    __tablename__ = "price_change"
    __table_args__ = (sa.Index("ix_price_change_offer_id_created_at", "offer_id", "created_at"),)

    id: Mapped[Id]
    offer_id: Mapped[int] = ref("offer.id", index=False)
    old_price: Mapped[int | None] = mapped_column(sa.BigInteger)
    new_price: Mapped[Kopeks]
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]


class StockLevel(Base):
    """Stock of an offer in a warehouse, in base units. available = on_hand - allocated - reserved.

    `forced` marks a dispatch against the numbers, which raises an alert.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        sa.CheckConstraint("on_hand >= 0 AND allocated >= 0 AND reserved >= 0", name="not_negative"),
        sa.CheckConstraint("forced OR allocated + reserved <= on_hand", name="not_oversold"),
        sa.Index("ix_stock_level_warehouse_id", "warehouse_id"),
    )

    offer_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("offer.id"), primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("warehouse.id"), primary_key=True)
    on_hand: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    allocated: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    reserved: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    safety: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    forced: Mapped[bool] = mapped_column(server_default=sa.false())
    updated_at: Mapped[Created]


class Reservation(Base):
    """Stock held for a cart until `expires_at`; counted in `stock_level.reserved` while it lives."""

    __tablename__ = "reservation"
    __table_args__ = (
        sa.ForeignKeyConstraint(["offer_id", "warehouse_id"], ["stock_level.offer_id", "stock_level.warehouse_id"]),
        sa.UniqueConstraint("cart_id", "offer_id", "warehouse_id"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.Index("ix_reservation_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    cart_id: Mapped[int] = ref("cart.id", index=False)
    offer_id: Mapped[int] = mapped_column(sa.BigInteger)
    warehouse_id: Mapped[int] = mapped_column(sa.BigInteger)
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    expires_at: Mapped[Moment]


class StockMovement(Base):
    """Append-only: why on_hand and allocated are what they are. Deltas are signed, in base units."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        one_value_enum("kind", MOVEMENT_KINDS),
        sa.CheckConstraint("on_hand_delta <> 0 OR allocated_delta <> 0", name="moves_something"),
        sa.Index("ix_stock_movement_offer_id_warehouse_id_id", "offer_id", "warehouse_id", "id"),
        sa.Index("ix_stock_movement_entity_entity_id", "entity", "entity_id"),
    )

    id: Mapped[Id]
    offer_id: Mapped[int] = ref("offer.id", index=False)
    warehouse_id: Mapped[int] = ref("warehouse.id", index=False)
    kind: Mapped[str]
    on_hand_delta: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    allocated_delta: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    reason: Mapped[str] = mapped_column(server_default="")
    entity: Mapped[str] = mapped_column(server_default="")
    entity_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]
