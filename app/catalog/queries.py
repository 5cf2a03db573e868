"""Reads of the catalogue: the tree, listings, products. Statements of hot pages are built once."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog.media_models import ProductDocument, ProductImage
from app.catalog.models import Attribute, Product, ProductUnit, ProductValue
from app.catalog.search import Match
from app.catalog.words import normal
from app.core import clock
from app.core.cache import Cache
from app.core.db import session
from app.core.errors import NotFound

TREE_SECONDS = 300
TAXONOMY = "taxonomy"
"""Under this name pages keep the tree with its counts, and attributes. Prices and stock leave it alone: counting
200,000 products anew with every row of a price list made each page beside an import three times slower.
"""
SUGGESTED_FROM = 400


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category with the number of products on sale in and below it."""

    id: int
    slug: str
    name_ru: str
    name_en: str
    parent_id: int | None
    depth: int
    drawing: str
    products: int
    children: tuple[CategoryNode, ...] = ()

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    def leaves(self) -> list[int]:
        """Ids of this category and all below it."""
        return [self.id, *(i for child in self.children for i in child.leaves())]


_TREE = sa.text(
    """
    SELECT c.id, c.slug, c.name_ru, c.name_en, c.parent_id, c.depth, c.drawing, coalesce(n.products, 0) AS products
    FROM category c
    LEFT JOIN (SELECT category_id, count(*) AS products FROM product_listing GROUP BY category_id) n
        ON n.category_id = c.id
    ORDER BY c.depth DESC, c.position, c.id
    """
)


def tree(cache: Cache | None = None) -> tuple[CategoryNode, ...]:
    """The whole tree with counts; kept in the cache for a few minutes."""
    text = cache.get_or_make(TAXONOMY, "tree", _tree_text, seconds=TREE_SECONDS) if cache else _tree_text()
    return _grown(text)


def slugs() -> dict[str, int]:
    """Slug -> id of every category."""
    return {slug: key for key, slug, *_rest in session.execute(_TREE)}


def _tree_text() -> str:
    return json.dumps([list(row) for row in session.execute(_TREE)], ensure_ascii=False)


@functools.lru_cache(maxsize=2)
def _grown(text: str) -> tuple[CategoryNode, ...]:
    rows: list[list[Any]] = json.loads(text)
    children: dict[int | None, list[CategoryNode]] = {}
    for row_id, slug, ru, en, parent, depth, drawing, own in rows:
        below = tuple(children.get(row_id, ()))
        count = own + sum(c.products for c in below)
        children.setdefault(parent, []).append(CategoryNode(row_id, slug, ru, en, parent, depth, drawing, count, below))
    return tuple(children.get(None, ()))


def top_categories(locale: str, cache: Cache | None = None) -> list[dict[str, str]]:
    """The top of the tree for the frame of pages: slug and name."""
    return [{"slug": node.slug, "name": node.name(locale)} for node in tree(cache)]


def find_category(nodes: Sequence[CategoryNode], slug: str) -> tuple[CategoryNode, ...]:
    """The category of a slug with its ancestors, root first.

    Raises:
        NotFound: there is none.
    """
    for node in nodes:
        if node.slug == slug:
            return (node,)
        try:
            return (node, *find_category(node.children, slug))
        except NotFound:
            continue
    raise NotFound()


def trail_of(nodes: Sequence[CategoryNode], category_id: int) -> tuple[CategoryNode, ...]:
    """The category of an id with its ancestors, root first; empty when there is none."""
    for node in nodes:
        if node.id == category_id:
            return (node,)
        below = trail_of(node.children, category_id)
        if below:
            return (node, *below)
    return ()


def node_by_slug(nodes: Sequence[CategoryNode], slug: str) -> CategoryNode | None:
    """The category with this slug, or None."""
    for node in nodes:
        found = node if node.slug == slug else node_by_slug(node.children, slug)
        if found:
            return found
    return None


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """A property of a category."""

    id: int
    category_id: int
    key: str
    name_ru: str
    name_en: str
    kind: str
    unit: str
    is_facet: bool

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def attributes(category_ids: Sequence[int], cache: Cache | None = None) -> list[AttributeRow]:
    """Attributes of categories, in their order; kept in the cache."""
    name = f"attributes {sorted(category_ids)}"
    make = functools.partial(_attributes_text, category_ids)
    return list(_attributes(cache.get_or_make(TAXONOMY, name, make, seconds=TREE_SECONDS) if cache else make()))


@functools.lru_cache(maxsize=512)
def _attributes(text: str) -> tuple[AttributeRow, ...]:
    return tuple(AttributeRow(*row) for row in json.loads(text))


def _attributes_text(category_ids: Sequence[int]) -> str:
    rows = session.execute(
        sa.select(
            Attribute.id, Attribute.category_id, Attribute.key, Attribute.name_ru, Attribute.name_en, Attribute.kind,
            Attribute.unit, Attribute.is_facet,
        )
        .where(Attribute.category_id.in_(category_ids))
        .order_by(Attribute.position, Attribute.id)
    )  # fmt: skip
    return json.dumps([list(row) for row in rows], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit of a product; one of it is `factor` base units."""

    code: str
    factor: Fraction
    step: Decimal
    minimum: Decimal
    is_sold: bool
    is_content: bool
    barcode: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph: the name of its files and the pixels of the largest."""

    name: str
    width: int
    height: int
    alt_ru: str
    alt_en: str

    def alt(self, locale: str) -> str:
        """What it shows, in the reader's language or else in the other."""
        return self.alt_en or self.alt_ru if locale == "en" else self.alt_ru or self.alt_en


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that buyers may fetch; `size` in bytes, `valid_until` its last day."""

    public_id: uuid.UUID
    kind: str
    number: str
    issuer: str
    issued_on: date | None
    valid_until: date | None
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product with everything its page says, offers apart."""

    id: int
    public_id: uuid.UUID
    slug: str
    category_id: int
    brand: str
    name_ru: str
    name_en: str
    description_ru: str
    description_en: str
    article: str
    base_unit: str
    mass_kg: Decimal
    volume_m3: Decimal
    length_mm: int
    version: int
    units: tuple[UnitRow, ...]
    values: tuple[tuple[AttributeRow, str], ...]
    images: tuple[Picture, ...]
    documents: tuple[Document, ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    @property
    def content(self) -> UnitRow | None:
        """The unit that prices are compared in."""
        return next((u for u in self.units if u.is_content), None)


_UNITS = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                ProductUnit.code, ProductUnit.numerator, ProductUnit.denominator, ProductUnit.step.cast(sa.Text),
                ProductUnit.minimum.cast(sa.Text), ProductUnit.is_sold, ProductUnit.is_content, ProductUnit.barcode,
                ProductUnit.position,
            )
        )
    )
    .where(ProductUnit.product_id == Product.id)
    .scalar_subquery()
)  # fmt: skip
_VALUES = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                Attribute.position, Attribute.id, Attribute.category_id, Attribute.key, Attribute.name_ru,
                Attribute.name_en, Attribute.kind, Attribute.unit, Attribute.is_facet, ProductValue.text,
            )
        )
    )
    .join(ProductValue, ProductValue.attribute_id == Attribute.id)
    .where(ProductValue.product_id == Product.id)
    .scalar_subquery()
)  # fmt: skip
_IMAGES = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                ProductImage.position, ProductImage.name, ProductImage.width, ProductImage.height,
                ProductImage.alt_ru, ProductImage.alt_en,
            )
        )
    )
    .where(ProductImage.product_id == Product.id, ProductImage.position.is_not(None))
    .scalar_subquery()
)  # fmt: skip
_DOCUMENTS = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                ProductDocument.id, ProductDocument.public_id, ProductDocument.kind, ProductDocument.number,
                ProductDocument.issuer, ProductDocument.issued_on, ProductDocument.valid_until,
                ProductDocument.content_type, ProductDocument.size,
            )
        )
    )
    .where(ProductDocument.product_id == Product.id, ProductDocument.state == "approved")
    .where(sa.or_(ProductDocument.valid_until.is_(None), ProductDocument.valid_until >= sa.bindparam("today")))
    .scalar_subquery()
)  # fmt: skip
_PRODUCT = sa.select(
    Product.id, Product.public_id, Product.slug, Product.category_id, Product.brand, Product.name_ru, Product.name_en,
    Product.description_ru, Product.description_en, Product.article, Product.base_unit, Product.mass_kg,
    Product.volume_m3, Product.length_mm, Product.version, _UNITS.label("units"), _VALUES.label("values"),
    _IMAGES.label("images"), _DOCUMENTS.label("documents"),
)  # fmt: skip
"""A card with everything under it, in one query."""


def product_by_slug(slug: str) -> ProductCard:
    """A visible product by the slug of its page.

    Raises:
        NotFound: absent or hidden; MergedInto when it was a duplicate.
    """
    return _product(Product.slug == slug)


def product(public_id: uuid.UUID) -> ProductCard:
    """A visible product by its outward id.

    Raises:
        NotFound: absent or hidden; MergedInto when it was a duplicate.
    """
    return _product(Product.public_id == public_id)


def products(public_ids: Sequence[uuid.UUID]) -> list[ProductCard]:
    """Visible products by their outward ids, in that order; absent and hidden ones are left out."""
    asked = _PRODUCT.where(Product.public_id.in_(public_ids), Product.status == "active")
    rows = session.execute(asked, {"today": clock.today()})
    found = {row.public_id: _card(row) for row in rows}
    return [found[one] for one in dict.fromkeys(public_ids) if one in found]


def _product(condition: sa.ColumnElement[bool]) -> ProductCard:
    asked = _PRODUCT.where(condition, Product.status == "active")
    row = session.execute(asked, {"today": clock.today()}).one_or_none()
    if row is None:
        raise _merged(condition) or NotFound()
    return _card(row)


def _card(row: Any) -> ProductCard:
    head = dict(row._mapping)
    units = sorted(head.pop("units") or (), key=lambda u: (u[8], u[0]))
    values = sorted(head.pop("values") or ())
    images = sorted(head.pop("images") or ())
    documents = sorted(head.pop("documents") or ())
    return ProductCard(
        **head,
        units=tuple(UnitRow(u[0], Fraction(u[1], u[2]), Decimal(u[3]), Decimal(u[4]), *u[5:8]) for u in units),
        values=tuple((AttributeRow(*v[1:9]), v[9]) for v in values),
        images=tuple(Picture(*one[1:]) for one in images),
        documents=tuple(_document(*one[1:]) for one in documents),
    )


def _document(
    key: str, kind: str, number: str, issuer: str, issued: str | None, until: str | None, content_type: str, size: int
) -> Document:
    first, last = (date.fromisoformat(text) if text else None for text in (issued, until))
    return Document(uuid.UUID(key), kind, number, issuer, first, last, content_type, size)


class MergedInto(NotFound):
    """The card was a duplicate; everything of it is on another one now."""

    def __init__(self, public_id: uuid.UUID, slug: str) -> None:
        super().__init__()
        self.public_id, self.slug = public_id, slug


def _merged(condition: sa.ColumnElement[bool]) -> MergedInto | None:
    survivor = sa.orm.aliased(Product)
    row = session.execute(
        sa.select(survivor.public_id, survivor.slug)
        .join(Product, Product.merged_into_id == survivor.id)
        .where(condition, survivor.status == "active")
    ).one_or_none()
    return None if row is None else MergedInto(*row)


def with_duplicates(product_id: int) -> sa.Select[int]:
    """The ids of a product and of the duplicates that were merged into it, under which it was sold before."""
    return sa.select(Product.id).where(sa.or_(Product.id == product_id, Product.merged_into_id == product_id))


@dataclass(frozen=True, slots=True)
class ProductName:
    """How a product is called and where its page is."""

    id: int
    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def product_names(ids: Sequence[int]) -> dict[int, ProductName]:
    """Names by id, whatever the state of the card: what was said of a product outlives it."""
    rows = session.execute(
        sa.select(Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en).where(
            Product.id.in_(sorted(set(ids)))
        )
    )
    return {row.id: ProductName(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A product a person may be typing."""

    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    category_id: int
    price_from: int
    picture: str


_SUGGESTED = """
SELECT p.public_id, p.slug, p.name_ru, p.name_en, p.category_id, l.price_from, p.picture
FROM product_listing l JOIN product p ON p.id = l.product_id
WHERE l.product_id IN (SELECT l.product_id FROM product_listing l WHERE {condition} LIMIT :first)
ORDER BY (l.available > 0) DESC, {score} DESC, l.product_id LIMIT :number
"""


def suggestions(match: Match, number: int = 6) -> list[Suggestion]:
    """The best matches of a search, for the list under the field: the best of the first SUGGESTED_FROM found.

    The beginning of a word may stand in half of the catalogue; to rank all of it for six lines would be waste.
    """
    statement = sa.text(_SUGGESTED.format(condition=match.condition, score=match.score))
    rows = session.execute(statement, {**match.bound, "first": SUGGESTED_FROM, "number": number})
    return [Suggestion(*row) for row in rows]


def categories_named(nodes: Sequence[CategoryNode], forms: Sequence[str], limit: int = 4) -> list[CategoryNode]:
    """Categories with goods whose name holds one of the forms of a query, the most filled first."""
    found: list[CategoryNode] = []

    def walk(level: Sequence[CategoryNode]) -> None:
        for node in level:
            names = normal(f"{node.name_ru} {node.name_en}")
            if node.products and any(form in names for form in forms):
                found.append(node)
            walk(node.children)

    walk(nodes)
    return sorted(found, key=lambda node: (-node.products, node.id))[:limit]


def on_pallet(product_ids: Sequence[int]) -> dict[int, Fraction]:
    """Product -> base units on a whole pallet, of those that say it."""
    unit = ProductUnit
    rows = session.execute(
        sa.select(unit.product_id, unit.numerator, unit.denominator).where(
            unit.product_id.in_(product_ids), unit.code == "pallet"
        )
    )
    return {product: Fraction(numerator, denominator) for product, numerator, denominator in rows}
