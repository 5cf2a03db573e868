"""The operator's hand on the catalogue: categories and master cards."""

from __future__ import annotations

import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import Field

from app import access
from app.api.catalog import CategoryDetail, ProductDetail
from app.api.catalog import category as shown_category
from app.api.catalog import product as shown_product
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.schemas import UNITS, QuantityText, Schema
from app.catalog import service
from app.catalog.service import NewUnit
from app.core.permissions import Permission
from app.offers import listing

api = Api("catalog_admin", tag="Catalogue")
SLUG = r"^[a-z0-9]+([_-][a-z0-9]+)*$"


class CategoryIn(Schema):
    """A category to open."""

    slug: str = Field(pattern=SLUG, max_length=80)
    parent: str | None = Field(default=None, max_length=80)
    name_ru: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    position: int = Field(default=0, ge=0, le=10_000)
    drawing: str = Field(default="box", max_length=40)
    synonyms: list[str] = Field(default_factory=list, max_length=50)


class CategoryPatch(Schema):
    """Fields to change."""

    name_ru: str | None = Field(default=None, min_length=1, max_length=200)
    name_en: str | None = Field(default=None, min_length=1, max_length=200)
    position: int | None = Field(default=None, ge=0, le=10_000)
    drawing: str | None = Field(default=None, max_length=40)
    synonyms: list[str] | None = Field(default=None, max_length=50)


def _sent(body: Schema, *but: str) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, exclude_none=True, exclude=set(but))


@api.post(
    "/categories", permission=Permission.ADMIN_CATALOGUE, body=CategoryIn, answer=CategoryDetail, status=201,
    summary="Open a category", example={"slug": "new_things", "name_ru": "Новинки", "name_en": "New things"},
)  # fmt: skip
def add_category(body: CategoryIn) -> Answer:
    """Three levels at most."""
    service.add_category(access.actor(), body.slug, body.parent, _sent(body, "slug", "parent"))
    return Answer(shown_category(body.slug), 201, {"Location": f"/api/v1/categories/{body.slug}"})


@api.patch(
    "/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, body=CategoryPatch, answer=CategoryDetail,
    summary="Change a category",
)  # fmt: skip
def edit_category(slug: str, body: CategoryPatch) -> Answer:
    """Products are found by the new words at once."""
    version = service.edit_category(access.actor(), slug, _sent(body), expected_version())
    return Answer(shown_category(slug), 200, etag(version))


@api.delete("/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, summary="Take a category away", status=204)
def remove_category(slug: str) -> None:
    """Only an empty one."""
    service.remove_category(access.actor(), slug)


class UnitIn(Schema):
    """One of it is `factor` ("num/den") base units."""

    code: UNITS
    factor: str = Field(pattern=r"^[1-9]\d{0,11}/[1-9]\d{0,11}$")
    step: QuantityText = Field(default=Decimal(1), gt=0)
    minimum: QuantityText = Field(default=Decimal(1), gt=0)
    sold: bool = True
    content: bool = False
    barcode: str = Field(default="", pattern=r"^\d{0,14}$")


class ProductIn(Schema):
    """A master card; mass and volume of one base unit."""

    category: str = Field(max_length=80)
    unit: UNITS
    name_ru: str = Field(min_length=1, max_length=300)
    name_en: str = Field(min_length=1, max_length=300)
    brand: str = Field(default="", max_length=100)
    article: str = Field(default="", max_length=100)
    description_ru: str = Field(default="", max_length=10_000)
    description_en: str = Field(default="", max_length=10_000)
    mass_kg: QuantityText = Field(default=Decimal(0), ge=0)
    volume_m3: QuantityText = Field(default=Decimal(0), ge=0)
    length_mm: int = Field(default=0, ge=0, le=30_000)
    units: list[UnitIn] = Field(default_factory=list, max_length=12)
    attributes: dict[str, str] = Field(default_factory=dict, max_length=60)


class ProductPatch(Schema):
    """Fields to change; `attributes` replace all."""

    name_ru: str | None = Field(default=None, min_length=1, max_length=300)
    name_en: str | None = Field(default=None, min_length=1, max_length=300)
    brand: str | None = Field(default=None, max_length=100)
    article: str | None = Field(default=None, max_length=100)
    description_ru: str | None = Field(default=None, max_length=10_000)
    description_en: str | None = Field(default=None, max_length=10_000)
    mass_kg: QuantityText | None = Field(default=None, ge=0)
    volume_m3: QuantityText | None = Field(default=None, ge=0)
    length_mm: int | None = Field(default=None, ge=0, le=30_000)
    attributes: dict[str, str] | None = Field(default=None, max_length=60)


@api.post(
    "/products", permission=Permission.ADMIN_CATALOGUE, body=ProductIn, answer=ProductDetail, status=201,
    summary="Open a product",
)  # fmt: skip
def add_product(body: ProductIn) -> Answer:
    """It shows in lists when somebody sells it."""
    units = [NewUnit(u.code, Fraction(u.factor), u.step, u.minimum, u.sold, u.content, u.barcode) for u in body.units]
    made = service.add_product(
        access.actor(), body.category, body.unit, _sent(body, "category", "unit", "units", "attributes"), units,
        body.attributes,
    )  # fmt: skip
    return _shown(made, 201)


def _shown(made: uuid.UUID, status: int = 200) -> Answer:
    detail: ProductDetail = shown_product(str(made))
    headers = etag(detail.version) | ({"Location": f"/api/v1/products/{made}"} if status == 201 else {})
    return Answer(detail, status, headers)


@api.patch(
    "/products/{product}", permission=Permission.ADMIN_CATALOGUE, body=ProductPatch, answer=ProductDetail,
    summary="Change a product",
)  # fmt: skip
def edit_product(product: str, body: ProductPatch) -> Answer:
    """Orders keep what they copied."""
    service.edit_product(
        access.actor(), given_id(product), _sent(body, "attributes"), body.attributes, expected_version()
    )
    return _shown(given_id(product))


@api.delete("/products/{product}", permission=Permission.ADMIN_CATALOGUE, summary="Hide a product", status=204)
def hide_product(product: str) -> None:
    """It is hidden, not erased: offers and orders refer to it."""
    key = given_id(product)
    service.edit_product(access.actor(), key, {"hidden": True})
    listing.refresh([service.product_id(key)])
