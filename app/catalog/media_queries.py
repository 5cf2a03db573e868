"""Reads of photographs and documents for the desks of sellers and the operator, and of files for everybody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.catalog.media_models import ProductDocument, ProductImage
from app.catalog.models import Category, Product
from app.core import clock
from app.core.db import session
from app.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class CardHead:
    """What the desks say of a card above its photographs."""

    id: int
    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    status: str
    drawing: str

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def card_head(public_id: uuid.UUID) -> CardHead:
    """A card, hidden or not.

    Raises:
        NotFound: absent or merged into another.
    """
    row = session.execute(
        sa.select(
            Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en, Product.status,
            Category.drawing,
        )
        .join(Category, Category.id == Product.category_id)
        .where(Product.public_id == public_id, Product.status != "merged")
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    return CardHead(*row)


@dataclass(frozen=True, slots=True)
class DeskPicture:
    """An upload as those see it who arrange photographs; sizes in pixels, see `ProductImage`."""

    public_id: uuid.UUID
    seller_id: int | None
    file_name: str
    kind: str
    state: str
    error: str
    name: str
    next_name: str
    whole: str
    width: int
    height: int
    source_width: int
    source_height: int
    crop: list[int] | None
    alt_ru: str
    alt_en: str
    position: int | None
    created_at: datetime

    @property
    def is_busy(self) -> bool:
        """Whether its files are being made."""
        return bool(self.next_name)

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """The crop, or all of the picture: left, top, width, height."""
        left, top, width, height = self.crop or (0, 0, self.source_width, self.source_height)
        return left, top, width, height


_PICTURES = sa.select(
    ProductImage.public_id, ProductImage.seller_id, ProductImage.file_name, ProductImage.kind, ProductImage.state,
    ProductImage.error, ProductImage.name, ProductImage.next_name, ProductImage.whole, ProductImage.width,
    ProductImage.height, ProductImage.source_width, ProductImage.source_height, ProductImage.crop, ProductImage.alt_ru,
    ProductImage.alt_en, ProductImage.position, ProductImage.created_at,
)  # fmt: skip


def _picture(row: Any) -> DeskPicture:
    return DeskPicture(*row)


def desk_pictures(product_id: int, seller_id: int | None = None) -> list[DeskPicture]:
    """What is shown, in order, then the other uploads: of one seller, or all for the operator."""
    asked = _PICTURES.where(ProductImage.product_id == product_id)
    if seller_id is not None:
        asked = asked.where(sa.or_(ProductImage.seller_id == seller_id, ProductImage.position.is_not(None)))
    ordered = asked.order_by(ProductImage.position.nulls_last(), ProductImage.id)
    return [_picture(row) for row in session.execute(ordered)]


def desk_picture(product_id: int, public_id: uuid.UUID, seller_id: int | None = None) -> DeskPicture:
    """One ready upload: any for the operator, for a seller an own one.

    Raises:
        NotFound.
    """
    asked = _PICTURES.where(
        ProductImage.product_id == product_id, ProductImage.public_id == public_id, ProductImage.state == "ready"
    )
    if seller_id is not None:
        asked = asked.where(ProductImage.seller_id == seller_id)
    row = session.execute(asked).one_or_none()
    if row is None:
        raise NotFound()
    return _picture(row)


def pictures_by_id(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, DeskPicture]:
    """Uploads by outward id, whatever card they are of."""
    rows = session.execute(_PICTURES.where(ProductImage.public_id.in_(ids)))
    return {row.public_id: _picture(row) for row in rows}


def shown_of(product_ids: Sequence[int]) -> dict[int, list[DeskPicture]]:
    """What cards show now, in order."""
    found: dict[int, list[DeskPicture]] = {}
    rows = session.execute(
        _PICTURES.add_columns(ProductImage.product_id)
        .where(ProductImage.product_id.in_(product_ids), ProductImage.position.is_not(None))
        .order_by(ProductImage.product_id, ProductImage.position)
    )
    for row in rows:
        found.setdefault(row.product_id, []).append(_picture(row[:-1]))
    return found


@dataclass(frozen=True, slots=True)
class DeskDocument:
    """A document as the seller and the operator see it."""

    id: int
    public_id: uuid.UUID
    product_id: uuid.UUID
    product_slug: str
    product_ru: str
    product_en: str
    seller_id: int | None
    kind: str
    number: str
    issuer: str
    issued_on: date | None
    valid_until: date | None
    file_name: str
    content_type: str
    stored: str
    size: int
    state: str
    note: str
    created_at: datetime

    @property
    def is_expired(self) -> bool:
        return self.valid_until is not None and self.valid_until < clock.today()

    def product(self, locale: str) -> str:
        return self.product_en if locale == "en" else self.product_ru


_DOCUMENTS = sa.select(
    ProductDocument.id, ProductDocument.public_id, Product.public_id.label("product"), Product.slug, Product.name_ru,
    Product.name_en, ProductDocument.seller_id, ProductDocument.kind, ProductDocument.number, ProductDocument.issuer,
    ProductDocument.issued_on, ProductDocument.valid_until, ProductDocument.file_name, ProductDocument.content_type,
    ProductDocument.stored, ProductDocument.size, ProductDocument.state, ProductDocument.note,
    ProductDocument.created_at,
).join(Product, Product.id == ProductDocument.product_id)  # fmt: skip


def documents(
    *, product_id: int | None = None, seller_id: int | None = None, state: str = "", expired: bool = False,
    before: int | None = None, limit: int = 100,
) -> list[DeskDocument]:  # fmt: skip
    """Documents, newest first: of a card, of a seller, in one state, or those approved once and now out of date."""
    asked = _DOCUMENTS.order_by(ProductDocument.id.desc()).limit(limit)
    if product_id is not None:
        asked = asked.where(ProductDocument.product_id == product_id)
    if seller_id is not None:
        asked = asked.where(ProductDocument.seller_id == seller_id)
    if state:
        asked = asked.where(ProductDocument.state == state)
    if expired:
        asked = asked.where(ProductDocument.state == "approved", ProductDocument.valid_until < clock.today())
    if before is not None:
        asked = asked.where(ProductDocument.id < before)
    rows: Sequence[Any] = session.execute(asked).all()
    return [DeskDocument(*row) for row in rows]


def document_counts() -> dict[str, int]:
    """How many wait for the operator, and how many are out of date."""
    waiting, expired = session.execute(
        sa.select(
            sa.func.count().filter(ProductDocument.state == "pending"),
            sa.func.count().filter(ProductDocument.state == "approved", ProductDocument.valid_until < clock.today()),
        )
    ).one()
    return {"pending": waiting, "expired": expired}


def document(public_id: uuid.UUID, seller_id: int | None = None) -> DeskDocument:
    """One document with a file: any for the operator, for a seller an own one.

    Raises:
        NotFound.
    """
    asked = _DOCUMENTS.where(ProductDocument.public_id == public_id, ProductDocument.stored != "")
    if seller_id is not None:
        asked = asked.where(ProductDocument.seller_id == seller_id)
    return _one(asked)


def public_document(public_id: uuid.UUID) -> DeskDocument:
    """A document that buyers may see: approved, in date, of a visible card.

    Raises:
        NotFound.
    """
    return _one(
        _DOCUMENTS.where(
            ProductDocument.public_id == public_id,
            ProductDocument.state == "approved",
            sa.or_(ProductDocument.valid_until.is_(None), ProductDocument.valid_until >= clock.today()),
            Product.status == "active",
        )
    )


def _one(asked: Any) -> DeskDocument:
    row: Any = session.execute(asked).one_or_none()
    if row is None:
        raise NotFound()
    return DeskDocument(*row)
