"""Tables of the courier's phone: what it sent, its photographs, checks of trucks."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Moment, PublicId, one_value_enum, ref

OUTCOMES = ("done", "repeated", "conflict", "refused")
PHOTO_ROLES = ("photo", "signature", "line", "check")
PHOTO_STATES = ("waiting", "ready", "refused")


class CourierAction(Base):
    """A tap as the phone sent it, kept whatever became of it. The key is the phone's: the same key is the same tap."""

    __tablename__ = "courier_action"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "key"),
        one_value_enum("outcome", OUTCOMES),
        sa.Index("ix_courier_action_received_at", "received_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = ref("user_account.id", index=False)
    key: Mapped[uuid.UUID]
    kind: Mapped[str]
    subject: Mapped[uuid.UUID | None]
    """The stop or the route as the phone knew it; plans made meanwhile give them other ids."""
    delivery_id: Mapped[int | None] = ref("delivery.id")
    payload: Mapped[Json]
    """What was typed and counted; never the PIN."""
    tapped_at: Mapped[Moment]
    received_at: Mapped[Created]
    outcome: Mapped[str]
    code: Mapped[str] = mapped_column(server_default="")
    context: Mapped[Json]


class ProofPhoto(Base):
    """A photograph or a signature of the courier. The carrier, the parties of the delivery and the operator see it."""

    __tablename__ = "proof_photo"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "key"),
        one_value_enum("role", PHOTO_ROLES),
        one_value_enum("state", PHOTO_STATES),
        sa.CheckConstraint("num_nonnulls(delivery_id, check_id) <= 1", name="of_one_thing"),
        sa.Index(
            "ix_proof_photo_loose", "created_at",
            postgresql_where=sa.text("delivery_id IS NULL AND check_id IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id", index=False)
    key: Mapped[uuid.UUID]
    """The phone's name for it: sent twice, it is kept once."""
    delivery_id: Mapped[int | None] = ref("delivery.id")
    check_id: Mapped[int | None] = ref("vehicle_check.id")
    role: Mapped[str]
    line: Mapped[str] = mapped_column(server_default="")
    """The line of the waybill it shows, for role `line`."""
    file_name: Mapped[str]
    kind: Mapped[str]
    original: Mapped[str]
    stored: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    error: Mapped[str] = mapped_column(server_default="")
    taken_at: Mapped[Moment]
    created_at: Mapped[Created]


class VehicleCheck(Base):
    """What the driver saw of the truck before the first or after the last stop of a day."""

    __tablename__ = "vehicle_check"
    __table_args__ = (
        one_value_enum("part", ("start", "end")),
        sa.CheckConstraint("odometer_km BETWEEN 0 AND 9999999", name="odometer_range"),
        sa.Index("ix_vehicle_check_courier_id_day", "courier_id", "day"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    courier_id: Mapped[int] = ref("courier.id", index=False)
    vehicle_id: Mapped[int] = ref("vehicle.id")
    day: Mapped[date]
    part: Mapped[str]
    odometer_km: Mapped[int]
    defects: Mapped[JsonList]
    """[{item, note}]: what is not in order; all else was looked at and is."""
    note: Mapped[str] = mapped_column(server_default="")
    may_drive: Mapped[bool] = mapped_column(server_default=sa.true())
    checked_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    created_at: Mapped[Created]
