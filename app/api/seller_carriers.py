"""Which carriers pick up at a seller's warehouse."""

from __future__ import annotations

import uuid

from pydantic import Field

from app import access
from app.api.kernel import Api, given_id
from app.api.schemas import Schema
from app.core.permissions import Permission
from app.logistics import serving
from app.offers import queries

api = Api("seller_carriers", tag="Seller")


class ServingOut(Schema):
    """A carrier of the market; `preferred`: offered before cheaper ones."""

    id: uuid.UUID
    name: str
    serves: bool
    preferred: bool


class CarriersOut(Schema):
    """Every working carrier, those that pick up here first."""

    items: list[ServingOut]


class CarriersIn(Schema):
    """Who picks up, and who of them is asked first."""

    carriers: list[uuid.UUID] = Field(max_length=1000)
    preferred: list[uuid.UUID] = Field(default_factory=list, max_length=1000)


def _shown(key: uuid.UUID) -> CarriersOut:
    place = queries.warehouse_of(access.actor().seller_id, key)
    rows = serving.carriers_of(place.id)
    return CarriersOut(
        items=[ServingOut(id=r.public_id, name=r.name, serves=r.serves, preferred=r.is_preferred) for r in rows]
    )


@api.get(
    "/seller/warehouses/{warehouse}/carriers", permission=Permission.SELLER_OFFERS, answer=CarriersOut,
    summary="Carriers of a warehouse",
)  # fmt: skip
def carriers(warehouse: str) -> CarriersOut:
    """Every working carrier of the market."""
    return _shown(given_id(warehouse))


@api.post(
    "/seller/warehouses/{warehouse}/carriers", permission=Permission.SELLER_OFFERS, body=CarriersIn, answer=CarriersOut,
    summary="Choose the carriers of a warehouse",
)  # fmt: skip
def choose(body: CarriersIn, warehouse: str) -> CarriersOut:
    """Only these pick up from now on; what is sold already stays."""
    key = given_id(warehouse)
    serving.choose(access.actor(), key, body.carriers, body.preferred)
    return _shown(key)
