"""Writes the rows of a purchase inside the transaction of `service.place`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.core import clock, timers
from app.core.db import session
from app.core.permissions import Actor
from app.core.timers import Alarm
from app.logistics import service as logistics
from app.offers.levels import StockLine
from app.offers.queries import WarehouseRow
from app.orders import numbers, pallets, promoting, rules
from app.orders.checkout import Quote
from app.orders.fulfilments import cargo_of, carried_size
from app.orders.models import (
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderEvent,
    OrderGroup,
    OrderLine,
)
from app.orders.plan import PlannedLine
from app.orders.totals import Load, cash_of_trip
from app.payments import rules as money_rules
from app.payments import service as payments
from app.payments.service import FeeLine


@dataclass(frozen=True, slots=True)
class Contact:
    """Who meets the truck."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a checked quote, its lines as they are now and the buyer's words come to."""

    quote: Quote
    lines: Mapping[int, PlannedLine]
    warehouses: Mapping[int, WarehouseRow]
    category_paths: Mapping[int, tuple[int, ...]]
    contact: Contact
    payment_method: str
    comment: str
    payer: Mapping[str, Any]
    organisation_id: int | None


@dataclass(slots=True)
class Written:
    """An order just written, with its trips (`promised`: as the quote has them) and load."""

    order: Order
    planned: list[PlannedLine]
    promised: list[Mapping[str, Any]]
    lines: dict[int, OrderLine] = field(default_factory=dict)
    trips: list[Fulfilment] = field(default_factory=list)
    pieces: list[FulfilmentLine] = field(default_factory=list)

    @property
    def load(self) -> Load:
        """What each trip carries."""
        return Load(list(self.lines.values()), self.pieces)


def write(actor: Actor, purchase: Purchase) -> tuple[OrderGroup, list[StockLine]]:
    """All rows of a purchase but the stock: group, orders, lines, trips, payment, fees, deliveries, timers, history.

    Rows of one table are written together, however many sellers there are.

    Returns:
        The purchase, and what is to be taken from the stock for it.

    Raises:
        Conflict: `slot_full` from the conditional update of the windows, `discount_changed` from the promotions; the
            caller's transaction is rolled back.
    """
    group = _group(actor, purchase)
    sellers = list(dict.fromkeys(t["seller_id"] for t in purchase.quote.payload["trips"]))
    written = [_order(group, position, seller, purchase) for position, seller in enumerate(sellers, 1)]
    session.add_all(one.order for one in written)
    session.flush()
    for one in written:
        one.lines = {line.id: _line(one.order, index, line) for index, line in enumerate(one.planned, 1)}
        pallets.keep_terms(one.lines, purchase.quote.payload)
        one.trips = [_trip(one.order, trip, purchase) for trip in one.promised]
        session.add_all([*one.lines.values(), *one.trips])
    session.flush()
    for one in written:
        one.pieces = _pieces(one, purchase)
        session.add_all([*one.pieces, _placed(actor, group, one.order)])
    session.flush()
    _money(group, written, purchase)
    _timers(group, written)
    _deliveries(actor, group, written, purchase)
    return group, [
        StockLine(one.load.line(p.order_line_id).offer_id, trip.warehouse_id, p.quantity)
        for one in written
        for trip in one.trips
        for p in one.load.of_trip(trip.id)
    ]


def _group(actor: Actor, purchase: Purchase) -> OrderGroup:
    totals = purchase.quote.payload["totals"]
    group = OrderGroup(
        number=numbers.next_group_number(),
        cart_id=purchase.quote.cart_id,
        user_id=actor.user,
        organisation_id=purchase.organisation_id,
        site=purchase.quote.payload["site"],
        contact_name=purchase.contact.name,
        contact_phone=purchase.contact.phone,
        payment_method=purchase.payment_method,
        payment_status="awaiting",
        goods=totals["goods"],
        delivery=totals["delivery"],
        deposit=totals.get("deposit", 0),
        total=totals["total"],
        vat=totals["vat"],
        comment=purchase.comment,
    )
    session.add(group)
    session.flush()
    return group


def _order(group: OrderGroup, position: int, seller: int, purchase: Purchase) -> Written:
    trips = [t for t in purchase.quote.payload["trips"] if t["seller_id"] == seller]
    wanted = list(dict.fromkeys(piece["line"] for trip in trips for piece in trip["pieces"]))
    planned = [purchase.lines[line] for line in wanted]
    goods = sum(line.gross for line in planned)
    delivery = sum(trip["delivery"] for trip in trips)
    deposit = sum(trip.get("deposit", 0) for trip in trips)
    order = Order(
        number=numbers.order_number(group.number, position),
        group_id=group.id,
        seller_id=seller,
        seller_name=trips[0]["seller_name"],
        payment_status="awaiting",
        goods=goods,
        delivery=delivery,
        deposit=deposit,
        total=goods + delivery + deposit,
        vat=sum(line.vat for line in planned),
        accept_by=clock.now() + timedelta(hours=planned[0].offer.accept_hours),
    )
    return Written(order, planned, trips)


def _placed(actor: Actor, group: OrderGroup, order: Order) -> OrderEvent:
    return OrderEvent(
        group_id=group.id, order_id=order.id, kind="order.placed", to_state="placed", user_id=actor.user_id, details={}
    )


def _line(order: Order, position: int, line: PlannedLine) -> OrderLine:
    """The snapshot: nothing of it follows the offer any more."""
    offer = line.offer
    return OrderLine(
        order_id=order.id,
        position=position,
        offer_id=offer.id,
        product_id=offer.product_id,
        name_ru=offer.name_ru,
        name_en=offer.name_en,
        sku=offer.sku,
        unit=offer.unit,
        factor_numerator=offer.factor.numerator,
        factor_denominator=offer.factor.denominator,
        quantity=line.quantity,
        quantity_base=line.base,
        price=line.price,
        price_rule=line.price_rule,
        discount=line.discount,
        vat_percent=offer.vat_percent,
        net=line.gross - line.vat,
        vat=line.vat,
        gross=line.gross,
        mass_kg=line.mass_kg.quantize(Decimal("0.0001")),
        volume_m3=line.volume_m3.quantize(Decimal("0.000001")),
        length_mm=offer.length_mm,
    )


def _trip(order: Order, trip: Mapping[str, Any], purchase: Purchase) -> Fulfilment:
    place = purchase.warehouses[trip["warehouse_id"]]
    return Fulfilment(
        order_id=order.id,
        warehouse_id=place.id,
        method=trip["method"],
        carrier_id=trip["carrier_id"],
        tariff_id=trip["tariff_id"],
        day=date.fromisoformat(trip["day"]),
        window_from=datetime.fromisoformat(trip["window_from"]),
        window_to=datetime.fromisoformat(trip["window_to"]),
        receiver=trip["receiver"],
        pickup_code=rules.new_pickup_code() if trip["method"] == "pickup" else "",
        delivery_price=trip["delivery"],
        price_lines=trip["price_lines"],
        allocation={
            "reason": trip["reason"],
            "distance_m": trip["distance_m"],
            "warehouse": place.name,
            "address": place.address,
            **(
                {"lat": place.lat, "lon": place.lon, "opens_at": place.opens_at, "closes_at": place.closes_at}
                if trip["method"] == "pickup"
                else {}
            ),
            **({"joint": True} if trip["joint"] else {}),
            **({"part": trip["part"], "parts": trip["parts"]} if trip["parts"] > 1 else {}),
        },
        mass_kg=Decimal(trip["mass_kg"]).quantize(Decimal("0.0001")),
        volume_m3=Decimal(trip["volume_m3"]).quantize(Decimal("0.000001")),
        length_mm=trip["length_mm"],
    )


def _pieces(one: Written, purchase: Purchase) -> list[FulfilmentLine]:
    """Base units of each line over its trips; the last part takes what rounding left, so they sum to the line."""
    pieces = []
    for line_id, line in one.lines.items():
        parts = [
            (row, Decimal(piece["quantity"]), piece.get("pallets", 0))
            for trip, row in zip(one.promised, one.trips, strict=True)
            for piece in trip["pieces"]
            if piece["line"] == line_id
        ]
        left = line.quantity_base
        for index, (row, units, on) in enumerate(parts, 1):
            base = left if index == len(parts) else rules.to_base(units, purchase.lines[line_id].offer.factor)
            pieces.append(FulfilmentLine(fulfilment_id=row.id, order_line_id=line.id, quantity=base, pallets=on))
            left -= base
    return pieces


def _money(group: OrderGroup, written: Sequence[Written], purchase: Purchase) -> None:
    payments.open_payment(
        group.id,
        purchase.payment_method,
        {one.order.id: one.order.total for one in written},
        number=group.number,
        payer=purchase.payer,
    )
    category = {line.offer.id: line.offer.category_id for line in purchase.lines.values()}
    off = promoting.freeze(group, purchase.quote.payload, [line for one in written for line in one.load.lines])
    borne = {line: part.operator for line, part in off.items()}  # the seller gets it too, from the operator
    payments.freeze_fees(
        [
            FeeLine(
                line.id,
                one.order.seller_id,
                purchase.category_paths[category[line.offer_id]],
                line.gross + borne.get(line.id, 0),
            )
            for one in written
            for line in one.load.lines
        ]
    )


def _timers(group: OrderGroup, written: Sequence[Written]) -> None:
    alarms = [Alarm("order", one.order.id, "expire", one.order.accept_by) for one in written]
    if group.payment_method == "invoice":
        due = money_rules.due_day(clock.today())
        alarms.append(Alarm("order_group", group.id, "payment_reminder", money_rules.reminder_at(due)))
        alarms.append(Alarm("order_group", group.id, "payment_overdue", money_rules.overdue_at(due)))
    if group.payment_method == "card":
        until = group.created_at + timedelta(minutes=money_rules.CARD_MINUTES)
        alarms.append(Alarm("order_group", group.id, "payment_deadline", until))
    timers.set_timers(alarms)


def _deliveries(actor: Actor, group: OrderGroup, written: Sequence[Written], purchase: Purchase) -> None:
    """Tell the carriers; what is fetched at a counter is nobody's to carry.

    Raises:
        Conflict: `slot_full`: somebody was faster.
    """
    carried = [(one, trip) for one in written for trip in one.trips if trip.method == "courier"]
    joint_id = _one_truck([trip for _one, trip in carried], purchase.quote.payload)
    made = [_delivery(actor, group, one, trip, purchase) for one, trip in carried]
    shares = [bool(trip.allocation.get("joint")) for _one, trip in carried]
    logistics.create_deliveries(
        [replace(new, joint_id=joint_id if is_on_it else None) for new, is_on_it in zip(made, shares, strict=True)]
    )


def _one_truck(trips: Sequence[Fulfilment], payload: Mapping[str, Any]) -> int | None:
    """The truck that some of the trips share, with its place in the window."""
    shared = [trip for trip in trips if trip.allocation.get("joint")]
    if not shared:
        return None
    kept, first = payload["joint"], shared[0]
    return logistics.open_joint(
        logistics.NewJoint(
            kept["carrier_id"], kept["tariff_id"], kept["price"], kept["lines"], kept["distance_m"], first.window_from,
            first.window_to, kept["kg"],
        )
    )  # fmt: skip


def _delivery(
    actor: Actor, group: OrderGroup, one: Written, trip: Fulfilment, purchase: Purchase
) -> logistics.NewDelivery:
    place = purchase.warehouses[trip.warehouse_id]
    mass, volume = carried_size(trip)
    cash = cash_of_trip(trip, one.trips, one.load) if group.payment_method == "cash" else 0
    return logistics.NewDelivery(
        fulfilment_id=trip.id,
        carrier_id=trip.carrier_id or 0,
        seller_id=one.order.seller_id,
        buyer_id=actor.user,
        warehouse_id=place.id,
        number=one.order.number,
        day=trip.day,
        window_from=trip.window_from,
        window_to=trip.window_to,
        pickup=_pickup(place),
        site={**group.site, "contact_name": group.contact_name, "contact_phone": group.contact_phone},
        cargo=cargo_of(trip, one.load),
        mass_kg=mass,
        volume_l=volume,
        longest_mm=trip.length_mm,
        price=trip.delivery_price,
        cash_due=cash,
    )


def _pickup(place: WarehouseRow) -> dict[str, Any]:
    return {
        "name": place.name,
        "address": place.address,
        "lat": place.lat,
        "lon": place.lon,
        "opens_at": place.opens_at,
        "closes_at": place.closes_at,
        "loading_minutes": place.loading_minutes,
        "phone": "",
    }
