"""Reads for the operator's desk of money: runs, payouts that wait, corrections."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import NotFound
from app.offers.models import Seller
from app.payments.balances import PAYOUT_COLUMNS, PayoutRow, balance, with_money
from app.payments.models import Correction, PayoutRun, SellerPayout


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with what it paid."""

    public_id: uuid.UUID
    created_at: datetime
    finished_at: datetime | None
    skipped: list[dict[str, Any]]
    payouts: int
    amount: int


def runs(limit: int = 12) -> list[RunRow]:
    """Runs, newest first."""
    rows = session.execute(
        sa.select(
            PayoutRun.public_id, PayoutRun.created_at, PayoutRun.finished_at, PayoutRun.skipped,
            sa.func.count(SellerPayout.id), sa.func.coalesce(sa.func.sum(SellerPayout.amount), 0),
        )
        .outerjoin(SellerPayout, SellerPayout.run_id == PayoutRun.id)
        .group_by(PayoutRun.id)
        .order_by(PayoutRun.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [RunRow(r[0], r[1], r[2], r[3], r[4], int(r[5])) for r in rows]


def run_payouts(run: uuid.UUID) -> list[PayoutRow]:
    """Payouts of a run that did not fail.

    Raises:
        NotFound: there is no such run.
    """
    run_id = session.scalar(sa.select(PayoutRun.id).where(PayoutRun.public_id == run))
    if run_id is None:
        raise NotFound()
    statement = sa.select(*PAYOUT_COLUMNS).where(SellerPayout.run_id == run_id, SellerPayout.status != "failed")
    return [PayoutRow(*row) for row in session.execute(statement.order_by(SellerPayout.id))]


@dataclass(frozen=True, slots=True)
class WaitingPayout:
    """A payout that the bank has not answered."""

    payout: PayoutRow
    seller_name: str


def waiting_payouts(limit: int = 100) -> list[WaitingPayout]:
    """Payouts on their way, oldest first."""
    rows = session.execute(
        sa.select(Seller.name, *PAYOUT_COLUMNS)
        .join(Seller, Seller.id == SellerPayout.seller_id)
        .where(SellerPayout.status == "prepared")
        .order_by(SellerPayout.id)
        .limit(limit)
    )
    return [WaitingPayout(PayoutRow(*row[1:]), row[0]) for row in rows]


def due() -> int:
    """Kopeks that a run could pay now, to all sellers together (those it would skip included)."""
    return sum(balance(seller_id).available for seller_id in with_money())


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A correction that waits or was decided."""

    public_id: uuid.UUID
    seller_name: str
    amount: int
    reason: str
    status: str
    requested_by_id: int
    created_at: datetime


def corrections(limit: int = 20) -> list[CorrectionRow]:
    """Corrections: those that wait first, then the newest."""
    rows = session.execute(
        sa.select(
            Correction.public_id, Seller.name, Correction.amount, Correction.reason, Correction.status,
            Correction.requested_by_id, Correction.created_at,
        )
        .join(Seller, Seller.id == Correction.seller_id)
        .order_by(Correction.status != "requested", Correction.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [CorrectionRow(*row) for row in rows]


def sellers() -> list[tuple[int, str]]:
    """(id, name) of all sellers by name."""
    return list(session.execute(sa.select(Seller.id, Seller.name).order_by(Seller.name, Seller.id)).tuples())
