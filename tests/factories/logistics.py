"""Carriers, fleets, deliveries and plans for tests. Rows of other domains are the least that the foreign keys ask."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from app.accounts.models import Organisation, OrganisationMember, User
from app.core import clock, jobs
from app.core.db import session, unit_of_work
from app.core.permissions import Actor, Membership
from app.logistics import fleet, plans, service
from app.logistics.models import Carrier, CarrierWarehouse, Courier, Tariff, Vehicle
from app.logistics.service import NewDelivery
from app.offers.models import Seller, Warehouse
from app.orders.models import Cart, Fulfilment, Order, OrderGroup

YARD = (55.8168, 37.6230)
DEPOT = (55.8085, 37.5896)
SITES = ((55.8190, 37.6112), (55.8211, 37.5864), (55.8140, 37.6183), (55.8128, 37.6236), (55.8205, 37.5806))
"""All on the road graph shipped with the product."""
_numbers = itertools.count(1)


def user(name: str = "Person", **fields: Any) -> User:
    """A person nobody can sign in as (tests of pages make sessions or use the accounts factory)."""
    n = next(_numbers)
    row = User(
        email=f"p{n}@test.example", email_key=f"p{n}@test.example", password_hash="!", name=f"{name} {n}", **fields
    )
    session.add(row)
    session.flush()
    return row


def organisation(kind: str, name: str) -> Organisation:
    row = Organisation(kind=kind, name=name, inn=f"{7_700_000_000 + next(_numbers)}", status="approved", bank={})
    session.add(row)
    session.flush()
    return row


def member(org: Organisation, person: User, role: str) -> None:
    session.add(OrganisationMember(organisation_id=org.id, user_id=person.id, role=role))
    session.flush()


def actor(person: User, org: Organisation | None = None, kind: str = "carrier", role: str = "dispatcher") -> Actor:
    """Who acts, without a request."""
    places = () if org is None else (Membership(org.id, org.public_id, org.name, kind, role),)
    return Actor(user_id=person.id, public_id=person.public_id, name=person.name, memberships=places)


@dataclass
class World:
    """A carrier with a yard, one truck with its driver, a seller's warehouse and a buyer."""

    carrier: Organisation
    dispatcher: Actor
    dispatcher_user: User
    courier: Actor
    courier_user: User
    courier_id: int
    vehicle: Vehicle
    seller: Organisation
    warehouse: Warehouse
    buyer: User


def vehicle(carrier_id: int, **fields: Any) -> Vehicle:
    n = next(_numbers)
    values = {
        "name": f"Truck {n}", "plate": f"A{n:03d}AA77", "payload_kg": 5000, "volume_l": 20_000, "longest_mm": 6000,
        "gross_mass_kg": 9000, "cost_per_km": 4000, "cost_per_hour": 90_000, "fixed_cost": 100_000,
    } | fields  # fmt: skip
    row = Vehicle(carrier_id=carrier_id, **values)
    session.add(row)
    session.flush()
    return row


def driver(org: Organisation, truck: Vehicle | None) -> tuple[User, Courier]:
    person = user("Driver")
    member(org, person, "courier")
    row = Courier(
        carrier_id=org.id, user_id=person.id, name=person.name, phone="+7 900 000-00-01",
        vehicle_id=truck.id if truck else None, shift_from=420, shift_to=1320,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return person, row


def tariff(carrier_id: int, **fields: Any) -> Tariff:
    values = {
        "name": "City", "base": 150_000, "included_km": 5, "per_km": 5_000, "per_tonne": 20_000, "max_mass_kg": 5000,
        "valid_from": date(2026, 1, 1),
    } | fields  # fmt: skip
    row = Tariff(carrier_id=carrier_id, **values)
    session.add(row)
    session.flush()
    return row


@unit_of_work
def world() -> World:
    org = organisation("carrier", "Carrier")
    session.add(
        Carrier(
            id=org.id, name=org.name, phone="+7 900 000-00-00", depot_lat=DEPOT[0], depot_lon=DEPOT[1], is_active=True
        )
    )
    seller_org = organisation("seller", "Seller")
    session.add(Seller(id=seller_org.id, slug=f"seller-{seller_org.id}", name=seller_org.name, is_active=True))
    session.flush()
    place = Warehouse(
        seller_id=seller_org.id, name="Main", address="Склад, 1", lat=YARD[0], lon=YARD[1], opens_at=0, closes_at=1440,
        work_days=[1, 2, 3, 4, 5, 6, 7],
    )  # fmt: skip
    session.add(place)
    session.flush()
    session.add(CarrierWarehouse(carrier_id=org.id, warehouse_id=place.id))
    truck = vehicle(org.id)
    dispatcher = user("Dispatcher")
    member(org, dispatcher, "dispatcher")
    person, courier = driver(org, truck)
    return World(
        org, actor(dispatcher, org), dispatcher, actor(person, org, role="courier"), person, courier.id, truck,
        seller_org, place, user("Buyer"),
    )  # fmt: skip


def site(index: int = 0, **fields: Any) -> dict[str, Any]:
    lat, lon = SITES[index % len(SITES)]
    return {
        "address": f"Стройка, {index + 1}", "lat": lat, "lon": lon, "access": "", "max_vehicle_kg": None, "floor": 1,
        "lift": False, "unloading": "self", "contact_name": "Прораб", "contact_phone": "+7 900 000-00-02",
    } | fields  # fmt: skip


@unit_of_work
def fulfilment(w: World, day: date) -> int:
    """The rows of an order that a delivery hangs on."""
    n = next(_numbers)
    cart = Cart(user_id=w.buyer.id, status="ordered")
    session.add(cart)
    session.flush()
    money = {"goods": 100, "delivery": 0, "total": 100, "vat": 18}
    group = OrderGroup(
        number=f"T{n}", cart_id=cart.id, user_id=w.buyer.id, site={}, contact_name="B", contact_phone="1",
        payment_method="cash", **money,
    )  # fmt: skip
    session.add(group)
    session.flush()
    order = Order(
        number=f"T{n}-1", group_id=group.id, seller_id=w.seller.id, seller_name="S", accept_by=clock.now(), **money
    )
    session.add(order)
    session.flush()
    row = Fulfilment(
        order_id=order.id, warehouse_id=w.warehouse.id, carrier_id=w.carrier.id, day=day,
        window_from=clock.at(day, 540), window_to=clock.at(day, 1080), delivery_price=0, price_lines=[], allocation={},
        mass_kg=100, volume_m3=1, length_mm=1000,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def delivery(w: World, day: date | None = None, index: int = 0, *, ready: bool = True, **fields: Any) -> Any:
    """A delivery of the world's carrier, ready unless told otherwise; tomorrow unless told otherwise."""
    day = day or clock.today() + timedelta(days=1)
    trip = fulfilment(w, day)
    values: dict[str, Any] = {
        "window_from": clock.at(day, 540), "window_to": clock.at(day, 1080), "site": site(index), "mass_kg": 1200,
        "volume_l": 2000, "longest_mm": 2500, "price": 250_000,
        "cargo": [
            {"line": "1", "name_ru": "Блок", "name_en": "Block", "sku": "B1", "unit": "pcs", "quantity": "96",
             "quantity_base": "96"},
            {"line": "2", "name_ru": "Клей", "name_en": "Glue", "sku": "G1", "unit": "bag", "quantity": "8",
             "quantity_base": "200"},
        ],
    } | fields  # fmt: skip
    new = NewDelivery(
        fulfilment_id=trip, carrier_id=w.carrier.id, seller_id=w.seller.id, buyer_id=w.buyer.id,
        warehouse_id=w.warehouse.id, number=f"T{trip}-1", day=day,
        pickup={
            "name": "Main", "address": "Склад, 1", "lat": YARD[0], "lon": YARD[1], "opens_at": 0, "closes_at": 1440,
            "loading_minutes": 15, "phone": "+7 900 000-00-03",
        },
        **values,
    )  # fmt: skip
    [made] = service.create_deliveries([new])
    if ready:
        service.mark_ready(trip)
    return made


def stored_plan(w: World, deliveries: Sequence[Any], day: date | None = None) -> str:
    """A draft that loads all deliveries first and then drops them in the given order, without a solver."""
    day = day or clock.today() + timedelta(days=1)
    start = clock.at(day, 540)
    stops = []
    for number, made in enumerate([*deliveries, *deliveries]):
        at = start + timedelta(minutes=30 * number)
        kind = "pickup" if number < len(deliveries) else "drop"
        stops.append(plans.NewStop(made.id, kind, 1, 1, at, at + timedelta(minutes=15)))
    route = plans.NewRoute(
        w.vehicle.id, w.courier_id, 9000, 7200, 300_000, 2400, 4000, start, start + timedelta(hours=6), None, None,
        [list(DEPOT), list(YARD), list(SITES[0]), list(DEPOT)], stops,
    )  # fmt: skip
    new = plans.NewPlan(w.carrier.id, day, 300_000, "test", "graph", [route])
    result = plans.store(new, _job(), w.dispatcher.user_id)
    return str(result["plan"])


@unit_of_work
def _job() -> Any:
    return jobs.enqueue("test.plan", {})


def published(w: World, deliveries: Sequence[Any], day: date | None = None) -> str:
    """A published plan of these deliveries."""
    import uuid

    plan = stored_plan(w, deliveries, day)
    plans.publish(w.dispatcher, uuid.UUID(plan))
    return plan


__all__ = ["World", "delivery", "fleet", "published", "site", "stored_plan", "world"]


def _signed(person: User) -> Any:
    from app.accounts.models import Device
    from app.accounts.service import SignedIn

    device = Device(user_id=person.id, client_id=uuid4(), name="test")
    session.add(device)
    session.flush()
    return SignedIn(person.id, person.public_id, device.id, person.token_epoch, person.locale), device.client_id


@unit_of_work
def browse(client: Any, person: User) -> None:
    """Sign the person in with a session cookie, as a browser is."""
    from app.accounts import service as accounts

    signed, _device = _signed(person)
    client.set_cookie("session", accounts.open_session(signed))


@unit_of_work
def call_as(api: Any, person: User) -> Any:
    """A JSON client of this person."""
    signer = api._app.extensions["token_signer"]
    _session, device = _signed(person)
    other = type(api)(api._app, device=str(device))
    other.token = signer.sign(person.public_id, person.token_epoch, device)
    return other
