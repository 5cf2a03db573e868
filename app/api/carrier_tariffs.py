"""Tariffs of a carrier, their versions, and a calculator."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.carrier_rows import merged, one_of, shown
from app.api.carrier_shapes import Made, TariffIn, TariffOut, TariffPatch
from app.api.kernel import Api, expected_version, given_id
from app.api.schemas import MoneyOut, Page, PageQuery, Schema, money, part_of
from app.core.permissions import Permission
from app.logistics import tariff_book
from app.logistics.fleet_facts import TariffFacts
from app.logistics.tariff_book import Load
from app.texts import logistics as texts

api = Api("carrier_tariffs", tag="Logistics")


class LoadIn(Schema):
    """What to price: metres along the road, kilograms, litres, millimetres, minutes of unloading, the site."""

    distance_m: int = Field(default=10_000, ge=0, le=10**7)
    mass_kg: int = Field(default=1000, ge=0, le=10**6)
    volume_l: int = Field(default=0, ge=0, le=10**7)
    longest_mm: int = Field(default=0, ge=0, le=10**5)
    floor: int = Field(default=1, ge=-5, le=100)
    lift: bool = False
    unloading: Literal["self", "hands", "crane", "tail_lift"] = "self"
    waiting_minutes: int = Field(default=0, ge=0, le=10**4)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)


class LineOut(Schema):
    """One reason to pay: a stable code, its figures, and the same in words."""

    code: str
    amount: MoneyOut
    context: dict[str, Any]
    detail: str


class QuoteOut(Schema):
    """A price; the lines sum to the total."""

    total: MoneyOut
    trips: int
    lines: list[LineOut]


@api.get(
    "/carrier/tariffs", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[TariffOut], summary="Tariffs"
)
def tariffs(query: PageQuery) -> Page[TariffOut]:
    """Newest first."""
    return part_of([shown(row, TariffOut) for row in tariff_book.tariffs(access.actor().carrier_id)], query)


@api.post(
    "/carrier/tariffs",
    permission=Permission.CARRIER_FLEET,
    body=TariffIn,
    answer=Made,
    status=201,
    summary="Add a tariff",
    example={
        "name": "City", "base": 150000, "per_km": 4500, "per_tonne": 30000, "max_mass_kg": 5000,
        "valid_from": "2026-01-01",
    },
)  # fmt: skip
def add_tariff(body: TariffIn) -> Made:
    """A quote explains itself line by line from these rates."""
    return Made(id=tariff_book.add_tariff(access.actor(), TariffFacts(**body.model_dump())))


@api.patch(
    "/carrier/tariffs/{tariff}",
    permission=Permission.CARRIER_FLEET,
    body=TariffPatch,
    answer=TariffOut,
    summary="Change a tariff",
    example={"per_km": 5000},
)
def change_tariff(body: TariffPatch, tariff: str) -> TariffOut:
    """Placed orders keep the price they were given."""
    actor, key = access.actor(), given_id(tariff)
    row = one_of(tariff_book.tariffs(actor.carrier_id), key)
    tariff_book.change_tariff(actor, key, merged(row, body, TariffFacts), expected_version())
    found: TariffOut = shown(one_of(tariff_book.tariffs(actor.carrier_id), key), TariffOut)
    return found


@api.delete("/carrier/tariffs/{tariff}", permission=Permission.CARRIER_FLEET, summary="End a tariff today")
def remove_tariff(tariff: str) -> None:
    """It stays for the orders priced by it."""
    tariff_book.remove_tariff(access.actor(), given_id(tariff))


@api.post(
    "/carrier/tariffs/{tariff}/versions",
    permission=Permission.CARRIER_FLEET,
    body=TariffPatch,
    answer=Made,
    status=201,
    summary="The next version of a tariff, from a day on",
    example={"valid_from": "2030-01-01", "per_km": 5000},
)
def next_version(body: TariffPatch, tariff: str) -> Made:
    """Whatever is not named stays as it is; the present version ends the day before."""
    actor, key = access.actor(), given_id(tariff)
    row = one_of(tariff_book.tariffs(actor.carrier_id), key)
    return Made(id=tariff_book.next_tariff(actor, key, merged(row, body, TariffFacts), expected_version()))


@api.post(
    "/carrier/tariffs/{tariff}/quote",
    permission=Permission.CARRIER_VIEW,
    body=LoadIn,
    answer=QuoteOut,
    summary="Try a tariff",
    example={"distance_m": 18000, "mass_kg": 2500, "longest_mm": 6000, "floor": 3, "unloading": "hands"},
)
def try_out(body: LoadIn, tariff: str) -> QuoteOut:
    """Nothing is kept; the price explains itself line by line."""
    values = body.model_dump(exclude={"lat", "lon"})
    point = (body.lat, body.lon) if body.lat is not None and body.lon is not None else None
    found = tariff_book.try_out(access.actor().carrier_id, given_id(tariff), Load(**values, point=point))
    return QuoteOut(
        total=money(found.total),
        trips=found.trips,
        lines=[
            LineOut(code=o.code, amount=money(o.amount), context=o.context, detail=texts.price_line(o.code, o.context))
            for o in found.lines
        ],
    )
