"""Papers of carrying as files: waybill, sheet of a route, proof of a handover. Pages and API hand out the same."""

from __future__ import annotations

from flask import Response, current_app

from app import access
from app.access import Guarded
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.core.storage import Storage
from app.logistics import carrying_papers, proof_photos, queries
from app.web.papers import as_pdf
from app.web.papers.proof import proof_pdf
from app.web.papers.route_sheet import route_sheet_pdf
from app.web.papers.waybill import waybills_pdf
from app.web.reading import key_of

pages = Guarded("carrying_papers", __name__)


def seen_by(actor: Actor, key: str) -> queries.DeliveryRow:
    """A delivery whose papers the actor may see: as its buyer, seller or carrier.

    Raises:
        NotFound: absent, or none of theirs.
    """
    seller, carrier = actor.seller, actor.carrier
    return queries.seen_by(
        key_of(key), user_id=actor.user, seller_id=seller.organisation_id if seller else None,
        carrier_id=carrier.organisation_id if carrier else None,
    ).row  # fmt: skip


@pages.get("/deliveries/<key>/waybill.pdf", permission=Permission.ACCOUNT)
def waybill(key: str) -> Response:
    """The waybill of a delivery."""
    return waybill_file(access.actor(), key)


@pages.get("/deliveries/<key>/proof.pdf", permission=Permission.ACCOUNT)
def proof(key: str) -> Response:
    """The proof of its handover."""
    return proof_file(access.actor(), key)


@pages.get("/carrier/routes/<key>/waybills.pdf", permission=Permission.CARRIER_VIEW)
def waybills(key: str) -> Response:
    """The waybills of a route, in the order of its doors."""
    return waybills_of(carrying_papers.of_route(key_of(key), carrier_id=access.actor().carrier_id))


@pages.get("/carrier/routes/<key>/route-sheet.pdf", permission=Permission.CARRIER_VIEW)
def sheet(key: str) -> Response:
    """The sheet of a route."""
    return sheet_of(carrying_papers.of_route(key_of(key), carrier_id=access.actor().carrier_id))


@pages.get("/courier/routes/<key>/route-sheet.pdf", permission=Permission.COURIER_ROUTE)
def own_sheet(key: str) -> Response:
    """The sheet of the courier's own route."""
    return sheet_of(carrying_papers.of_route(key_of(key), user_id=access.actor().user))


@pages.get("/courier/routes/<key>/waybills.pdf", permission=Permission.COURIER_ROUTE)
def own_waybills(key: str) -> Response:
    """The waybills of the courier's own route."""
    return waybills_of(carrying_papers.of_route(key_of(key), user_id=access.actor().user))


def waybill_file(actor: Actor, key: str) -> Response:
    """The waybill of a delivery as PDF, for its parties."""
    row = seen_by(actor, key)
    said = carrying_papers.waybill(row.id)
    name = said.number.replace("/", "-")
    return as_pdf(waybills_pdf([said], f"Транспортная накладная № {said.number}"), f"waybill-{name}")


def waybills_of(route: carrying_papers.RoutePaper) -> Response:
    """The waybills of a route as one PDF.

    Raises:
        NotFound: it goes to no door.
    """
    if not route.waybills:
        raise NotFound()
    title = f"Транспортные накладные маршрута № {route.number}"
    return as_pdf(waybills_pdf(route.waybills, title), f"waybills-{route.number}")


def sheet_of(route: carrying_papers.RoutePaper) -> Response:
    """The sheet of a route as PDF."""
    return as_pdf(route_sheet_pdf(route), f"route-sheet-{route.number}")


def proof_file(actor: Actor, key: str) -> Response:
    """The proof of a handover as PDF, for the parties of the delivery.

    Raises:
        Conflict: `no_proof`.
    """
    said = carrying_papers.proof(seen_by(actor, key).id)
    met = said.handover
    assert met is not None  # `proof` has looked
    photos, signature = proof_photos.named(met.proof)
    stored = proof_photos.stored([*photos, *([signature] if signature else [])], met.courier_user_id)
    storage: Storage = current_app.extensions["storage"]
    files = [storage.get(stored[one]) for one in photos if one in stored]
    signed = storage.get(stored[signature]) if signature is not None and signature in stored else None
    return as_pdf(proof_pdf(said, met, files, signed), f"proof-{said.number.replace('/', '-')}")
