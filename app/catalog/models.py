"""Tables of the catalogue: what exists, apart from who sells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import (
    QUANTITY,
    Base,
    Created,
    Id,
    Json,
    Moment,
    PublicId,
    one_value_enum,
    ref,
)

PRODUCT_STATES = ("draft", "active", "hidden", "merged")
ATTRIBUTE_KINDS = ("text", "number", "enum", "range", "bool")
CHANGE_STATES = ("pending", "approved", "declined", "revision_requested", "withdrawn")


class Category(Base):
    """A node of the tree (three levels). `path` holds the ids from the root down to and including itself."""

    __tablename__ = "category"
    __table_args__ = (
        sa.CheckConstraint("depth BETWEEN 1 AND 3", name="three_levels"),
        sa.Index("ix_category_path", "path", postgresql_using="gin"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    parent_id: Mapped[int | None] = ref("category.id")
    slug: Mapped[str] = mapped_column(unique=True)
    name_ru: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int] = mapped_column(server_default="0")
    depth: Mapped[int]
    path: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), server_default=sa.text("'{}'::bigint[]"))
    drawing: Mapped[str] = mapped_column(server_default="box")
    """Name of the SVG drawing shown where a product has no photograph."""
    synonyms: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    version: Mapped[int] = mapped_column(server_default="1")


class CategorySlug(Base):
    """An address that a category had before; it leads to the present one."""

    __tablename__ = "category_slug"

    slug: Mapped[str] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("category.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Created]


class Attribute(Base):
    """A property that products of a category have."""

    __tablename__ = "attribute"
    __table_args__ = (sa.UniqueConstraint("category_id", "key"), one_value_enum("kind", ATTRIBUTE_KINDS))

    id: Mapped[Id]
    category_id: Mapped[int] = ref("category.id", index=False)
    key: Mapped[str]
    name_ru: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str] = mapped_column(server_default="")
    is_facet: Mapped[bool] = mapped_column(server_default=sa.true())
    position: Mapped[int] = mapped_column(server_default="0")


class Product(Base):
    """The master card that all sellers of the same thing share. Mass, volume and length are per base unit."""

    __tablename__ = "product"
    __table_args__ = (
        one_value_enum("status", PRODUCT_STATES),
        sa.CheckConstraint("mass_kg >= 0 AND volume_m3 >= 0 AND length_mm >= 0", name="size_not_negative"),
        sa.CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged_has_target"),
        sa.Index(
            "ix_product_name_trgm", "name_key", postgresql_using="gin", postgresql_ops={"name_key": "gin_trgm_ops"}
        ),
        sa.Index("ix_product_category_id_id", "category_id", "id"),
        sa.Index("ix_product_upper_article", sa.text("upper(article)"), postgresql_where=sa.text("article <> ''")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    category_id: Mapped[int] = ref("category.id", index=False)
    brand: Mapped[str] = mapped_column(server_default="")
    name_ru: Mapped[str]
    name_en: Mapped[str]
    name_key: Mapped[str] = mapped_column(server_default="")
    """Lower-case names and article with ё as е, for a part of a name."""
    description_ru: Mapped[str] = mapped_column(server_default="")
    description_en: Mapped[str] = mapped_column(server_default="")
    article: Mapped[str] = mapped_column(server_default="", index=True)
    """The manufacturer's article number."""
    base_unit: Mapped[str]
    mass_kg: Mapped[Decimal] = mapped_column(sa.Numeric(14, 4), server_default="0")
    volume_m3: Mapped[Decimal] = mapped_column(sa.Numeric(14, 6), server_default="0")
    length_mm: Mapped[int] = mapped_column(server_default="0")
    transport: Mapped[Json]
    """Flags: fragile, frost, dangerous."""
    status: Mapped[str] = mapped_column(server_default="active")
    merged_into_id: Mapped[int | None] = ref("product.id")
    picture: Mapped[str] = mapped_column(server_default="")
    """Name of the first photograph, empty when there is none; written by `app.catalog.pictures` alone."""
    search: Mapped[Any | None] = mapped_column(TSVECTOR)
    """What it is found by; queries use the copy in `product_listing`."""
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class ProductValue(Base):
    """The value of one attribute: text for enums and texts, number for numbers and the sorting of ranges."""

    __tablename__ = "product_value"
    __table_args__ = (sa.Index("ix_product_value_attribute_id_text_product_id", "attribute_id", "text", "product_id"),)

    product_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    attribute_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("attribute.id"), primary_key=True)
    text: Mapped[str]
    number: Mapped[Decimal | None] = mapped_column(QUANTITY)


class ProductUnit(Base):
    """A unit the product is counted in: one of it is numerator/denominator base units, exactly.

    `is_sold`: may be ordered in it; the others serve conversion and price per m2 or kg.
    """

    __tablename__ = "product_unit"
    __table_args__ = (
        sa.CheckConstraint("numerator > 0 AND denominator > 0", name="factor_positive"),
        sa.CheckConstraint("step > 0 AND minimum > 0", name="step_positive"),
        sa.Index("uq_product_unit_barcode", "barcode", unique=True, postgresql_where=sa.text("barcode <> ''")),
    )

    product_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(primary_key=True)
    numerator: Mapped[int] = mapped_column(sa.BigInteger)
    denominator: Mapped[int] = mapped_column(sa.BigInteger)
    step: Mapped[Decimal] = mapped_column(QUANTITY, server_default="1")
    minimum: Mapped[Decimal] = mapped_column(QUANTITY, server_default="1")
    is_sold: Mapped[bool] = mapped_column(server_default=sa.true())
    is_content: Mapped[bool] = mapped_column(server_default=sa.false())
    """The measure that prices are compared in and estimates count in (m2, kg, m, ...)."""
    barcode: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int] = mapped_column(server_default="0")


class ProductListing(Base):
    """What lists, filters and counts need of a product and its offers, in one row; only products on sale have one.

    Written by `app.offers.listing`. Prices in kopeks: per base unit, and per content unit where the product has one.
    """

    __tablename__ = "product_listing"
    __table_args__ = (
        sa.CheckConstraint("price_from >= 0 AND offers_count >= 0 AND available >= 0", name="not_negative"),
        sa.CheckConstraint("cardinality(seller_ids) = cardinality(seller_prices)", name="price_of_each_seller"),
        sa.Index("ix_product_listing_category_id", "category_id"),
        sa.Index("ix_product_listing_search", "search", postgresql_using="gin"),
        {"postgresql_with": {"fillfactor": 80}},  # stock changes all day and rewrites rows in place
    )

    product_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    category_id: Mapped[int] = ref("category.id", index=False)
    brand: Mapped[str] = mapped_column(server_default="")
    facets: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    """`key:value` of every attribute one may filter by."""
    truck_kg: Mapped[Decimal] = mapped_column(sa.Numeric(14, 4), server_default="0")
    """What a truck is paid for one base unit: its mass, or 250 kg for each m3 when that is more."""
    price_from: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[int | None] = mapped_column(sa.BigInteger)
    offers_count: Mapped[int]
    available: Mapped[Decimal] = mapped_column(QUANTITY)
    lead_time_days: Mapped[int] = mapped_column(server_default="0")
    """The shortest of offers in stock; of all when none is."""
    seller_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), server_default=sa.text("'{}'::bigint[]"))
    seller_prices: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), server_default=sa.text("'{}'::bigint[]"))
    """The lowest price per base unit of each seller, in the order of `seller_ids`."""
    stocked_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), server_default=sa.text("'{}'::bigint[]"))
    """Sellers who have it in stock."""
    rating: Mapped[Decimal] = mapped_column(sa.Numeric(3, 2), server_default="0")
    """Of the best seller, those with stock before the others."""
    search: Mapped[Any | None] = mapped_column(TSVECTOR)
    """A copy of the product's, so that a search reads this table alone."""


class ProductChange(Base):
    """A seller's new product (`product_id` is empty) or edit of a master card, and what became of it.

    An edit keeps only what differs, by part of the card (`app.catalog.cards`): `payload` is what the seller wants,
    `base` what the card said when it was sent, `applied` and `undo` what approval changed and what would put it back.
    """

    __tablename__ = "product_change"
    __table_args__ = (
        one_value_enum("status", CHANGE_STATES),
        one_value_enum("decided_how", ("", "person", "rule")),
        sa.Index(
            "uq_product_change_open", "seller_id", "product_id", unique=True,
            postgresql_where=sa.text("product_id IS NOT NULL AND status IN ('pending', 'revision_requested')"),
        ),
        sa.Index("ix_product_change_status_id", "status", "id"),
        sa.Index("ix_product_change_seller_id_status_id", "seller_id", "status", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    product_id: Mapped[int | None] = ref("product.id")
    seller_id: Mapped[int] = ref("organisation.id", index=False)
    user_id: Mapped[int] = ref("user_account.id")
    payload: Mapped[Json]
    base: Mapped[Json]
    base_version: Mapped[int] = mapped_column(server_default="0")
    comment: Mapped[str] = mapped_column(server_default="")
    """The seller's word to the operator."""
    status: Mapped[str] = mapped_column(server_default="pending")
    note: Mapped[str] = mapped_column(server_default="")
    """The operator's word to the seller."""
    decided_by_id: Mapped[int | None] = ref("user_account.id")
    decided_how: Mapped[str] = mapped_column(server_default="")
    """`rule`: approved at once, because the seller is trusted and nothing in it needs a person."""
    decided_at: Mapped[Moment | None]
    applied: Mapped[Json]
    undo: Mapped[Json]
    reverts_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("product_change.id"), unique=True)
    """The change that this one took back."""
    created_at: Mapped[Created]


class Synonym(Base):
    """Words that mean the same in a search: all terms of one expansion and itself (`app.catalog.synonyms`)."""

    __tablename__ = "synonym"
    __table_args__ = (sa.UniqueConstraint("term", "expansion"),)

    id: Mapped[Id]
    term: Mapped[str]
    expansion: Mapped[str]


class SearchWord(Base):
    """A word of the catalogue: what queries are read and corrected by (`app.catalog.dictionary`)."""

    __tablename__ = "search_word"
    __table_args__ = (
        sa.Index("ix_search_word_begins", "word", postgresql_ops={"word": "text_pattern_ops"}),
        sa.Index("ix_search_word_trgm", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )

    word: Mapped[str] = mapped_column(primary_key=True)
    stem: Mapped[str] = mapped_column(index=True)
    products: Mapped[int] = mapped_column(server_default="0")
    """In how many products it stands; counted by `dictionary.recount`, else 1."""
