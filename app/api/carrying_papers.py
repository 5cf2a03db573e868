"""Papers of carrying: PDFs, and the data of a trip for the electronic waybill."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from flask import Response

from app import access
from app.accounts.queries import OrganisationRow
from app.api.kernel import Api, given_id
from app.api.schemas import QuantityText, Schema, Utc
from app.core import clock
from app.core.permissions import Permission
from app.logistics import carrying_papers as papers
from app.web import carrying_papers as files

api = Api("carrying_papers", tag="Logistics")


class PartyOut(Schema):
    """A company."""

    name: str
    inn: str
    kpp: str
    ogrn: str
    address: str
    phone: str


class ReceiverOut(Schema):
    """Who takes the goods at the site."""

    name: str
    phone: str
    address: str


class DriverOut(Schema):
    """Who drives."""

    name: str
    phone: str
    licence_category: str


class VehicleOut(Schema):
    """What is driven."""

    name: str
    plate: str
    payload_kg: int
    volume_l: int


class PlaceOut(Schema):
    """An end of the way: planned and real times."""

    address: str
    lat: float | None
    lon: float | None
    planned_at: Utc | None
    arrived_at: Utc | None
    completed_at: Utc | None


class CargoOut(Schema):
    """A line of the cargo; `handed_over` null: nobody has counted yet."""

    name: str
    sku: str
    unit: str
    loaded: QuantityText
    handed_over: QuantityText | None


class LoadingTitle(Schema):
    """Title 1, of the shipper: what is handed to the carrier, where and when."""

    shipper: PartyOut
    receiver: ReceiverOut
    cargo: list[CargoOut]
    gross_mass_kg: int
    volume_l: int
    longest_mm: int
    place: PlaceOut
    deliver_from: Utc
    deliver_to: Utc


class TakenTitle(Schema):
    """Title 2, of the carrier: who took it, with what."""

    carrier: PartyOut
    driver: DriverOut | None
    vehicle: VehicleOut | None
    taken_at: Utc | None


class HandedTitle(Schema):
    """Titles 3 and 4, of the receiver and the carrier: what was given out at the site; null before that."""

    place: PlaceOut
    outcome: Literal["delivered", "partially_delivered", "failed"]
    reason: str
    at: Utc
    received_by: str
    signed_by_code: bool


class WaybillOut(Schema):
    """A waybill of the trip."""

    number: str
    date: date
    delivery: uuid.UUID
    loading: LoadingTitle
    taken: TakenTitle
    handed: HandedTitle | None


class TripExportOut(Schema):
    """The data of the titles of electronic waybills of a trip. It is no signed document and no format of the tax
    service: a system of an operator of electronic documents makes one of it.
    """

    format: Literal["tutuu-trip/1"]
    made_at: Utc
    trip: str
    date: date
    state: Literal["planned", "started", "finished"]
    started_at: Utc | None
    finished_at: Utc | None
    waybills: list[WaybillOut]


@api.get("/deliveries/{delivery}/waybill.pdf", permission=Permission.ACCOUNT, summary="The waybill as PDF", status=200)
def waybill(delivery: str) -> Response:
    """For the buyer, the seller and the carrier of the delivery."""
    return files.waybill_file(access.actor(), delivery)


@api.get(
    "/deliveries/{delivery}/proof.pdf", permission=Permission.ACCOUNT, summary="The proof of the handover as PDF",
    status=200,
)  # fmt: skip
def proof(delivery: str) -> Response:
    """With photographs, signature, place and time; 409 `no_proof` before the truck was at the door."""
    return files.proof_file(access.actor(), delivery)


@api.get(
    "/carrier/routes/{route}/route-sheet.pdf", permission=Permission.CARRIER_VIEW, summary="A route sheet as PDF",
    status=200,
)  # fmt: skip
def sheet(route: str) -> Response:
    """Of a published plan."""
    return files.sheet_of(papers.of_route(given_id(route), carrier_id=access.actor().carrier_id))


@api.get(
    "/carrier/routes/{route}/waybills.pdf", permission=Permission.CARRIER_VIEW, summary="Waybills of a route as PDF",
    status=200,
)  # fmt: skip
def waybills(route: str) -> Response:
    """In the order of the doors."""
    return files.waybills_of(papers.of_route(given_id(route), carrier_id=access.actor().carrier_id))


@api.get(
    "/carrier/routes/{route}/trip-export", permission=Permission.CARRIER_VIEW, answer=TripExportOut,
    summary="Data of a trip for the electronic waybill",
)  # fmt: skip
def export(route: str) -> TripExportOut:
    """One waybill for each door; not signed, see the page of documentation on papers of carrying."""
    found = papers.of_route(given_id(route), carrier_id=access.actor().carrier_id)
    return TripExportOut(
        format="tutuu-trip/1", made_at=clock.now(), trip=found.number, date=found.day, state=found.state,
        started_at=found.started_at, finished_at=found.finished_at, waybills=[_waybill(one) for one in found.waybills],
    )  # fmt: skip


def _party(row: OrganisationRow, phone: str) -> PartyOut:
    return PartyOut(name=row.name, inn=row.inn, kpp=row.kpp, ogrn=row.ogrn, address=row.address, phone=phone)


def _place(place: Mapping[str, Any], ends: papers.Ends | None) -> PlaceOut:
    return PlaceOut(
        address=str(place.get("address", "")), lat=place.get("lat"), lon=place.get("lon"),
        planned_at=ends.planned_at if ends else None, arrived_at=ends.arrived_at if ends else None,
        completed_at=ends.completed_at if ends else None,
    )  # fmt: skip


def _waybill(said: papers.Waybill) -> WaybillOut:
    site, truck = said.site, said.truck
    phone = str(site.get("contact_phone", ""))
    cargo = [
        CargoOut(
            name=str(item["name_ru"]), sku=str(item["sku"]), unit=str(item["unit"]), loaded=whole, handed_over=given
        )
        for item, whole, given in papers.counted(said)
    ]
    loading = LoadingTitle(
        shipper=_party(said.shipper, str(said.pickup.get("phone", ""))),
        receiver=ReceiverOut(name=str(site.get("contact_name", "")), phone=phone, address=str(site["address"])),
        cargo=cargo, gross_mass_kg=said.mass_kg, volume_l=said.volume_l, longest_mm=said.longest_mm,
        place=_place(said.pickup, said.loading), deliver_from=said.window_from, deliver_to=said.window_to,
    )  # fmt: skip
    taken = TakenTitle(
        carrier=_party(said.carrier, said.carrier_phone),
        driver=DriverOut(name=truck.courier_name, phone=truck.courier_phone, licence_category=truck.licence)
        if truck and truck.courier_name else None,
        vehicle=VehicleOut(name=truck.vehicle_name, plate=truck.plate, payload_kg=truck.payload_kg,
                           volume_l=truck.volume_l) if truck else None,
        taken_at=said.loading.completed_at if said.loading else None,
    )  # fmt: skip
    return WaybillOut(
        number=said.number, date=said.issued_on, delivery=said.delivery, loading=loading, taken=taken,
        handed=_handed(said),
    )  # fmt: skip


def _handed(said: papers.Waybill) -> HandedTitle | None:
    met = said.handover
    if met is None:
        return None
    return HandedTitle(
        place=_place(said.site, said.unloading), outcome=met.outcome, reason=met.reason, at=met.happened_at,
        received_by=str(met.proof.get("received_by") or said.site.get("contact_name", "")),
        signed_by_code=bool(met.proof.get("pin_ok")),
    )  # fmt: skip
