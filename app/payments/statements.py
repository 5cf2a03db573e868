"""Bank statements: payments that came, matched to invoices by number and amount, or put before the operator."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.payments import incoming, payouts, rules, service, statement_file
from app.payments.bank_models import BankStatement, IncomingPayment
from app.payments.models import Invoice, Payment, SellerPayout
from app.payments.statement_file import Document, Statement


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a file: payments to the operator in it, how many were new, how many of these found their invoice.

    `paid_out`: payouts to sellers that the bank has carried out and that were not known to be.
    """

    public_id: uuid.UUID
    documents: int
    added: int
    matched: int
    paid_out: int


def read(actor: Actor, file_name: str, data: bytes) -> Read:
    """Read a file of the bank. The same file, or the same payment in another file, changes nothing.

    Raises:
        Invalid: with every line that cannot be understood; `statement_foreign` when it is of another account.
    """
    statement = statement_file.parse(data)
    account = rules.OPERATOR["account"]
    if account not in statement.accounts:
        raise Invalid.one("/file", "statement_foreign", account=statement.accounts[0])
    return _write(actor, file_name.strip()[:200], account, statement)


@unit_of_work
def _write(actor: Actor, file_name: str, account: str, statement: Statement) -> Read:
    came = [d for d in statement.documents if d.payee_account == account and d.payer_account != account]
    file = BankStatement(
        file_name=file_name, account=account, first_day=statement.first_day, last_day=statement.last_day,
        documents=len(came), added=0, user_id=actor.user_id,
    )  # fmt: skip
    session.add(file)
    session.flush()
    fresh = [(row_id, d) for d in came if (row_id := _kept(file.id, account, d)) is not None]
    file.added = len(fresh)
    matched = _match([row_id for row_id, _ in fresh])
    gone = [d for d in statement.documents if d.payer_account == account and d.left_on is not None]
    counts = {"documents": len(came), "added": len(fresh), "matched": matched, "paid_out": _paid_out(actor, gone)}
    audit.record(actor, "statement.read", "bank_statement", file.id, after={"file": file_name, **counts})
    return Read(file.public_id, **counts)


def _paid_out(actor: Actor, documents: Sequence[Document]) -> int:
    """Mark the payouts that went: the number of the payment order is the payout's, sum and account must agree."""
    by_number = {int(d.number): d for d in documents if d.number.isdecimal() and len(d.number) < 18}
    rows = session.execute(
        sa.select(SellerPayout.id, SellerPayout.public_id, SellerPayout.amount, SellerPayout.requisites)
        .where(SellerPayout.id.in_(by_number), SellerPayout.status == "prepared")
        .order_by(SellerPayout.seller_id, SellerPayout.id)
    ).all()
    paid = 0
    for row in rows:
        document = by_number[row.id]
        if (document.amount, document.payee_account) == (row.amount, row.requisites["account"]):
            payouts.mark_paid(actor, row.public_id, f"№ {document.number}, {document.left_on:%d.%m.%Y}")
            paid += 1
    return paid


def _kept(file_id: int, account: str, document: Document) -> int | None:
    """The new row of a payment, or None when it is known."""
    return session.scalar(
        insert(IncomingPayment)
        .values(
            statement_id=file_id, account=account, day=document.day, number=document.number, amount=document.amount,
            payer_inn=document.payer_inn, payer_account=document.payer_account, payer_name=document.payer_name,
            purpose=document.purpose,
        )
        .on_conflict_do_nothing()
        .returning(IncomingPayment.id)
    )  # fmt: skip


def _match(row_ids: Sequence[int]) -> int:
    """Find the invoice of each new payment. Returns how many were found."""
    rows = session.scalars(
        sa.select(IncomingPayment).where(IncomingPayment.id.in_(row_ids)).order_by(IncomingPayment.id)
    ).all()
    named = {row.id: statement_file.numbers_in(row.purpose) for row in rows}
    known = _invoices({number for finds in named.values() for readings in finds for number in readings})
    candidates = {row.id: _known_in(named[row.id], known) for row in rows}
    payments = service.locked_payments(p for found in candidates.values() for p in found)
    for row in rows:
        found = candidates[row.id]
        if len(found) != 1:
            row.problem = "ambiguous" if found else "unknown"
            continue
        _offer(row, payments[found[0]])
    session.flush()
    return sum(row.state == "matched" for row in rows)


def _invoices(numbers: set[str]) -> dict[str, int]:
    """Number of an invoice -> its payment."""
    rows = session.execute(sa.select(Invoice.number, Invoice.payment_id).where(Invoice.number.in_(numbers)))
    return {row.number: row.payment_id for row in rows}


def _known_in(finds: Sequence[tuple[str, ...]], known: dict[str, int]) -> list[int]:
    """The payments that a purpose names, each once."""
    first = (next((known[n] for n in readings if n in known), None) for readings in finds)
    return list(dict.fromkeys(found for found in first if found is not None))


def _offer(row: IncomingPayment, payment: Payment) -> None:
    """Take a payment for the invoice it names when it is exactly what is still to come."""
    left = payment.amount - payment.received
    if payment.status not in service.UNPAID:
        row.problem = "closed"
    elif row.amount != left:
        row.problem = "less" if row.amount < left else "more"
    else:
        row.state, row.payment_id = "matched", payment.id
        service.receive(payment, row.amount)


@unit_of_work
def attach(actor: Actor, waiting: uuid.UUID, number: str) -> bool:
    """The operator says which invoice a waiting payment is for. Less or more than is asked is kept on it.

    Args:
        number: of the purchase, in any usual spelling.

    Returns:
        Whether the invoice is paid now.

    Raises:
        NotFound: no such payment. Invalid: no such invoice. Conflict: `decided_already`.
    """
    finds = statement_file.numbers_in(number.strip()) or statement_file.numbers_in(f"R{number.strip()}")
    known = _known_in(finds, _invoices({n for readings in finds for n in readings}))
    if len(known) != 1:
        raise Invalid.one("/number", "no_such_invoice")
    payment = service.locked_payments(known)[known[0]]
    row = _waiting(waiting)
    row.payment_id = payment.id
    _decided(actor, row, "attached", payment.id)
    paid = service.receive(payment, row.amount)
    session.flush()
    return paid


@unit_of_work
def give_extra_back(actor: Actor, number: str, reference: str = "") -> int:
    """The operator has sent back by bank what came beyond an invoice. Returns how much, in kopeks.

    Raises:
        NotFound: no such invoice. Conflict: `nothing_extra`: all that is kept is for goods.
    """
    payment_id = session.scalar(sa.select(Invoice.payment_id).where(Invoice.number == number))
    if payment_id is None:
        raise NotFound()
    payment = service.locked_payments([payment_id])[payment_id]
    found = incoming.extra_of(number)
    if found is None:
        raise Conflict("nothing_extra")
    payment.returned += found.extra
    after = {"number": number, "amount": found.extra, "reference": reference.strip()[:100]}
    audit.record(actor, "payment.extra_returned", "payment", payment.id, after=after)
    session.flush()
    return found.extra


@unit_of_work
def not_ours(actor: Actor, payment: uuid.UUID) -> None:
    """The operator says that a waiting payment is for no purchase.

    Raises:
        NotFound: no such payment. Conflict: `decided_already`.
    """
    _decided(actor, _waiting(payment), "not_ours", None)


def _waiting(payment: uuid.UUID) -> IncomingPayment:
    row = session.scalars(
        sa.select(IncomingPayment)
        .where(IncomingPayment.public_id == payment)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.state != "waiting":
        raise Conflict("decided_already")
    return row


def _decided(actor: Actor, row: IncomingPayment, state: str, payment_id: int | None) -> None:
    row.state = state
    row.decided_by_id, row.decided_at = actor.user_id, clock.now()
    after = {"amount": row.amount, "number": row.number, "payment": payment_id}
    audit.record(actor, f"incoming.{state}", "incoming_payment", row.id, before={"state": "waiting"}, after=after)
