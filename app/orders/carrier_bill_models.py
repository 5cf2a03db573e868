"""Tables of the invoices that carriers write to sellers and to the market, numbered without gaps."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Kopeks, PublicId, one_value_enum, ref

LINE_KINDS = ("delivery", "failed")


class CarrierInvoiceCounter(Base):
    """The last number of a carrier in a year. Locked by whoever takes the next, until it commits."""

    __tablename__ = "carrier_invoice_counter"

    carrier_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("carrier.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class CarrierInvoice(Base):
    """Append-only: what a carrier asks of a seller (without one: of the market) for a period. Kopeks, VAT inside."""

    __tablename__ = "carrier_invoice"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "year", "number"),
        sa.CheckConstraint("number > 0 AND first_day <= last_day", name="period_ordered"),
        sa.CheckConstraint("gross >= 0 AND vat BETWEEN 0 AND gross", name="money_sums"),
        ExcludeConstraint(
            ("carrier_id", "="),
            (sa.text("coalesce(seller_id, 0)"), "="),
            (sa.text("daterange(first_day, last_day, '[]')"), "&&"),
            name="ex_carrier_invoice_period",
        ),
        sa.Index("ix_carrier_invoice_seller_id", "seller_id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    seller_id: Mapped[int | None] = ref("seller.id", index=False)
    year: Mapped[int]
    number: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    issued_on: Mapped[date]
    vat_code: Mapped[str]
    vat_percent: Mapped[int]
    vat: Mapped[Kopeks]
    gross: Mapped[Kopeks]
    sides: Mapped[Json]
    """carrier and customer, each with name, inn, kpp, address, as they were."""
    created_at: Mapped[Created]


class CarrierInvoiceLine(Base):
    """Append-only: one trip to a door. An attempt is billed once."""

    __tablename__ = "carrier_invoice_line"
    __table_args__ = (
        one_value_enum("kind", LINE_KINDS),
        sa.UniqueConstraint("attempt_id"),
        sa.CheckConstraint("gross >= 0", name="gross_not_negative"),
    )

    id: Mapped[Id]
    invoice_id: Mapped[int] = ref("carrier_invoice.id")
    delivery_id: Mapped[int] = ref("delivery.id")
    attempt_id: Mapped[int] = ref("delivery_attempt.id", index=False)
    kind: Mapped[str]
    number: Mapped[str]
    """The order's number, for people."""
    day: Mapped[date]
    address: Mapped[str]
    gross: Mapped[Kopeks]
    parts: Mapped[JsonList]
    """[{code, amount, context}]: the quote's own lines, then waiting; they sum to `gross`."""
