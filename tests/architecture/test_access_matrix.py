"""Every door tried by everybody, generated from the routes: a new route is tried the moment it is registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import access
from app.accounts import invitations, sites
from app.accounts.models import OrganisationMember, User
from app.catalog import lists
from app.catalog.models import Product, ProductChange
from app.core import clock, jobs
from app.core.db import session
from app.core.ids import uuid7
from app.core.permissions import GRANTS, Permission, Role
from app.feedback import questions, reviews
from app.feedback.reviews import Opinion
from app.logistics import calendar, depots, fleet, hand_overs, slots
from app.logistics.calendar import AbsenceFacts
from app.logistics.courier_models import ProofPhoto
from app.logistics.depots import DepotFacts
from app.logistics.hand_overs import Offer as ToCarrier
from app.logistics.models import Courier, Delivery, Route, Stop
from app.logistics.slots import WindowFacts
from app.offers.import_models import PriceImport
from app.offers.imports import feeds
from app.offers.models import Offer
from app.orders import approvals, carts, checkout, promotions, quotes
from app.orders.approvals import Asked
from app.orders.carrier_bill_models import CarrierInvoice
from app.orders.company_models import PriceRequest
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderEvent, OrderGroup, OrderLine
from app.orders.placing import Contact
from app.orders.promotions import PromotionData
from app.orders.return_models import Claim, EvidencePhoto, ReturnLine, ReturnRequest
from app.payments.models import Payment, PaymentSplit, Refund
from tests.client import ApiClient
from tests.factories import logistics as make
from tests.factories import orders

pytestmark = pytest.mark.usefixtures("db_session")

ROLES: dict[str, frozenset[Role]] = {
    "anonymous": frozenset({Role.ANYONE}),
    "buyer": frozenset({Role.ANYONE, Role.USER}),
    "seller owner": frozenset({Role.ANYONE, Role.USER, Role.SELLER_OWNER}),
    "seller warehouse": frozenset({Role.ANYONE, Role.USER, Role.SELLER_WAREHOUSE}),
    "carrier dispatcher": frozenset({Role.ANYONE, Role.USER, Role.CARRIER_DISPATCHER}),
    "courier": frozenset({Role.ANYONE, Role.USER, Role.COURIER}),
    "admin": frozenset({Role.ANYONE, Role.USER, Role.ADMIN}),
}
PRESENT_CELLS = 1841
"""Routes x methods x roles when this was written; fewer means that routes are no longer tried."""

SIDE = {"name": "N", "inn": "7700000001", "kpp": "", "address": "", "bank": "", "bik": "", "account": ""}

Call = Callable[[str, str], TestResponse]


def doors(app: Flask) -> list[tuple[Rule, str, Permission]]:
    """(rule, method, permission) of every route."""
    known = access.permissions(app)
    rules = (r for r in app.url_map.iter_rules() if r.endpoint not in access.OPEN_ENDPOINTS)
    found = [(r, m, known[r.endpoint]) for r in rules for m in sorted((r.methods or set()) - {"OPTIONS", "HEAD"})]
    return sorted(found, key=lambda door: (door[0].rule, door[1]))


def path_of(rule: Rule) -> str:
    """An address of the route, with ids of nothing."""
    return re.sub(r"<[^>]+>", lambda _match: str(uuid7()), rule.rule)


@contextmanager
def undone(db_session: Any) -> Iterator[None]:
    """What the call changes is taken back, so that a sign-out in one cell closes no other."""
    mark = db_session.get_bind().begin_nested()
    try:
        yield
    finally:
        db_session.remove()
        mark.rollback()


def person_of(role: str, world: make.World) -> User | None:
    """Somebody with this role and no other."""
    if role == "anonymous":
        return None
    if role == "carrier dispatcher":
        return world.dispatcher_user
    if role == "courier":
        return world.courier_user
    person = make.user(role, is_admin=role == "admin")
    if role.startswith("seller"):
        make.member(world.seller, person, role.removeprefix("seller "))
    return person


def caller(app: Flask, person: User | None) -> Call:
    """Speaks pages with a cookie and the API with a token."""
    signed: FlaskClient = app.test_client()
    token = ""
    if person is not None:
        make.browse(signed, person)
        token = make.call_as(ApiClient(app), person).token
    cookie = signed.get_cookie("session")

    def call(method: str, path: str) -> TestResponse:
        if not path.startswith("/api/v1"):
            browser = app.test_client()  # a new one each time: the call before may have signed out
            if cookie is not None:
                browser.set_cookie("session", cookie.value)
            return browser.open(path, method=method)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
        return app.test_client(use_cookies=False).open(path, method=method, json=body, headers=headers)

    return call


def refused_at_the_door(answer: TestResponse, path: str, signed_in: bool) -> bool:
    """Whether the guard, not the view, answered."""
    if signed_in:
        return answer.status_code == 403
    if path.startswith("/api/v1"):
        return answer.status_code == 401
    return answer.status_code == 303 and answer.location.startswith("/login")


@pytest.mark.parametrize("role", ROLES)
def test_a_door_opens_to_its_roles_and_to_nobody_else(app: Flask, db_session: Any, role: str) -> None:
    person = person_of(role, make.world())
    call = caller(app, person)
    db_session.commit()
    wrong = []
    for rule, method, permission in doors(app):
        path = path_of(rule)
        with undone(db_session):
            answer = call(method, path)
        is_open = bool(GRANTS[permission] & ROLES[role])
        closed = refused_at_the_door(answer, path, person is not None)
        if answer.status_code >= 500 or closed == is_open or (is_open and answer.status_code in (401, 403)):
            wrong.append((method, rule.rule, "open" if is_open else "closed", answer.status_code))
    assert not wrong


def test_no_route_escapes_the_matrix(app: Flask) -> None:
    found = doors(app)
    assert len(found) * len(ROLES) >= PRESENT_CELLS
    assert {permission for _, _, permission in found} <= set(GRANTS)
    tried = {role for roles in ROLES.values() for role in roles}
    alike = {  # grants of these are those of a role that is tried, or the door has no route yet
        Role.BUYER_OWNER, Role.BUYER_APPROVER, Role.BUYER_MEMBER, Role.SELLER_MANAGER, Role.SELLER_ACCOUNTANT,
        Role.CARRIER_OWNER,
        Role.SELLER_SUSPENDED,  # tests/accounts/test_onboarding.py tries its three doors
    }  # fmt: skip
    assert tried | alike == set(Role)


def test_a_cookie_opens_no_call_and_a_token_no_page(app: Flask, db_session: Any) -> None:
    person = make.user()
    browser = app.test_client()
    make.browse(browser, person)
    token = make.call_as(ApiClient(app), person).token
    db_session.commit()
    assert browser.get("/account").status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    assert app.test_client().get("/account", headers=bearer).status_code == 303


def test_a_person_who_lost_the_seat_is_refused_at_once(app: Flask, db_session: Any) -> None:
    world = make.world()
    person = person_of("seller owner", world)
    assert person is not None
    call = caller(app, person)
    db_session.commit()
    assert call("GET", "/api/v1/seller/orders").status_code == 200
    assert call("GET", "/seller/orders").status_code == 200
    db_session.query(OrganisationMember).filter_by(user_id=person.id).delete()
    db_session.commit()
    assert call("GET", "/api/v1/seller/orders").status_code == 403
    assert call("GET", "/seller/orders").status_code == 403


def masked(answer: TestResponse, known: str) -> tuple[int, str]:
    """Status and text without what differs between any two requests."""
    text = answer.text.replace(known, "ID")
    return answer.status_code, re.sub(r'"request_id":\s*"\w+"|[0-9a-f]{32}|\d{2}:\d{2}:\d{2}', "", text)


def foreign_ids(world: make.World, db_session: Any) -> dict[str, str]:
    """One real object of another party for each kind of id in a path; keys are beginnings of rules."""
    delivery = make.delivery(world)
    plan = make.published(world, [delivery])
    tariff = make.tariff(world.carrier.id)
    order = db_session.query(Order).filter_by(seller_id=world.seller.id).order_by(Order.id).first()
    group = db_session.get(OrderGroup, order.group_id)
    group.site = dict(orders.SITE)
    own = sites.add(make.actor(world.buyer), {"title": "Дом", **orders.SITE})
    category = orders.market().category_id
    seller = make.actor(world.buyer, world.seller, "seller", "owner")
    offer = orders.offer(orders.Market(world.carrier.id, category, [seller], [world.warehouse.id]))
    courier = db_session.get(Courier, world.courier_id)
    stop = db_session.query(Stop).filter_by(delivery_id=delivery.id).first()
    trip = db_session.query(Fulfilment).filter_by(order_id=order.id).one()
    row = db_session.get(Delivery, delivery.id)
    proposal = ProductChange(seller_id=world.seller.id, user_id=world.buyer.id, payload={"name_ru": "Товар"})
    db_session.add(proposal)
    db_session.flush()
    change = jobs.enqueue("offers.bulk", {"seller_id": world.seller.id}, user_id=world.buyer.id)
    offered = invitations.invite(make.actor(own_company(world), world.seller, "seller", "owner"),
                                 world.seller.public_id, world.buyer.email, "manager")  # fmt: skip
    return {
        "/account/invitations/": str(offered), "/me/invitations/": str(offered),
        "/seller/offers/bulk/": str(change), "/seller/changes/": str(proposal.public_id),
        "/seller/stock/": str(offer.public_id),
        "/seller/products/": str(db_session.get(Product, offer.product_id).public_id),
        "/seller/stock/count/": str(world.warehouse.public_id),
        "/carrier/couriers/": str(courier.public_id), "/carrier/vehicles/": str(world.vehicle.public_id),
        "/carrier/tariffs/": str(tariff.public_id), **fleet_of(world), **windows_of(world),
        "/fulfilments/": str(trip.public_id), "/orders/trips/": str(trip.public_id),
        "/carrier/deliveries/": str(row.public_id),
        **papers_of(world, str(row.public_id), stop),
        "/carrier/plans/": plan, "/carrier/route-plans/": plan, "/courier/stops/": str(stop.public_id),
        "/account/organisations/": str(world.seller.public_id), "/organisations/": str(world.seller.public_id),
        "/account/work-for/": str(world.seller.public_id), "/account/sites/": str(own.public_id),
        "/me/sites/": str(own.public_id), "/deliveries/": str(row.public_id), "/order-groups/": group.number,
        "/seller/orders/": order.number, "/seller/fulfilments/": str(trip.public_id),
        "/seller/offers/": str(offer.public_id), "/seller/warehouses/": str(world.warehouse.public_id),
        "/seller/money/orders/": order.number, "/refunds/": str(refund_of(order)),
        "/seller/promotions/": str(promotion_of(world)),
        "/proof/": str(proof_of(delivery.id, world)),
        **price_lists(world), **buyers_things(world, order, offer), **company_things(world, offer),
    }  # fmt: skip


def proof_of(delivery_id: int, world: make.World) -> UUID:
    """A photograph that the world's courier took of a delivery."""
    stored = f"proof/{uuid7().hex}.webp"
    current_app.extensions["storage"].put(stored, b"RIFF", "image/webp")
    photo = ProofPhoto(
        user_id=world.courier_user.id, key=uuid7(), delivery_id=delivery_id, role="photo", file_name="a.jpg",
        kind="jpeg", original="originals/a.dat", stored=stored, state="ready", taken_at=clock.now(),
    )  # fmt: skip
    session.add(photo)
    session.flush()
    return photo.public_id


def company_things(world: make.World, offer: Offer) -> dict[str, str]:
    """A purchase of the world's buyer that waits for an approval, and prices asked of the world's seller."""
    firm = orders.member("buyer").memberships[0]
    session.add(
        OrganisationMember(
            organisation_id=firm.organisation_id, user_id=world.buyer.id, role="member", spending_limit=1
        )
    )
    buyer = make.actor(world.buyer)
    carts.add(buyer, "", offer.public_id, Decimal(1))
    quote = checkout.make_quote(buyer, orders.SITE, None, "", "invoice")
    contact = Contact("Покупатель Демо", "+79161234567")
    waits = approvals.place(buyer, quote.public_id, contact, "invoice", "", firm.organisation_public_id)
    assert isinstance(waits, Asked)
    batch = quotes.ask(buyer, quotes.Ask([quotes.Wish(offer.product_id, Fraction(1))], [offer.seller_id], orders.SITE))
    asked = str(session.query(PriceRequest).filter_by(batch_id=batch).one().public_id)
    return {
        "/checkout/quote/": str(quote.public_id),
        "/approvals/": str(waits.public_id), "/quotes/": asked, "/seller/quotes/": asked,
        "/quotes/batch/": str(batch), "/quotes/batches/": str(batch),
    }  # fmt: skip


def fleet_of(world: make.World) -> dict[str, str]:
    """A yard, a shift, a day off of the world's carrier, and a delivery it offers to a third one."""
    yard = depots.add_depot(world.dispatcher, DepotFacts("Yard", *make.DEPOT))
    [driver] = fleet.couriers(world.carrier.id)
    soon = clock.today() + timedelta(days=3)
    shift = calendar.add_shift(world.dispatcher, driver.public_id, world.vehicle.public_id, soon, 480, 900)
    later = soon + timedelta(days=1)
    away = calendar.add_absence(world.dispatcher, AbsenceFacts("sick", later, later, courier=driver.public_id))
    other = make.world().carrier.public_id
    offer = hand_overs.offer(world.dispatcher, make.delivery(world, index=1).public_id, ToCarrier(other, "no_truck", 1))
    return {
        "/carrier/depots/": str(yard), "/carrier/shifts/": str(shift), "/carrier/absences/": str(away),
        "/carrier/hand-overs/": str(offer),
    }  # fmt: skip


def windows_of(world: make.World) -> dict[str, str]:
    """A declared window of the world's carrier, and a date that differs."""
    slots.declare(world.dispatcher, [1], WindowFacts(540, 720, 3))
    slots.except_on(world.dispatcher, clock.today(), 0)
    rule, other = slots.declared(world.carrier.id)[0], slots.exceptions(world.carrier.id, clock.today())[0]
    return {
        "/carrier/slots/exceptions/": str(other.public_id), "/carrier/slots/": str(rule.public_id),
        "/carrier/slot-exceptions/": str(other.public_id),
    }  # fmt: skip


def papers_of(world: make.World, delivery: str, stop: Stop) -> dict[str, str]:
    """The route and an invoice of the world's carrier, and the truck of its seller's delivery."""
    route = str(session.get_one(Route, stop.route_id).public_id)
    day = clock.today()
    invoice = CarrierInvoice(
        carrier_id=world.carrier.id, seller_id=world.seller.id, year=day.year, number=1, first_day=day, last_day=day,
        issued_on=day, vat_code="none", vat_percent=0, vat=0, gross=0, sides={"carrier": SIDE, "customer": SIDE},
    )  # fmt: skip
    session.add(invoice)
    session.flush()
    return {
        "/carrier/routes/": route, "/courier/routes/": route, "/seller/deliveries/": delivery,
        "/carrier/invoices/": str(invoice.public_id), "/seller/carrier-invoices/": str(invoice.public_id),
        "/seller/money/carrier-invoices/": str(invoice.public_id),
    }  # fmt: skip


def refund_of(order: Order) -> UUID:
    """A refund that the world's buyer may name an account for."""
    split = session.query(PaymentSplit).filter_by(order_id=order.id).one_or_none()
    if split is None:
        payment = Payment(group_id=order.group_id, method="invoice", amount=1000, status="paid")
        session.add(payment)
        session.flush()
        split = PaymentSplit(payment_id=payment.id, order_id=order.id, amount=1000)
        session.add(split)
        session.flush()
    made = Refund(split_id=split.id, amount=100, reason="not_found")
    session.add(made)
    session.flush()
    return made.public_id


def buyers_things(world: make.World, order: Order, offer: Offer) -> dict[str, str]:
    """A list, a review and a question of the world's buyer."""
    buyer = make.actor(world.buyer)
    line = OrderLine(
        order_id=order.id, position=1, offer_id=offer.id, product_id=offer.product_id, name_ru="Т", name_en="T",
        sku="1", unit="bag", factor_numerator=1, factor_denominator=1, quantity=1, quantity_base=1, price=100,
        vat_percent=22, net=82, vat=18, gross=100, mass_kg=1, volume_m3=1, length_mm=1,
    )  # fmt: skip
    session.add(line)
    session.flush()
    trip = session.query(Fulfilment).filter_by(order_id=order.id).one()
    session.add(FulfilmentLine(fulfilment_id=trip.id, order_line_id=line.id, quantity=1, delivered=1))
    review = reviews.write(buyer, offer.product_id, Opinion(5, "Хорошо"))
    asked = questions.ask(buyer, offer.product_id, "Сколько весит?")
    own = str(lists.create(buyer, "Баня"))
    return {
        **cases_of(order, trip, line),
        "/lists/": own, "/me/lists/": own, "/orders/lines/": str(line.public_id), "/me/reviews/": str(review),
        "/seller/reviews/": str(review), "/seller/questions/": str(asked),
    }  # fmt: skip


def cases_of(order: Order, trip: Fulfilment, line: OrderLine) -> dict[str, str]:
    """A return and a claim of the world's buyer on the world's seller, and a photograph of the return."""
    user_id = session.get_one(OrderGroup, order.group_id).user_id
    back = ReturnRequest(order_id=order.id, user_id=user_id, reason="leftover")
    claim = Claim(
        order_id=order.id, order_line_id=line.id, user_id=user_id, kind="short", quantity=1, wish="other", note="Мало"
    )
    arrived = OrderEvent(
        group_id=order.group_id, order_id=order.id, fulfilment_id=trip.id, kind="fulfilment.delivered"
    )  # fmt: skip
    session.add_all([back, claim, arrived])
    session.flush()
    session.add(ReturnLine(return_id=back.id, order_line_id=line.id, quantity=1))
    stored = f"evidence/{uuid7().hex}.webp"
    current_app.extensions["storage"].put(stored, b"RIFF", "image/webp")
    photo = EvidencePhoto(
        user_id=user_id, return_id=back.id, file_name="a.jpg", kind="jpeg", original="originals/a.dat", stored=stored,
        state="ready",
    )  # fmt: skip
    session.add(photo)
    session.flush()
    return {
        "/returns/": str(back.public_id), "/seller/returns/": str(back.public_id), "/claims/": str(claim.public_id),
        "/seller/claims/": str(claim.public_id), "/evidence/": str(photo.public_id),
    }  # fmt: skip


def promotion_of(world: make.World) -> UUID:
    """A promotion of the world's seller."""
    owner = make.actor(world.buyer, world.seller, "seller", "owner")
    terms = PromotionData("Осень", "Autumn", percent=Decimal(5))
    return promotions.make(owner, terms, world.seller.id)


def own_company(world: make.World) -> User:
    """An owner of the world's seller."""
    owner = make.user("Owner")
    make.member(world.seller, owner, "owner")
    return owner


def price_lists(world: make.World) -> dict[str, str]:
    """An import and a feed of the world's seller."""
    owner = make.actor(world.buyer, world.seller, "seller", "owner")
    made = PriceImport(seller_id=world.seller.id, user_id=owner.user_id, file_name="a.csv", stored_name="", size=1)
    session.add(made)
    session.flush()
    feed = feeds.add(owner, {"url": f"https://price.example/{made.id}", "hour": 6})
    return {"/seller/imports/": str(made.public_id), "/seller/feeds/": str(feed)}


def id_kind(rule: str, known: dict[str, str]) -> str | None:
    bare = rule.removeprefix("/api/v1")
    if bare.startswith("/orders/<number>"):
        return "/order-groups/" if not rule.startswith("/api") else None
    return next((start for start in known if bare.startswith(start) and bare[len(start) : len(start) + 1] == "<"), None)


def test_an_object_of_somebody_else_answers_as_an_absent_one(app: Flask, db_session: Any) -> None:
    foreign, own = make.world(), make.world()
    known = foreign_ids(foreign, db_session)
    people = ("buyer", "seller owner", "carrier dispatcher", "courier")
    calls = {role: caller(app, person_of(role, own)) for role in people}
    owners = {role: caller(app, person_of(role, foreign)) for role in people} | {"buyer": caller(app, foreign.buyer)}
    db_session.commit()
    told, tried = [], set()
    for rule, method, permission in doors(app):
        kind = id_kind(rule.rule, known)
        role = next((r for r in people if GRANTS[permission] & ROLES[r]), None)
        if kind is None or role is None:
            continue
        tried.add(kind)
        first = re.search(r"<[^>]+>", rule.rule)
        assert first is not None
        absent = str(uuid7()) if _is_uuid(known[kind]) else "T-none"
        answers = []
        for given in (known[kind], absent):
            path = re.sub(r"<[^>]+>", str(uuid7()), rule.rule.replace(first.group(), given, 1))
            with undone(db_session):
                answer = calls[role](method, path)
            answers.append(masked(answer, given))
        if method == "GET" and "organisations" not in kind and rule.rule.endswith(">") and rule.rule.count("<") == 1:
            with undone(db_session):
                seen = owners[role]("GET", rule.rule.replace(first.group(), known[kind]))
            assert seen.status_code == 200, rule.rule
        if answers[0] != answers[1] or (method == "GET" and answers[0][0] != 404):
            told.append((method, rule.rule, role, answers[0][0], answers[1][0]))
    assert not told
    assert tried == set(known)


IN_PUBLIC = ("/seller/products/", "/seller/offers/", "/seller/stock/", "/seller/reviews/", "/seller/questions/",
             "/me/reviews/")  # fmt: skip
"""What stands on pages for everybody."""


def test_lists_hold_what_is_ones_own(app: Flask, db_session: Any) -> None:
    """No list, counter or overview names an object of another tenant; the owners find theirs in them."""
    foreign, own = make.world(), make.world()
    known = {kind: mark for kind, mark in foreign_ids(foreign, db_session).items() if kind not in IN_PUBLIC}
    people = ("buyer", "seller owner", "carrier dispatcher", "courier")
    strangers = {role: caller(app, person_of(role, own)) for role in people} | {"buyer": caller(app, own.buyer)}
    owners = {role: caller(app, person_of(role, foreign)) for role in people} | {"buyer": caller(app, foreign.buyer)}
    db_session.commit()
    told, found = [], set()
    for rule, method, permission in doors(app):
        if method != "GET" or "<" in rule.rule:
            continue
        for role in people:
            if not GRANTS[permission] & ROLES[role]:
                continue
            with undone(db_session):
                shown = strangers[role](method, rule.rule).text
            told += [(rule.rule, role, kind) for kind, mark in known.items() if mark in shown]
            with undone(db_session):
                seen = owners[role](method, rule.rule).text
            found |= {kind for kind, mark in known.items() if mark in seen}
    assert not told
    assert len(found) >= 36, sorted(set(known) - found)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
