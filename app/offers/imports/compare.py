"""Rows beside what the seller has now: same, changed, new, doubtful, unknown, wrong. A few statements for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog import changes
from app.catalog.models import ProductUnit
from app.core.db import session
from app.core.units import to_api
from app.offers.import_models import GoneOffer, ImportRow
from app.offers.imports.cells import RowError, Said
from app.offers.imports.match import Catalogue, Found
from app.offers.models import Offer, OfferStep, StockLevel
from app.offers.rules import exact_decimal, in_base_units

JUMP = Fraction(30, 100)
"""A price that changes by more than this share waits for a person."""


@dataclass(slots=True)
class Staged:
    """A row as the table `import_row` keeps it."""

    number: int
    cells: list[Any]
    kind: str
    sku: str = ""
    name: str = ""
    offer_id: int | None = None
    product_id: int | None = None
    matched: str = ""
    unit: str = ""
    price: int | None = None
    old_price: int | None = None
    is_jump: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    stock: dict[str, list[str]] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    candidates: list[list[int]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Own:
    id: int
    product_id: int
    unit: str
    price: int
    vat_code: str
    lead_time_days: int
    status: str
    is_gone: bool
    top_step: int | None
    """The price of the first step of the ladder."""


@dataclass(frozen=True, slots=True)
class _Unit:
    factor: Fraction
    is_sold: bool
    barcode: str


@dataclass(frozen=True, slots=True)
class Present:
    """What the database holds for the rows of a batch."""

    offers: Mapping[str, _Own]
    levels: Mapping[tuple[int, int], tuple[Decimal, Decimal]]
    """(offer, warehouse) -> on hand, promised; base units."""
    units: Mapping[int, Mapping[str, _Unit]]
    earlier: Mapping[str, tuple[int | None, frozenset[str]]]
    """SKU -> price and warehouses of earlier rows of the file."""
    proposed: Mapping[str, changes.Proposal]
    """SKU -> the new product that the seller proposed before."""


def compare(seller_id: int, import_id: int, rows: Sequence[Said], catalogue: Catalogue) -> list[Staged]:
    """The rows with what they would change, in their order."""
    offers = _own_offers(seller_id, [said.sku for said in rows])
    found = {said.number: _find(said, offers, catalogue) for said in rows}
    products = {one.product_id for one in found.values() if one.product_id}
    present = Present(
        offers, _levels([own.id for own in offers.values()]), units_of(products),
        _earlier(import_id, [said.sku for said in rows]),
        changes.proposed(seller_id, [said.sku for said in rows if found[said.number].product_id is None]),
    )  # fmt: skip
    in_file: dict[str, tuple[int | None, frozenset[str]]] = dict(present.earlier)
    return [_staged(said, found[said.number], present, in_file, catalogue) for said in rows]


def _find(said: Said, offers: Mapping[str, _Own], catalogue: Catalogue) -> Found:
    own = offers.get(said.sku)
    if own is not None:
        return Found(own.product_id, "sku")
    if said.errors:
        return Found()
    return catalogue.find(barcode=said.barcode, brand=said.brand, article=said.article or said.sku, name=said.name)


def _staged(
    said: Said, found: Found, present: Present, in_file: dict[str, tuple[int | None, frozenset[str]]],
    catalogue: Catalogue,
) -> Staged:  # fmt: skip
    row = Staged(said.number, said.cells, "error", said.sku, said.name, unit=said.unit, price=said.price)
    _check_repeats(said, in_file.get(said.sku))
    own = present.offers.get(said.sku)
    row.details = {
        name: text
        for name in ("brand", "article", "barcode", "category", "description")
        if (text := getattr(said, name))
    }
    if own is not None:
        _beside_own(row, said, own, present, catalogue)
    elif not said.errors:
        _without_own(row, said, found, present)
    if said.errors:
        row.kind, row.errors = "error", [error.as_json() for error in said.errors]
    else:
        in_file[said.sku] = _joined(said, in_file.get(said.sku))
    return row


def _check_repeats(said: Said, before: tuple[int | None, frozenset[str]] | None) -> None:
    """One SKU may stand in several rows only for several warehouses, and at one price."""
    if said.errors or before is None:
        return
    price, taken = before
    places = {str(place) for place in said.stock}
    if not places or not taken or taken & places:
        said.wrong("sku", "repeated_in_file")
    elif None not in (said.price, price) and said.price != price:
        said.wrong("price", "price_differs")


def _joined(said: Said, before: tuple[int | None, frozenset[str]] | None) -> tuple[int | None, frozenset[str]]:
    """Price and warehouses of a SKU, with those of this row."""
    price, taken = before or (None, frozenset())
    return said.price if said.price is not None else price, taken | {str(place) for place in said.stock}


def _beside_own(row: Staged, said: Said, own: _Own, present: Present, catalogue: Catalogue) -> None:
    """A row of an offer that the seller has."""
    row.offer_id, row.product_id, row.matched, row.old_price = own.id, own.product_id, "sku", own.price
    units = present.units.get(own.product_id, {})
    by_barcode = catalogue.barcode_of(said.barcode) if said.barcode else None
    if by_barcode not in (None, own.product_id):
        said.wrong("barcode", "barcode_of_another")
    if own.status == "blocked":
        said.wrong("sku", "offer_blocked")
    if said.unit and said.unit != own.unit:
        said.wrong("unit", "unit_differs", unit=own.unit)
    row.unit = own.unit
    row.price = said.price if said.price is not None else own.price
    if own.top_step is not None and row.price <= own.top_step:
        said.wrong("price", "below_ladder")
    row.changes = _changes(said, own)
    factor = units[own.unit].factor
    for place, quantity in sorted(said.stock.items()):
        on_hand, promised = present.levels.get((own.id, place), (Decimal(0), Decimal(0)))
        _state_stock(row, said, place, quantity, factor, on_hand, promised)
    row.is_jump = is_jump(own.price, row.price)
    moved = any(before != after for before, after in row.stock.values())
    row.kind = "changed" if row.price != own.price or row.changes or moved else "same"


def is_jump(old: int, new: int) -> bool:
    """Whether the price changes by more than JUMP of the old one."""
    return Fraction(abs(new - old), old) > JUMP


def _changes(said: Said, own: _Own) -> dict[str, Any]:
    """Fields to set. An offer that an import hid for being gone comes back by being named."""
    wanted: dict[str, Any] = {}
    if said.vat is not None and said.vat != own.vat_code:
        wanted["vat_code"] = said.vat
    if said.lead_time_days is not None and said.lead_time_days != own.lead_time_days:
        wanted["lead_time_days"] = said.lead_time_days
    status = own.status
    if said.active is not None:
        status = "active" if said.active else "hidden"
    elif own.is_gone:
        status = "active"
    if status != own.status and own.status != "blocked":
        wanted["status"] = status
    return wanted


def _state_stock(
    row: Staged, said: Said, place: int, quantity: Decimal, factor: Fraction, on_hand: Decimal, promised: Decimal
) -> None:
    base = exact_decimal(in_base_units(quantity, factor))
    if base is None:
        said.wrong("stock", "not_exact")
    elif base < promised:
        said.wrong("stock", "below_allocated", allocated=to_api(promised))
    else:
        row.stock[str(place)] = [to_api(on_hand), to_api(base)]


def _without_own(row: Staged, said: Said, found: Found, present: Present) -> None:
    """A row of a SKU that the seller has not: a new offer, a question, or a product nobody has yet."""
    if said.price is None:
        said.wrong("price", "required")
        return
    row.candidates = [list(pair) for pair in found.candidates]
    if found.product_id is not None:
        as_new_offer(row, said, found.product_id, found.by, present.units.get(found.product_id, {}))
        return
    as_proposal(row, said, present.proposed.get(said.sku))
    if found.candidates and not said.errors:
        row.kind = "doubtful"


def _new_fields(said: Said) -> dict[str, Any]:
    fields = {"vat_code": said.vat, "lead_time_days": said.lead_time_days}
    given = {name: value for name, value in fields.items() if value is not None}
    return given | ({"status": "hidden"} if said.active is False else {})


def as_new_offer(row: Staged, said: Said, product_id: int, by: str, units: Mapping[str, _Unit]) -> None:
    """Make the row a new offer of this product; errors go to `said`."""
    row.product_id, row.matched = product_id, by
    row.changes = _new_fields(said)
    unit = said.unit or _unit_meant(units, said.barcode)
    if unit not in units or not units[unit].is_sold:
        said.wrong("unit", "unit_not_of_product")
        return
    row.unit = unit
    for place, quantity in sorted(said.stock.items()):
        _state_stock(row, said, place, quantity, units[unit].factor, Decimal(0), Decimal(0))
    row.kind = "new"


def _unit_meant(units: Mapping[str, _Unit], barcode: str) -> str:
    """The unit of the barcode, else the base unit when it is sold, else the first that is."""
    sold = [code for code, unit in units.items() if unit.is_sold]
    by_barcode = [code for code in sold if barcode and units[code].barcode == barcode]
    base = [code for code in sold if units[code].factor == 1]
    return next(iter([*by_barcode, *base, *sold]), "")


def as_proposal(row: Staged, said: Said, before: changes.Proposal | None) -> None:
    """Make the row a proposal of a new product; errors go to `said`."""
    row.stock = {str(place): ["0", to_api(quantity)] for place, quantity in said.stock.items()}
    row.changes = _new_fields(said)
    if not said.name:
        said.wrong("name", "name_needed")
        return
    row.kind = "unknown"
    if before is None:
        return
    if before.status == "declined" and before.payload.get("name_ru") == said.name:
        said.wrong("name", "declined_before", note=before.note)
    elif before.status == "pending" and before.payload == payload_of(row):
        row.kind = "waiting"


def payload_of(row: Staged | ImportRow) -> dict[str, Any]:
    """The proposal that a row makes to the operator."""
    return {
        "sku": row.sku, "name_ru": row.name, "unit": row.unit, "price": row.price, **row.details, **row.changes,
        "source": "import",
    }  # fmt: skip


def _own_offers(seller_id: int, skus: Iterable[str]) -> dict[str, _Own]:
    step = sa.select(sa.func.max(OfferStep.price)).where(OfferStep.offer_id == Offer.id).scalar_subquery()
    rows = session.execute(
        sa.select(
            Offer.sku, Offer.id, Offer.product_id, Offer.unit, Offer.price, Offer.vat_code, Offer.lead_time_days,
            Offer.status, GoneOffer.offer_id.is_not(None).label("is_gone"), step.label("top_step"),
        )
        .outerjoin(GoneOffer, sa.and_(GoneOffer.offer_id == Offer.id, Offer.status == "hidden"))
        .where(Offer.seller_id == seller_id, Offer.sku.in_(sorted(set(skus))))
    )  # fmt: skip
    return {row.sku: _Own(*row[1:]) for row in rows}


def _levels(offers: Sequence[int]) -> dict[tuple[int, int], tuple[Decimal, Decimal]]:
    rows = session.execute(
        sa.select(
            StockLevel.offer_id, StockLevel.warehouse_id, StockLevel.on_hand,
            StockLevel.allocated.label("promised"),
        ).where(StockLevel.offer_id.in_(offers))
    )  # fmt: skip
    return {(row.offer_id, row.warehouse_id): (row.on_hand, row.promised) for row in rows}


def units_of(products: Iterable[int]) -> dict[int, dict[str, _Unit]]:
    """Product -> its units by code."""
    rows = session.execute(
        sa.select(
            ProductUnit.product_id, ProductUnit.code, ProductUnit.numerator, ProductUnit.denominator,
            ProductUnit.is_sold, ProductUnit.barcode,
        )
        .where(ProductUnit.product_id.in_(sorted(products)))
        .order_by(ProductUnit.position)
    )  # fmt: skip
    found: dict[int, dict[str, _Unit]] = {}
    for row in rows:
        unit = _Unit(Fraction(row.numerator, row.denominator), row.is_sold, row.barcode)
        found.setdefault(row.product_id, {})[row.code] = unit
    return found


def _earlier(import_id: int, skus: Iterable[str]) -> dict[str, tuple[int | None, frozenset[str]]]:
    rows = session.execute(
        sa.select(ImportRow.sku, ImportRow.price, ImportRow.stock).where(
            ImportRow.import_id == import_id, ImportRow.sku.in_(sorted(set(skus))), ImportRow.kind != "error"
        )
    )
    found: dict[str, tuple[int | None, frozenset[str]]] = {}
    for sku, price, stock in rows:
        found[sku] = (price, frozenset(stock) | found.get(sku, (None, frozenset()))[1])
    return found


__all__ = ["RowError", "Staged", "as_new_offer", "as_proposal", "compare", "is_jump", "payload_of", "units_of"]
