"""What members of a buying company may spend of its money without asking."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from app.accounts import organisations
from app.accounts import queries as accounts
from app.accounts.queries import OrganisationRow
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.orders.models import Order, OrderGroup

UNLIMITED = ("owner", "approver")
"""Roles that spend without a limit and decide on what others ask for."""
NOT_SPENT = ("rejected", "expired", "cancelled")


def company(user_id: int, organisation: uuid.UUID) -> OrganisationRow:
    """The person's buying company.

    Raises:
        Invalid: the person has no place in it, or it does not buy.
    """
    found = next((row for row in accounts.organisations(user_id) if row.public_id == organisation), None)
    if found is None or found.kind != "buyer":
        raise Invalid.one("/organisation", "unknown_option")
    return found


def decides_in(actor: Actor) -> list[int]:
    """Buying companies in which the person decides on what others ask for."""
    return [m.organisation_id for m in actor.memberships if m.kind == "buyer" and m.role in UNLIMITED]


def locked(organisation_id: int) -> None:
    """Lock a company: whoever spends its money comes here first, so that sums of a month are counted one by one."""
    organisations.lock(organisation_id)


def check(user_id: int, organisation_id: int, total: int) -> None:
    """Refuse a purchase above what the member may spend. The company is locked by the caller.

    Args:
        total: kopeks.

    Raises:
        Conflict: `above_limit` with `above` (order, month), `limit`, `spent` in the month and `total`, kopeks.
        Invalid: the person has lost the place.
    """
    place = next((one for one in accounts.places(organisation_id) if one.user_id == user_id), None)
    if place is None:
        raise Invalid.one("/organisation", "unknown_option")
    if place.role in UNLIMITED:
        return
    if place.spending_limit is not None and total > place.spending_limit:
        raise Conflict("above_limit", above="order", limit=place.spending_limit, spent=0, total=total)
    if place.monthly_limit is not None:
        spent = spent_this_month(user_id, organisation_id)
        if spent + total > place.monthly_limit:
            raise Conflict("above_limit", above="month", limit=place.monthly_limit, spent=spent, total=total)


def spent_this_month(user_id: int, organisation_id: int) -> int:
    """Kopeks of the person's purchases paid by the company since the month began where the market works.

    What sellers refused and what was cancelled does not count; an order that became cheaper counts as it is now.
    """
    began = clock.at(clock.today().replace(day=1), 0)
    return int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(Order.total), 0))
            .join(OrderGroup, OrderGroup.id == Order.group_id)
            .where(
                OrderGroup.organisation_id == organisation_id,
                OrderGroup.user_id == user_id,
                OrderGroup.created_at >= began,
                Order.status.not_in(NOT_SPENT),
            )
        )
        or 0
    )
