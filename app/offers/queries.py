"""Reads of offers, warehouses and stock. Rows are frozen; prices in kopeks, quantities in base units."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Product, ProductUnit
from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.offers.models import (
    Offer,
    OfferStep,
    Seller,
    StockLevel,
    StockMovement,
    VatRate,
    Warehouse,
)
from app.offers.return_terms import TERMS_JSON, Terms, from_json
from app.offers.rules import AppliedPrice, Step, price_for, whole_steps


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """A warehouse with everything a delivery needs to know of it."""

    id: int
    public_id: uuid.UUID
    seller_id: int
    name: str
    address: str
    lat: float
    lon: float
    opens_at: int
    closes_at: int
    work_days: tuple[int, ...]
    max_vehicle_kg: int | None
    loading_minutes: int
    is_active: bool
    version: int
    allows_pickup: bool
    pickup_after_hours: int


@dataclass(frozen=True)
class OfferForSale:
    """Everything that a cart, an order or a product page asks of an offer."""

    id: int
    public_id: uuid.UUID
    seller_id: int
    seller_name: str
    seller_rating: Decimal
    accept_hours: int
    product_id: int
    product_public_id: uuid.UUID
    category_id: int
    picture: str
    name_ru: str
    name_en: str
    slug: str
    sku: str
    unit: str
    factor: Fraction
    step: Decimal
    minimum: Decimal
    content_unit: str | None
    content_factor: Fraction | None
    price: int
    vat_code: str
    vat_percent: Decimal
    mass_kg: Decimal
    volume_m3: Decimal
    length_mm: int
    lead_time_days: int
    pallet_units: Decimal
    pallet_deposit: int
    is_active: bool
    version: int
    back_on: date | None = None
    """The seller is on holiday and sells again on this day."""
    ladder: tuple[Step, ...] = ()
    stock: dict[int, Decimal] = field(default_factory=dict)
    """Warehouse id -> available base units."""

    @cached_property
    def available(self) -> Decimal:
        """Units of sale, in whole steps, over all warehouses."""
        return sum((self.available_at(w) for w in self.stock), Decimal(0))

    def available_at(self, warehouse_id: int) -> Decimal:
        """Units of sale, in whole steps, in one warehouse."""
        return whole_steps(self.stock.get(warehouse_id, Decimal(0)), self.factor, self.step)

    def price_for(self, quantity: Decimal) -> AppliedPrice:
        """The price per unit of sale when so many are bought."""
        return price_for(self.price, self.ladder, quantity)

    @property
    def content_per_unit(self) -> Fraction | None:
        """Content units (m2, kg) in one unit of sale."""
        return self.factor / self.content_factor if self.content_factor else None

    @property
    def content_price(self) -> Fraction | None:
        """Kopeks per content unit."""
        content = self.content_per_unit
        return self.price / content if content else None


_content = sa.orm.aliased(ProductUnit)
_VAT_TODAY = (
    sa.select(VatRate.code, VatRate.percent)
    .where(VatRate.valid_from <= sa.bindparam("today"))
    .where(sa.or_(VatRate.valid_to.is_(None), VatRate.valid_to >= sa.bindparam("today")))
    .subquery()
)
_OFFERS = (
    sa.select(
        Offer.id,
        Offer.public_id,
        Offer.seller_id,
        Seller.name.label("seller_name"),
        Seller.rating.label("seller_rating"),
        Seller.accept_hours,
        Offer.product_id,
        Product.public_id.label("product_public_id"),
        Product.category_id,
        Product.picture,
        Product.name_ru,
        Product.name_en,
        Product.slug,
        Offer.sku,
        Offer.unit,
        ProductUnit.numerator,
        ProductUnit.denominator,
        ProductUnit.step,
        ProductUnit.minimum,
        _content.code.label("content_unit"),
        _content.numerator.label("content_numerator"),
        _content.denominator.label("content_denominator"),
        Offer.price,
        Offer.vat_code,
        sa.func.coalesce(_VAT_TODAY.c.percent, 0).label("vat_percent"),
        Product.mass_kg,
        Product.volume_m3,
        Product.length_mm,
        Offer.lead_time_days,
        Offer.pallet_units,
        Offer.pallet_deposit,
        sa.and_(Offer.status == "active", Seller.is_active, Product.status == "active").label("is_active"),
        Offer.version,
        sa.case((Seller.pause == "holiday", Seller.holiday_until + 1)).label("back_on"),
    )
    .join(Seller, Seller.id == Offer.seller_id)
    .join(Product, Product.id == Offer.product_id)
    .join(ProductUnit, sa.and_(ProductUnit.product_id == Offer.product_id, ProductUnit.code == Offer.unit))
    .outerjoin(_content, sa.and_(_content.product_id == Offer.product_id, _content.is_content))
    .outerjoin(_VAT_TODAY, _VAT_TODAY.c.code == Offer.vat_code)
)
_FREE = sa.func.greatest(StockLevel.on_hand - StockLevel.allocated - StockLevel.reserved - StockLevel.safety, 0)
_STOCK = (
    sa.select(sa.func.json_agg(sa.func.json_build_array(StockLevel.warehouse_id, _FREE.cast(sa.Text))))
    .join(Warehouse, sa.and_(Warehouse.id == StockLevel.warehouse_id, Warehouse.is_active))
    .where(StockLevel.offer_id == Offer.id, _FREE > 0)
    .scalar_subquery()
)
_LADDER = (
    sa.select(sa.func.json_agg(sa.func.json_build_array(OfferStep.from_quantity.cast(sa.Text), OfferStep.price)))
    .where(OfferStep.offer_id == Offer.id)
    .scalar_subquery()
)
_WHOLE = _OFFERS.add_columns(_LADDER.label("ladder"), _STOCK.label("stock")).order_by(Offer.price, Offer.id)
"""An offer with its ladder and stock in one query."""
# Statements that carts ask again and again are built once: building and hashing them took longer than the database.
_BY_ID = _WHOLE.where(Offer.id.in_(sa.bindparam("ids", expanding=True)))
_BY_PUBLIC_ID = _WHOLE.where(Offer.public_id == sa.bindparam("public_id", type_=sa.Uuid))
_OF_PRODUCTS = _WHOLE.where(
    Offer.product_id.in_(sa.bindparam("products", expanding=True)), Offer.status == "active", Seller.is_active
)


_PLACES = (
    sa.select(sa.func.json_agg(sa.func.json_build_array(Warehouse.id, Warehouse.name, Warehouse.address)))
    .join(StockLevel, StockLevel.warehouse_id == Warehouse.id)
    .where(StockLevel.offer_id == Offer.id, Warehouse.is_active)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where goods lie, as the page of a product names it."""

    id: int
    name: str
    address: str


def _load(statement: sa.Select[Any], **asked: Any) -> list[OfferForSale]:
    rows = session.execute(statement, {"today": clock.today(), **asked})
    return [_for_sale(dict(row._mapping)) for row in rows]


def _for_sale(values: dict[str, Any]) -> OfferForSale:
    factor = Fraction(values.pop("numerator"), values.pop("denominator"))
    numerator, denominator = values.pop("content_numerator"), values.pop("content_denominator")
    steps = sorted((Decimal(start), price) for start, price in values.pop("ladder") or ())
    stock = sorted(values.pop("stock") or ())
    return OfferForSale(
        **values,
        factor=factor,
        content_factor=Fraction(numerator, denominator) if numerator else None,
        ladder=tuple(Step(start, price) for start, price in steps),
        stock={place: Decimal(free) for place, free in stock},
    )


def earliest_day(offer: OfferForSale) -> date:
    """The first day on which goods in stock may be delivered: the day after they are ready."""
    return clock.today() + timedelta(days=offer.lead_time_days + 1)


def offer_rows(ids: Iterable[int], held: Mapping[tuple[int, int], Decimal] | None = None) -> dict[int, OfferForSale]:
    """Offers by id, whatever their state: a cart must be able to say that one is gone.

    Args:
        held: (offer, warehouse) -> base units on hold that count as free all the same: the cart's own.
    """
    wanted = sorted(set(ids))
    found = {row.id: row for row in _load(_BY_ID, ids=wanted)} if wanted else {}
    for (offer, place), quantity in (held or {}).items():
        if offer in found:
            stock = dict(found[offer].stock)
            stock[place] = stock.get(place, Decimal(0)) + quantity
            found[offer] = replace(found[offer], stock=dict(sorted(stock.items())))
    return found


def vat_percent(code: str, day: date) -> Decimal:
    """The rate behind a code on a day; 0 for `none`."""
    found = session.scalar(
        sa.select(VatRate.percent).where(
            VatRate.code == code,
            VatRate.valid_from <= day,
            sa.or_(VatRate.valid_to.is_(None), VatRate.valid_to >= day),
        )
    )
    return found if found is not None else Decimal(0)


def offers_of_product(product_id: int) -> list[OfferForSale]:
    """Active offers of a product, cheapest first."""
    return offers_with_places(product_id)[0]


def offers_with_places(
    product_id: int,
) -> tuple[list[OfferForSale], list[OfferForSale], dict[int, Place], dict[int, Terms]]:
    """Active offers of a product, those whose sellers are on holiday (`back_on`), both cheapest first, the places by id
    where they lie, and what each seller takes back: one query for its page.
    """
    sells = sa.or_(Seller.is_active, Seller.pause == "holiday")
    statement = _WHOLE.add_columns(_PLACES.label("places"), TERMS_JSON.label("terms")).where(
        Offer.product_id == product_id, Offer.status == "active", sells, Product.status == "active"
    )
    found, places, terms = [], {}, {}
    for row in session.execute(statement, {"today": clock.today()}):
        values = dict(row._mapping)
        terms[values["seller_id"]] = from_json(values.pop("terms"))
        places.update({place[0]: Place(*place) for place in values.pop("places") or ()})
        found.append(_for_sale(values))
    return [row for row in found if row.is_active], [row for row in found if not row.is_active], places, terms


def offers_of_products(product_ids: Sequence[int]) -> list[OfferForSale]:
    """Active offers of several products, cheapest first."""
    return _load(_OF_PRODUCTS, products=list(product_ids))


def offer_by_public_id(public_id: uuid.UUID) -> OfferForSale:
    """One offer that may be bought.

    Raises:
        NotFound: absent, hidden, or of a seller who does not sell now.
    """
    found = [row for row in _load(_BY_PUBLIC_ID, public_id=public_id) if row.is_active]
    if not found:
        raise NotFound()
    return found[0]


_WAREHOUSES = sa.select(*(getattr(Warehouse, name) for name in WarehouseRow.__dataclass_fields__)).where(
    Warehouse.id.in_(sa.bindparam("ids", expanding=True))
)


def warehouses(ids: Iterable[int]) -> dict[int, WarehouseRow]:
    """Warehouses by id."""
    return {row.id: _warehouse(row) for row in session.execute(_WAREHOUSES, {"ids": sorted(set(ids))})}


def active_places() -> list[tuple[int, int, float, float]]:
    """(warehouse, seller, lat, lon) of every warehouse that sells now."""
    rows = session.execute(
        sa.select(Warehouse.id, Warehouse.seller_id, Warehouse.lat, Warehouse.lon)
        .join(Seller, Seller.id == Warehouse.seller_id)
        .where(Warehouse.is_active, Seller.is_active)
    )
    return [(row.id, row.seller_id, row.lat, row.lon) for row in rows]


def warehouses_of(seller_id: int) -> list[WarehouseRow]:
    """Warehouses of a seller, by name."""
    rows = session.scalars(sa.select(Warehouse).where(Warehouse.seller_id == seller_id).order_by(Warehouse.name))
    return [_warehouse(row) for row in rows]


def warehouse_of(seller_id: int, public_id: uuid.UUID) -> WarehouseRow:
    """A warehouse of this seller.

    Raises:
        NotFound: absent or another seller's.
    """
    row = session.scalars(
        sa.select(Warehouse).where(Warehouse.seller_id == seller_id, Warehouse.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _warehouse(row)


def _warehouse(row: Any) -> WarehouseRow:
    """Of a `Warehouse`, or of its columns."""
    return WarehouseRow(
        row.id, row.public_id, row.seller_id, row.name, row.address, row.lat, row.lon, row.opens_at, row.closes_at,
        tuple(row.work_days), row.max_vehicle_kg, row.loading_minutes, row.is_active, row.version,
        row.allows_pickup, row.pickup_after_hours,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """A stock level that its movements do not explain."""

    offer_id: int
    warehouse_id: int
    on_hand: Decimal
    moved_on_hand: Decimal
    allocated: Decimal
    moved_allocated: Decimal


def stock_drift() -> list[Drift]:
    """Levels whose movements do not sum to them: always empty unless something wrote past app/offers/stock.py."""
    moved = (
        sa.select(
            StockMovement.offer_id,
            StockMovement.warehouse_id,
            sa.func.sum(StockMovement.on_hand_delta).label("on_hand"),
            sa.func.sum(StockMovement.allocated_delta).label("allocated"),
        )
        .group_by(StockMovement.offer_id, StockMovement.warehouse_id)
        .subquery()
    )
    on_hand, allocated = sa.func.coalesce(moved.c.on_hand, 0), sa.func.coalesce(moved.c.allocated, 0)
    rows = session.execute(
        sa.select(
            StockLevel.offer_id, StockLevel.warehouse_id, StockLevel.on_hand, on_hand, StockLevel.allocated, allocated
        )
        .outerjoin(
            moved,
            sa.and_(moved.c.offer_id == StockLevel.offer_id, moved.c.warehouse_id == StockLevel.warehouse_id),
        )
        .where(sa.or_(StockLevel.on_hand != on_hand, StockLevel.allocated != allocated))
    )
    return [Drift(*row) for row in rows]
