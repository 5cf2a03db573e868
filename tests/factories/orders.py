"""A small market to order in: people, sellers with stock, a carrier that serves their warehouses."""

from __future__ import annotations

import itertools
import os
import uuid
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.accounts import service as accounts
from app.accounts.models import Device, Organisation, OrganisationMember, User
from app.catalog.models import Category, Product, ProductUnit
from app.core.db import session, unit_of_work
from app.core.permissions import Actor, Membership
from app.logistics.models import Carrier, CarrierWarehouse, Tariff, Vehicle
from app.offers import listing
from app.offers.models import (
    Offer,
    OfferStep,
    Seller,
    StockLevel,
    StockMovement,
    VatRate,
    Warehouse,
)
from tests.client import ApiClient

_numbers = itertools.count(1)
PASSWORD = "correct horse"
SITE = {"address": "Учебная ул., 1", "lat": 55.8, "lon": 37.72, "floor": 1, "lift": False, "unloading": "self"}


def _writing() -> None:
    """A GET of the test client leaves the shared session read-only; the next unit of work would undo our rows."""
    if session.info.pop("read_only", None):
        session.rollback()


def number() -> int:
    """A number nobody had before in this process."""
    return next(_numbers) * 1000 + os.getpid() % 1000


@dataclass
class Market:
    """What a test orders from."""

    carrier_id: int = 0
    category_id: int = 0
    sellers: list[Actor] = field(default_factory=list)
    warehouses: list[int] = field(default_factory=list)


def person(name: str = "Покупатель Демо", **more: Any) -> Actor:
    """A signed-in person."""
    _writing()
    mark = number()
    email = f"person{mark}@test.example"
    user = User(email=email, email_key=email, password_hash="x", name=name, phone="+79990000000", **more)
    session.add(user)
    session.flush()
    return Actor(user_id=user.id, public_id=user.public_id, name=name, email=email)


def member(kind: str, role: str = "owner", title: str = "") -> Actor:
    """A person with a place in a new organisation."""
    mark = number()
    actor = person(f"Участник {mark}")
    place = Organisation(kind=kind, name=title or f"{kind} {mark}", inn=f"{7_700_000_000 + mark}", status="approved")
    session.add(place)
    session.flush()
    session.add(OrganisationMember(organisation_id=place.id, user_id=actor.user, role=role))
    seat = Membership(place.id, place.public_id, place.name, kind, role)
    return Actor(
        user_id=actor.user_id, public_id=actor.public_id, name=actor.name, email=actor.email, memberships=(seat,)
    )


def market(sellers: int = 1, warehouses: int = 1) -> Market:
    """Sellers with warehouses near the city's centre, and a carrier that serves them all."""
    _writing()
    made = Market()
    mark = number()
    if session.query(VatRate).filter_by(code="general").count() == 0:
        session.add(VatRate(code="general", percent=Decimal(22), valid_from=date(2026, 1, 1)))
    category = Category(slug=f"cat-{mark}", name_ru="Категория", name_en="Category", depth=1)
    session.add(category)
    carrier = member("carrier", "dispatcher")
    made.carrier_id = carrier.carrier_id
    session.add(Carrier(id=made.carrier_id, name="Перевозчик Демо", depot_lat=55.8, depot_lon=37.72, is_active=True))
    session.flush()
    made.category_id = category.id
    category.path = [category.id]
    session.add_all([
        Tariff(carrier_id=made.carrier_id, name="Город", base=150_000, per_km=5_000, per_tonne=20_000,
               max_mass_kg=10_000, max_km=200, valid_from=date(2026, 1, 1)),
        Vehicle(carrier_id=made.carrier_id, name="Бортовой", plate=f"А{mark}", payload_kg=10_000, volume_l=40_000,
                longest_mm=13_000, gross_mass_kg=16_000, cost_per_km=3000, cost_per_hour=80_000),
    ])  # fmt: skip
    for _seller in range(sellers):
        _add_seller(made, warehouses)
    session.flush()
    return made


def _add_seller(made: Market, warehouses: int) -> None:
    actor = member("seller")
    seller_id = actor.seller_id
    session.add(Seller(id=seller_id, slug=f"s{seller_id}", name=f"Продавец {seller_id}", is_active=True))
    session.flush()
    made.sellers.append(actor)
    for index in range(warehouses):
        place = Warehouse(
            seller_id=actor.seller_id, name=f"Склад {index + 1}", address=f"Складская ул., {index + 1}",
            lat=55.8 + 0.01 * index, lon=37.73 + 0.01 * index,
        )  # fmt: skip
        session.add(place)
        session.flush()
        made.warehouses.append(place.id)
        session.add(CarrierWarehouse(carrier_id=made.carrier_id, warehouse_id=place.id))
    session.flush()


def offer(
    made: Market,
    seller: int = 0,
    *,
    price: int = 54_500,
    stock: dict[int, int] | int = 100,
    step: str = "1",
    minimum: str = "1",
    unit: str = "bag",
    factor: tuple[int, int] = (1, 1),
    ladder: dict[int, int] | None = None,
    mass: str = "25",
    pallet: tuple[int | str, int] = (0, 0),
) -> Offer:
    """An offer on sale. `stock`: base units per warehouse, or in the seller's first one; `pallet`: how many units stand
    on a returnable pallet, and kopeks for one.
    """
    _writing()
    mark = number()
    actor = made.sellers[seller]
    product = Product(
        slug=f"p-{mark}", category_id=made.category_id, name_ru=f"Клей {mark}", name_en=f"Glue {mark}", base_unit=unit,
        mass_kg=Decimal(mass), volume_m3=Decimal("0.02"), length_mm=600,
    )  # fmt: skip
    session.add(product)
    session.flush()
    session.add(
        ProductUnit(
            product_id=product.id, code=unit, numerator=factor[0], denominator=factor[1], step=Decimal(step),
            minimum=Decimal(minimum),
        )
    )  # fmt: skip
    session.flush()
    row = Offer(
        seller_id=actor.seller_id, product_id=product.id, sku=f"SKU-{mark}", unit=unit, price=price,
        pallet_units=Decimal(pallet[0]), pallet_deposit=pallet[1],
    )  # fmt: skip
    session.add(row)
    session.flush()
    first = min(w for w in made.warehouses if _owner(w) == actor.seller_id)
    for place, quantity in (stock if isinstance(stock, dict) else {first: stock}).items():
        session.add(StockLevel(offer_id=row.id, warehouse_id=place, on_hand=quantity))
        if quantity:
            session.add(StockMovement(offer_id=row.id, warehouse_id=place, kind="received", on_hand_delta=quantity))
    for start, lower in (ladder or {}).items():
        session.add(OfferStep(offer_id=row.id, from_quantity=start, price=lower))
    session.flush()
    listing.refresh([product.id])
    return row


def _owner(warehouse_id: int) -> int:
    place = session.get(Warehouse, warehouse_id)
    assert place is not None
    return place.seller_id


@unit_of_work
def committed(build: Any) -> Any:
    """Run a builder in a unit of work of its own, for tests on a database with real commits."""
    return build()


def site(**more: Any) -> dict[str, Any]:
    """A building site as checkout takes it."""
    return {**SITE, **more}


def token() -> str:
    """A cart token nobody has."""
    return uuid.uuid4().hex


def signed_browser(app: Flask, actor: Actor) -> FlaskClient:
    """A browser without script in which the person is signed in."""
    signed = _signed(actor)
    client = app.test_client()
    client.set_cookie("session", accounts.open_session(signed))
    return client


def signed_api(app: Flask, actor: Actor) -> ApiClient:
    """A JSON client with an access token of the person."""
    signed = _signed(actor)
    device = session.get_one(Device, signed.device_id)
    signer = app.extensions["token_signer"]
    return ApiClient(app, signer.sign(signed.public_id, signed.epoch, device.client_id), str(device.client_id))


def _signed(actor: Actor) -> accounts.SignedIn:
    _writing()
    device = Device(user_id=actor.user, client_id=uuid.uuid4())
    session.add(device)
    session.flush()
    assert actor.public_id is not None  # made by `person`
    return accounts.SignedIn(actor.user, actor.public_id, device.id, 1, "ru")
