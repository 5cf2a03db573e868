"""One order to the kopek, and names of orders behind rows of money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from app.core import money
from app.core.db import session
from app.core.errors import NotFound
from app.orders.models import Order, OrderGroup, OrderLine
from app.payments import balances, refund_queries
from app.payments.balances import Transfer
from app.payments.refund_queries import RefundRow
from app.payments.rules import FEE_VAT_PERCENT


@dataclass(frozen=True, slots=True)
class OrderName:
    """What people call an order."""

    number: str
    seller_name: str


def names_of(order_ids: Iterable[int | None]) -> dict[int, OrderName]:
    """Order -> its number and seller."""
    ids = {one for one in order_ids if one is not None}
    rows = session.execute(sa.select(Order.id, Order.number, Order.seller_name).where(Order.id.in_(ids)))
    return {r.id: OrderName(r.number, r.seller_name) for r in rows}


def order_id_of(seller_id: int | None, number: str) -> int:
    """The inner id of a seller's order; None as the seller: of anybody's.

    Raises:
        NotFound: absent, or another seller's.
    """
    statement = sa.select(Order.id).where(Order.number == number)
    if seller_id is not None:
        statement = statement.where(Order.seller_id == seller_id)
    found = session.scalar(statement)
    if found is None:
        raise NotFound()
    return found


def order_id_of_buyer(user_id: int, number: str) -> int:
    """The inner id of an order that a person placed.

    Raises:
        NotFound: absent, or another person's.
    """
    found = session.scalar(
        sa.select(Order.id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.number == number, OrderGroup.user_id == user_id)
    )
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """Every kopek of an order for its seller. `ordered` at list prices - `discount` - `short` = `goods`; the ledger's
    rows sum to `earned`.
    """

    number: str
    status: str
    payment_method: str
    payment_status: str
    ordered: int
    discount: int
    goods: int
    delivery: int
    transfers: tuple[Transfer, ...]
    refunds: tuple[RefundRow, ...]
    paid_out: int

    @property
    def short(self) -> int:
        """Ordered but not accepted, not found or not handed over."""
        return self.ordered - self.discount - self.goods

    def sum_of(self, kind: str) -> int:
        """Kopeks of one kind of rows."""
        return sum(row.amount for row in self.transfers if row.kind == kind)

    @property
    def fee_vat(self) -> int:
        """VAT inside the fee that is kept."""
        return money.vat_included(-self.sum_of("commission"), FEE_VAT_PERCENT)

    @property
    def earned(self) -> int:
        return sum(row.amount for row in self.transfers)

    @property
    def to_come(self) -> int:
        """Earned and not swept by a payout yet."""
        return self.earned - self.paid_out


def order_money(seller_id: int, number: str) -> OrderMoney:
    """An order of a seller to the kopek.

    Raises:
        NotFound: absent, or another seller's.
    """
    order_id = order_id_of(seller_id, number)
    row = session.execute(
        sa.select(Order.status, OrderGroup.payment_method, Order.payment_status, Order.goods, Order.delivery)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.id == order_id)
    ).one()
    wanted = sa.select(OrderLine.price, OrderLine.quantity, OrderLine.discount).where(OrderLine.order_id == order_id)
    lines = session.execute(wanted).all()
    transfers = balances.of_order(order_id)
    return OrderMoney(
        number, row.status, row.payment_method, row.payment_status,
        sum(money.line_total(line.price, line.quantity) for line in lines),
        sum(line.discount for line in lines), row.goods, row.delivery, tuple(transfers),
        tuple(refund_queries.of_orders([order_id])), balances.paid_out_of([t.id for t in transfers]),
    )  # fmt: skip
