"""Master cards: the operator changes them at once, a seller opens a change that waits for the operator."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.catalog import ProductDetail
from app.api.catalog import product as shown_product
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.schemas import UNITS, MoneyIn, Page, PageQuery, QuantityText, Schema
from app.catalog import cards, service
from app.catalog.cards import Content
from app.core import keyset
from app.core.errors import FieldError, Invalid
from app.core.permissions import Permission
from app.core.units import to_api
from app.offers import card_changes, change_queries, new_products
from app.offers.change_queries import ChangeRow
from app.web.filters import language

api = Api("products", tag="Catalogue")
NUMBERS = tuple(cards.NUMBERS)


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
    """A master card; mass and volume of one base unit. `comment`: a seller's word to the operator.

    `sku` and `price` of a base unit let a seller's offer open with the product.
    """

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
    sku: str = Field(default="", max_length=100)
    price: MoneyIn | None = None
    comment: str = Field(default="", max_length=1000)


class ProductPatch(Schema):
    """Fields to change; `attributes` and `units` replace all. `comment`: a seller's word to the operator."""

    category: str | None = Field(default=None, max_length=80)
    name_ru: str | None = Field(default=None, min_length=1, max_length=300)
    name_en: str | None = Field(default=None, min_length=1, max_length=300)
    brand: str | None = Field(default=None, max_length=100)
    article: str | None = Field(default=None, max_length=100)
    description_ru: str | None = Field(default=None, max_length=10_000)
    description_en: str | None = Field(default=None, max_length=10_000)
    mass_kg: QuantityText | None = Field(default=None, ge=0)
    volume_m3: QuantityText | None = Field(default=None, ge=0)
    length_mm: int | None = Field(default=None, ge=0, le=30_000)
    units: list[UnitIn] | None = Field(default=None, min_length=1, max_length=12)
    attributes: dict[str, str] | None = Field(default=None, max_length=60)
    comment: str = Field(default="", max_length=1000)


class ChangeOut(Schema):
    """A change of the catalogue. `product` is null while the catalogue does not have it.

    `content` holds what the change says, by part of the card; an edit holds only what differs.
    """

    id: uuid.UUID
    product: uuid.UUID | None
    name: str
    status: str
    by_rule: bool
    note: str
    comment: str
    created_at: datetime
    decided_at: datetime | None
    content: dict[str, Any]


class ChangeWaits(Schema):
    """The change that was opened."""

    change: ChangeOut


class ChangesQuery(PageQuery):
    """One state at a time, newest first."""

    status: Literal["pending", "revision_requested", "approved", "declined", "withdrawn"] = "pending"


def _shown_change(row: ChangeRow) -> ChangeOut:
    made = row.applied.get("product") if row.is_new else row.product
    content = row.card if row.is_new else row.payload
    return ChangeOut(
        id=row.public_id, product=made, name=row.name(language()), status=row.status,
        by_rule=row.decided_how == "rule", note=row.note, comment=row.comment, created_at=row.created_at,
        decided_at=row.decided_at, content=dict(content),
    )  # fmt: skip


def _waits(change: uuid.UUID) -> Answer:
    row = change_queries.find(change, access.actor().seller_id)
    return Answer(ChangeWaits(change=_shown_change(row)), 202, {"Location": f"/api/v1/seller/changes/{change}"})


def _content(body: ProductIn | ProductPatch, attributes: Mapping[str, str] | None) -> Content:
    """The body as parts of a card."""
    sent = body.model_dump(exclude_unset=True, exclude_none=True)
    fields = {name: sent[name] for name in ("category", *cards.TEXTS) if name in sent}
    fields |= {name: to_api(Decimal(getattr(body, name))) for name in NUMBERS if name in sent}
    found: Content = {"fields": fields}
    if body.units is not None:
        found["units"] = [
            unit.model_dump() | {"step": to_api(unit.step), "minimum": to_api(unit.minimum)} for unit in body.units
        ]
    return found | ({} if attributes is None else {"attributes": dict(attributes)})


def _outside(error: Invalid) -> Invalid:
    """Pointers into the body: its fields stand on top."""
    return Invalid([FieldError(e.pointer.removeprefix("/fields"), e.code, e.context) for e in error.errors])


@api.post(
    "/products", permission=Permission.CATALOGUE_CHANGE, body=ProductIn, answer=ProductDetail, status=201,
    waiting=ChangeWaits, summary="Open a product",
    example={"category": "gypsum_board", "unit": "sheet", "name_ru": "Лист", "name_en": "Board", "mass_kg": "28.5"},
)  # fmt: skip
def add_product(body: ProductIn) -> Answer:
    """At once by the operator. A seller's waits: 202 with the change. It shows in lists when somebody sells it."""
    actor = access.actor()
    content = _content(body, body.attributes)
    fields = {name: text for name, text in content["fields"].items() if name != "category"}
    try:
        if actor.is_admin:
            made = service.add_product(actor, body.category, body.unit, content | {"fields": fields})
            return _shown(made, 201)
        price = {"price": body.price.amount} if body.price else {}
        wanted = content | {"base_unit": body.unit, "source": "api", "sku": body.sku} | price
        return _waits(new_products.propose(actor, wanted, body.comment))
    except Invalid as error:
        raise _outside(error) from None


def _shown(made: uuid.UUID, status: int = 200) -> Answer:
    detail: ProductDetail = shown_product(str(made))
    headers = etag(detail.version) | ({"Location": f"/api/v1/products/{made}"} if status == 201 else {})
    return Answer(detail, status, headers)


@api.patch(
    "/products/{product}", permission=Permission.CATALOGUE_CHANGE, body=ProductPatch, answer=ProductDetail,
    waiting=ChangeWaits, summary="Change a product", example={"brand": "Knauf", "comment": "as printed on the bag"},
)  # fmt: skip
def edit_product(product: str, body: ProductPatch) -> Answer:
    """At once by the operator; a seller who offers it opens a change, or mends the one that is still open.

    Orders keep what they copied.
    """
    key = given_id(product)
    said = None if body.attributes is None else _all_attributes(key) | body.attributes
    return _change(key, _content(body, said), body.comment)


def _all_attributes(product: uuid.UUID) -> dict[str, str]:
    """Every attribute that the card has, said to be empty."""
    return dict.fromkeys(cards.read(cards.head(product).id)["attributes"], "")


def _change(product: uuid.UUID, content: Content, comment: str) -> Answer:
    actor = access.actor()
    try:
        if actor.is_admin:
            card_changes.edit(actor, product, content, expected_version())
            return Answer(None, 204) if "hidden" in content["fields"] else _shown(product)
        return _waits(card_changes.send(actor, product, content, expected_version(), comment).public_id)
    except Invalid as error:
        raise _outside(error) from None


@api.delete(
    "/products/{product}", permission=Permission.CATALOGUE_CHANGE, waiting=ChangeWaits, summary="Hide a product",
    status=204,
)  # fmt: skip
def hide_product(product: str) -> Answer:
    """It is hidden, not erased: offers and orders refer to it. A seller asks for it by a change."""
    return _change(given_id(product), {"fields": {"hidden": "1"}}, "")


@api.get(
    "/seller/changes", permission=Permission.SELLER_OFFERS, query=ChangesQuery, answer=Page[ChangeOut],
    summary="Own changes of the catalogue",
)  # fmt: skip
def own_changes(query: ChangesQuery) -> Page[ChangeOut]:
    """New products and edits of cards."""
    first = int(keyset.read_cursor(query.cursor, [Decimal])[0]) if query.cursor else None
    rows = change_queries.page(query.status, access.actor().seller_id, first, query.limit + 1)
    shown = rows[: query.limit]
    following = keyset.write_cursor([shown[-1].id]) if len(rows) > query.limit else None
    return Page[ChangeOut](items=[_shown_change(row) for row in shown], next_cursor=following)


@api.get(
    "/seller/changes/{change}", permission=Permission.SELLER_OFFERS, answer=ChangeOut, summary="An own change"
)  # fmt: skip
def own_change(change: str) -> ChangeOut:
    """What it says, and what the operator says of it."""
    return _shown_change(change_queries.find(given_id(change), access.actor().seller_id))


@api.delete("/seller/changes/{change}", permission=Permission.SELLER_OFFERS, summary="Withdraw a change", status=204)
def withdraw_change(change: str) -> None:
    """Before it is decided."""
    card_changes.withdraw(access.actor(), given_id(change))
