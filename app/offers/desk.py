"""What a seller sees of the own offers: the table of the desk and one offer with its stock, ladder and history."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Product, ProductUnit
from app.core.db import session
from app.core.errors import NotFound
from app.offers.models import Offer, OfferStep, PriceChange, Seller, StockLevel, StockMovement, Warehouse
from app.offers.rules import Step, exact_decimal


@dataclass(frozen=True, slots=True)
class Level:
    """Stock in a warehouse, in base units. `is_open`: the warehouse works; what lies in a closed one is not sold."""

    on_hand: Decimal
    promised: Decimal
    safety: Decimal = Decimal(0)
    is_open: bool = True

    @property
    def free(self) -> Decimal:
        """What may still be sold."""
        return max(self.on_hand - self.promised - self.safety, Decimal(0)) if self.is_open else Decimal(0)


@dataclass(frozen=True, slots=True)
class DeskOffer:
    """A row of the seller's table."""

    id: int
    public_id: uuid.UUID
    sku: str
    product_public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    base_unit: str
    unit: str
    factor: Fraction
    price: int
    vat_code: str
    lead_time_days: int
    pallet_units: Decimal
    pallet_deposit: int
    status: str
    version: int
    product_status: str
    seller_is_active: bool
    seller_pause: str
    levels: dict[int, Level] = field(default_factory=dict)
    ladder: tuple[Step, ...] = ()

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    @property
    def free(self) -> Decimal:
        """Base units that may still be sold."""
        return sum((level.free for level in self.levels.values()), Decimal(0))

    @property
    def why_not_sold(self) -> str:
        """Why nobody can buy it now, the first reason of: seller_closed, seller_holiday, seller_agreement, blocked,
        hidden, product_hidden, no_stock, warehouses_closed, all_promised, safety_stock. Empty when it can be bought.
        """
        if not self.seller_is_active:
            return f"seller_{self.seller_pause}" if self.seller_pause in ("holiday", "agreement") else "seller_closed"
        if self.status != "active":
            return self.status
        if self.product_status != "active":
            return "product_hidden"
        return "" if self.free > 0 else self._why_no_stock()

    def _why_no_stock(self) -> str:
        lying = [level for level in self.levels.values() if level.on_hand > 0]
        if not lying:
            return "no_stock"
        working = [level for level in lying if level.is_open]
        if not working:
            return "warehouses_closed"
        return "safety_stock" if any(level.on_hand > level.promised for level in working) else "all_promised"

    def in_units(self, base: Decimal) -> Decimal | Fraction:
        """Base units as units of sale, exactly."""
        exact = Fraction(base) / self.factor
        as_decimal = exact_decimal(exact)
        return exact if as_decimal is None else as_decimal


_LEVELS = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                StockLevel.warehouse_id, StockLevel.on_hand.cast(sa.Text),
                (StockLevel.allocated + StockLevel.reserved).cast(sa.Text), StockLevel.safety.cast(sa.Text),
                Warehouse.is_active,
            )
        )
    )
    .where(StockLevel.offer_id == Offer.id, Warehouse.id == StockLevel.warehouse_id)
    .scalar_subquery()
)  # fmt: skip
_LADDER = (
    sa.select(sa.func.json_agg(sa.func.json_build_array(OfferStep.from_quantity.cast(sa.Text), OfferStep.price)))
    .where(OfferStep.offer_id == Offer.id)
    .scalar_subquery()
)
ROWS = (
    sa.select(
        Offer.id, Offer.public_id, Offer.sku, Product.public_id.label("product_public_id"), Product.slug,
        Product.name_ru, Product.name_en, Product.base_unit, Offer.unit, ProductUnit.numerator, ProductUnit.denominator,
        Offer.price, Offer.vat_code, Offer.lead_time_days, Offer.pallet_units, Offer.pallet_deposit, Offer.status,
        Offer.version,
        Product.status.label("product_status"), Seller.is_active.label("seller_is_active"),
        Seller.pause.label("seller_pause"), _LEVELS.label("levels"), _LADDER.label("ladder"),
    )
    .join(Product, Product.id == Offer.product_id)
    .join(ProductUnit, sa.and_(ProductUnit.product_id == Offer.product_id, ProductUnit.code == Offer.unit))
    .join(Seller, Seller.id == Offer.seller_id)
)  # fmt: skip
"""An offer with its stock and ladder in one query."""


def offer(seller_id: int, public_id: uuid.UUID) -> DeskOffer:
    """One offer of this seller.

    Raises:
        NotFound: absent or another seller's.
    """
    row = session.execute(ROWS.where(Offer.seller_id == seller_id, Offer.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    return built(row)


def by_sku(seller_id: int, skus: Sequence[str]) -> dict[str, DeskOffer]:
    """Offers of this seller by SKU; unknown ones are absent."""
    rows = session.execute(ROWS.where(Offer.seller_id == seller_id, Offer.sku.in_(sorted(set(skus))))).all()
    return {row.sku: built(row) for row in rows}


def built(row: Any) -> DeskOffer:
    """A row of `ROWS`."""
    values = dict(row._mapping)
    values.pop("sorted_by", None)
    factor = Fraction(values.pop("numerator"), values.pop("denominator"))
    levels = {
        place: Level(Decimal(on_hand), Decimal(promised), Decimal(safety), is_open)
        for place, on_hand, promised, safety, is_open in values.pop("levels") or ()
    }
    ladder = sorted((Decimal(start), price) for start, price in values.pop("ladder") or ())
    return DeskOffer(**values, factor=factor, levels=levels, ladder=tuple(Step(*step) for step in ladder))


def unit_factors(seller_id: int, skus: Sequence[str]) -> dict[tuple[str, str], Fraction]:
    """(SKU, unit) -> base units in one unit, for every unit of the products behind these SKUs."""
    rows = session.execute(
        sa.select(Offer.sku, ProductUnit.code, ProductUnit.numerator, ProductUnit.denominator)
        .join(ProductUnit, ProductUnit.product_id == Offer.product_id)
        .where(Offer.seller_id == seller_id, Offer.sku.in_(sorted(set(skus))))
    )
    return {(row.sku, row.code): Fraction(row.numerator, row.denominator) for row in rows}


@dataclass(frozen=True, slots=True)
class Happening:
    """A change of stock or price, newest first on the page of an offer."""

    at: datetime
    kind: str
    warehouse: str
    on_hand_delta: Decimal
    allocated_delta: Decimal
    old_price: int | None
    new_price: int | None
    reason: str


def history(offer_id: int, limit: int = 30) -> list[Happening]:
    """Why price and stock are what they are. The caller has checked whose offer it is."""
    moves = sa.select(
        StockMovement.created_at, StockMovement.kind, Warehouse.name, StockMovement.on_hand_delta,
        StockMovement.allocated_delta, sa.null().cast(sa.BigInteger).label("old_price"),
        sa.null().cast(sa.BigInteger).label("new_price"), StockMovement.reason, StockMovement.id,
    ).join(Warehouse, Warehouse.id == StockMovement.warehouse_id).where(StockMovement.offer_id == offer_id)  # fmt: skip
    prices = sa.select(
        PriceChange.created_at, sa.literal("price"), sa.literal(""), sa.literal(Decimal(0)), sa.literal(Decimal(0)),
        PriceChange.old_price, PriceChange.new_price, sa.literal(""), PriceChange.id,
    ).where(PriceChange.offer_id == offer_id)  # fmt: skip
    both = sa.union_all(moves, prices).subquery()
    rows = session.execute(sa.select(both).order_by(both.c.created_at.desc(), both.c.id.desc()).limit(limit))
    return [Happening(*row[:8]) for row in rows]
