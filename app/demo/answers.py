"""What waits for an answer in a fresh demo: a purchase above a limit, prices asked of sellers, a seller's proposal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.accounts import team
from app.core import clock
from app.core.db import session
from app.core.errors import DomainError
from app.core.permissions import Actor
from app.demo.companies import BUYING_COMPANY
from app.orders import approvals, carts, checkout, proposals, quotes
from app.orders.placing import Contact
from app.orders.quotes import Ask, Price, Terms, Wish

OWNER, MEMBER = "buyer@demo.example", "buyer2@demo.example"
LIMIT = 30_000_00
"""Kopeks of one purchase that the member makes without asking."""
DEMO_SELLER, OTHER_SELLER = 1, 2
WHO = Callable[[int], Actor]


def _id_of(email: str) -> int:
    return int(session.execute(sa.text("SELECT id FROM user_account WHERE email = :e"), {"e": email}).scalar_one())


def ask_for_approval(person: WHO, goods: list[tuple[uuid.UUID, int]]) -> None:
    """A member of the demo company wants to buy above the limit; the owner, who is the demo buyer, decides.

    Args:
        goods: offers with their prices in kopeks.
    """
    firm = accounts.requisites(
        int(session.execute(sa.text("SELECT id FROM organisation WHERE name = :n"), {"n": BUYING_COMPANY}).scalar_one())
    )
    owner, member = person(_id_of(OWNER)), person(_id_of(MEMBER))
    assert member.public_id is not None
    team.add_member(owner, firm.public_id, MEMBER, "member")
    team.set_limits(owner, firm.public_id, member.public_id, LIMIT, None)
    for offer, price in goods[:3]:
        carts.add(member, "", offer, Decimal(-(-LIMIT // (2 * price))))
    site = accounts.sites(member.user)[0].snapshot()
    quote = checkout.make_quote(member, site, None, "", "invoice", organisation=firm.public_id)
    contact = Contact(member.name, "+79000000000")
    found = approvals.place(member, quote.public_id, contact, "invoice", "На второй этаж, к пятнице", firm.public_id)
    assert isinstance(found, approvals.Asked), "the demo purchase was not above the limit"


def ask_for_prices(person: WHO, seller_of: WHO) -> None:
    """The demo buyer has asked two sellers: one has answered, the demo seller has not yet."""
    buyer = person(_id_of(OWNER))
    products = session.execute(
        sa.text(
            "SELECT a.product_id FROM offer a JOIN offer b ON b.product_id = a.product_id AND b.seller_id = :other"
            " JOIN product p ON p.id = a.product_id WHERE a.seller_id = :demo AND a.unit = 'bag' AND b.unit = 'bag'"
            " AND a.status = 'active' AND b.status = 'active' AND p.status = 'active' ORDER BY a.id LIMIT 2"
        ),
        {"demo": DEMO_SELLER, "other": OTHER_SELLER},
    ).scalars()
    wishes = [Wish(product, Fraction(100 + 20 * i)) for i, product in enumerate(products)]
    site = accounts.sites(buyer.user)[0].snapshot()
    words = "Нужно на два этажа, возьмём всё сразу"
    batch = quotes.ask(buyer, Ask(wishes, [DEMO_SELLER, OTHER_SELLER], site, comment=words))
    rows = session.execute(
        sa.text(
            "SELECT r.public_id, l.public_id, o.price FROM price_request r"
            " JOIN price_request_line l ON l.request_id = r.id JOIN offer o ON o.id = l.offer_id"
            " WHERE r.batch_id = :b AND r.seller_id = :s"
        ),
        {"b": batch, "s": OTHER_SELLER},
    ).all()
    prices = {line: Price(price * 94 // 100) for _request, line, price in rows}
    until = clock.now() + timedelta(days=10)
    quotes.offer(seller_of(OTHER_SELLER), rows[0][0], Terms(prices, False, until, "Цена держится при заказе целиком"))


def propose_a_change(seller: Actor, number: str) -> None:
    """The seller of a placed order lacks half of its first line; what is the same to the buyer is offered instead."""
    lines = session.execute(
        sa.text(
            "SELECT l.public_id, l.product_id, l.quantity FROM order_line l JOIN seller_order o ON o.id = l.order_id"
            " WHERE o.number = :n ORDER BY l.position"
        ),
        {"n": number},
    ).all()
    words = "Пересчитали остаток: часть партии с повреждённой упаковкой"
    instead = proposals.candidates(seller.seller_id, [line.product_id for line in lines])
    for line in lines:
        for offer in instead.get(line.product_id, []):
            try:
                proposals.propose(seller, number, [_half(line.public_id, line.quantity, offer.public_id)], words)
            except DomainError:
                session.rollback()  # too heavy, too dear or in another warehouse: the next one
            else:
                return
    proposals.propose(seller, number, [_half(lines[0].public_id, lines[0].quantity)], words)


def _half(line: uuid.UUID, quantity: Decimal, substitute: uuid.UUID | None = None) -> proposals.Wish:
    return proposals.Wish(line, Decimal(int(quantity) // 2), substitute)
