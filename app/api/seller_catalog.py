"""A seller's offers, warehouses and stock."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, RootModel

from app import access
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.schemas import UNITS, MoneyIn, MoneyOut, Page, PageQuery, QuantityText, Schema, money
from app.core.permissions import Permission
from app.offers import counts, desk, queries, service, table
from app.offers.counts import StatedStock
from app.offers.desk import DeskOffer
from app.offers.queries import WarehouseRow
from app.offers.rules import Step
from app.offers.table import TableFilter
from app.texts import error_text
from app.web.filters import language

api = Api("seller_catalog", tag="Catalogue")
VAT = Literal["general", "reduced10", "special7", "special5", "none"]
PRICE = {"amount": 54_500, "currency": "RUB"}


class LadderStep(Schema):
    """From this many units of sale the price is lower."""

    from_: QuantityText = Field(alias="from", gt=0)
    price: MoneyOut


class OfferIn(Schema):
    """An offer to put on sale; `price` for one `unit` with VAT."""

    product: uuid.UUID
    sku: str = Field(min_length=1, max_length=100)
    unit: UNITS
    price: MoneyOut
    ladder: list[LadderStep] = Field(default_factory=list, max_length=service.MAX_STEPS)
    vat: VAT = "general"
    lead_time_days: int = Field(default=0, ge=0, le=365)
    pallet_units: QuantityText = Field(default=Decimal(0), ge=0, le=service.MAX_PALLET_UNITS)
    """Units of sale on a returnable pallet; 0: it comes on none."""
    pallet_deposit: MoneyIn = MoneyIn(amount=0)
    """For each such pallet."""
    active: bool = True


class OfferPatch(Schema):
    """Fields to change; the others stay."""

    sku: str | None = Field(default=None, min_length=1, max_length=100)
    price: MoneyOut | None = None
    ladder: list[LadderStep] | None = Field(default=None, max_length=service.MAX_STEPS)
    vat: VAT | None = None
    lead_time_days: int | None = Field(default=None, ge=0, le=365)
    pallet_units: QuantityText | None = Field(default=None, ge=0, le=service.MAX_PALLET_UNITS)
    pallet_deposit: MoneyIn | None = None
    active: bool | None = None


class LevelOut(Schema):
    """Stock in a warehouse, in base units."""

    warehouse: uuid.UUID
    on_hand: QuantityText
    promised: QuantityText


class OwnOffer(Schema):
    """An offer as its seller sees it."""

    id: uuid.UUID
    product: uuid.UUID
    name: str
    sku: str
    unit: str
    base_unit: str
    price: MoneyOut
    ladder: list[LadderStep]
    vat: str
    lead_time_days: int
    pallet_units: QuantityText
    pallet_deposit: MoneyOut
    active: bool
    blocked: bool
    not_sold: str | None
    """Why nobody can buy it now; null when it can be bought."""
    stock: list[LevelOut]
    version: int


class OffersQuery(PageQuery):
    """`view`: also `low` (near the safety stock) and `out` (nothing left to sell). `q`: part of the SKU or the name."""

    q: str = Field(default="", max_length=100)
    view: Literal["all", "selling", "not_selling", "active", "hidden", "out", "low"] = "all"
    category: str = Field(default="", max_length=100)
    sort: Literal["sku", "-sku", "name", "-name", "price", "-price", "free", "-free", "changed", "-changed"] = "sku"


def _own(offer: DeskOffer, places: dict[int, WarehouseRow]) -> OwnOffer:
    return OwnOffer(
        id=offer.public_id, product=offer.product_public_id, name=offer.name(language()), sku=offer.sku,
        unit=offer.unit, base_unit=offer.base_unit, price=money(offer.price),
        ladder=[LadderStep.model_validate({"from": s.from_quantity, "price": money(s.price)}) for s in offer.ladder],
        vat=offer.vat_code, lead_time_days=offer.lead_time_days, pallet_units=offer.pallet_units,
        pallet_deposit=money(offer.pallet_deposit), active=offer.status == "active",
        blocked=offer.status == "blocked", not_sold=offer.why_not_sold or None,
        stock=[
            LevelOut(warehouse=places[w].public_id, on_hand=level.on_hand, promised=level.promised)
            for w, level in sorted(offer.levels.items())
        ],
        version=offer.version,
    )  # fmt: skip


def _places() -> dict[int, WarehouseRow]:
    return {place.id: place for place in queries.warehouses_of(access.actor().seller_id)}


@api.get(
    "/seller/offers", permission=Permission.SELLER_VIEW, query=OffersQuery, answer=Page[OwnOffer], summary="Own offers"
)
def own_offers(query: OffersQuery) -> Page[OwnOffer]:
    """Sorted by SKU when not said otherwise."""
    found, following = table.page(
        access.actor().seller_id, TableFilter(query.q, query.view, query.category), sort=query.sort,
        cursor=query.cursor, limit=query.limit,
    )  # fmt: skip
    places = _places()
    return Page[OwnOffer](items=[_own(offer, places) for offer in found], next_cursor=following)


@api.get("/seller/offers/{offer}", permission=Permission.SELLER_VIEW, answer=OwnOffer, summary="An own offer")
def own_offer(offer: str) -> Answer:
    """With its stock by warehouse."""
    return _shown(given_id(offer))


def _shown(offer: uuid.UUID, status: int = 200) -> Answer:
    found = desk.offer(access.actor().seller_id, offer)
    headers = etag(found.version) | ({"Location": f"/api/v1/seller/offers/{offer}"} if status == 201 else {})
    return Answer(_own(found, _places()), status, headers)


@api.post(
    "/seller/offers", permission=Permission.SELLER_OFFERS, body=OfferIn, answer=OwnOffer, status=201,
    summary="Put a product on sale",
    example={"product": "01890000-0000-7000-8000-000000000000", "sku": "GL-25", "unit": "bag", "price": PRICE},
)  # fmt: skip
def add_offer(body: OfferIn) -> Answer:
    """One SKU stands for one offer of the seller."""
    new = service.NewOffer(
        body.product, body.sku, body.unit, body.price.amount, _steps(body.ladder), body.vat, body.lead_time_days,
        body.pallet_units, body.pallet_deposit.amount, body.active,
    )  # fmt: skip
    made = service.add_offer(access.actor(), new)
    return _shown(made, 201)


@api.patch(
    "/seller/offers/{offer}", permission=Permission.SELLER_OFFERS, body=OfferPatch, answer=OwnOffer,
    summary="Change an offer", example={"price": PRICE},
)  # fmt: skip
def edit_offer(offer: str, body: OfferPatch) -> Answer:
    """With If-Match a change made meanwhile by somebody else answers 412."""
    sent = body.model_dump(exclude_unset=True, exclude_none=True)
    given: dict[str, Any] = {k: v for k, v in sent.items() if k in ("sku", "lead_time_days", "pallet_units", "active")}
    if body.price is not None:
        given["price"] = body.price.amount
    if body.pallet_deposit is not None:
        given["pallet_deposit"] = body.pallet_deposit.amount
    if body.vat is not None:
        given["vat_code"] = body.vat
    if body.ladder is not None:
        given["ladder"] = _steps(body.ladder)
    service.edit_offer(access.actor(), given_id(offer), given, expected_version())
    return _shown(given_id(offer))


def _steps(ladder: list[LadderStep]) -> tuple[Step, ...]:
    return tuple(Step(step.from_, step.price.amount) for step in ladder)


@api.delete("/seller/offers/{offer}", permission=Permission.SELLER_OFFERS, summary="Take an offer off sale", status=204)
def withdraw_offer(offer: str) -> None:
    """It is hidden, not erased: orders refer to it."""
    service.withdraw_offer(access.actor(), given_id(offer))


class Hours(Schema):
    """Minutes after midnight and ISO weekdays (1 is Monday)."""

    opens_at: int = Field(default=480, ge=0, le=1440)
    closes_at: int = Field(default=1200, ge=0, le=1440)
    work_days: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], min_length=1, max_length=7)


class Limits(Schema):
    """What may drive in, and how long loading takes."""

    max_vehicle_kg: int | None = Field(default=None, ge=1, le=100_000)
    loading_minutes: int = Field(default=20, ge=0, le=480)


class PickupTerms(Schema):
    """Whether buyers may fetch their goods at the counter, and how many hours after the order."""

    allows_pickup: bool = False
    pickup_after_hours: int = Field(default=4, ge=0, le=240)


class WarehouseIn(Schema):
    """A place that goods leave from."""

    name: str = Field(min_length=1, max_length=100)
    address: str = Field(min_length=1, max_length=300)
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    hours: Hours = Field(default_factory=Hours)
    limits: Limits = Field(default_factory=Limits)
    pickup: PickupTerms = Field(default_factory=PickupTerms)


class WarehousePatch(Schema):
    """Fields to change; hours, limits and pickup are replaced whole."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    address: str | None = Field(default=None, min_length=1, max_length=300)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    hours: Hours | None = None
    limits: Limits | None = None
    pickup: PickupTerms | None = None
    active: bool | None = None


class WarehouseOut(WarehouseIn):
    """A warehouse."""

    id: uuid.UUID
    active: bool
    version: int


class WarehousesOut(Schema):
    """All of them; a seller has few."""

    items: list[WarehouseOut]
    next_cursor: None = None


def _place(row: WarehouseRow) -> WarehouseOut:
    return WarehouseOut(
        id=row.public_id, name=row.name, address=row.address, lat=row.lat, lon=row.lon,
        hours=Hours(opens_at=row.opens_at, closes_at=row.closes_at, work_days=list(row.work_days)),
        limits=Limits(max_vehicle_kg=row.max_vehicle_kg, loading_minutes=row.loading_minutes), active=row.is_active,
        pickup=PickupTerms(allows_pickup=row.allows_pickup, pickup_after_hours=row.pickup_after_hours),
        version=row.version,
    )  # fmt: skip


def _columns(body: WarehouseIn | WarehousePatch) -> dict[str, Any]:
    sent = body.model_dump(exclude_unset=True, exclude_none=True)
    given = {k: v for k, v in sent.items() if k not in ("hours", "limits", "pickup")}
    for part in (body.hours, body.limits, body.pickup):
        given |= part.model_dump() if part is not None else {}
    return given


@api.get("/seller/warehouses", permission=Permission.SELLER_VIEW, answer=WarehousesOut, summary="Own warehouses")
def warehouses() -> WarehousesOut:
    """Closed ones too."""
    return WarehousesOut(items=[_place(row) for row in queries.warehouses_of(access.actor().seller_id)])


@api.post(
    "/seller/warehouses", permission=Permission.SELLER_OFFERS, body=WarehouseIn, answer=WarehouseOut, status=201,
    summary="Open a warehouse", example={"name": "North", "address": "Складская ул., 1", "lat": 55.8, "lon": 37.7},
)  # fmt: skip
def add_warehouse(body: WarehouseIn) -> Answer:
    """Names do not repeat within a seller."""
    made = service.add_warehouse(access.actor(), _columns(body))
    return _shown_place(made, 201)


def _shown_place(place: uuid.UUID, status: int = 200) -> Answer:
    row = queries.warehouse_of(access.actor().seller_id, place)
    headers = etag(row.version) | ({"Location": f"/api/v1/seller/warehouses/{place}"} if status == 201 else {})
    return Answer(_place(row), status, headers)


@api.patch(
    "/seller/warehouses/{warehouse}", permission=Permission.SELLER_OFFERS, body=WarehousePatch, answer=WarehouseOut,
    summary="Change a warehouse", example={"name": "South"},
)  # fmt: skip
def edit_warehouse(warehouse: str, body: WarehousePatch) -> Answer:
    """Orders already placed keep their copy of the address."""
    service.edit_warehouse(access.actor(), given_id(warehouse), _columns(body), expected_version())
    return _shown_place(given_id(warehouse))


@api.delete(
    "/seller/warehouses/{warehouse}", permission=Permission.SELLER_OFFERS, summary="Close a warehouse", status=204
)
def close_warehouse(warehouse: str) -> None:
    """Its stock is no longer on sale; orders that leave from it go on."""
    service.edit_warehouse(access.actor(), given_id(warehouse), {"active": False})


class StockRow(Schema):
    """What lies in a warehouse; without `unit` in the offer's unit of sale."""

    sku: str = Field(min_length=1, max_length=100)
    warehouse: uuid.UUID
    on_hand: QuantityText = Field(ge=Decimal(0))
    unit: UNITS | None = None


class StockRows(RootModel[list[StockRow]]):
    """Up to 1,000 rows."""

    root: list[StockRow] = Field(min_length=1, max_length=counts.MAX_ROWS)


class StockRowResult(Schema):
    """What became of a row: `code` and `message` when it is not in force."""

    sku: str
    warehouse: uuid.UUID
    ok: bool
    on_hand_base: QuantityText | None = None
    promised_base: QuantityText | None = None
    code: str | None = None
    message: str | None = None


class StockResults(Schema):
    """Row by row, in the order sent."""

    changed: int
    refused: int
    rows: list[StockRowResult]


@api.put(
    "/seller/stock", permission=Permission.SELLER_STOCK, body=StockRows, answer=StockResults, summary="State the stock"
)
def set_stock(body: StockRows) -> StockResults:
    """A wrong row does not stop the others; sending the same again changes nothing."""
    stated = [StatedStock(row.sku, row.warehouse, row.on_hand, row.unit) for row in body.root]
    found = counts.set_stock(access.actor(), stated)
    rows = [
        StockRowResult(
            sku=row.sku, warehouse=row.warehouse, ok=result.code is None, on_hand_base=result.on_hand_base,
            promised_base=result.promised, code=result.code, message=_message(result),
        )
        for row, result in zip(stated, found, strict=True)
    ]  # fmt: skip
    refused = sum(1 for row in rows if not row.ok)
    return StockResults(changed=len(rows) - refused, refused=refused, rows=rows)


def _message(result: counts.RowResult) -> str | None:
    if result.code is None:
        return None
    promised = format(result.promised.normalize(), "f") if result.promised is not None else ""
    return error_text(result.code, {"allocated": promised, "minimum": 0})
