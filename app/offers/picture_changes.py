"""Photographs that sellers propose for cards they offer: the part `images` of a change of a card, the whole order.

What a seller arranges waits for the operator at once; there is nothing to send. An order equal to what the card shows
asks for nothing, so that part of the change goes, and the change with it when it said nothing else.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.catalog import media_queries, pictures
from app.catalog.media_queries import CardHead
from app.catalog.models import Product, ProductChange
from app.catalog.pictures import Fresh
from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.permissions import Actor, Membership
from app.offers import card_changes
from app.offers.models import Offer


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
    """What a seller asks of a card and the operator has not decided on. `images`: None when it is about other parts."""

    public_id: uuid.UUID
    status: str
    note: str
    parts: dict[str, object]

    @property
    def images(self) -> list[uuid.UUID] | None:
        found = self.parts.get("images")
        return [uuid.UUID(str(one)) for one in found] if isinstance(found, list) else None


def wish(seller_id: int, product_id: int) -> Wish | None:
    """The seller's open change of the card."""
    row = session.execute(
        sa.select(ProductChange.public_id, ProductChange.status, ProductChange.note, ProductChange.payload).where(
            ProductChange.seller_id == seller_id, ProductChange.product_id == product_id,
            ProductChange.status.in_(card_changes.OPEN),
        )
    ).one_or_none()  # fmt: skip
    return Wish(row.public_id, row.status, row.note, row.payload) if row else None


@unit_of_work
def propose(actor: Actor, product: uuid.UUID, ids: Sequence[uuid.UUID]) -> uuid.UUID | None:
    """Put an order of photographs before the operator: shown ones and own uploads. Returns the change, or None when
    nothing is asked of the card any more.

    Raises:
        NotFound: there is no such card, or the seller does not offer it.
        Invalid: one is named twice, is neither shown nor an own ready upload, or there are too many.
    """
    card = offered_card(actor.seller_id, product)
    found = wish(actor.seller_id, card.id)
    parts = {name: part for name, part in (found.parts if found else {}).items() if name != "images"}
    if parts or list(ids) != pictures.shown_ids(card.id):
        return card_changes.send(actor, product, {**parts, "images": [str(one) for one in ids]}).public_id
    if found is not None:
        card_changes.withdraw(actor, found.public_id)
    return None


@unit_of_work
def propose_last(fresh: Fresh) -> None:
    """Add a seller's upload that became ready to what the seller proposes, while there is room."""
    assert fresh.seller_id is not None
    found = wish(fresh.seller_id, fresh.product_id)
    wished = found.images if found else None
    shown = pictures.shown_ids(fresh.product_id)
    ids = shown if wished is None else wished
    known = {one.public_id for one in media_queries.desk_pictures(fresh.product_id, fresh.seller_id)}
    ids = [one for one in ids if one in known]
    product = session.scalars(sa.select(Product.public_id).where(Product.id == fresh.product_id)).one()
    if len(ids) < pictures.MOST_SHOWN:
        with contextlib.suppress(NotFound):  # the seller no longer offers it: the upload stays unused
            propose(_sender(fresh.seller_id, fresh.user_id), product, pictures.behind(ids, fresh, shown))


@unit_of_work
def remove(actor: Actor, product: uuid.UUID, picture: uuid.UUID) -> None:
    """Delete an own upload that buyers do not see; a change that names it does so no more.

    Raises:
        NotFound: the card, or the upload is absent or of another party.
        Conflict: `picture_shown`.
    """
    card = offered_card(actor.seller_id, product)
    pictures.remove(actor, card.id, picture, actor.seller_id)
    found = wish(actor.seller_id, card.id)
    if found is not None and picture in (found.images or ()):
        propose(actor, product, [one for one in found.images or () if one != picture])


def _sender(seller_id: int, user_id: int) -> Actor:
    """The person who sent the file, for the worker that goes on with it."""
    firm = accounts.requisites(seller_id)
    return Actor(user_id=user_id, memberships=(Membership(firm.id, firm.public_id, firm.name, "seller", "owner"),))


def wanted() -> list[uuid.UUID]:
    """Uploads that an open change still names, so that nothing sweeps them away."""
    asked = sa.select(sa.func.jsonb_array_elements_text(ProductChange.payload["images"])).where(
        ProductChange.status.in_(card_changes.OPEN), ProductChange.payload.has_key("images")
    )
    return [uuid.UUID(text) for text in session.scalars(asked)]
