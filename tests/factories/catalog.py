"""Categories, products with attributes and units, and their offers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import current_app

from app.catalog import dictionary
from app.catalog.media_models import ProductImage
from app.catalog.models import Attribute, Category, Product, ProductUnit, ProductValue
from app.catalog.picture_files import fresh_name
from app.core.db import session
from app.offers import listing
from app.offers.models import Offer, StockLevel, StockMovement
from tests.factories.orders import Market, market, number


def category(name: str = "Категория", parent: Category | None = None, **fields: Any) -> Category:
    """A category under `parent`."""
    row = Category(
        slug=f"c{number()}", name_ru=name, name_en=fields.pop("name_en", "Category"),
        parent_id=parent.id if parent else None,
        depth=parent.depth + 1 if parent else 1, **fields,
    )  # fmt: skip
    session.add(row)
    session.flush()
    row.path = [*(parent.path if parent else []), row.id]
    session.flush()
    return row


def attribute(place: Category, key: str, kind: str = "enum", unit: str = "", position: int = 0) -> Attribute:
    """A property that products of the category have."""
    row = Attribute(
        category_id=place.id, key=key, name_ru=key.capitalize(), name_en=key, kind=kind, unit=unit, position=position
    )
    session.add(row)
    session.flush()
    return row


def product(
    place: Category,
    name: str = "Товар",
    *,
    unit: str = "bag",
    content: tuple[str, int, int] | None = None,
    values: Mapping[Attribute, str] | None = None,
    barcode: str = "",
    **fields: Any,
) -> Product:
    """A product sold in its base unit. `content`: (code, numerator, denominator) of the measure inside."""
    mark = number()
    fields = {"name_en": f"Thing {mark}", "brand": "Бренд", "article": f"A{mark}", "mass_kg": Decimal(25)} | fields
    row = Product(slug=f"p{mark}", category_id=place.id, name_ru=name, base_unit=unit, **fields)
    session.add(row)
    session.flush()
    session.add(ProductUnit(product_id=row.id, code=unit, numerator=1, denominator=1, barcode=barcode))
    if content:
        session.add(
            ProductUnit(
                product_id=row.id, code=content[0], numerator=content[1], denominator=content[2], is_sold=False,
                is_content=True, position=1,
            )
        )  # fmt: skip
    for own, value in (values or {}).items():
        session.add(ProductValue(product_id=row.id, attribute_id=own.id, text=value))
    session.flush()
    return row


def offer(
    made: Market, what: Product, seller: int = 0, *, price: int = 50_000, stock: int = 100, **fields: Any
) -> Offer:
    """An offer of the product with stock in the seller's first warehouse."""
    actor = made.sellers[seller]
    row = Offer(
        seller_id=actor.seller_id, product_id=what.id, sku=fields.pop("sku", f"S{number()}"), unit=what.base_unit,
        price=price, **fields,
    )  # fmt: skip
    session.add(row)
    session.flush()
    place = made.warehouses[seller]
    session.add(StockLevel(offer_id=row.id, warehouse_id=place, on_hand=stock))
    if stock:
        session.add(StockMovement(offer_id=row.id, warehouse_id=place, kind="received", on_hand_delta=stock))
    session.flush()
    return row


def upload(card: Product, user_id: int, **fields: Any) -> ProductImage:
    """A photograph whose files a worker has made, not shown yet; there are no files."""
    row = ProductImage(
        product_id=card.id, user_id=user_id, file_name="a.jpg", kind="jpeg", original="originals/a.dat",
        state="ready", name=fresh_name(), whole=fresh_name(), source_width=800, source_height=600, width=800,
        height=600, **fields,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def ready() -> None:
    """Make everything findable, as the demo loader does, and keep it past a refused command."""
    dictionary.rebuild()
    listing.rebuild()
    session.commit()
    for name in ("listing", "taxonomy", "rates", "synonyms"):  # what the test before left may be kept still
        current_app.extensions["cache"].bump(name)


__all__ = ["Market", "attribute", "category", "market", "offer", "product", "ready", "upload"]
