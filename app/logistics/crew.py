"""How a person becomes a driver: a place in the carrier's company first, then a row with hours and a truck."""

from __future__ import annotations

import uuid

from app.accounts import queries as accounts
from app.accounts import team
from app.core.db import unit_of_work
from app.core.errors import Invalid
from app.core.permissions import Actor, Permission, may
from app.logistics import fleet
from app.logistics.fleet_facts import CourierFacts


@unit_of_work
def hire(actor: Actor, email: str, facts: CourierFacts) -> uuid.UUID:
    """Make a registered person a driver. An owner may hire anyone registered, a dispatcher only members of the company.

    Raises:
        Invalid: nobody has this e-mail, a dispatcher names a stranger, or what `fleet.add_courier` refuses.
    """
    user_id = accounts.member_user_id(actor.carrier_id, email)
    if user_id is None:
        place = actor.carrier
        if place is None or not may(actor, Permission.CARRIER_TEAM):
            raise Invalid.one("/email", "not_a_member")
        team.add_member(actor, place.organisation_public_id, email, "courier")
        user_id = accounts.member_user_id(actor.carrier_id, email)
    if user_id is None:
        raise Invalid.one("/email", "no_such_person")
    return fleet.add_courier(actor, user_id, facts)
