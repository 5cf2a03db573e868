"""Sellers' edits of master cards: sent, decided by a person or a rule, mended and sent again, taken back.

States: pending -> approved | declined | revision_requested; pending | revision_requested -> withdrawn, and pending
again when the seller sends the mended edit. What differs is kept with what the card said when it was sent, so that a
card changed meanwhile is seen: whatever three values disagree about is chosen by a person, one by one.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, media_queries, pictures
from app.catalog.cards import Content
from app.catalog.media_queries import DeskPicture
from app.catalog.models import Product, ProductChange
from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.offers import listing
from app.offers.models import Offer, Seller

OPEN = ("pending", "revision_requested")
DECISIONS = {"approve": "approved", "decline": "declined", "revise": "revision_requested"}
MOST_NOTE = 1000
PERSON_FIELDS = ("category", "brand", "hidden")
"""Changes of these wait for a person, whoever sends them."""
LARGE_CHANGE = Decimal("0.3")
"""Mass and volume decide what a truck carries and costs; a larger change, or a first value, waits for a person."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a change that was sent: `pending`, or `approved` by the rule. `waits`: why a person must look."""

    public_id: uuid.UUID
    status: str
    waits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a change says: the value it was sent over, the present one, the wanted one (texts, or lists)."""

    part: str
    key: str
    base: Any
    now: Any
    wanted: Any

    @property
    def name(self) -> str:
        """`fields/brand`, `attributes/color`, `units`."""
        return f"{self.part}/{self.key}" if self.key else self.part

    @property
    def state(self) -> str:
        """clean, same (the card says it already) or conflict."""
        if self.now == self.wanted:
            return "same"
        return "clean" if self.now == self.base else "conflict"


def items(payload: Mapping[str, Any], base: Mapping[str, Any], card: Mapping[str, Any]) -> list[Item]:
    """What a change says, thing by thing."""
    found = []
    for part, value in payload.items():
        old, now = base.get(part), card.get(part)
        if isinstance(value, dict):
            known, present = old or {}, now or {}
            found += [Item(part, k, known.get(k, ""), present.get(k, ""), v) for k, v in value.items()]
        else:
            found.append(Item(part, "", old, now, value))
    return found


def reasons(card: Mapping[str, Any], change: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a change needs a person even when its seller is trusted; codes of `app.texts.cards`."""
    fields: Mapping[str, str] = change.get("fields", {})
    found = [name for name in PERSON_FIELDS if name in fields]
    found += [name for name in ("mass_kg", "volume_m3") if name in fields and _is_large(card["fields"], fields, name)]
    if "units" in change:
        bare = [[{k: v for k, v in unit.items() if k != "barcode"} for unit in c["units"]] for c in (card, change)]
        found += ["units"] if bare[0] != bare[1] else []
        codes = [{unit["code"]: unit["barcode"] for unit in c["units"]} for c in (card, change)]
        found += ["barcode"] if codes[0] != codes[1] else []
    found += ["images"] if "images" in change else []
    return tuple(found)


def _is_large(old: Mapping[str, str], new: Mapping[str, str], name: str) -> bool:
    before, after = Decimal(old[name]), Decimal(new[name])
    return not before or abs(after - before) / before > LARGE_CHANGE


@unit_of_work
def edit(actor: Actor, product: uuid.UUID, wanted: Mapping[str, Any], version: int | None = None) -> int:
    """The operator's own hand: put it on the card at once; the new version. Orders keep what they copied.

    Raises:
        NotFound: absent or merged.
        Stale: the card was changed since `version`.
        Invalid: with every wrong value.
    """
    head = cards.head(product)
    [row] = lock_rows(Product, [head.id])
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    place = str(wanted.get("fields", {}).get("category") or cards.place_of(row.id))
    _before, _after, made = cards.write(actor, row.id, cards.checked(wanted, place))
    listing.refresh([row.id])
    return made


@unit_of_work
def send(
    actor: Actor, product: uuid.UUID, wanted: Mapping[str, Any], version: int | None = None, comment: str = ""
) -> Sent:  # fmt: skip
    """Put an edit of a card before the operator; an own one that is still open is replaced ("mend and send again").

    Args:
        wanted: parts of the card, whole or in part; only what differs from the card is kept.
        version: of the card that the seller looked at.

    Raises:
        NotFound: there is no such product, or the seller does not offer it.
        Stale: the card was changed since `version`.
        Conflict: `nothing_changed`.
        Invalid: with every wrong value.
    """
    row = _offered(actor, product)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    kept = _open_change(actor.seller_id, row.id) or ProductChange(seller_id=actor.seller_id, product_id=row.id)
    wanted = _with_images(kept, wanted)
    pictures.check_wished(row.id, actor.seller_id, wanted.get("images", ()))
    card = cards.read(row.id)
    place = str(wanted.get("fields", {}).get("category") or card["fields"]["category"])
    change = cards.difference(card, cards.merged(card, cards.checked(wanted, place)))
    if not change:
        raise Conflict("nothing_changed")
    kept.user_id, kept.payload, kept.status = actor.user, change, "pending"
    kept.base, kept.base_version = cards.only(card, change), row.version
    kept.comment = comment.strip()[:MOST_NOTE]
    kept.decided_by_id, kept.decided_how, kept.decided_at = None, "", None
    session.add(kept)
    session.flush()
    audit.record(actor, "product_change.sent", "product_change", kept.id, after=change)
    waits = reasons(card, change)
    trusted = session.scalar(sa.select(Seller.is_trusted).where(Seller.id == actor.seller_id))
    if trusted and not waits:
        _apply(actor, kept, change)
        _close(actor, kept, "approved", "", "rule")
    return Sent(kept.public_id, kept.status, waits)


def _with_images(open_change: ProductChange, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Photographs are arranged on a page of their own; an edit of words leaves those that wait as they are."""
    waiting = (open_change.payload or {}).get("images")
    return wanted if waiting is None else {"images": waiting, **wanted}


def _offered(actor: Actor, product: uuid.UUID) -> Product:
    found = session.scalar(
        sa.select(Product.id).where(
            Product.public_id == product, Product.status.in_(("active", "hidden")),
            sa.exists().where(Offer.product_id == Product.id, Offer.seller_id == actor.seller_id),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound()
    [row] = lock_rows(Product, [found])
    assert isinstance(row, Product)
    return row


def _open_change(seller_id: int, product_id: int) -> ProductChange | None:
    return session.scalars(
        sa.select(ProductChange)
        .where(
            ProductChange.seller_id == seller_id, ProductChange.product_id == product_id, ProductChange.status.in_(OPEN)
        )
        .with_for_update()
    ).one_or_none()


@unit_of_work
def decide(
    actor: Actor, public_id: uuid.UUID, decision: str, note: str = "", choices: Mapping[str, str] | None = None,
    version: int | None = None, shown: str | None = None,
) -> None:  # fmt: skip
    """Approve an edit, decline it, or send it back with a note.

    Args:
        choices: name of an item -> `take` or `keep`; an item may be left out of an approval by `keep`, and one that
            the card disagrees about must be chosen.
        version: of the card that the operator looked at.
        shown: `seen` of the edit that the operator looked at.

    Raises:
        NotFound: there is no such edit.
        Conflict: `already_decided`; `change_replaced` by its seller; `card_changed` since `version`, or
            `nothing_left` of it.
        Invalid: an unknown decision, a missing note, `conflict_unresolved` items, or what the catalogue refuses.
    """
    row = locked(sa.and_(ProductChange.public_id == public_id, ProductChange.product_id.is_not(None)))
    check_decision(row, decision, note)
    if shown is not None and shown != seen(row.payload, _pictures(row.payload)):
        raise Conflict("change_replaced")
    if decision == "approve" and row.product_id is not None:
        change = _chosen(row, choices or {}, version)
        place = change.get("fields", {}).get("category") or cards.place_of(row.product_id)
        _apply(actor, row, cards.checked(change, place))  # the catalogue may have lost an attribute meanwhile
    _close(actor, row, DECISIONS[decision], note, "person")


def _pictures(payload: Mapping[str, Any]) -> dict[uuid.UUID, DeskPicture]:
    return media_queries.pictures_by_id([uuid.UUID(one) for one in payload.get("images", ())])


def seen(payload: Mapping[str, Any], pictures: Mapping[uuid.UUID, DeskPicture]) -> str:
    """Stands for exactly what an edit says and the files it shows, so that nobody approves what was exchanged."""
    named = [pictures.get(uuid.UUID(one)) for one in payload.get("images", ())]
    files = [f"{one.name} {one.next_name} {one.alt_ru}\t{one.alt_en}" for one in named if one is not None]
    said = json.dumps([payload, files], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def check_decision(row: ProductChange, decision: str, note: str) -> None:
    """What every decision needs.

    Raises:
        Conflict, Invalid.
    """
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if row.status not in OPEN:
        raise Conflict("already_decided")
    if decision != "approve" and not note.strip():
        raise Invalid.one("/note", "required")


def _chosen(row: ProductChange, choices: Mapping[str, str], version: int | None) -> Content:
    """What of the change goes on the card."""
    assert row.product_id is not None
    [product] = lock_rows(Product, [row.product_id])
    if version is not None and version != product.version:
        raise Conflict("card_changed", version=product.version)
    found: Content = {}
    errors = []
    for item in items(row.payload, row.base, cards.read(product.id)):
        choice = choices.get(item.name) or {"clean": "take", "same": "keep"}.get(item.state, "")
        if choice not in ("take", "keep"):
            errors.append(FieldError(f"/choices/{item.name}", "conflict_unresolved"))
        elif choice == "take" and item.key:
            found.setdefault(item.part, {})[item.key] = item.wanted
        elif choice == "take":
            found[item.part] = item.wanted
    if errors:
        raise Invalid(errors)
    if not found:
        raise Conflict("nothing_left")
    return found


def _apply(actor: Actor, row: ProductChange, change: Content) -> None:
    """Put it on the card, and keep what would take it back."""
    assert row.product_id is not None
    before, after, _version = cards.write(actor, row.product_id, change)
    row.applied, row.undo = cards.difference(before, after), cards.difference(after, before)
    listing.refresh([row.product_id])


def _close(actor: Actor, row: ProductChange, status: str, note: str, how: str) -> None:
    row.status, row.note, row.decided_how = status, note.strip()[:MOST_NOTE], how
    row.decided_by_id = None if how == "rule" else actor.user_id
    row.decided_at = sa.func.now()
    session.flush()
    after = {"decision": status, "note": row.note, "how": how}
    audit.record(actor, "product_change.decided", "product_change", row.id, after=after)


def close_by_person(actor: Actor, row: ProductChange, decision: str, note: str) -> None:
    """Write a person's decision; for new products too."""
    _close(actor, row, DECISIONS[decision], note, "person")


def locked(condition: sa.ColumnElement[bool]) -> ProductChange:
    """The one change of a condition, locked.

    Raises:
        NotFound.
    """
    found = session.scalar(sa.select(ProductChange.id).where(condition))
    if found is None:
        raise NotFound()
    [row] = lock_rows(ProductChange, [found])
    assert isinstance(row, ProductChange)
    return row


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """Take an own change back before it is decided; a new product or an edit.

    Raises:
        NotFound: absent or another seller's.
        Conflict: `already_decided`.
    """
    row = locked(sa.and_(ProductChange.public_id == public_id, ProductChange.seller_id == actor.seller_id))
    if row.status not in OPEN:
        raise Conflict("already_decided")
    row.status = "withdrawn"
    audit.record(actor, "product_change.withdrawn", "product_change", row.id)


@unit_of_work
def revert(actor: Actor, public_id: uuid.UUID, note: str = "") -> uuid.UUID:
    """Undo an approved edit: the inverse change, approved at once, as a row of its own; its outward id.

    Raises:
        NotFound: there is no such edit.
        Conflict: `not_approved`, `already_reverted`, or `card_changed`: what it changed was changed again.
        Invalid: what the catalogue refuses (a unit that offers are sold in by now).
    """
    row = locked(sa.and_(ProductChange.public_id == public_id, ProductChange.product_id.is_not(None)))
    if row.status != "approved" or not row.undo:
        raise Conflict("not_approved")
    if session.scalar(sa.select(sa.exists().where(ProductChange.reverts_id == row.id))):
        raise Conflict("already_reverted")
    assert row.product_id is not None
    [product] = lock_rows(Product, [row.product_id])
    card = cards.read(product.id)
    if any(item.now != item.base for item in items(row.undo, row.applied, card)):
        raise Conflict("card_changed", version=product.version)
    made = ProductChange(
        product_id=product.id, seller_id=row.seller_id, user_id=actor.user, payload=row.undo, base=row.applied,
        base_version=product.version, reverts_id=row.id, status="approved",
    )  # fmt: skip
    session.add(made)
    session.flush()
    _apply(actor, made, row.undo)
    _close(actor, made, "approved", note, "person")
    return made.public_id
