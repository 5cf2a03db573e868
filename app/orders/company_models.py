"""Tables of buying as a company: purchases that wait for an approval, and prices asked of sellers."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import QUANTITY, Base, Created, Id, Json, JsonList, Kopeks, Moment, PublicId, one_value_enum, ref
from app.orders.models import APPROVAL_STATES, PAYMENT_METHODS, QUOTE_STATES


class ApprovalRequest(Base):
    """A purchase above the buyer's limit. `payload` is the checkout's quote as the buyer saw it; the cart waits."""

    __tablename__ = "approval_request"
    __table_args__ = (
        one_value_enum("status", APPROVAL_STATES),
        one_value_enum("above", ("order", "month")),
        one_value_enum("payment_method", PAYMENT_METHODS),
        sa.CheckConstraint("(status = 'approved') = (order_group_id IS NOT NULL)", name="approved_is_placed"),
        sa.CheckConstraint(
            "(status IN ('approved', 'declined')) = (decided_by_id IS NOT NULL)", name="somebody_decided"
        ),
        sa.CheckConstraint("status <> 'declined' OR reason <> ''", name="declined_says_why"),
        sa.CheckConstraint("decided_by_id <> user_id", name="nobody_decides_for_himself"),
        sa.Index("ix_approval_request_organisation_id_status_id", "organisation_id", "status", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    organisation_id: Mapped[int] = ref("organisation.id", index=False)
    company: Mapped[str]
    user_id: Mapped[int] = ref("user_account.id")
    cart_id: Mapped[int] = ref("cart.id", index=False, unique=True)
    status: Mapped[str] = mapped_column(server_default="waiting")
    above: Mapped[str]
    """Which limit the purchase is above."""
    limit_was: Mapped[Kopeks]
    spent: Mapped[Kopeks]
    """What the person had spent in the month when asking; 0 when the purchase alone is above the limit."""
    total: Mapped[Kopeks]
    payload: Mapped[Json]
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    payment_method: Mapped[str]
    comment: Mapped[str] = mapped_column(server_default="")
    order_group_id: Mapped[int | None] = ref("order_group.id", index=False)
    decided_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    decided_at: Mapped[Moment | None]
    reason: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[Moment]
    created_at: Mapped[Created]


class PriceRequest(Base):
    """A buyer asks one seller for prices on a list (RFQ); requests made together share a batch."""

    __tablename__ = "price_request"
    __table_args__ = (
        one_value_enum("status", QUOTE_STATES),
        sa.CheckConstraint("(status = 'accepted') = (order_group_id IS NOT NULL)", name="accepted_is_placed"),
        sa.CheckConstraint(
            "status NOT IN ('offered', 'accepted') OR (valid_until IS NOT NULL AND delivery_included IS NOT NULL)",
            name="an_offer_is_whole",
        ),
        sa.UniqueConstraint("batch_id", "seller_id"),
        sa.Index("uq_price_request_order_group_id", "order_group_id", unique=True),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    batch_id: Mapped[uuid.UUID]
    user_id: Mapped[int] = ref("user_account.id")
    organisation_id: Mapped[int | None] = ref("organisation.id")
    seller_id: Mapped[int] = ref("seller.id")
    status: Mapped[str] = mapped_column(server_default="requested")
    comment: Mapped[str] = mapped_column(server_default="")
    site: Mapped[Json]
    wanted_on: Mapped[date | None]
    delivery_included: Mapped[bool | None]
    """Whether the seller's prices include the delivery; otherwise the tariff is added."""
    valid_until: Mapped[Moment | None]
    rounds: Mapped[int] = mapped_column(server_default="0")
    order_group_id: Mapped[int | None] = ref("order_group.id", index=False)
    created_at: Mapped[Created]


class PriceRequestLine(Base):
    """A line of the list: what was asked, what the seller gives and for how much, what the buyer wishes.

    Quantities in `unit`, the unit in which the offer is sold; prices in kopeks per unit, VAT included.
    """

    __tablename__ = "price_request_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("price > 0 AND wished > 0", name="prices_positive"),
        sa.CheckConstraint("offered BETWEEN 0 AND quantity", name="offered_range"),
        sa.CheckConstraint("(coalesce(offered, 0) > 0) = (price IS NOT NULL)", name="what_is_given_has_a_price"),
        sa.UniqueConstraint("request_id", "position"),
        sa.UniqueConstraint("request_id", "offer_id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    request_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("price_request.id", ondelete="CASCADE"))
    position: Mapped[int]
    product_id: Mapped[int] = ref("product.id", index=False)
    offer_id: Mapped[int] = ref("offer.id", index=False)
    unit: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    offered: Mapped[Decimal | None] = mapped_column(QUANTITY)
    price: Mapped[int | None] = mapped_column(sa.BigInteger)
    wished: Mapped[int | None] = mapped_column(sa.BigInteger)


class PriceRequestRound(Base):
    """Append-only history of a price request: who said what, and when."""

    __tablename__ = "price_request_round"
    __table_args__ = (one_value_enum("kind", QUOTE_STATES), sa.UniqueConstraint("request_id", "number"))

    id: Mapped[Id]
    request_id: Mapped[int] = ref("price_request.id", index=False)
    number: Mapped[int]
    kind: Mapped[str]
    """The state that it led to."""
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    lines: Mapped[JsonList]
    """[{line: position, quantity, price}]: what was asked, given or wished."""
    delivery_included: Mapped[bool | None]
    valid_until: Mapped[Moment | None]
    comment: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
