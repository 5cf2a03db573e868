"""Tables of prices over time, forecasts, indices and recommendations. All made by workers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Kopeks, ref


class PricePoint(Base):
    """Prices of a product on a day, per base unit, over sellers with stock."""

    __tablename__ = "price_point"
    __table_args__ = (sa.CheckConstraint("sellers > 0 AND lowest > 0 AND median >= lowest", name="ordered"),)

    product_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("product.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    median: Mapped[Kopeks]
    lowest: Mapped[Kopeks]
    sellers: Mapped[int]


class Forecast(Base):
    """What a model expects: `points` = [{day, mean, lower, upper}] with an 80 % band."""

    __tablename__ = "forecast"
    __table_args__ = (sa.UniqueConstraint("product_id", "made_on"),)

    id: Mapped[Id]
    product_id: Mapped[int] = ref("product.id", index=False)
    made_on: Mapped[date]
    model: Mapped[str]
    horizon_days: Mapped[int]
    points: Mapped[JsonList]
    backtest_error: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 4))
    training: Mapped[Json]
    created_at: Mapped[Created]


class PriceIndex(Base):
    """Index of a category on a day, base 100."""

    __tablename__ = "price_index"

    category_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("category.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[Decimal] = mapped_column(sa.Numeric(10, 4))
    coverage: Mapped[Decimal] = mapped_column(sa.Numeric(5, 4))
    method: Mapped[str]


class Recommendation(Base):
    """A product shown beside another, with the reason."""

    __tablename__ = "recommendation"
    __table_args__ = (sa.UniqueConstraint("kind", "product_id", "other_id"),)

    id: Mapped[Id]
    kind: Mapped[str]
    product_id: Mapped[int] = ref("product.id", index=False)
    other_id: Mapped[int] = ref("product.id", index=False)
    score: Mapped[Decimal] = mapped_column(sa.Numeric(10, 6))
    reason: Mapped[Json]
    created_at: Mapped[Created]
