"""New products that sellers propose: what waits, the operator's decision, mending and sending again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.catalog import service as catalog
from app.catalog.models import ProductChange
from app.catalog.service import NewUnit
from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Membership
from app.offers import service
from app.offers.models import Offer, Seller
from app.offers.service import NewOffer

STATES = ("pending", "revision_requested", "declined", "approved")
DECISIONS = {"approve": "approved", "decline": "declined", "revise": "revision_requested"}
OPEN = ("pending", "revision_requested")
TEXTS = {"name_ru": 300, "brand": 100, "article": 100, "barcode": 14, "category": 200, "description": 5000}
"""Fields of a proposal that its seller may mend, with the most letters they may have."""
MOST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Proposal:
    """A product that a seller would like to sell and the catalogue does not have. `price` in kopeks for one `unit`."""

    id: int
    public_id: uuid.UUID
    seller_id: int
    seller_name: str
    status: str
    note: str
    created_at: datetime
    payload: Mapping[str, Any]

    @property
    def price(self) -> int | None:
        found = self.payload.get("price")
        return found if isinstance(found, int) else None

    def text(self, field: str) -> str:
        """A field of the proposal, empty when the seller said nothing."""
        return str(self.payload.get(field) or "")


_ROWS = sa.select(
    ProductChange.id, ProductChange.public_id, ProductChange.seller_id, Seller.name, ProductChange.status,
    ProductChange.note, ProductChange.created_at, ProductChange.payload,
).join(Seller, Seller.id == ProductChange.seller_id).where(ProductChange.product_id.is_(None))  # fmt: skip


def proposals(
    status: str, seller_id: int | None = None, before: int | None = None, limit: int = 50
) -> list[Proposal]:  # fmt: skip
    """Proposals in one state, newest first; of one seller, or of all for the operator."""
    statement = _ROWS.where(ProductChange.status == status).order_by(ProductChange.id.desc()).limit(limit)
    if seller_id is not None:
        statement = statement.where(ProductChange.seller_id == seller_id)
    if before is not None:
        statement = statement.where(ProductChange.id < before)
    return [Proposal(*row) for row in session.execute(statement)]


def counts(seller_id: int | None = None) -> dict[str, int]:
    """How many proposals each state holds."""
    statement = sa.select(ProductChange.status, sa.func.count()).where(ProductChange.product_id.is_(None))
    if seller_id is not None:
        statement = statement.where(ProductChange.seller_id == seller_id)
    found = dict(session.execute(statement.group_by(ProductChange.status)).tuples().all())
    return {state: found.get(state, 0) for state in STATES}


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, decision: str, note: str = "", category: str = "") -> None:
    """Take the product into the catalogue with the seller's offer, decline it, or ask for another version.

    Args:
        category: slug of the leaf the product belongs to; needed to approve.

    Raises:
        NotFound: there is no such proposal.
        Conflict: `already_decided`.
        Invalid: an unknown decision, a missing note, or what the catalogue refuses.
    """
    row = _locked(ProductChange.public_id == public_id)
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if row.status not in OPEN:
        raise Conflict("already_decided")
    if decision != "approve" and not note.strip():
        raise Invalid.one("/note", "required")
    if decision == "approve":
        _take_over(actor, row, category)
    row.status = DECISIONS[decision]
    row.note = note.strip()[:MOST_NOTE]
    row.decided_by_id, row.decided_at = actor.user_id, sa.func.now()
    after = {"decision": row.status, "note": row.note}
    audit.record(actor, "product_change.decided", "product_change", row.id, after=after)


def _locked(condition: sa.ColumnElement[bool]) -> ProductChange:
    found = session.scalar(sa.select(ProductChange.id).where(condition, ProductChange.product_id.is_(None)))
    if found is None:
        raise NotFound()
    [row] = lock_rows(ProductChange, [found])
    assert isinstance(row, ProductChange)
    return row


def _take_over(actor: Actor, row: ProductChange, category: str) -> None:
    said: Mapping[str, Any] = row.payload
    unit = str(said.get("unit") or "pcs")
    given = {
        "name_ru": said["name_ru"],
        "name_en": said.get("name_en") or said["name_ru"],
        "brand": said.get("brand") or "",
        "article": said.get("article") or "",
        "description_ru": said.get("description") or "",
    }
    units = [NewUnit(unit, Fraction(1), barcode=str(said.get("barcode") or ""))]
    product = catalog.add_product(actor, category, unit, given, units, {})
    sku = str(said.get("sku") or "")
    taken = session.scalar(sa.select(sa.exists().where(Offer.seller_id == row.seller_id, Offer.sku == sku)))
    if sku and said.get("price") and not taken:
        service.add_offer(_for_seller(actor, row.seller_id), NewOffer(product, sku, unit, int(said["price"])))


def _for_seller(actor: Actor, seller_id: int) -> Actor:
    """The operator acting for the seller whose proposal is taken over."""
    firm = accounts.requisites(seller_id)
    place = Membership(firm.id, firm.public_id, firm.name, "seller", "owner")
    return Actor(user_id=actor.user_id, memberships=(place,), ip=actor.ip, request_id=actor.request_id)


@unit_of_work
def send_again(actor: Actor, public_id: uuid.UUID, given: Mapping[str, str]) -> None:
    """Mend an own proposal that was sent back or declined, and put it before the operator again.

    Raises:
        NotFound: absent or another seller's.
        Conflict: `already_decided` when it was approved meanwhile.
        Invalid: no name, or a text that is too long.
    """
    row = _locked(sa.and_(ProductChange.public_id == public_id, ProductChange.seller_id == actor.seller_id))
    if row.status == "approved":
        raise Conflict("already_decided")
    cleaned = {field: given[field].strip() for field in TEXTS if field in given}
    if not cleaned.get("name_ru", row.payload.get("name_ru")):
        raise Invalid.one("/name_ru", "required")
    for field, text in cleaned.items():
        if len(text) > TEXTS[field]:
            raise Invalid.one(f"/{field}", "too_long", maximum=TEXTS[field])
    row.payload = dict(row.payload) | cleaned
    row.status = "pending"
    audit.record(actor, "product_change.sent", "product_change", row.id, after=cleaned)
