"""Photographs that sellers propose for cards they offer: a `product_change` with `images`, the whole wished order.

What a seller arranges waits for the operator at once; there is nothing to send. An order equal to what the card shows
asks for nothing, so the open proposal is withdrawn.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.catalog import media_queries, pictures
from app.catalog.media_queries import CardHead, DeskPicture
from app.catalog.models import Product, ProductChange
from app.catalog.pictures import Fresh
from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.offers.models import Offer, Seller

STATES = ("pending", "revision_requested", "declined", "approved")
DECISIONS = {"approve": "approved", "decline": "declined", "revise": "revision_requested"}
OPEN = ("pending", "revision_requested")
MOST_NOTE = 1000
_IMAGES = ProductChange.payload["images"]
_OF_PICTURES = sa.and_(ProductChange.product_id.is_not(None), ProductChange.payload.has_key("images"))


def offered_card(seller_id: int, public_id: uuid.UUID) -> CardHead:
    """A card this seller offers; to others it is absent.

    Raises:
        NotFound.
    """
    card = media_queries.card_head(public_id)
    offers = sa.select(Offer.id).where(Offer.seller_id == seller_id, Offer.product_id == card.id)
    if session.scalar(sa.select(offers.exists())) is not True:
        raise NotFound()
    return card


@dataclass(frozen=True, slots=True)
class Wish:
    """A seller's proposal for one card."""

    public_id: uuid.UUID
    status: str
    note: str
    images: tuple[uuid.UUID, ...]


def _open_row(seller_id: int, product_id: int) -> sa.Select[ProductChange]:
    return (
        sa.select(ProductChange)
        .where(_OF_PICTURES, ProductChange.seller_id == seller_id, ProductChange.product_id == product_id)
        .where(ProductChange.status.in_(OPEN))
        .order_by(ProductChange.id.desc())
        .limit(1)
    )


def wish(seller_id: int, product_id: int) -> Wish | None:
    """What the seller proposes for the card and the operator has not decided on."""
    row = session.scalars(_open_row(seller_id, product_id)).one_or_none()
    return Wish(row.public_id, row.status, row.note, _ids(row)) if row else None


def _ids(row: ProductChange) -> tuple[uuid.UUID, ...]:
    return tuple(uuid.UUID(text) for text in row.payload["images"])


@unit_of_work
def propose(actor: Actor, product_id: int, ids: Sequence[uuid.UUID]) -> uuid.UUID | None:
    """Put an order of photographs before the operator: shown ones and own uploads. Returns the proposal, or None when
    the card looks like that already.

    Raises:
        Invalid: one is named twice, is neither shown nor an own ready upload, or there are too many.
    """
    return _propose(actor.seller_id, actor.user, product_id, list(ids), actor)


def _propose(
    seller_id: int, user_id: int, product_id: int, ids: list[uuid.UUID], actor: Actor
) -> uuid.UUID | None:  # fmt: skip
    lock_rows(Product, [product_id])
    known = media_queries.desk_pictures(product_id, seller_id)
    ready = {one.public_id for one in known if one.state == "ready"}
    if len(ids) > pictures.MOST_SHOWN:
        raise Invalid.one("/images", "too_many_shown", maximum=pictures.MOST_SHOWN)
    if len(set(ids)) != len(ids) or not ready >= set(ids):
        raise Invalid.one("/images", "unknown_picture")
    row = session.scalars(_open_row(seller_id, product_id).with_for_update()).one_or_none()
    if ids == [one.public_id for one in known if one.position is not None]:
        if row is not None:
            audit.record(actor, "product_change.withdrawn", "product_change", row.id)
            session.delete(row)
        return None
    payload = {"images": [str(one) for one in ids]}
    if row is None:
        row = ProductChange(product_id=product_id, seller_id=seller_id, user_id=user_id, payload=payload)
        session.add(row)
    else:
        row.payload, row.status = payload, "pending"
    session.flush()
    audit.record(actor, "product_change.sent", "product_change", row.id, after=payload)
    return row.public_id


@unit_of_work
def propose_last(fresh: Fresh) -> None:
    """Add a seller's upload that became ready to what the seller proposes."""
    assert fresh.seller_id is not None
    found = wish(fresh.seller_id, fresh.product_id)
    ids = list(found.images if found else pictures.shown_ids(fresh.product_id))
    ready = {one.public_id for one in media_queries.desk_pictures(fresh.product_id, fresh.seller_id)}
    ids = [one for one in ids if one in ready]
    if len(ids) < pictures.MOST_SHOWN:
        actor = Actor(user_id=fresh.user_id)
        _propose(fresh.seller_id, fresh.user_id, fresh.product_id, [*ids, fresh.public_id], actor)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal before the operator, or back at its seller: what the card shows and what it would show."""

    id: int
    public_id: uuid.UUID
    seller_name: str
    product: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    status: str
    note: str
    created_at: datetime
    present: tuple[DeskPicture, ...]
    wished: tuple[DeskPicture, ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    @property
    def seen(self) -> str:
        """Stands for exactly these pictures, so that nobody approves what was exchanged meanwhile."""
        return seen(self.wished)


def seen(wished: Sequence[DeskPicture]) -> str:
    """A digest of the files and texts of pictures in their order."""
    said = "\n".join(f"{one.name} {one.next_name} {one.alt_ru}\t{one.alt_en}" for one in wished)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def proposals(
    status: str, seller_id: int | None = None, before: int | None = None, limit: int = 20
) -> list[Proposal]:  # fmt: skip
    """Proposals in one state, newest first; of one seller, or of all for the operator. Three queries."""
    asked = (
        sa.select(ProductChange, Seller.name, Product.public_id, Product.slug, Product.name_ru, Product.name_en)
        .join(Seller, Seller.id == ProductChange.seller_id)
        .join(Product, Product.id == ProductChange.product_id)
        .where(_OF_PICTURES, ProductChange.status == status)
        .order_by(ProductChange.id.desc())
        .limit(limit)
    )
    if seller_id is not None:
        asked = asked.where(ProductChange.seller_id == seller_id)
    if before is not None:
        asked = asked.where(ProductChange.id < before)
    rows = session.execute(asked).all()
    wished = media_queries.pictures_by_id([one for row in rows for one in _ids(row[0])])
    shown = media_queries.shown_of([row[0].product_id for row in rows if row[0].product_id is not None])
    return [
        Proposal(
            change.id, change.public_id, seller, product, slug, ru, en, change.status, change.note, change.created_at,
            tuple(shown.get(change.product_id or 0, ())), tuple(wished[one] for one in _ids(change) if one in wished),
        )
        for change, seller, product, slug, ru, en in rows
    ]  # fmt: skip


def counts(seller_id: int | None = None) -> dict[str, int]:
    """How many proposals each state holds."""
    asked = sa.select(ProductChange.status, sa.func.count()).where(_OF_PICTURES).group_by(ProductChange.status)
    if seller_id is not None:
        asked = asked.where(ProductChange.seller_id == seller_id)
    found = dict(session.execute(asked).tuples().all())
    return {state: found.get(state, 0) for state in STATES}


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, decision: str, note: str = "", shown: str = "") -> None:
    """Show the photographs as proposed, decline them, or ask for others.

    Args:
        shown: `Proposal.seen` of what the operator looked at; needed to approve.

    Raises:
        NotFound: there is no such proposal.
        Conflict: `already_decided`; `picture_busy` while one is being cropped.
        Stale: the seller has changed it meanwhile.
        Invalid: an unknown decision, or no note.
    """
    found = session.execute(
        sa.select(ProductChange.id, ProductChange.product_id).where(_OF_PICTURES, ProductChange.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    lock_rows(Product, [found.product_id])  # before the proposal, as `propose` does
    rows: list[ProductChange] = lock_rows(ProductChange, [found.id])
    if not rows:
        raise NotFound()
    [row] = rows
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if row.status not in OPEN:
        raise Conflict("already_decided")
    if decision != "approve" and not note.strip():
        raise Invalid.one("/note", "required")
    if decision == "approve":
        _take_over(actor, row, shown)
    row.status, row.note = DECISIONS[decision], note.strip()[:MOST_NOTE]
    row.decided_by_id, row.decided_at = actor.user_id, sa.func.now()
    after = {"decision": row.status, "note": row.note}
    audit.record(actor, "product_change.decided", "product_change", row.id, after=after)


def _take_over(actor: Actor, row: ProductChange, shown: str) -> None:
    assert row.product_id is not None
    known = media_queries.pictures_by_id(_ids(row))
    wished = [known[one] for one in _ids(row) if one in known]
    if seen(wished) != shown:
        raise Stale()
    if any(one.is_busy for one in wished):
        raise Conflict("picture_busy")
    pictures.set_images(actor, row.product_id, [one.public_id for one in wished])


def wanted() -> list[uuid.UUID]:
    """Uploads that a proposal still names, so that nothing sweeps them away."""
    each = sa.func.jsonb_array_elements_text(_IMAGES).column_valued("each")
    asked = sa.select(each).select_from(ProductChange).where(_OF_PICTURES, ProductChange.status.in_(OPEN))
    return [uuid.UUID(text) for text in session.scalars(asked)]
