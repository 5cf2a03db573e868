"""Terms of returns, a return that waits for the demo seller, claims that wait for him and for the operator."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.permissions import Actor
from app.demo.companies import SELLERS
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import claims, returns

DEMO_SELLER = 1
WHO = Callable[[int], Actor]


@dataclass(frozen=True, slots=True)
class Handed:
    """A line that reached a buyer."""

    number: str
    buyer: int
    line: uuid.UUID
    gross: int


def set_terms(seller_of: WHO) -> None:
    """Most sellers take leftovers back, each in his own way; it has been so for long."""
    for number in range(1, len(SELLERS) + 1):
        if number % 4:
            fee, by = Decimal((0, 5, 10)[number % 3]), "seller" if number % 2 else "buyer"
            return_terms.change(seller_of(number), Terms(True, 14 + 7 * (number % 3), True, fee, by))
    _long_ago()


@unit_of_work
def _long_ago() -> None:
    """Terms hold for orders placed after them; the loader of a new database may lift the guard of the ledger."""
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    session.execute(sa.text("UPDATE return_terms SET created_at = created_at - interval '120 days'"))


def open_cases(person: WHO, seller_of: WHO) -> None:
    """What is open in a fresh demo: a return of leftovers, a claim to answer, and one to decide."""
    found = _handed()
    if len(found) < 3:
        return
    back, short, refused = found[:3]
    note = "Осталась целая упаковка, не вскрывали"
    returns.request(person(back.buyer), back.number, returns.Wanted("leftover", {back.line: Decimal(1)}, note))
    _claim(person, short, "Подписали накладную, а при разгрузке одной упаковки не хватило")
    key = _claim(person, refused, "В поддоне не хватило одной упаковки, заметили вечером")
    claims.refuse(seller_of(DEMO_SELLER), key, "Водитель и покупатель пересчитали вместе, расхождений не отметили")
    claims.escalate(person(refused.buyer), key)


def _claim(person: WHO, line: Handed, note: str) -> uuid.UUID:
    wanted = claims.Wanted(line.line, "short", Decimal(1), "money", note, line.gross // 2)
    return claims.open_claim(person(line.buyer), line.number, wanted)


def _handed() -> list[Handed]:
    """Lines of the demo seller handed over not long ago, of different orders, the demo buyer's first."""
    rows = session.execute(
        sa.text(
            """
            SELECT DISTINCT ON (g.user_id <> 1, e.at, o.id) o.number, g.user_id, l.public_id, l.gross
            FROM seller_order o JOIN order_group g ON g.id = o.group_id JOIN order_line l ON l.order_id = o.id
            JOIN LATERAL (SELECT max(created_at) AS at FROM order_event
                WHERE order_id = o.id AND kind = 'fulfilment.delivered') e ON e.at > now() - interval '13 days 12 hours'
            WHERE o.seller_id = :seller AND o.status = 'completed' AND l.gross > 10000
                AND EXISTS (SELECT FROM fulfilment_line f WHERE f.order_line_id = l.id AND f.delivered >= 1)
            ORDER BY g.user_id <> 1, e.at DESC, o.id, l.position
            """
        ),
        {"seller": DEMO_SELLER},
    )
    return [Handed(*row) for row in rows]
