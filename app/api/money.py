"""Money: refunds of an order, balance, ledger and payouts of a seller."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.kernel import Answer, Api, given_id
from app.api.orders import cursor_id
from app.api.schemas import MoneyIn, MoneyOut, Page, PageQuery, Schema, Utc, money
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.orders import money_queries, pallet_returns, refunds
from app.payments import balances, refund_queries, rules
from app.payments.balances import Filter
from app.payments.refunds import Payee

api = Api("money", tag="Orders and money")


class RefundLineIn(Schema):
    """So much of a line."""

    line: uuid.UUID
    amount: MoneyIn


class RefundIn(Schema):
    """What to give back: goods as one sum or by lines, and delivery."""

    reason: str = Field(min_length=1, max_length=500)
    goods: MoneyIn = MoneyIn(amount=0)
    delivery: MoneyIn = MoneyIn(amount=0)
    lines: list[RefundLineIn] = Field(default=[], max_length=200)


class PayeeIn(Schema):
    """An account for a refund by bank."""

    name: str = Field(min_length=2, max_length=160)
    bik: str = Field(max_length=20)
    account: str = Field(max_length=40)


class WhyIn(Schema):
    """Why not."""

    note: str = Field(min_length=1, max_length=500)


class PaidIn(Schema):
    """The bank's document."""

    reference: str = Field(default="", max_length=100)


class RefundOut(Schema):
    """A refund; `kind` is shortage (goods not handed over) or refund (given back by hand)."""

    id: uuid.UUID
    kind: Literal["shortage", "refund"]
    status: Literal["requested", "approved", "paid", "declined"]
    amount: MoneyOut
    goods: MoneyOut
    delivery: MoneyOut
    deposit: MoneyOut
    reason: str
    note: str
    needs_account: bool
    created_at: Utc
    paid_at: Utc | None


class RefundsOut(Schema):
    """Refunds of an order, oldest first."""

    items: list[RefundOut]


def _refunds(order_id: int) -> list[RefundOut]:
    return [
        RefundOut(
            id=row.public_id, kind=row.kind, status=row.status, amount=money(row.amount), goods=money(row.goods),
            delivery=money(row.delivery), deposit=money(row.deposit), reason=row.reason, note=row.note,
            needs_account=row.wants_payee and not row.payee, created_at=row.created_at, paid_at=row.paid_at,
        )
        for row in refund_queries.of_orders([order_id])
    ]  # fmt: skip


@api.get("/orders/{number}/refunds", permission=Permission.BUY, answer=RefundsOut, summary="Refunds of an order")
def list_refunds(number: str) -> RefundsOut:
    """Of an own purchase."""
    return RefundsOut(items=_refunds(money_queries.order_id_of_buyer(access.actor().user, number)))


@api.post(
    "/orders/{number}/refunds", permission=Permission.REFUND, body=RefundIn, answer=RefundOut, status=201,
    required_key=True, summary="Give money back",
    example={"reason": "бой при перевозке", "goods": {"amount": 15000}, "delivery": {"amount": 0}},
)  # fmt: skip
def give_back(number: str, body: RefundIn) -> RefundOut:
    """By the seller of the order or the operator. 409 `refund_too_early`, `refund_exceeds_paid`."""
    lines: dict[uuid.UUID, int] = {}
    for index, line in enumerate(body.lines):
        if line.line in lines:
            raise Invalid.one(f"/lines/{index}/line", "line_twice")
        lines[line.line] = line.amount.amount
    actor = access.actor()
    made = refunds.request(actor, number, refunds.Wanted(body.reason, body.goods.amount, body.delivery.amount, lines))
    order_id = money_queries.order_id_of(None if actor.is_admin else actor.seller_id, number)
    return next(row for row in _refunds(order_id) if row.id == made)


class PalletCount(Schema):
    """So many pallets of an order line."""

    line: uuid.UUID
    pallets: int = Field(ge=0, le=100_000)


class PalletsIn(Schema):
    """Pallets that came back. `before`: how many had come back before, when that is to be checked."""

    lines: list[PalletCount] = Field(min_length=1, max_length=200)
    before: int | None = Field(default=None, ge=0)


class PalletLineOut(Schema):
    """Returnable pallets of an order line: handed over, back, and the deposit for one."""

    line: uuid.UUID
    out: int
    back: int
    deposit: MoneyOut


class PalletsOut(Schema):
    """Returnable pallets of an order, line by line."""

    items: list[PalletLineOut]


def _pallets(number: str) -> PalletsOut:
    actor = access.actor()
    order_id = money_queries.order_id_of(None if actor.is_admin else actor.seller_id, number)
    return PalletsOut(
        items=[
            PalletLineOut(line=one.public_id, out=one.out, back=one.back, deposit=money(one.deposit))
            for one in pallet_returns.of_order(order_id)
        ]
    )


@api.get("/orders/{number}/pallets", permission=Permission.REFUND, answer=PalletsOut, summary="Pallets of an order")
def list_pallets(number: str) -> PalletsOut:
    """For the seller of the order and the operator."""
    return _pallets(number)


@api.post(
    "/orders/{number}/pallets", permission=Permission.REFUND, body=PalletsIn, answer=PalletsOut, status=201,
    required_key=True, summary="Count pallets that came back",
    example={"lines": [{"line": "00000000-0000-7000-8000-000000000000", "pallets": 2}]},
)  # fmt: skip
def count_pallets(number: str, body: PalletsIn) -> PalletsOut:
    """The deposit for them becomes a refund. 409 `refund_too_early`, `pallets_counted`."""
    counts: dict[uuid.UUID, Decimal] = {}
    for index, one in enumerate(body.lines):
        if one.line in counts:
            raise Invalid.one(f"/lines/{index}/line", "line_twice")
        counts[one.line] = Decimal(one.pallets)
    pallet_returns.came_back(access.actor(), number, counts, body.before)
    return _pallets(number)


@api.post(
    "/refunds/{refund}/account", permission=Permission.BUY, body=PayeeIn, required_key=True,
    summary="Name the account for a refund",
    example={"name": "Иванов Иван", "bik": "044525225", "account": "40817810238000000007"},
)  # fmt: skip
def name_account(refund: str, body: PayeeIn) -> Answer:
    """Of an own purchase that was paid by invoice or in cash."""
    refunds.name_payee(access.actor(), given_id(refund), Payee(body.name, body.bik, body.account))
    return Answer(None, 204)


@api.post(
    "/refunds/{refund}/approve", permission=Permission.ADMIN_MONEY, required_key=True, summary="Agree to a refund"
)
def approve(refund: str) -> Answer:
    """403 `same_person` for who asked; 409 `refund_state`."""
    refunds.approve(access.actor(), given_id(refund))
    return Answer(None, 204)


@api.post(
    "/refunds/{refund}/decline", permission=Permission.ADMIN_MONEY, body=WhyIn, required_key=True,
    summary="Decline a refund", example={"note": "товар цел"},
)  # fmt: skip
def decline(refund: str, body: WhyIn) -> Answer:
    """409 `refund_state`, `refund_is_due`."""
    refunds.decline(access.actor(), given_id(refund), body.note)
    return Answer(None, 204)


@api.post(
    "/refunds/{refund}/paid", permission=Permission.ADMIN_MONEY, body=PaidIn, required_key=True,
    summary="A refund was sent by bank", example={"reference": "п/п 118"},
)  # fmt: skip
def mark_paid(refund: str, body: PaidIn) -> Answer:
    """409 `refund_state`, `refund_needs_payee`."""
    refunds.mark_paid(access.actor(), given_id(refund), body.reference)
    return Answer(None, 204)


class BalanceOut(Schema):
    """Kopeks of a seller: to be paid out, coming, owed to the market, in all."""

    available: MoneyOut
    coming: MoneyOut
    owed: MoneyOut
    total: MoneyOut
    hold_days: int
    smallest_payout: MoneyOut


@api.get("/seller/balance", permission=Permission.SELLER_MONEY, answer=BalanceOut, summary="The seller's balance")
def show_balance() -> BalanceOut:
    """Derived from the ledger."""
    found = balances.balance(access.actor().seller_id)
    return BalanceOut(
        available=money(max(0, found.available)), coming=money(found.coming), owed=money(found.owed),
        total=money(found.total), hold_days=rules.HOLD_DAYS, smallest_payout=money(rules.PAYOUT_MINIMUM),
    )  # fmt: skip


class TransferQuery(PageQuery):
    """Days are included."""

    first: date | None = None
    last: date | None = None
    kind: (
        Literal[
            "sale",
            "commission",
            "delivery",
            "refund",
            "correction",
            "payout",
            "payout_failed",
            "promotion",
            "deposit",
            "deposit_returned",
        ]
        | None
    ) = None


class TransferOut(Schema):
    """A row of the ledger; negative leaves the seller."""

    id: uuid.UUID
    kind: str
    amount: MoneyOut
    order: str | None
    reason: str
    created_at: Utc


@api.get(
    "/seller/transfers", permission=Permission.SELLER_MONEY, query=TransferQuery, answer=Page[TransferOut],
    summary="The seller's ledger",
)  # fmt: skip
def list_transfers(query: TransferQuery) -> Page[TransferOut]:
    """Newest first."""
    wanted = Filter(query.first, query.last, query.kind or "")
    seller = access.actor().seller_id
    rows = balances.transfers(seller, wanted, before=cursor_id(query.cursor), limit=query.limit + 1)
    shown = rows[: query.limit]
    names = money_queries.names_of(row.order_id for row in shown)
    items = [
        TransferOut(
            id=row.public_id, kind=row.kind, amount=money(row.amount), reason=row.reason, created_at=row.created_at,
            order=names[row.order_id].number if row.order_id in names else None,
        )
        for row in shown
    ]  # fmt: skip
    return Page[TransferOut](items=items, next_cursor=str(shown[-1].id) if len(rows) > query.limit else None)


class PayoutOut(Schema):
    """A payout with the account it went to."""

    id: uuid.UUID
    amount: MoneyOut
    status: Literal["prepared", "paid", "failed"]
    account: str
    bank: str
    note: str
    created_at: Utc
    paid_at: Utc | None


@api.get(
    "/seller/payouts", permission=Permission.SELLER_MONEY, query=PageQuery, answer=Page[PayoutOut],
    summary="Payouts to the seller",
)  # fmt: skip
def list_payouts(query: PageQuery) -> Page[PayoutOut]:
    """Newest first; the account's last four digits."""
    rows = balances.payouts(access.actor().seller_id, before=cursor_id(query.cursor), limit=query.limit + 1)
    items = [_payout(row) for row in rows[: query.limit]]
    return Page[PayoutOut](items=items, next_cursor=str(rows[query.limit - 1].id) if len(rows) > query.limit else None)


def _payout(row: Any) -> PayoutOut:
    account = str(row.requisites.get("account", ""))[-4:]
    return PayoutOut(
        id=row.public_id, amount=money(row.amount), status=row.status, account=account,
        bank=str(row.requisites.get("bank_name", "")), note=row.note, created_at=row.created_at, paid_at=row.paid_at,
    )  # fmt: skip
