"""Tables of what carrying costs and pays: how a carrier bills, and how it pays its drivers."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Kopeks, PublicId, one_value_enum, ref

VAT_CODES = ("general", "special5", "special7", "none")


class CarrierTerms(Base):
    """How a carrier bills beyond its tariffs. Without a row: no VAT, waiting is free, failed trips in full."""

    __tablename__ = "carrier_terms"
    __table_args__ = (
        one_value_enum("vat_code", VAT_CODES),
        sa.CheckConstraint("free_waiting_minutes BETWEEN 0 AND 1440 AND waiting_per_hour >= 0", name="waiting_range"),
        sa.CheckConstraint("failed_percent BETWEEN 0 AND 100", name="failed_range"),
    )

    carrier_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("carrier.id"), primary_key=True, autoincrement=False
    )
    vat_code: Mapped[str] = mapped_column(server_default="none")
    free_waiting_minutes: Mapped[int] = mapped_column(server_default="30")
    """At the door, beyond the minutes that unloading was reckoned with."""
    waiting_per_hour: Mapped[Kopeks] = mapped_column(server_default="0")
    failed_percent: Mapped[int] = mapped_column(server_default="100")
    """Of the quote, for a trip that failed by the receiver's doing."""
    version: Mapped[int] = mapped_column(server_default="1")


class CourierPay(Base):
    """What a carrier pays a driver from a day on. courier_id None: every driver without a rate of the own. Kopeks."""

    __tablename__ = "courier_pay"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "courier_id", "valid_from", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("per_hour >= 0 AND per_stop >= 0 AND per_km >= 0", name="not_negative"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    courier_id: Mapped[int | None] = ref("courier.id")
    per_hour: Mapped[Kopeks]
    per_stop: Mapped[Kopeks]
    per_km: Mapped[Kopeks]
    valid_from: Mapped[date]
    created_at: Mapped[Created]
