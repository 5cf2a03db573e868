"""Deliveries of a carrier: found, put on the map, geocoded, handed to another carrier."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from flask import current_app
from pydantic import Field

from app import access
from app.api.carrier_shapes import DeliveryOut, DeliveryQuery, Made, ProblemOut
from app.api.kernel import Api, expected_version, given_id
from app.api.schemas import MoneyOut, Page, PageQuery, Schema, Utc, money, part_of
from app.core.permissions import Permission
from app.logistics import delivery_table, geocoding, hand_overs, places, queries, service
from app.logistics.delivery_table import Wanted
from app.logistics.fleet_models import HAND_OVER_REASONS
from app.logistics.hand_overs import LONGEST, SHORTEST, HandOverRow, Offer
from app.logistics.problems import Problem
from app.texts import carrier as words

api = Api("carrier_deliveries", tag="Logistics")


class PinIn(Schema):
    """Where the site is. `confirm`: the delivery is on a route, whose plan becomes out of date."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    why: str = Field(default="", max_length=places.MOST_NOTE)
    confirm: bool = False


class GeocodeQuery(Schema):
    """An address."""

    q: str = Field(min_length=2, max_length=geocoding.LONGEST)


class CandidateOut(Schema):
    """A place the address may mean; precision: house, street or place (a district)."""

    lat: float
    lon: float
    label: str
    precision: str
    source: str


class CandidatesOut(Schema):
    """The most precise first; empty when nobody knows the address."""

    items: list[CandidateOut]


class HandOverIn(Schema):
    """What is offered to another carrier: kopeks between the two, hours to answer."""

    carrier: uuid.UUID
    reason: Literal[HAND_OVER_REASONS]  # type: ignore[valid-type]  # the reasons are a constant tuple
    price: int = Field(ge=0, le=10**12)
    hours: int = Field(default=4, ge=SHORTEST, le=LONGEST)
    note: str = Field(default="", max_length=hand_overs.MOST_NOTE)


class DeclineIn(Schema):
    """Why not."""

    answer: str = Field(default="", max_length=hand_overs.MOST_NOTE)


class HandOverOut(Schema):
    """An offer as both sides see it; before it is accepted without names and telephones."""

    id: uuid.UUID
    number: str
    delivery: uuid.UUID
    direction: Literal["given", "received"]
    carrier: str
    state: str
    reason: str
    note: str
    answer: str
    price: MoneyOut
    expires_at: Utc
    created_at: Utc
    decided_at: Utc | None
    window_from: Utc
    window_to: Utc
    pickup_address: str
    site_address: str
    needs: list[str]
    mass_kg: int
    volume_l: int
    longest_mm: int


class PartnerOut(Schema):
    """A carrier that a delivery may be offered to; `serves`: it picks up at that warehouse anyway."""

    id: uuid.UUID
    name: str
    serves: bool


class PartnersQuery(PageQuery):
    """For a delivery of one's own: carriers that serve its warehouse come first."""

    delivery: uuid.UUID | None = None


@api.get(
    "/carrier/deliveries", permission=Permission.CARRIER_VIEW, query=DeliveryQuery, answer=Page[DeliveryOut],
    summary="Deliveries, problems first",
)  # fmt: skip
def deliveries(query: DeliveryQuery) -> Page[DeliveryOut]:
    """Of a day (today when none is named), or of any day when `q` is given. Cancelled ones only when asked for."""
    wanted = Wanted(
        delivery_table.today_or(query.day, query.q), query.state or "", query.warehouse, query.problem, query.q,
        query.sort, query.cursor or "", query.limit,
    )  # fmt: skip
    found = delivery_table.page(access.actor().carrier_id, wanted)
    return Page(items=[delivery_out(one.row, one.problems) for one in found.items], next_cursor=found.after)


def delivery_out(row: queries.DeliveryRow, found: Sequence[Problem] | None = None) -> DeliveryOut:
    """A delivery as its carrier sees it. `found`: what the board knows of its problems; None: not looked for."""
    values = {name: getattr(row, name) for name in DeliveryOut.model_fields if hasattr(row, name)}
    reasons = [
        ProblemOut(
            code=one.code,
            context={name: delivery_table.moment(value) for name, value in one.context.items()},
            detail=f"{words.PROBLEMS[one.code]}. {words.fix(one.code, one.context)}",
        )
        for one in found or ()
    ]
    return DeliveryOut(
        **values
        | {
            "id": row.public_id,
            "date": row.day,
            "price": money(row.price),
            "cash_due": money(row.cash_due),
            "problems": list(row.problems) if found is None else [one.code for one in found],
            "reasons": reasons,
        }
    )


@api.post(
    "/carrier/deliveries/{delivery}/release-pin", permission=Permission.CARRIER_PLAN,
    summary="Let the courier try the buyer's PIN again",
)  # fmt: skip
def release_pin(delivery: str) -> None:
    """After three wrong PINs."""
    service.release_pin(access.actor(), given_id(delivery))


@api.post(
    "/carrier/deliveries/{delivery}/place", permission=Permission.CARRIER_PLAN, body=PinIn,
    summary="Put the site elsewhere on the map", example={"lat": 55.8211, "lon": 37.5864, "why": "the gate is there"},
)  # fmt: skip
def move_pin(body: PinIn, delivery: str) -> None:
    """409 `pin_on_route` when it is on a route and not confirmed. The history keeps both places."""
    places.move_pin(
        access.actor(), given_id(delivery), body.lat, body.lon, why=body.why, confirmed=body.confirm,
        version=expected_version(),
    )  # fmt: skip


@api.get(
    "/carrier/geocode", permission=Permission.CARRIER_VIEW, query=GeocodeQuery, answer=CandidatesOut,
    summary="Places for an address",
)  # fmt: skip
def geocode(query: GeocodeQuery) -> CandidatesOut:
    """From where deliveries went, warehouses, the shipped streets, and a remote service when one is set."""
    settings = current_app.extensions["settings"]
    asked = geocoding.sources(access.actor().carrier_id, settings.geocoder_url, anywhere=settings.fetch_anywhere)
    found = geocoding.geocode(query.q, asked)
    return CandidatesOut(items=[CandidateOut.model_validate(one) for one in found])


@api.get(
    "/carrier/partners", permission=Permission.CARRIER_VIEW, query=PartnersQuery, answer=Page[PartnerOut],
    summary="Carriers that a delivery may be offered to",
)  # fmt: skip
def partners(query: PartnersQuery) -> Page[PartnerOut]:
    """Carriers that serve its warehouse first."""
    carrier_id, warehouse = access.actor().carrier_id, None
    if query.delivery is not None:
        warehouse = queries.warehouse_of(carrier_id, query.delivery)
    rows = hand_overs.partners(carrier_id, warehouse)
    return part_of([PartnerOut(id=row.public_id, name=row.name, serves=row.serves) for row in rows], query)


@api.get(
    "/carrier/hand-overs", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[HandOverOut],
    summary="Deliveries offered to and by other carriers",
)  # fmt: skip
def offers(query: PageQuery) -> Page[HandOverOut]:
    """Open ones first, then the newest."""
    carrier_id = access.actor().carrier_id
    return part_of([_out(row, carrier_id) for row in hand_overs.hand_overs(carrier_id)], query)


@api.get("/carrier/hand-overs/{hand_over}", permission=Permission.CARRIER_VIEW, answer=HandOverOut, summary="An offer")
def show_offer(hand_over: str) -> HandOverOut:
    """Only the two carriers see it."""
    carrier_id = access.actor().carrier_id
    return _out(hand_overs.hand_over(carrier_id, given_id(hand_over)), carrier_id)


@api.post(
    "/carrier/deliveries/{delivery}/hand-overs", permission=Permission.CARRIER_PLAN, body=HandOverIn, answer=Made,
    status=201, summary="Offer a delivery to another carrier",
)  # fmt: skip
def offer(body: HandOverIn, delivery: str) -> Made:
    """The buyer's price stays. 409 `hand_over_loaded` once the goods are on a truck."""
    return Made(id=hand_overs.offer(access.actor(), given_id(delivery), Offer(**body.model_dump())))


@api.post(
    "/carrier/hand-overs/{hand_over}/accept", permission=Permission.CARRIER_PLAN, answer=HandOverOut,
    summary="Take a delivery over",
)  # fmt: skip
def accept(hand_over: str) -> HandOverOut:
    """A place in the own window is taken: 409 `slot_full` when there is none. Said twice it is done once."""
    return _after(hand_over, lambda actor, key: hand_overs.accept(actor, key))


@api.post(
    "/carrier/hand-overs/{hand_over}/decline", permission=Permission.CARRIER_PLAN, body=DeclineIn, answer=HandOverOut,
    summary="Decline an offer", example={"answer": "no crane on that day"},
)  # fmt: skip
def decline(body: DeclineIn, hand_over: str) -> HandOverOut:
    """The delivery stays where it is."""
    return _after(hand_over, lambda actor, key: hand_overs.decline(actor, key, body.answer))


@api.post(
    "/carrier/hand-overs/{hand_over}/withdraw", permission=Permission.CARRIER_PLAN, answer=HandOverOut,
    summary="Take an offer back",
)  # fmt: skip
def withdraw(hand_over: str) -> HandOverOut:
    """Before it is answered."""
    return _after(hand_over, lambda actor, key: hand_overs.withdraw(actor, key))


def _after(hand_over: str, act: Any) -> HandOverOut:
    actor, key = access.actor(), given_id(hand_over)
    act(actor, key)
    return _out(hand_overs.hand_over(actor.carrier_id, key), actor.carrier_id)


def _out(row: HandOverRow, carrier_id: int) -> HandOverOut:
    given = row.is_mine(carrier_id)
    names = {n: getattr(row, n) for n in HandOverOut.model_fields if hasattr(row, n) and n != "price"}
    return HandOverOut(
        **names,
        id=row.public_id,
        direction="given" if given else "received",
        carrier=row.to_name if given else row.from_name,
        price=money(row.price),
        pickup_address=str(row.pickup.get("address", "")),
        site_address=str(row.site.get("address", "")),
    )
