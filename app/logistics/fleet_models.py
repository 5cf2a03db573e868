"""Tables of yards, absences, hand-overs between carriers, and reasons why a plan is out of date."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Kopeks, Moment, PublicId, one_value_enum, ref

AWAY_KINDS = ("holiday", "sick", "other", "repair", "inspection")
"""Why a driver (the first three) or a truck (the last three) is away."""
HAND_OVER_STATES = ("offered", "accepted", "declined", "withdrawn", "expired")
HAND_OVER_REASONS = ("no_truck", "no_driver", "too_far", "no_equipment", "overbooked", "other")
DOUBTS = ("pin_moved", "handed_over")


class Depot(Base):
    """A yard of a carrier, where trucks start and end their day. The main one is that of trucks without a yard."""

    __tablename__ = "depot"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "name"),
        sa.Index("uq_depot_main", "carrier_id", unique=True, postgresql_where=sa.text("is_main")),
        sa.CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="on_earth"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    name: Mapped[str]
    address: Mapped[str] = mapped_column(server_default="")
    lat: Mapped[float]
    lon: Mapped[float]
    is_main: Mapped[bool] = mapped_column(server_default=sa.false())
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class Absence(Base):
    """Days on which a driver or a truck does not work, both ends included."""

    __tablename__ = "absence"
    __table_args__ = (
        one_value_enum("kind", AWAY_KINDS),
        sa.CheckConstraint("(courier_id IS NULL) <> (vehicle_id IS NULL)", name="one_of_two"),
        sa.CheckConstraint("from_day <= to_day", name="ordered"),
        ExcludeConstraint(
            ("courier_id", "="), (sa.text("daterange(from_day, to_day, '[]')"), "&&"), name="ex_absence_courier"
        ),
        ExcludeConstraint(
            ("vehicle_id", "="), (sa.text("daterange(from_day, to_day, '[]')"), "&&"), name="ex_absence_vehicle"
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id")
    courier_id: Mapped[int | None] = ref("courier.id", index=False)
    vehicle_id: Mapped[int | None] = ref("vehicle.id", index=False)
    kind: Mapped[str]
    from_day: Mapped[date]
    to_day: Mapped[date]
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class HandOver(Base):
    """An offer of one carrier to another to take a delivery over. The price is between the two; the buyer's stays."""

    __tablename__ = "hand_over"
    __table_args__ = (
        one_value_enum("state", HAND_OVER_STATES),
        one_value_enum("reason", HAND_OVER_REASONS),
        sa.CheckConstraint("price >= 0", name="price_not_negative"),
        sa.CheckConstraint("from_carrier_id <> to_carrier_id", name="two_carriers"),
        sa.Index("uq_hand_over_open", "delivery_id", unique=True, postgresql_where=sa.text("state = 'offered'")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    delivery_id: Mapped[int] = ref("delivery.id")
    from_carrier_id: Mapped[int] = ref("carrier.id")
    to_carrier_id: Mapped[int] = ref("carrier.id")
    state: Mapped[str] = mapped_column(server_default="offered")
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    price: Mapped[Kopeks]
    answer: Mapped[str] = mapped_column(server_default="")
    """What the other carrier said when it declined."""
    expires_at: Mapped[Moment]
    offered_by_id: Mapped[int] = ref("user_account.id", index=False)
    decided_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    decided_at: Mapped[Moment | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class PlanDoubt(Base):
    """Why a plan is out of date: a delivery of it moved on the map, or left for another carrier."""

    __tablename__ = "plan_doubt"
    __table_args__ = (one_value_enum("reason", DOUBTS), sa.UniqueConstraint("plan_id", "delivery_id", "reason"))

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("route_plan.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = ref("delivery.id")
    reason: Mapped[str]
    created_at: Mapped[Created]
