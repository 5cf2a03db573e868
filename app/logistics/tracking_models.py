"""Tables of tracking: what was told of arrivals and what came true, and the kilometres that positions leave behind."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Moment, ref


class EtaSample(Base):
    """What a buyer could be told of a stop some time ahead of it, and by how much it was wrong.

    A stop gives at most one sample for each step of lead time. Seconds.
    """

    __tablename__ = "eta_sample"
    __table_args__ = (
        sa.UniqueConstraint("stop_id", "step"),
        sa.CheckConstraint("lead_s >= 0 AND step >= 0", name="lead_not_negative"),
        sa.Index("ix_eta_sample_carrier_id_step_made_at", "carrier_id", "step", "made_at"),
        sa.Index("ix_eta_sample_open", "stop_id", postgresql_where=sa.text("error_s IS NULL")),
    )

    id: Mapped[Id]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    stop_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("stop.id", ondelete="CASCADE"))
    step: Mapped[int]
    """Of the lead time, an index of `eta.STEPS`."""
    lead_s: Mapped[int]
    expected_at: Mapped[Moment]
    made_at: Mapped[Moment]
    error_s: Mapped[int | None]
    """Arrived less expected: positive is later than told. None until the truck is there."""


class EtaSpread(Base):
    """How wrong the last weeks were, by step of lead time. carrier_id None: of all carriers together. Seconds."""

    __tablename__ = "eta_spread"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "step", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("low_s <= high_s AND samples > 0", name="ordered"),
    )

    id: Mapped[Id]
    carrier_id: Mapped[int | None] = ref("carrier.id", index=False)
    step: Mapped[int]
    low_s: Mapped[int]
    high_s: Mapped[int]
    samples: Mapped[int]
    made_at: Mapped[Created]


class Driven(Base):
    """What stays of positions: how far a courier drove on a day, on a route or (route_id None) between routes."""

    __tablename__ = "driven"
    __table_args__ = (
        sa.UniqueConstraint("courier_id", "day", "route_id", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("distance_m >= 0 AND points > 0", name="not_negative"),
    )

    id: Mapped[Id]
    courier_id: Mapped[int] = ref("courier.id", index=False)
    day: Mapped[date]
    route_id: Mapped[int | None] = ref("route.id")
    distance_m: Mapped[int]
    points: Mapped[int]
    from_at: Mapped[Moment]
    to_at: Mapped[Moment]
    created_at: Mapped[Created]
