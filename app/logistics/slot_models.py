"""Tables of delivery windows: what a carrier declares, and what is sold of it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Moment, PublicId, ref


class SlotRule(Base):
    """A window in which a carrier drives on a weekday, and how much fits into it. A carrier without any rule drives in
    the market's usual windows, without limit.
    """

    __tablename__ = "slot_rule"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "weekday", "from_minute", "to_minute"),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_range"),
        sa.CheckConstraint("0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name="window_in_day"),
        sa.CheckConstraint("capacity > 0 AND (capacity_kg IS NULL OR capacity_kg > 0)", name="capacity_positive"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    weekday: Mapped[int]
    """ISO: 1 is Monday."""
    from_minute: Mapped[int]
    to_minute: Mapped[int]
    capacity: Mapped[int]
    """Deliveries."""
    capacity_kg: Mapped[int | None]
    created_at: Mapped[Created]


class SlotException(Base):
    """What is different on one date: of one window or, without minutes, of the whole day. Capacity 0: closed."""

    __tablename__ = "slot_exception"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "day", "from_minute", "to_minute", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("(from_minute IS NULL) = (to_minute IS NULL)", name="window_whole"),
        sa.CheckConstraint("0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name="window_in_day"),
        sa.CheckConstraint("capacity >= 0 AND (capacity_kg IS NULL OR capacity_kg > 0)", name="capacity_not_negative"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    day: Mapped[date]
    from_minute: Mapped[int | None]
    to_minute: Mapped[int | None]
    capacity: Mapped[int]
    capacity_kg: Mapped[int | None]
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class DeliverySlot(Base):
    """A window of a date with what is sold of it; the row is made by the first delivery. `capacity` is what the carrier
    declared when a place was last sold; less declared later takes nothing away.
    """

    __tablename__ = "delivery_slot"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "starts_at", "ends_at"),
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),
        sa.CheckConstraint("taken BETWEEN 0 AND capacity", name="not_overbooked"),
        sa.CheckConstraint("taken_kg >= 0 AND (capacity_kg IS NULL OR taken_kg <= capacity_kg)", name="not_overloaded"),
    )

    id: Mapped[Id]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default="0")
    capacity_kg: Mapped[int | None]
    taken_kg: Mapped[int] = mapped_column(server_default="0")
