"""Whether a seller sells: opened by the operator, paused by suspension, a holiday or an agreement left unsigned.

`settle` is the only place that writes `is_active` and `pause`. It reads what is true and may be called at any time, so
jobs and timers that come late, twice or in another order end in the same state. The row is locked FOR NO KEY UPDATE:
writing an offer of the seller meanwhile waits for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import agreements
from app.accounts import queries as accounts
from app.core import audit, clock, events, timers
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers import listing
from app.offers.events import SellerOpened, SellerPaused
from app.offers.models import Offer, Seller

LONGEST = timedelta(days=92)
AHEAD = timedelta(days=366)


@unit_of_work
def open_seller(organisation_id: int, name: str) -> None:
    """Give an approved organisation its selling side, with its present name; safe to call again."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    session.execute(
        insert(Seller)
        .values(id=organisation_id, name=name, slug=f"{slug or 'seller'}-{organisation_id}")
        .on_conflict_do_update(index_elements=[Seller.id], set_={"name": name})
    )
    settle(organisation_id)


@unit_of_work
def settle(seller_id: int) -> None:
    """Let the seller sell or stop, as the operator's word, the holiday and the agreement say now; lists follow."""
    seller = session.scalars(
        sa.select(Seller)
        .where(Seller.id == seller_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if seller is None:
        return
    pause = _pause(seller)
    if (seller.is_active, seller.pause) == (not pause, pause):
        return
    was_active, seller.is_active, seller.pause = seller.is_active, not pause, pause
    session.flush()
    if was_active and pause:
        events.record(SellerPaused(seller.id, pause))
    if not was_active and not pause:
        events.record(SellerOpened(seller.id))
    if was_active != seller.is_active:
        listing.refresh(
            list(session.scalars(sa.select(Offer.product_id).where(Offer.seller_id == seller_id).distinct()))
        )


def _pause(seller: Seller) -> str:
    if accounts.requisites(seller.id).status != "approved":
        return "suspended"
    if seller.holiday_from and seller.holiday_until and seller.holiday_from <= clock.today() <= seller.holiday_until:
        return "holiday"
    return "agreement" if agreements.is_overdue(seller.id, "seller") else ""


def settle_all() -> None:
    """Every seller, each in a transaction of its own: once a day, for days that pass by themselves."""
    ids = list(session.scalars(sa.select(Seller.id).order_by(Seller.id)))
    session.rollback()
    for seller_id in ids:
        settle(seller_id)


@dataclass(frozen=True, slots=True)
class Selling:
    """How a seller stands: why it is paused, or empty; the days of a holiday, also a coming one."""

    pause: str
    holiday_from: date | None
    holiday_until: date | None


def selling(seller_id: int) -> Selling:
    """How this seller stands now.

    Raises:
        NotFound: the organisation has no selling side yet.
    """
    row = session.execute(
        sa.select(Seller.pause, Seller.holiday_from, Seller.holiday_until).where(Seller.id == seller_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return Selling(*row)


@unit_of_work
def set_holiday(actor: Actor, first: date | None, last: date | None) -> None:
    """Sell nothing from the first to the last day, both included; orders already placed go on. Replaces a holiday that
    was set before.

    Raises:
        Invalid: a day is missing or past, the last before the first, longer than 92 days, more than a year ahead.
    """
    begins, ends = _checked_days(first, last)
    seller = _locked(actor)
    before = _days(seller)
    seller.holiday_from, seller.holiday_until = begins, ends
    timers.set_timer("seller", seller.id, "holiday_begins", clock.at(begins, 0))
    timers.set_timer("seller", seller.id, "holiday_ends", clock.at(ends + timedelta(days=1), 0))
    audit.record(actor, "seller.holiday_set", "organisation", seller.id, before=before, after=_days(seller))
    session.flush()
    settle(seller.id)


def _checked_days(first: date | None, last: date | None) -> tuple[date, date]:
    errors = [FieldError(name, "required") for name, day in (("/first", first), ("/last", last)) if day is None]
    if first is None or last is None:
        raise Invalid(errors)
    if first < clock.today():
        errors.append(FieldError("/first", "day_is_past"))
    elif first > clock.today() + AHEAD:
        errors.append(FieldError("/first", "day_too_far", {"maximum": AHEAD.days}))
    if last < first:
        errors.append(FieldError("/last", "ends_before_it_begins"))
    elif last - first >= LONGEST:
        errors.append(FieldError("/last", "holiday_too_long", {"maximum": LONGEST.days}))
    if errors:
        raise Invalid(errors)
    return first, last


@unit_of_work
def end_holiday(actor: Actor) -> None:
    """Sell again at once, and forget a holiday that was to come; safe to repeat."""
    seller = _locked(actor)
    if seller.holiday_from is None:
        return
    before = _days(seller)
    seller.holiday_from = seller.holiday_until = None
    for transition in ("holiday_begins", "holiday_ends"):
        timers.clear("seller", seller.id, transition)
    audit.record(actor, "seller.holiday_ended", "organisation", seller.id, before=before)
    session.flush()
    settle(seller.id)


def _locked(actor: Actor) -> Seller:
    """The actor's seller. A company approved a moment ago has none until the worker has opened it."""
    row = session.scalars(
        sa.select(Seller)
        .where(Seller.id == actor.seller_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _days(seller: Seller) -> dict[str, str | None]:
    return {
        "from": seller.holiday_from.isoformat() if seller.holiday_from else None,
        "until": seller.holiday_until.isoformat() if seller.holiday_until else None,
    }
