"""Short ways to money: an order handed over and paid, accounts that pass their keys, people of the operator."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.accounts.models import Organisation
from app.core.db import session, unit_of_work
from app.core.permissions import Actor
from app.offers.models import Offer
from app.orders import fulfilments, service
from app.orders.models import Order, OrderGroup
from app.payments.refunds import Payee
from tests.factories import orders as make
from tests.orders import steps

BANK = {
    "bik": "044525225", "account": "40702810738000000007", "correspondent_account": "30101810400000000225",
    "name": "ПАО Банк",
}  # fmt: skip
PAYEE = Payee("Иванов Иван", "044525225", "40817810238000000007")


def operator(name: str = "Оператор") -> Actor:
    """Somebody of the operator."""
    one = make.person(name, is_admin=True)
    return Actor(user_id=one.user_id, public_id=one.public_id, name=name, email=one.email, is_admin=True)


def with_bank(seller: Actor) -> None:
    """Confirmed details of the seller's company."""
    session.execute(sa.update(Organisation).where(Organisation.id == seller.seller_id).values(bank=BANK))


def paid_by_bank(group_id: int) -> None:
    """The transfer of an invoice has come."""
    for table, key in (("payment", "group_id"), ("seller_order", "group_id")):
        column = "status" if table == "payment" else "payment_status"
        session.execute(
            sa.text(f"UPDATE {table} SET {column} = 'paid' WHERE {key} = :g AND {column} IN ('awaiting', 'overdue')"),
            {"g": group_id},
        )
    session.execute(
        sa.text(
            "UPDATE order_group SET payment_status = 'paid' WHERE id = :g AND payment_status IN ('awaiting', 'overdue')"
        ),
        {"g": group_id},
    )
    session.expire_all()


def handed_over(seller: Actor, order: Order, outcome: str = "delivered", lines: Any = ()) -> None:
    """Accepted, picked, and at the door."""
    service.accept(seller, order.number)
    for trip in steps.trips_of(order):
        fulfilments.start_picking(seller, trip.public_id)
        fulfilments.ready(seller, trip.public_id)
        fulfilments.handed_over(trip.id)
        fulfilments.complete(trip.id, outcome, "", list(lines), None)


@unit_of_work
def sold(market: make.Market, *wants: tuple[Offer, int], buyer: Actor | None = None) -> Order:
    """An order of the first seller, handed over and paid by invoice."""
    group: OrderGroup = steps.bought(buyer or make.person(), *wants)
    order = steps.orders_of(group)[0]
    handed_over(market.sellers[0], order)
    paid_by_bank(group.id)
    return steps.orders_of(group)[0]
