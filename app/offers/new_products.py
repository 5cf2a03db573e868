"""New products that sellers propose, by a price list, a form or the API: sent, decided, mended and sent again.

A proposal is a card (`app.catalog.cards`) with `base_unit` and, when the seller wants to sell it at once, `sku`, `unit`
and `price`. Rows of price lists come flat, with the section in the seller's own words; `as_card` reads both.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.catalog import cards
from app.catalog import service as catalog
from app.catalog.cards import Content
from app.catalog.models import ProductChange
from app.core import audit
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Actor, Membership
from app.core.units import UNITS
from app.offers import card_changes, service
from app.offers.models import Offer
from app.offers.service import NewOffer

ABOUT = ("sku", "price", "unit", "source", "section")
"""What a proposal says besides the card. `section`: the category in the seller's own words."""


def as_card(payload: Mapping[str, Any]) -> Content:
    """A proposal as a card, whichever way it came."""
    if "fields" in payload:
        return dict(payload)
    unit = str(payload.get("unit") or "pcs")
    name = str(payload.get("name_ru") or "")
    return {
        "fields": {
            "category": "", "name_ru": name, "name_en": str(payload.get("name_en") or name),
            "brand": str(payload.get("brand") or ""), "article": str(payload.get("article") or ""),
            "description_ru": str(payload.get("description") or ""),
        },
        "attributes": {}, "base_unit": unit, "section": str(payload.get("category") or ""),
        "units": [cards.base_unit(unit) | {"barcode": str(payload.get("barcode") or "")}],
    } | {name: payload[name] for name in ("sku", "price", "unit", "source") if name in payload}  # fmt: skip


@unit_of_work
def propose(actor: Actor, wanted: Mapping[str, Any], comment: str = "") -> uuid.UUID:
    """Put a new product before the operator; the outward id of the change.

    Raises:
        Invalid: with every wrong value.
    """
    payload = _checked(wanted)
    _check_sku(actor, payload)
    row = ProductChange(seller_id=actor.seller_id, user_id=actor.user, payload=payload)
    row.comment = comment.strip()[: card_changes.MOST_NOTE]
    session.add(row)
    session.flush()
    audit.record(actor, "product_change.sent", "product_change", row.id, after=payload)
    return row.public_id


@unit_of_work
def send_again(actor: Actor, public_id: uuid.UUID, wanted: Mapping[str, Any], comment: str = "") -> None:
    """Mend an own proposal that is not in the catalogue, and put it before the operator again.

    Raises:
        NotFound: absent or another seller's.
        Conflict: `already_decided` when it was approved meanwhile.
        Invalid: with every wrong value.
    """
    row = card_changes.locked(sa.and_(_own_new(actor), ProductChange.public_id == public_id))
    if row.status == "approved":
        raise Conflict("already_decided")
    before = as_card(row.payload)
    payload = _checked({name: before[name] for name in ABOUT if name in before} | dict(wanted))
    if payload.get("sku") != before.get("sku"):
        _check_sku(actor, payload)
    row.payload, row.status = payload, "pending"
    row.comment = comment.strip()[: card_changes.MOST_NOTE]
    audit.record(actor, "product_change.sent", "product_change", row.id, after=payload)


def _own_new(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(ProductChange.seller_id == actor.seller_id, ProductChange.product_id.is_(None))


def _checked(wanted: Mapping[str, Any]) -> Content:
    """The proposal as it is kept: only what is said, the base unit among the units."""
    fields = {name: text for name, text in wanted.get("fields", {}).items() if text not in ("", None)}
    fields["name_en"] = fields.get("name_en") or fields.get("name_ru", "")
    fields.setdefault("name_ru", "")
    unit = str(wanted.get("base_unit") or "")
    units = list(wanted.get("units", ()))
    if all(said.get("code") != unit for said in units):
        units = [cards.base_unit(unit), *units]
    errors = [] if unit in UNITS else [FieldError("/base_unit", "unknown_option")]
    errors += [FieldError("/sku", "too_long", {"maximum": 100})] if len(str(wanted.get("sku") or "")) > 100 else []
    price = wanted.get("price")
    if price is not None and not 0 < price <= service.MAX_PRICE:
        errors.append(FieldError("/price", "too_small", {"minimum": 0}))
    try:
        card = cards.checked(
            {"fields": fields, "attributes": wanted.get("attributes", {}), "units": units}, fields.get("category", "")
        )  # fmt: skip
    except Invalid as refused:
        errors += refused.errors
    if errors:
        raise Invalid(errors)
    card["attributes"] = {key: text for key, text in card["attributes"].items() if text}
    about = {name: wanted[name] for name in ABOUT if wanted.get(name) not in ("", None)}
    return card | {"base_unit": unit} | about


def _check_sku(actor: Actor, payload: Mapping[str, Any]) -> None:
    if payload.get("sku") and _sku_is_taken(actor.seller_id, payload["sku"]):
        raise Invalid.one("/sku", "sku_taken")


def _sku_is_taken(seller_id: int, sku: str) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(Offer.seller_id == seller_id, Offer.sku == sku))))


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, decision: str, note: str = "", category: str = "") -> None:
    """Take the product into the catalogue with the seller's offer, decline it, or ask for another version.

    Args:
        category: slug of the leaf the product belongs to; empty: where the seller said.

    Raises:
        NotFound: there is no such proposal.
        Conflict: `already_decided`.
        Invalid: an unknown decision, a missing note, or what the catalogue refuses.
    """
    row = card_changes.locked(sa.and_(ProductChange.public_id == public_id, ProductChange.product_id.is_(None)))
    card_changes.check_decision(row, decision, note)
    if decision == "approve":
        row.applied = {"product": str(_take_over(actor, row, category))}
    card_changes.close_by_person(actor, row, decision, note)


def _take_over(actor: Actor, row: ProductChange, category: str) -> uuid.UUID:
    said = as_card(row.payload)
    place = category or said["fields"].get("category", "")
    known = cards.known_attributes(place)
    parts = {
        "fields": {name: text for name, text in said["fields"].items() if name != "category"},
        "attributes": {key: text for key, text in said["attributes"].items() if key in known},
        "units": said["units"],
    }
    product = catalog.add_product(actor, place, said["base_unit"], parts)
    sku, price = str(said.get("sku") or ""), said.get("price")
    if sku and price and not _sku_is_taken(row.seller_id, sku):
        unit = str(said.get("unit") or said["base_unit"])
        service.add_offer(_for_seller(actor, row.seller_id), NewOffer(product, sku, unit, int(price)))
    return product


def _for_seller(actor: Actor, seller_id: int) -> Actor:
    """The operator acting for the seller whose proposal is taken over."""
    firm = accounts.requisites(seller_id)
    place = Membership(firm.id, firm.public_id, firm.name, "seller", "owner")
    return Actor(user_id=actor.user_id, memberships=(place,), ip=actor.ip, request_id=actor.request_id)
