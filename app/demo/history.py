"""Some weeks of trade, made by the same services that people use, so that every total, ledger and movement is right.

Orders are placed for tomorrow, planned, driven and then moved into the past: a day of work can only be lived forwards.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from flask import current_app

from app.accounts import queries as accounts
from app.core import clock, jobs
from app.core.db import session, unit_of_work
from app.core.models import Job
from app.core.permissions import Actor, Membership
from app.demo import answers, arrangements, cases, fleet, voices
from app.demo.companies import SELLERS
from app.demo.promotions import make_promotions
from app.demo.shift import Moved, move_back, stamp_as_planned
from app.estimates import service as estimates
from app.estimates.service import Item
from app.feedback import ratings
from app.logistics import courier_day, plans
from app.logistics.courier_day import HandOver
from app.orders import carts, checkout, fulfilments, service
from app.orders.placing import Contact

CARRIER = len(SELLERS) + 2
"""Organisation of the first carrier: the sellers come first, then one that waits for approval."""
BUYERS = 7
PAST_DAYS = (26, 12)
ORDERS_A_DAY = 6
OPEN_STATES = (
    "placed",
    "placed",
    "placed",
    "accepted",
    "accepted",
    "picking",
    "ready",
    "ready",
    "rejected",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class Part:
    """The order of one seller in a purchase."""

    number: str
    seller: int
    trips: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase made here."""

    group: int
    number: str
    parts: tuple[Part, ...]


def make_history() -> None:
    """Fill an otherwise fresh demo market with orders of the past, of today and of tomorrow."""
    rng = random.Random("tutuu:history")
    goods = stock_to_sell()
    cases.set_terms(seller_of)
    bags = arrangements.set_deposits(seller_of(1))
    tomorrow = clock.today() + timedelta(days=1)
    for days in PAST_DAYS:
        made = [buy(rng, goods, buyer) for buyer in sample_buyers(rng, ORDERS_A_DAY)]
        made += [buy_on_pallets(1, bags)] if days == PAST_DAYS[-1] else []
        work_off(made, tomorrow, share=1.0, fails=days == PAST_DAYS[0])
        move_back(Moved(tuple(p.group for p in made), tomorrow, CARRIER), days + 1)
    voices.speak([person(buyer) for buyer in buyers()], seller_of)
    ratings.settle()
    make_promotions(operator(), seller_of(1))
    made = [buy(rng, goods, buyer) for buyer in [1, *sample_buyers(rng, ORDERS_A_DAY)]]
    work_off(made, tomorrow, share=share_of_day(), fails=False)
    move_back(Moved(tuple(p.group for p in made), tomorrow, CARRIER), 1)
    dispatcher = member(3, CARRIER, "carrier", "dispatcher")
    arrangements.arrange(dispatcher, seller_of(1))
    fleet.keep_calendar(dispatcher)
    fleet.price_by_zones(dispatcher)
    for state in OPEN_STATES:
        bring_to(buy(rng, goods, 1 if rng.random() < 0.4 else rng.choice(buyers()), window=""), state)
    bring_to(buy_for_a_crane(rng, goods), "ready")
    fleet.repair_the_crane(dispatcher)
    fleet.change_hands(dispatcher, other_dispatcher())
    cases.open_cases(person, seller_of)
    answers.ask_for_approval(person, goods[1])
    answers.ask_for_prices(person, seller_of)
    answers.propose_a_change(seller_of(1), buy(rng, goods, 1, window="").parts[0].number)
    count_something()
    leave_a_dead_job()
    finish_jobs()


def share_of_day() -> float:
    """How much of a day from 8 to 18 is over: so much of today's route is driven, and enough to be on the way."""
    now = clock.local(clock.now())
    return min(max((now.hour + now.minute / 60 - 8) / 10, 0.4), 0.7)


def buyers() -> list[int]:
    """Ids of the demo buyers: the first person, then those at the end of the list of people."""
    found = session.scalars(sa.text("SELECT id FROM user_account WHERE email LIKE 'buyer%@demo.example' ORDER BY id"))
    return list(found)


def sample_buyers(rng: random.Random, count: int) -> list[int]:
    """Some buyers, one more than once if need be."""
    known = buyers()
    return [rng.choice(known) for _ in range(count)]


def stock_to_sell() -> dict[int, list[tuple[uuid.UUID, int]]]:
    """Seller -> offers (outward id, price) that one van can carry and that are in stock today."""
    rows = session.execute(
        sa.text(
            """
            SELECT o.seller_id, o.public_id, o.price FROM offer o
            JOIN product p ON p.id = o.product_id
            WHERE o.lead_time_days = 0 AND p.mass_kg BETWEEN 0.2 AND 40 AND p.length_mm <= 3000
                AND o.price BETWEEN 5000 AND 300000 AND p.base_unit NOT IN ('m3', 't', 'm2', 'm')
                AND EXISTS (SELECT FROM stock_level s WHERE s.offer_id = o.id AND s.on_hand > 100)
            ORDER BY o.id
            """
        )
    )
    found: dict[int, list[tuple[uuid.UUID, int]]] = {}
    for row in rows:
        found.setdefault(row.seller_id, []).append((row.public_id, row.price))
    return found


def buy(
    rng: random.Random, goods: dict[int, list[tuple[uuid.UUID, int]]], buyer: int, window: str = "9-18"
) -> Purchase:
    """One purchase of the demo seller's goods and, every second time, of another's; cash, for tomorrow.

    Args:
        window: empty: the first that is free.
    """
    actor = person(buyer)
    chosen = [1] if rng.random() < 0.5 else [1, rng.choice([s for s in goods if s != 1])]
    for seller in chosen:
        for offer, price in rng.sample(goods[seller], rng.randint(1, 3)):
            carts.add(actor, "", offer, Decimal(max(1, min(12, 1_200_000 // price))))
    return _order(actor, window)


def buy_on_pallets(buyer: int, offer: uuid.UUID) -> Purchase:
    """A purchase of bags that come on two returnable pallets, to be brought tomorrow."""
    actor = person(buyer)
    carts.add(actor, "", offer, Decimal(50))
    return _order(actor, "9-18")


def buy_for_a_crane(rng: random.Random, goods: dict[int, list[tuple[uuid.UUID, int]]]) -> Purchase:
    """A purchase of the demo seller's goods that must be unloaded with a crane."""
    actor = person(1)
    offer, price = rng.choice(goods[1])
    carts.add(actor, "", offer, Decimal(max(1, min(12, 1_200_000 // price))))
    return _order(actor, "", unloading="crane")


def other_dispatcher() -> Actor:
    """Who dispatches for the second carrier."""
    found = sa.text("SELECT user_id FROM organisation_member WHERE organisation_id = :o AND role = 'dispatcher'")
    return member(int(session.scalar(found, {"o": CARRIER + 1}) or 0), CARRIER + 1, "carrier", "dispatcher")


def _order(actor: Actor, window: str, **differs: object) -> Purchase:
    site = accounts.sites(actor.user)[0].snapshot() | differs
    quote = _quote(actor, site, window)
    placed = service.place(actor, quote, Contact(actor.name, "+79000000000"), "cash")
    return _purchase(placed.number)


@unit_of_work
def _quote(actor: Actor, site: dict[str, object], window: str) -> uuid.UUID:
    return checkout.make_quote(actor, site, clock.today() + timedelta(days=1), window, "cash").public_id


def _purchase(number: str) -> Purchase:
    rows = session.execute(
        sa.text(
            """
            SELECT g.id, o.number, o.seller_id, array_agg(f.public_id ORDER BY f.id) FROM order_group g
            JOIN seller_order o ON o.group_id = g.id JOIN fulfilment f ON f.order_id = o.id
            WHERE g.number = :number GROUP BY g.id, o.id ORDER BY o.id
            """
        ),
        {"number": number},
    ).all()
    return Purchase(rows[0][0], number, tuple(Part(r[1], r[2], tuple(r[3])) for r in rows))


def person(user_id: int) -> Actor:
    """A person acting for themselves."""
    profile = accounts.profile(user_id)
    return Actor(user_id=user_id, public_id=profile.public_id, name=profile.name, email=profile.email)


def member(user_id: int, organisation: int, kind: str, role: str) -> Actor:
    """A person acting for an organisation."""
    row = accounts.requisites(organisation)
    return Actor(user_id=user_id, memberships=(Membership(row.id, row.public_id, row.name, kind, role),))


def operator() -> Actor:
    """Somebody of the operator."""
    found = session.scalar(sa.text("SELECT min(id) FROM user_account WHERE is_admin"))
    return person(int(found))


def seller_of(seller: int) -> Actor:
    """The owner of a seller."""
    owner = session.scalar(
        sa.text("SELECT user_id FROM organisation_member WHERE organisation_id = :o AND role = 'owner'"), {"o": seller}
    )
    return member(int(owner), seller, "seller", "owner")


def bring_to(purchase: Purchase, state: str) -> None:
    """Lead every part of a purchase to a state."""
    for number, part in enumerate(purchase.parts):
        seller = seller_of(part.seller)
        if state == "rejected" and number == 0:
            service.reject(seller, part.number, "Партия оказалась бракованной")
        elif state == "cancelled":
            owner = session.scalar(sa.text("SELECT user_id FROM order_group WHERE id = :g"), {"g": purchase.group})
            service.cancel(person(int(owner)), part.number, "Передумали")
        elif state in ("accepted", "picking", "ready"):
            service.accept(seller, part.number)
            for trip in part.trips if state != "accepted" else ():
                fulfilments.start_picking(seller, trip)
                if state == "ready":
                    fulfilments.ready(seller, trip)


def work_off(made: Sequence[Purchase], day: date, *, share: float, fails: bool) -> None:
    """Accept, pick, plan, publish and drive a day; `share` of the stops, and one of them in vain."""
    for purchase in made:
        bring_to(purchase, "ready")
    dispatcher = member(3, CARRIER, "carrier", "dispatcher")
    plans.request(dispatcher, day, 1)
    finish_jobs()
    plan = session.scalar(
        sa.text("SELECT public_id FROM route_plan WHERE carrier_id = :c AND day = :d ORDER BY version DESC LIMIT 1"),
        {"c": CARRIER, "d": day},
    )
    assert plan is not None, "the demo day could not be planned"
    plans.publish(dispatcher, plan)
    for number, route in enumerate(_routes(plan)):
        drive(route, share, fails and number == 0)
    finish_jobs()


@dataclass(frozen=True, slots=True)
class RouteToDrive:
    """A published route and who drives it."""

    route: uuid.UUID
    user_id: int


def _routes(plan: uuid.UUID) -> list[RouteToDrive]:
    rows = session.execute(
        sa.text(
            "SELECT r.public_id, c.user_id FROM route r JOIN route_plan p ON p.id = r.plan_id"
            " JOIN courier c ON c.id = r.courier_id WHERE p.public_id = :p ORDER BY r.id"
        ),
        {"p": plan},
    )
    return [RouteToDrive(*row) for row in rows]


def drive(route: RouteToDrive, share: float, fail_one: bool) -> None:
    """Drive the first stops of a route, at the times of the plan."""
    actor = Actor(user_id=route.user_id)
    courier_day.start_route(actor, route.route)
    stops = session.execute(
        sa.text(
            "SELECT s.public_id, s.kind, d.pin, d.cash_due FROM stop s JOIN delivery d ON d.id = s.delivery_id"
            " JOIN route r ON r.id = s.route_id WHERE r.public_id = :r ORDER BY s.sequence"
        ),
        {"r": route.route},
    ).all()
    count = len(stops) if share >= 1 else min(max(1, round(len(stops) * share)), len(stops) - 1)
    failed = False
    for stop in stops[:count]:
        courier_day.arrive(actor, stop.public_id)
        if stop.kind == "drop" and fail_one and not failed:
            courier_day.fail(actor, stop.public_id, "nobody_there", "Телефон не отвечает")
            failed = True
        elif stop.kind == "drop":
            courier_day.start_unloading(actor, stop.public_id)
            courier_day.complete(actor, stop.public_id, HandOver(pin=stop.pin, cash_counted=stop.cash_due or None))
        else:
            courier_day.complete(actor, stop.public_id)
    stamp_as_planned(route.route)


def count_something() -> None:
    """Estimates of the demo buyer, to be priced like any other."""
    for title, key, inputs in (
        ("Перегородка в офисе", "partition_c111", {"length": "7,2", "height": "2,8"}),
        ("Санузел", "bathroom_full", {}),
        ("Стены первого этажа", "aerated_block_wall", {"length": "40", "height": "3", "openings": "6"}),
    ):
        estimates.create(person(1), "", title, [Item(key, inputs)])


@unit_of_work
def leave_a_dead_job() -> None:
    """One job that gave up, so that the operator has something to try again: its estimate is gone."""
    session.add(
        Job(kind="estimate.price", payload={"estimate": 0}, state="dead", attempts=5, error="the worker died",
            finished_at=clock.now())
    )  # fmt: skip


def finish_jobs() -> None:
    """Do what the services queued, here and now; mails are dropped, so that loading the demo mails nobody."""
    from workers.worker import run_in_context  # the demo does the workers' part

    while True:
        _drop_mails()
        due = jobs.take_due(500)
        if not due:
            return
        for job_id, _queue in due:
            run_in_context(job_id, current_app._get_current_object())  # type: ignore[attr-defined]  # the proxy's app


@unit_of_work
def _drop_mails() -> None:
    session.execute(sa.delete(Job).where(Job.kind == "mail.send", Job.state == "queued"))
