"""Reads of what sellers propose: new products and edits of cards, by state, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.catalog import cards
from app.catalog.cards import Content
from app.catalog.models import CHANGE_STATES, Product, ProductChange
from app.core.db import session
from app.core.errors import NotFound
from app.offers import card_changes, new_products
from app.offers.card_changes import Item
from app.offers.models import Offer, Seller

STATES = ("pending", "revision_requested", "approved", "declined", "withdrawn")
assert set(STATES) == set(CHANGE_STATES)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as lists and pages show it. `offer`: the seller's own offer of the product, by which it is edited."""

    id: int
    public_id: uuid.UUID
    product_id: int | None
    seller_id: int
    seller_name: str
    is_trusted: bool
    status: str
    payload: Mapping[str, Any]
    base: Mapping[str, Any]
    base_version: int
    comment: str
    note: str
    decided_how: str
    decided_at: datetime | None
    applied: Mapping[str, Any]
    reverts_id: int | None
    created_at: datetime
    name_ru: str | None
    name_en: str | None
    slug: str | None
    product: uuid.UUID | None
    version: int | None
    category_id: int | None
    offer: uuid.UUID | None
    is_reverted: bool

    @property
    def is_new(self) -> bool:
        """Whether it is a product that the catalogue does not have."""
        return self.product_id is None

    @property
    def is_open(self) -> bool:
        return self.status in card_changes.OPEN

    @property
    def card(self) -> Content:
        """The proposed card of a new product."""
        return new_products.as_card(self.payload)

    def name(self, locale: str) -> str:
        if self.is_new:
            fields = self.card["fields"]
            return str(fields.get(f"name_{locale}") or fields.get("name_ru", ""))
        return str(self.name_en if locale == "en" else self.name_ru)

    def items(self, card: Mapping[str, Any] | None = None) -> list[Item]:
        """What an edit says; against the present card when it is given, else against what it was sent over."""
        return card_changes.items(self.payload, self.base, self.base if card is None else card)


_again = sa.orm.aliased(ProductChange)
_OFFER = (
    sa.select(Offer.public_id)
    .where(Offer.product_id == ProductChange.product_id, Offer.seller_id == ProductChange.seller_id)
    .order_by(Offer.status, Offer.id)
    .limit(1)
    .scalar_subquery()
)
_ROWS = (
    sa.select(
        ProductChange.id, ProductChange.public_id, ProductChange.product_id, ProductChange.seller_id,
        Seller.name.label("seller_name"), Seller.is_trusted, ProductChange.status, ProductChange.payload,
        ProductChange.base, ProductChange.base_version, ProductChange.comment, ProductChange.note,
        ProductChange.decided_how, ProductChange.decided_at, ProductChange.applied, ProductChange.reverts_id,
        ProductChange.created_at, Product.name_ru, Product.name_en, Product.slug, Product.public_id.label("product"),
        Product.version, Product.category_id, _OFFER.label("offer"),
        sa.exists().where(_again.reverts_id == ProductChange.id).label("is_reverted"),
    )
    .join(Seller, Seller.id == ProductChange.seller_id)
    .outerjoin(Product, Product.id == ProductChange.product_id)
)  # fmt: skip


def page(
    status: str, seller_id: int | None = None, before: int | None = None, limit: int = 50
) -> list[ChangeRow]:  # fmt: skip
    """Changes in one state, newest first; of one seller, or of all for the operator."""
    statement = _ROWS.where(ProductChange.status == status).order_by(ProductChange.id.desc()).limit(limit)
    if seller_id is not None:
        statement = statement.where(ProductChange.seller_id == seller_id)
    if before is not None:
        statement = statement.where(ProductChange.id < before)
    return [ChangeRow(**row._mapping) for row in session.execute(statement)]


def counts(seller_id: int | None = None) -> dict[str, int]:
    """How many changes each state holds."""
    statement = sa.select(ProductChange.status, sa.func.count()).group_by(ProductChange.status)
    if seller_id is not None:
        statement = statement.where(ProductChange.seller_id == seller_id)
    found = dict(session.execute(statement).tuples().all())
    return {state: found.get(state, 0) for state in STATES}


def find(public_id: uuid.UUID, seller_id: int | None = None) -> ChangeRow:
    """One change; of this seller when one is named.

    Raises:
        NotFound.
    """
    statement = _ROWS.where(ProductChange.public_id == public_id)
    if seller_id is not None:
        statement = statement.where(ProductChange.seller_id == seller_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound()
    return ChangeRow(**row._mapping)


def open_of(seller_id: int, product_id: int) -> ChangeRow | None:
    """The seller's edit of this card that is not decided yet."""
    row = session.execute(
        _ROWS.where(
            ProductChange.seller_id == seller_id, ProductChange.product_id == product_id,
            ProductChange.status.in_(card_changes.OPEN),
        )
    ).one_or_none()  # fmt: skip
    return None if row is None else ChangeRow(**row._mapping)


def history(product_id: int, limit: int = 20) -> list[ChangeRow]:
    """What was approved on a card, newest first."""
    statement = (
        _ROWS.where(ProductChange.product_id == product_id, ProductChange.status == "approved")
        .order_by(ProductChange.id.desc())
        .limit(limit)
    )
    return [ChangeRow(**row._mapping) for row in session.execute(statement)]


def present(row: ChangeRow) -> Content:
    """What the card of an edit says now."""
    assert row.product_id is not None
    return cards.read(row.product_id)


@dataclass(frozen=True, slots=True)
class TrustRow:
    """A seller with what the operator goes by: edits of cards that were approved and not approved."""

    slug: str
    name: str
    is_trusted: bool
    approved: int
    refused: int


def by_trust(text: str = "", limit: int = 200) -> list[TrustRow]:
    """Sellers, trusted ones first, with how their edits of cards were decided."""
    rows = session.execute(
        sa.select(
            Seller.slug, Seller.name, Seller.is_trusted,
            sa.func.count().filter(ProductChange.status == "approved", ProductChange.decided_how == "person"),
            sa.func.count().filter(ProductChange.status.in_(("declined", "revision_requested"))),
        )
        .outerjoin(ProductChange, sa.and_(ProductChange.seller_id == Seller.id, ProductChange.reverts_id.is_(None)))
        .where(sa.func.lower(Seller.name).contains(text.lower(), autoescape=True))
        .group_by(Seller.id)
        .order_by(Seller.is_trusted.desc(), Seller.name, Seller.id)
        .limit(limit)
    )  # fmt: skip
    return [TrustRow(*row) for row in rows]
