"""Commands of a seller on offers, prices and warehouses. What lists show changes in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from app.catalog.models import Product, ProductUnit
from app.core import audit, events
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.offers import listing
from app.offers.events import PriceChanged
from app.offers.models import (
    VAT_CODES,
    Offer,
    OfferStep,
    PriceChange,
    Warehouse,
)
from app.offers.rules import Step

MAX_PRICE = 10**12
"""Kopeks; ten thousand million roubles for one unit is a slip of the keyboard."""
MAX_STEPS = 10
MAX_PALLET_UNITS = 100_000
MAX_DEPOSIT = 100_000_00
"""Kopeks for one pallet."""
OFFER_FIELDS = ("sku", "price", "ladder", "vat_code", "lead_time_days", "pallet_units", "pallet_deposit", "active")
WAREHOUSE_FIELDS = (
    "name", "address", "lat", "lon", "opens_at", "closes_at", "work_days", "max_vehicle_kg", "loading_minutes",
    "allows_pickup", "pickup_after_hours", "active",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer to be put on sale. `price` in kopeks with VAT for one `unit`; `pallet_units` of them stand on a
    returnable pallet with a deposit of `pallet_deposit` kopeks, both 0 without.
    """

    product: uuid.UUID
    sku: str
    unit: str
    price: int
    ladder: tuple[Step, ...] = ()
    vat_code: str = "general"
    lead_time_days: int = 0
    pallet_units: Decimal = Decimal(0)
    pallet_deposit: int = 0
    active: bool = True


@unit_of_work
def add_offer(actor: Actor, new: NewOffer) -> uuid.UUID:
    """Offer a product for sale; its outward id.

    Raises:
        Invalid: with every wrong field.
    """
    given = {name: getattr(new, name) for name in OFFER_FIELDS}
    errors = _offer_errors(given)
    product_id = session.scalar(
        sa.select(Product.id)
        .where(Product.public_id == new.product, Product.status == "active")
        .with_for_update(read=True, key_share=True)  # a merge of the card is waited for and then seen
    )
    if product_id is None:
        errors.append(FieldError("/product", "unknown_product"))
    elif not _is_sold(product_id, new.unit):
        errors.append(FieldError("/unit", "unit_not_of_product"))
    if _sku_is_taken(actor.seller_id, new.sku):
        errors.append(FieldError("/sku", "sku_taken"))
    if errors or product_id is None:
        raise Invalid(errors)
    offer = Offer(
        seller_id=actor.seller_id, product_id=product_id, sku=new.sku, unit=new.unit, price=new.price,
        vat_code=new.vat_code, lead_time_days=new.lead_time_days, pallet_units=new.pallet_units,
        pallet_deposit=new.pallet_deposit, status="active" if new.active else "hidden",
    )  # fmt: skip
    session.add(offer)
    _flush("/sku", "sku_taken")
    _set_ladder(offer, new.ladder)
    _note_price(actor, offer, None)
    audit.record(actor, "offer.added", "offer", offer.id, after={"sku": new.sku, "price": new.price})
    listing.refresh([product_id])
    return offer.public_id


@unit_of_work
def edit_offer(actor: Actor, public_id: uuid.UUID, given: Mapping[str, Any], version: int | None = None) -> int:
    """Change fields (names of OFFER_FIELDS) of an own offer; its new version.

    A version keeps two people from undoing each other's work unseen.

    Raises:
        NotFound: absent or another seller's.
        Stale: it was changed since `version`; the context holds the present version and price.
        Invalid: with every wrong field.
    """
    offer = _own_offer(actor, public_id)
    if version is not None and version != offer.version:
        raise Stale(version=offer.version, price=offer.price)
    wanted = {name: getattr(offer, name) for name in ("price", "pallet_units", "pallet_deposit")} | dict(given)
    errors = _offer_errors(wanted)
    if wanted.get("sku", offer.sku) != offer.sku and _sku_is_taken(actor.seller_id, wanted["sku"]):
        errors.append(FieldError("/sku", "sku_taken"))
    if errors:
        raise Invalid(errors)
    before = _facts(offer)
    old_price = offer.price
    for name in ("sku", "price", "vat_code", "lead_time_days", "pallet_units", "pallet_deposit"):
        if name in given:
            setattr(offer, name, given[name])
    if "active" in given and offer.status != "blocked":
        offer.status = "active" if given["active"] else "hidden"
    if "ladder" in given:
        _set_ladder(offer, given["ladder"])
    offer.version += 1
    offer.updated_at = sa.func.now()
    _flush("/sku", "sku_taken")
    if offer.price != old_price:
        _note_price(actor, offer, old_price)
    audit.record(actor, "offer.edited", "offer", offer.id, before=before, after=_facts(offer))
    listing.refresh([offer.product_id])
    return offer.version


def _facts(offer: Offer) -> dict[str, Any]:
    pallet = {"pallet_units": f"{offer.pallet_units:f}", "pallet_deposit": offer.pallet_deposit}
    return {"sku": offer.sku, "price": offer.price, "status": offer.status} | (pallet if offer.pallet_deposit else {})


@unit_of_work
def withdraw_offer(actor: Actor, public_id: uuid.UUID) -> None:
    """Take an own offer off sale. It stays as a hidden row: orders and movements of stock refer to it.

    Raises:
        NotFound: absent or another seller's.
    """
    edit_offer(actor, public_id, {"active": False})


@unit_of_work
def add_warehouse(actor: Actor, given: Mapping[str, Any]) -> uuid.UUID:
    """Open a warehouse; `given` holds WAREHOUSE_FIELDS, at least name, address, lat and lon.

    Raises:
        Invalid: with every wrong field.
    """
    needed = ("name", "address", "lat", "lon")
    missing = [FieldError(f"/{name}", "required") for name in needed if not _has(given, name)]
    errors = missing + _warehouse_errors(given, 480, 1200)
    if errors:
        raise Invalid(errors)
    place = Warehouse(seller_id=actor.seller_id, **_columns(given))
    session.add(place)
    _flush("/name", "name_taken")
    changed("rates")
    audit.record(actor, "warehouse.added", "warehouse", place.id, after={"name": place.name, "address": place.address})
    return place.public_id


@unit_of_work
def edit_warehouse(actor: Actor, public_id: uuid.UUID, given: Mapping[str, Any], version: int | None = None) -> int:
    """Change fields of an own warehouse; its new version. Orders already placed keep their copy of the address.

    Raises:
        NotFound, Stale, Invalid.
    """
    found = session.scalar(
        sa.select(Warehouse.id).where(Warehouse.seller_id == actor.seller_id, Warehouse.public_id == public_id)
    )
    if found is None:
        raise NotFound()
    [place] = lock_rows(Warehouse, [found])
    if version is not None and version != place.version:
        raise Stale(version=place.version)
    errors = _warehouse_errors(given, place.opens_at, place.closes_at)
    if errors:
        raise Invalid(errors)
    before = {"name": place.name, "address": place.address, "is_active": place.is_active}
    was_active = place.is_active
    for name, value in _columns(given).items():
        setattr(place, name, value)
    place.version += 1
    _flush("/name", "name_taken")
    audit.record(
        actor, "warehouse.edited", "warehouse", place.id, before=before,
        after={"name": place.name, "address": place.address, "is_active": place.is_active},
    )  # fmt: skip
    changed("rates")
    if place.is_active != was_active:
        listing.refresh(list(session.scalars(_PRODUCTS_IN, {"warehouse": place.id})))
    return int(place.version)


_PRODUCTS_IN = sa.text(
    "SELECT DISTINCT o.product_id FROM stock_level s JOIN offer o ON o.id = s.offer_id"
    " WHERE s.warehouse_id = :warehouse"
)


def _own_offer(actor: Actor, public_id: uuid.UUID) -> Offer:
    found = session.scalar(sa.select(Offer.id).where(Offer.seller_id == actor.seller_id, Offer.public_id == public_id))
    if found is None:
        raise NotFound()
    [offer] = lock_rows(Offer, [found])
    assert isinstance(offer, Offer)
    return offer


def _is_sold(product_id: int, unit: str) -> bool:
    return bool(
        session.scalar(
            sa.select(ProductUnit.is_sold).where(ProductUnit.product_id == product_id, ProductUnit.code == unit)
        )
    )


def _sku_is_taken(seller_id: int, sku: str) -> bool:
    return session.scalar(sa.select(Offer.id).where(Offer.seller_id == seller_id, Offer.sku == sku)) is not None


def _flush(pointer: str, code: str) -> None:
    """Write now; the unique name that somebody took in the same moment is a wrong field, not a crash."""
    try:
        session.flush()
    except exc.IntegrityError as error:
        raise Invalid.one(pointer, code) from error


def _set_ladder(offer: Offer, ladder: Sequence[Step]) -> None:
    session.execute(sa.delete(OfferStep).where(OfferStep.offer_id == offer.id))
    if ladder:
        rows = [{"offer_id": offer.id, "from_quantity": s.from_quantity, "price": s.price} for s in ladder]
        session.execute(sa.insert(OfferStep), rows)


def _note_price(actor: Actor, offer: Offer, old_price: int | None) -> None:
    session.add(PriceChange(offer_id=offer.id, old_price=old_price, new_price=offer.price, user_id=actor.user_id))
    if old_price is not None:
        events.record(PriceChanged(offer.id, offer.product_id, old_price, offer.price))


def _offer_errors(given: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    if "sku" in given and not 1 <= len(given["sku"]) <= 100:
        errors.append(FieldError("/sku", "too_long" if given["sku"] else "required", {"maximum": 100}))
    errors += _range(given, "price", 1, MAX_PRICE)
    errors += _range(given, "lead_time_days", 0, 365)
    errors += _range(given, "pallet_units", 0, MAX_PALLET_UNITS) + _range(given, "pallet_deposit", 0, MAX_DEPOSIT)
    if bool(given.get("pallet_units")) != bool(given.get("pallet_deposit")):
        empty = "pallet_deposit" if given.get("pallet_units") else "pallet_units"
        errors.append(FieldError(f"/{empty}", "pallet_half"))
    if given.get("vat_code", "general") not in VAT_CODES:
        errors.append(FieldError("/vat", "unknown_option"))
    ladder: Sequence[Step] = given.get("ladder", ())
    if len(ladder) > MAX_STEPS:
        errors.append(FieldError("/ladder", "too_long", {"maximum": MAX_STEPS}))
    elif not descends([Step(Decimal(0), given["price"]), *ladder]):
        errors.append(FieldError("/ladder", "ladder_order"))
    return errors


def descends(steps: Sequence[Step]) -> bool:
    """Each step starts at more and costs less than the one before, and something at all."""
    return all(a.from_quantity < b.from_quantity and a.price > b.price > 0 for a, b in pairwise(steps))


def _range(given: Mapping[str, Any], name: str, low: float, high: float) -> list[FieldError]:
    value = given.get(name)
    if value is None:
        return []
    if value < low:
        return [FieldError(f"/{name}", "too_small", {"minimum": low})]
    return [FieldError(f"/{name}", "too_large", {"maximum": high})] if value > high else []


def _has(given: Mapping[str, Any], name: str) -> bool:
    return given.get(name) not in (None, "")


def _warehouse_errors(given: Mapping[str, Any], opens_at: int, closes_at: int) -> list[FieldError]:
    errors = []
    for name, longest in (("name", 100), ("address", 300)):
        if name in given and not given[name]:
            errors.append(FieldError(f"/{name}", "required"))
        elif len(given.get(name) or "") > longest:
            errors.append(FieldError(f"/{name}", "too_long", {"maximum": longest}))
    errors += _range(given, "lat", -90, 90) + _range(given, "lon", -180, 180)
    errors += _range(given, "max_vehicle_kg", 1, 100_000) + _range(given, "loading_minutes", 0, 480)
    errors += _range(given, "pickup_after_hours", 0, 240)
    opens, closes = given.get("opens_at", opens_at), given.get("closes_at", closes_at)
    if not 0 <= opens < closes <= 1440:
        errors.append(FieldError("/closes_at", "hours_order"))
    days = given.get("work_days")
    if days is not None and not (days and set(days) <= set(range(1, 8))):
        errors.append(FieldError("/work_days", "unknown_option"))
    return list({error.pointer: error for error in reversed(errors)}.values())[::-1]


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: given[name] for name in WAREHOUSE_FIELDS if name in given and name != "active"}
    if "work_days" in values:
        values["work_days"] = sorted(set(values["work_days"]))
    return values | ({"is_active": given["active"]} if "active" in given else {})
