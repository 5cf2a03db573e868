"""Many offers changed at once: looked at first, then written in one transaction by a worker, all or nothing.

One transaction because a change by percent done twice is another change: a killed worker leaves no half to guess about.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import sqlalchemy as sa

from app.core import audit, events, jobs
from app.core.db import session, unit_of_work
from app.core.errors import Invalid, NotFound
from app.core.models import Job
from app.core.permissions import Actor
from app.offers import listing, table
from app.offers.desk import DeskOffer
from app.offers.events import PriceChanged
from app.offers.models import Offer, OfferStep, PriceChange
from app.offers.rules import Step
from app.offers.service import MAX_PRICE, descends
from app.offers.table import TableFilter

JOB_KIND = "offers.bulk"
Kind = Literal["percent", "add", "price", "lead_time", "show", "hide"]
PRICES = ("percent", "add", "price")
ROUNDINGS = (1, 100, 1000)
"""Kopeks that a new price is rounded to."""
LARGE_JUMP = Fraction(30, 100)
MOST_PERCENT, LEAST_PERCENT = 1000, -95
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to every chosen offer.

    `value`: percent, kopeks added, kopeks or days, by kind; nothing for show and hide. `rounding` in kopeks.
    """

    kind: Kind
    value: Decimal = Decimal(0)
    rounding: int = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """What a change makes of one offer; `refused` says why it stays as it is, `jumps` that the price moves a lot."""

    offer: DeskOffer
    price: int
    ladder: tuple[Step, ...]
    refused: str = ""

    @property
    def jumps(self) -> bool:
        return not self.refused and abs(Fraction(self.price, self.offer.price) - 1) > LARGE_JUMP


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen, and the first of the offers it would happen to."""

    total: int
    changed: int
    refused: dict[str, int]
    jumps: int
    examples: tuple[Planned, ...]


def check(change: Change) -> None:
    """Refuse a change that cannot be meant.

    Raises:
        Invalid: what is wrong with the value.
    """
    whole = change.value == change.value.to_integral_value()
    if change.kind == "percent" and not LEAST_PERCENT <= change.value <= MOST_PERCENT:
        raise Invalid.one("/value", "out_of_range", minimum=LEAST_PERCENT, maximum=MOST_PERCENT)
    if change.kind in ("add", "price") and (not whole or abs(change.value) > MAX_PRICE):
        raise Invalid.one("/value", "not_a_number")
    if change.kind == "price" and change.value < 1:
        raise Invalid.one("/value", "too_small", minimum=1)
    if change.kind == "lead_time" and (not whole or not 0 <= change.value <= 365):
        raise Invalid.one("/value", "out_of_range", minimum=0, maximum=365)
    if change.kind in ("percent", "add") and change.value == 0:
        raise Invalid.one("/value", "nothing_to_change")
    if change.rounding not in ROUNDINGS:
        raise Invalid.one("/rounding", "unknown_option")


def new_price(price: int, change: Change) -> int:
    """The price after the change, in kopeks, rounded half up; may be out of bounds."""
    exact = Fraction(price)
    if change.kind == "percent":
        exact = exact * (100 + Fraction(change.value)) / 100
    elif change.kind == "add":
        exact += Fraction(change.value)
    else:
        exact = Fraction(change.value)
    steps = exact / change.rounding
    return (2 * steps.numerator + steps.denominator) // (2 * steps.denominator) * change.rounding


def plan(offer: DeskOffer, change: Change) -> Planned:
    """What the change makes of an offer. Steps of the ladder move with the price, not with a price that is set."""
    if offer.status == "blocked":
        return Planned(offer, offer.price, offer.ladder, "blocked")
    if change.kind not in PRICES:
        return Planned(offer, offer.price, offer.ladder, _unchanged(offer, change))
    price = new_price(offer.price, change)
    ladder = offer.ladder
    if change.kind != "price":
        ladder = tuple(Step(step.from_quantity, new_price(step.price, change)) for step in ladder)
    if not 1 <= price <= MAX_PRICE:
        return Planned(offer, offer.price, offer.ladder, "price_range")
    if not descends([Step(Decimal(0), price), *ladder]):
        return Planned(offer, offer.price, offer.ladder, "ladder_order")
    return Planned(offer, price, ladder, "same" if (price, ladder) == (offer.price, offer.ladder) else "")


def _unchanged(offer: DeskOffer, change: Change) -> str:
    if change.kind == "lead_time":
        return "same" if offer.lead_time_days == change.value else ""
    return "same" if offer.status == ("active" if change.kind == "show" else "hidden") else ""


def preview(seller_id: int, wanted: TableFilter, change: Change) -> Preview:
    """Count what a change would do, without doing it.

    Raises:
        Invalid: the change or the filter.
    """
    check(change)
    return _summed([plan(offer, change) for offer in table.whole(seller_id, wanted)])


def _summed(planned: Sequence[Planned]) -> Preview:
    refused: dict[str, int] = {}
    for one in planned:
        if one.refused:
            refused[one.refused] = refused.get(one.refused, 0) + 1
    changed = [one for one in planned if not one.refused]
    examples = sorted(changed, key=lambda one: not one.jumps)[:EXAMPLES]
    return Preview(len(planned), len(changed), refused, sum(one.jumps for one in changed), tuple(examples))


@unit_of_work
def request(actor: Actor, wanted: TableFilter, change: Change) -> uuid.UUID:
    """Ask a worker for the change; the outward id of the job.

    Raises:
        Invalid: the change or the filter.
    """
    check(change)
    table.narrowed(actor.seller_id, wanted)
    payload = {
        "seller_id": actor.seller_id,
        "user_id": actor.user_id,
        "filter": dataclasses.asdict(wanted) | {"ids": [str(key) for key in wanted.ids]},
        "change": dataclasses.asdict(change) | {"value": str(change.value)},
    }
    return jobs.enqueue(JOB_KIND, payload, user_id=actor.user)


def job(seller_id: int, public_id: uuid.UUID) -> jobs.JobView:
    """A bulk change of this seller, whoever of its people asked for it.

    Raises:
        NotFound: absent, another seller's, or a job of another kind.
    """
    payload = session.scalar(sa.select(Job.payload).where(Job.public_id == public_id, Job.kind == JOB_KIND))
    if payload is None or payload["seller_id"] != seller_id:
        raise NotFound()
    return jobs.view(public_id, any_user=True)


@unit_of_work
def apply(seller_id: int, user_id: int, wanted: TableFilter, change: Change) -> dict[str, Any]:
    """Write the change to every offer of the filter; counts of what was changed and refused."""
    locked = sa.select(Offer.id).where(Offer.seller_id == seller_id).order_by(Offer.id).with_for_update(key_share=True)
    session.execute(locked)
    found = [plan(offer, change) for offer in table.whole(seller_id, wanted)]
    changed = [one for one in found if not one.refused]
    if changed:
        _write(changed, change, user_id)
        told = {"kind": change.kind, "value": str(change.value), "changed": len(changed)}
        audit.record(Actor(user_id=user_id), "offers.changed", "seller", seller_id, after=told)
        products = sa.select(Offer.product_id).where(Offer.id.in_([one.offer.id for one in changed])).distinct()
        listing.refresh(list(session.scalars(products)))
    summed = _summed(found)
    return {"changed": summed.changed, "refused": summed.refused}


_SET_PRICES = sa.text(
    """
    UPDATE offer o SET price = v.price, version = o.version + 1, updated_at = now()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:prices AS bigint[])) AS v(id, price) WHERE o.id = v.id
    """
)


def _write(changed: Sequence[Planned], change: Change, user_id: int) -> None:
    ids = [one.offer.id for one in changed]
    if change.kind in PRICES:
        session.execute(_SET_PRICES, {"ids": ids, "prices": [one.price for one in changed]})
        _write_ladders([one for one in changed if one.ladder != one.offer.ladder])
        _note_prices([one for one in changed if one.price != one.offer.price], user_id)
        return
    values: dict[str, Any] = {"version": Offer.version + 1, "updated_at": sa.func.now()}
    if change.kind == "lead_time":
        values["lead_time_days"] = int(change.value)
    else:
        values["status"] = "active" if change.kind == "show" else "hidden"
    session.execute(sa.update(Offer).where(Offer.id.in_(ids)).values(**values))


def _write_ladders(changed: Sequence[Planned]) -> None:
    if not changed:
        return
    session.execute(sa.delete(OfferStep).where(OfferStep.offer_id.in_([one.offer.id for one in changed])))
    rows = [
        {"offer_id": one.offer.id, "from_quantity": step.from_quantity, "price": step.price}
        for one in changed
        for step in one.ladder
    ]
    session.execute(sa.insert(OfferStep), rows)


def _note_prices(changed: Sequence[Planned], user_id: int) -> None:
    if not changed:
        return
    session.execute(
        sa.insert(PriceChange),
        [
            {"offer_id": one.offer.id, "old_price": one.offer.price, "new_price": one.price, "user_id": user_id}
            for one in changed
        ],
    )
    products = dict(
        session.execute(sa.select(Offer.id, Offer.product_id).where(Offer.id.in_([one.offer.id for one in changed])))
        .tuples()
        .all()
    )
    events.record_many(
        [PriceChanged(one.offer.id, products[one.offer.id], one.offer.price, one.price) for one in changed]
    )
