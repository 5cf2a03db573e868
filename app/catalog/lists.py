"""Favourites and named lists of products: what a person keeps for later."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.catalog.list_models import ProductList, ProductListItem
from app.catalog.models import Category, Product, ProductListing, ProductUnit
from app.core.cache import Cache
from app.core.db import changed, session, unit_of_work
from app.core.errors import Invalid, NotFound, Stale
from app.core.permissions import Actor

MOST_LISTS = 50
MOST_ITEMS = 200
LONGEST_NAME = 100
MOST_QUANTITY = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list as the overview shows it; the favourites have no name."""

    id: int
    public_id: uuid.UUID
    name: str
    is_favourites: bool
    version: int
    items: int


@dataclass(frozen=True, slots=True)
class Item:
    """A product of a list. `price_from`: kopeks for a base unit; None when nobody sells it now.

    `units`: code -> base units in one of it. `quantity` is in `unit`; None when the person did not say how much.
    """

    product_id: int
    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    drawing: str
    base_unit: str
    units: dict[str, Fraction]
    quantity: Decimal | None
    unit: str | None
    price_from: int | None
    available: Decimal

    @property
    def wanted(self) -> Fraction | None:
        """Base units wanted; None when nothing, or a unit the product no longer has, was said."""
        if self.quantity is None or self.unit not in self.units:
            return None
        return Fraction(self.quantity) * self.units[self.unit]


@dataclass(frozen=True, slots=True)
class ListView:
    """A list whole, the newest product first."""

    row: ListRow
    items: tuple[Item, ...]


_COUNT = (
    sa.select(sa.func.count()).where(ProductListItem.list_id == ProductList.id).correlate(ProductList).scalar_subquery()
)
_ROWS = sa.select(
    ProductList.id, ProductList.public_id, ProductList.name, ProductList.is_favourites, ProductList.version, _COUNT
)


def lists_of(user_id: int) -> list[ListRow]:
    """Lists of a person: the favourites first, then by name."""
    order = (ProductList.is_favourites.desc(), sa.func.lower(ProductList.name), ProductList.id)
    return [ListRow(*row) for row in session.execute(_ROWS.where(ProductList.user_id == user_id).order_by(*order))]


def list_view(user_id: int, public_id: uuid.UUID) -> ListView:
    """A list of this person.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.execute(
        _ROWS.where(ProductList.user_id == user_id, ProductList.public_id == public_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    found = ListRow(*row)
    return ListView(found, _items(found.id))


_UNITS = (
    sa.select(sa.func.json_agg(sa.func.json_build_array(ProductUnit.code, ProductUnit.numerator,
                                                        ProductUnit.denominator)))
    .where(ProductUnit.product_id == Product.id)
    .correlate(Product)
    .scalar_subquery()
)  # fmt: skip


def _items(list_id: int) -> tuple[Item, ...]:
    rows = session.execute(
        sa.select(
            Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en, Category.drawing,
            Product.base_unit, _UNITS, ProductListItem.quantity, ProductListItem.unit, ProductListing.price_from,
            sa.func.coalesce(ProductListing.available, 0),
        )
        .join(Product, Product.id == ProductListItem.product_id)
        .join(Category, Category.id == Product.category_id)
        .outerjoin(ProductListing, ProductListing.product_id == Product.id)
        .where(ProductListItem.list_id == list_id, Product.status == "active")
        .order_by(ProductListItem.created_at.desc(), Product.id)
    )  # fmt: skip
    return tuple(_item(tuple(row)) for row in rows)


def _item(row: tuple[Any, ...]) -> Item:
    units = {code: Fraction(numerator, denominator) for code, numerator, denominator in row[7]}
    values: tuple[Any, ...] = (*row[:7], units, *row[8:])
    return Item(*values)


def kept_as(user_id: int) -> str:
    """The name under which pages keep what a person marked; commands here say that it `changed`."""
    return f"saved-{user_id}"


def favourites(user_id: int, cache: Cache) -> frozenset[str]:
    """Outward ids of the person's favourites, for the hearts of pages; kept in the cache until they change."""

    def text() -> str:
        rows = session.scalars(
            sa.select(Product.public_id)
            .join(ProductListItem, ProductListItem.product_id == Product.id)
            .join(ProductList, ProductList.id == ProductListItem.list_id)
            .where(ProductList.user_id == user_id, ProductList.is_favourites)
        )
        return json.dumps([str(row) for row in rows])

    return frozenset(json.loads(cache.get_or_make(kept_as(user_id), "", text)))


@unit_of_work
def create(actor: Actor, name: str) -> uuid.UUID:
    """A new empty list.

    Raises:
        Invalid: no name, too long, or there are MOST_LISTS already.
    """
    name = _name(name)
    held = session.scalar(sa.select(sa.func.count()).where(ProductList.user_id == actor.user)) or 0
    if held >= MOST_LISTS:
        raise Invalid.one("/name", "too_many_lists", maximum=MOST_LISTS)
    made = ProductList(user_id=actor.user, name=name)
    session.add(made)
    session.flush()
    return made.public_id


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise Invalid.one("/name", "required")
    if len(name) > LONGEST_NAME:
        raise Invalid.one("/name", "too_long", maximum=LONGEST_NAME)
    return name


@unit_of_work
def rename(actor: Actor, public_id: uuid.UUID, name: str, version: int | None = None) -> None:
    """Give an own list another name.

    Raises:
        NotFound, Stale.
        Invalid: a wrong name, or the favourites, which have none.
    """
    row = _own(actor, public_id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    if row.is_favourites:
        raise Invalid.one("/name", "favourites_stay")
    row.name = _name(name)
    row.version += 1


@unit_of_work
def remove(actor: Actor, public_id: uuid.UUID) -> None:
    """Delete an own list.

    Raises:
        NotFound.
        Invalid: the favourites stay.
    """
    row = _own(actor, public_id)
    if row.is_favourites:
        raise Invalid.one("/list", "favourites_stay")
    session.delete(row)


@unit_of_work
def put(
    actor: Actor, public_id: uuid.UUID, product_id: uuid.UUID, quantity: Decimal | None = None, unit: str | None = None
) -> None:
    """Put a product into an own list, or say how much of it is wanted there; without a unit the base unit is meant.

    Raises:
        NotFound: no such list of the person.
        Invalid: no such product, a wrong quantity or unit, or MOST_ITEMS are in it.
    """
    row = _own(actor, public_id)
    product = _product(product_id)
    if quantity is None:
        unit = None
    else:
        unit = _unit(product, unit)
        if not 0 < quantity <= MOST_QUANTITY:
            code = "too_small" if quantity <= 0 else "too_large"
            raise Invalid.one("/quantity", code, minimum=1, maximum=int(MOST_QUANTITY))
    _put(row, product.id, quantity, unit)
    _marked(actor, row)


def _unit(product: Product, unit: str | None) -> str:
    known = sa.select(ProductUnit.code).where(ProductUnit.product_id == product.id)
    if unit is not None and unit not in session.scalars(known).all():
        raise Invalid.one("/unit", "unit_not_of_product")
    return unit or product.base_unit


@unit_of_work
def take_out(actor: Actor, public_id: uuid.UUID, product_id: uuid.UUID) -> None:
    """Take a product out of an own list; it may be gone already.

    Raises:
        NotFound: no such list of the person.
    """
    row = _own(actor, public_id)
    _take_out(row.id, product_id)
    _marked(actor, row)


@unit_of_work
def favour(actor: Actor, product_id: uuid.UUID, on: bool | None = None) -> bool:
    """Mark a product as a favourite, or take the mark away; `on` None turns it round. Returns whether it is marked.

    Raises:
        Invalid: no such product, or MOST_ITEMS are marked.
    """
    product = _product(product_id)
    row = _favourites(actor)
    held = session.get(ProductListItem, (row.id, product.id)) is not None
    wanted = not held if on is None else on
    if wanted and not held:
        _put(row, product.id, None, None)
    elif held and not wanted:
        _take_out(row.id, product_id)
    changed(kept_as(actor.user))
    return wanted


def _favourites(actor: Actor) -> ProductList:
    mine = sa.select(ProductList).where(ProductList.user_id == actor.user, ProductList.is_favourites)
    row = session.scalars(mine.with_for_update()).one_or_none()
    if row is None:
        session.execute(
            insert(ProductList).values(user_id=actor.user, is_favourites=True).on_conflict_do_nothing()
        )  # fmt: skip
        row = session.scalars(mine.with_for_update()).one()
    return row


def _own(actor: Actor, public_id: uuid.UUID) -> ProductList:
    """A list of the person, locked, so that its counts hold until the commit."""
    row = session.scalars(
        sa.select(ProductList)
        .where(ProductList.user_id == actor.user, ProductList.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _product(public_id: uuid.UUID) -> Product:
    row = session.scalars(
        sa.select(Product).where(Product.public_id == public_id, Product.status == "active")
    ).one_or_none()  # fmt: skip
    if row is None:
        raise Invalid.one("/product", "unknown_product")
    return row


def _put(row: ProductList, product_id: int, quantity: Decimal | None, unit: str | None) -> None:
    item = session.get(ProductListItem, (row.id, product_id))
    if item is None:
        held = session.scalar(sa.select(sa.func.count()).where(ProductListItem.list_id == row.id)) or 0
        if held >= MOST_ITEMS:
            raise Invalid.one("/product", "list_full", maximum=MOST_ITEMS)
        item = ProductListItem(list_id=row.id, product_id=product_id)
        session.add(item)
    item.quantity, item.unit = quantity, unit
    session.flush()


def _take_out(list_id: int, product_id: uuid.UUID) -> None:
    product = sa.select(Product.id).where(Product.public_id == product_id).scalar_subquery()
    session.execute(
        sa.delete(ProductListItem).where(ProductListItem.list_id == list_id, ProductListItem.product_id == product)
    )


def _marked(actor: Actor, row: ProductList) -> None:
    if row.is_favourites:
        changed(kept_as(actor.user))
