"""Tables of plans changed by hand: the sheet a dispatcher works on, the steps taken, trucks that broke down."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Moment, PublicId, ref


class PlanSheet(Base):
    """What changing a plan by hand needs beside its routes; made with the plan, or by its first change."""

    __tablename__ = "plan_sheet"
    __table_args__ = (sa.CheckConstraint("edit >= 0 AND applied >= 0", name="counts_not_negative"),)

    plan_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("route_plan.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    roads: Mapped[bytes | None]
    """The road matrix of the plan's places, see `plan_roads`: a change by hand needs no solver and no road graph."""
    edit: Mapped[int] = mapped_column(server_default="0")
    """Grows with every change, undo and redo: what If-Match compares."""
    applied: Mapped[int] = mapped_column(server_default="0")
    """Steps 1..applied are in force, later ones are undone."""
    faults: Mapped[JsonList]
    """What the checker found after the last change, see `plan_faults.Fault`."""


class PlanStep(Base):
    """One change by hand; `before` and `after` hold the parts of the plan it changed, see `plan_shape`."""

    __tablename__ = "plan_step"
    __table_args__ = (sa.UniqueConstraint("plan_id", "number"),)

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("route_plan.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str]
    details: Mapped[Json]
    """Names for people as they were then: number, lot, from, to."""
    before: Mapped[Json]
    after: Mapped[Json]
    edit: Mapped[int]
    """The sheet's `edit` when this step was taken, undone or redone last."""
    undone: Mapped[bool] = mapped_column(server_default=sa.false())
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    who: Mapped[str]
    """Who took, undid or redid it last, by name as it was then."""
    at: Mapped[Moment]


class VehicleTrouble(Base):
    """A truck that cannot go on; its shift of the day ended when it was told."""

    __tablename__ = "vehicle_trouble"
    __table_args__ = (
        sa.Index("uq_vehicle_trouble_open", "vehicle_id", unique=True, postgresql_where=sa.text("resolved_at IS NULL")),
        sa.Index("ix_vehicle_trouble_carrier_id_day", "carrier_id", "day"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    vehicle_id: Mapped[int] = ref("vehicle.id", index=False)
    day: Mapped[date]
    note: Mapped[str] = mapped_column(server_default="")
    shifts: Mapped[JsonList]
    """[{shift_id or None, ends_at}]: what to give back when it drives again."""
    reported_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]
    resolved_at: Mapped[Moment | None]
