"""Paying sellers: one run, one payout for each seller with enough, one transaction for each of them.

A payout sweeps rows of the ledger; a row is swept once (unique), so a run that is killed, repeated or doubled pays
nobody twice. The lock of the seller orders two runs; the second finds nothing left.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import queries as accounts
from app.accounts.bank import TRADES, BankDetails
from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Invalid, NotFound
from app.core.jobs import RunningJob, enqueue
from app.core.permissions import Actor
from app.offers.models import Seller
from app.payments import balances, ledger, rules
from app.payments.models import PayoutRun, PayoutTransfer, SellerPayout

JOB = "payments.pay_out"


@unit_of_work
def start(actor: Actor) -> uuid.UUID:
    """The operator presses "pay out". Returns the job's id."""
    job = enqueue(JOB, {}, queue="slow", user_id=actor.user)
    audit.record(actor, "payout.run_started", "payout_run", None)
    return job


def queue_weekly() -> None:
    """The weekly run, on Tuesdays; whoever asks, one a week. Joins the caller's transaction."""
    day = clock.today()
    if day.isoweekday() == 2:
        enqueue(JOB, {}, queue="slow", dedupe_key=f"{JOB}:{day}")


def run(job: RunningJob) -> None:
    """All sellers with money, one by one; an attempt after a crash goes on with the same run."""
    run_id = _run_of(str(job.public_id), job.user_id)
    sellers = balances.with_money()
    skipped: list[dict[str, Any]] = []
    for number, seller_id in enumerate(sellers, 1):
        why = pay_seller(run_id, seller_id)
        if why is not None:
            skipped.append(why)
        if not job.progress(number, len(sellers)):
            return
    job.complete(lambda: _finish(run_id, skipped))


@unit_of_work
def _run_of(job_key: str, user_id: int | None) -> int:
    session.execute(insert(PayoutRun).values(job_key=job_key, user_id=user_id).on_conflict_do_nothing())
    return session.scalars(sa.select(PayoutRun.id).where(PayoutRun.job_key == job_key)).one()


def _finish(run_id: int, skipped: list[dict[str, Any]]) -> dict[str, Any]:
    row = session.get_one(PayoutRun, run_id, with_for_update=True)
    row.skipped, row.finished_at = skipped, clock.now()
    count = session.scalar(sa.select(sa.func.count()).where(SellerPayout.run_id == run_id))
    return {"run": str(row.public_id), "payouts": count, "skipped": len(skipped)}


@unit_of_work
def pay_seller(run_id: int, seller_id: int) -> dict[str, Any] | None:
    """One payout of everything that is available to a seller.

    Returns:
        None when paid or when nothing is due (any more); else who was skipped and why: `bank_missing`, `too_little`.
    """
    seller: Seller = lock_rows(Seller, [seller_id])[0]
    rows = session.execute(balances.available_rows(seller_id)).all()
    amount = sum(r.amount for r in rows)
    if amount <= 0:
        return None
    if amount < rules.PAYOUT_MINIMUM:
        return _skipped(seller, amount, "too_little")
    payee = requisites_of(seller_id)
    if payee is None:
        return _skipped(seller, amount, "bank_missing")
    payout = SellerPayout(run_id=run_id, seller_id=seller_id, amount=amount, requisites=payee)
    session.add(payout)
    session.flush()
    session.add_all(PayoutTransfer(transfer_id=r.id, payout_id=payout.id) for r in rows)
    ledger.write_payout(seller_id, payout.id, amount)
    return None


def _skipped(seller: Seller, amount: int, why: str) -> dict[str, Any]:
    return {"seller_id": seller.id, "name": seller.name, "amount": amount, "why": why}


def requisites_of(seller_id: int) -> dict[str, str] | None:
    """The confirmed account of a seller that trades; None while there is none."""
    company = accounts.requisites(seller_id)
    bank = BankDetails.of(company.bank)
    if company.status not in TRADES or not bank.is_complete:
        return None
    own = {"name": company.name, "inn": company.inn, "kpp": company.kpp}
    return own | {f"bank_{key}" if key == "name" else key: value for key, value in asdict(bank).items()}


@unit_of_work
def mark_paid(actor: Actor, payout: uuid.UUID, reference: str = "") -> None:
    """The bank has carried it out.

    Raises:
        NotFound. Conflict: `payout_state`.
    """
    row = _locked(payout)
    rules.PAYOUT.check(row.status, "paid")
    row.status, row.paid_at, row.note = "paid", clock.now(), reference.strip()[:200]
    audit.record(actor, "payout.paid", "seller_payout", row.id, after={"amount": row.amount, "reference": row.note})
    session.flush()


@unit_of_work
def mark_failed(actor: Actor, payout: uuid.UUID, why: str) -> None:
    """The bank refused it: the ledger gets the money back and the next run may pay it.

    Raises:
        NotFound. Invalid: no reason. Conflict: `payout_state`.
    """
    if not why.strip():
        raise Invalid.one("/note", "required")
    row = _locked(payout)
    rules.PAYOUT.check(row.status, "failed")
    row.status, row.note = "failed", why.strip()[:200]
    ledger.reverse_payout(row.seller_id, row.id, row.amount, row.note)
    audit.record(actor, "payout.failed", "seller_payout", row.id, after={"amount": row.amount, "why": row.note})


def _locked(payout: uuid.UUID) -> SellerPayout:
    row = session.execute(
        sa.select(SellerPayout.id, SellerPayout.seller_id).where(SellerPayout.public_id == payout)
    ).one_or_none()
    if row is None:
        raise NotFound()
    lock_rows(Seller, [row.seller_id])
    found: SellerPayout = lock_rows(SellerPayout, [row.id])[0]
    return found
