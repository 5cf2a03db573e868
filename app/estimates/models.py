"""Tables of estimates and projects. Assemblies are facts shipped with the program (assemblies.py), not rows."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Moment, PublicId, one_value_enum, ref


class Project(Base):
    """Keeps the estimates, lists and orders of one building site."""

    __tablename__ = "project"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id")
    site_id: Mapped[int | None] = ref("site.id", index=False)
    title: Mapped[str]
    is_deleted: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[Created]


class Estimate(Base):
    """Dimensions in, materials out. `items` = [{assembly | bundle, inputs}]; a guest holds it by token."""

    __tablename__ = "estimate"
    __table_args__ = (
        one_value_enum("state", ("pricing", "priced", "failed")),
        sa.CheckConstraint("user_id IS NOT NULL OR token_hash IS NOT NULL", name="has_holder"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int | None] = ref("user_account.id")
    token_hash: Mapped[bytes | None] = mapped_column(index=True)
    project_id: Mapped[int | None] = ref("project.id")
    title: Mapped[str]
    items: Mapped[JsonList]
    choices: Mapped[Json]
    """Material key -> {"product": outward id, "waste_pct": text}: what the buyer chose by hand."""
    state: Mapped[str] = mapped_column(server_default="pricing")
    job_id: Mapped[uuid.UUID | None]
    goods: Mapped[int | None] = mapped_column(sa.BigInteger)
    mass_kg: Mapped[Decimal | None] = mapped_column(sa.Numeric(14, 4))
    volume_m3: Mapped[Decimal | None] = mapped_column(sa.Numeric(14, 6))
    priced_at: Mapped[Moment | None]
    is_deleted: Mapped[bool] = mapped_column(server_default=sa.false())
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class EstimateLine(Base):
    """One pooled material: base and gross exactly as rationals in text ("num/den"), packs of a chosen offer."""

    __tablename__ = "estimate_line"
    __table_args__ = (
        sa.UniqueConstraint("estimate_id", "position"),
        sa.CheckConstraint("packs IS NULL OR packs >= 0", name="packs_not_negative"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    estimate_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("estimate.id", ondelete="CASCADE"), index=False
    )
    position: Mapped[int]
    key: Mapped[str]
    """Category and constraints that were pooled."""
    category_slug: Mapped[str]
    name_ru: Mapped[str]
    name_en: Mapped[str]
    base: Mapped[str]
    gross: Mapped[str]
    unit: Mapped[str]
    details: Mapped[JsonList]
    """Per contributing assembly line: assembly, line, formula, numbers, norm, waste, sources."""
    spec: Mapped[Json]
    product_id: Mapped[int | None] = ref("product.id", index=False)
    offer_id: Mapped[int | None] = ref("offer.id", index=False)
    pack_unit: Mapped[str] = mapped_column(server_default="")
    pack_content: Mapped[str] = mapped_column(server_default="")
    """Content of one pack in `unit`, "num/den"."""
    packs: Mapped[int | None]
    price: Mapped[int | None] = mapped_column(sa.BigInteger)
    total: Mapped[int | None] = mapped_column(sa.BigInteger)
    mass_kg: Mapped[Decimal | None] = mapped_column(sa.Numeric(14, 4))
    volume_m3: Mapped[Decimal | None] = mapped_column(sa.Numeric(14, 6))
    problem: Mapped[str] = mapped_column(server_default="")
    """Why nothing was chosen: no_product, no_stock, unit_mismatch."""
    relaxed: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    """Constraints that the chosen product does not meet."""


class BasketPlan(Base):
    """Which offers from which warehouses, with the bound the solver proved."""

    __tablename__ = "basket_plan"
    __table_args__ = (one_value_enum("objective", ("cheapest", "fewest_trucks", "soonest")),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    estimate_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("estimate.id", ondelete="CASCADE"), index=True
    )
    objective: Mapped[str]
    job_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    total: Mapped[int | None] = mapped_column(sa.BigInteger)
    bound: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_at: Mapped[Created]
