"""Tables of carriers, fleets, deliveries, routes and positions."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Kopeks, Moment, PublicId, one_value_enum, ref

DELIVERY_STATES = (
    "waiting", "ready", "planned", "handed_over", "in_transit", "delivered", "partially_delivered", "failed",
    "returning", "returned", "cancelled",
)  # fmt: skip
PLAN_STATES = ("draft", "published", "superseded")
PLAN_KINDS = ("day", "rest")
ROUTE_STATES = ("planned", "started", "finished")
BODIES = ("flatbed", "tilt", "van", "manipulator", "dump", "long")
FUELS = ("diesel", "petrol", "gas", "electric")
STOP_STATES = ("planned", "arrived", "unloading", "done", "failed", "skipped")


class Carrier(Base):
    """The carrying side of an organisation; the id is the organisation's."""

    __tablename__ = "carrier"

    id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("organisation.id"), primary_key=True, autoincrement=False
    )
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    depot_address: Mapped[str] = mapped_column(server_default="")
    depot_lat: Mapped[float]
    depot_lon: Mapped[float]
    is_active: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[Created]


class CarrierWarehouse(Base):
    """The warehouses a carrier picks up at."""

    __tablename__ = "carrier_warehouse"

    carrier_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("carrier.id"), primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("warehouse.id"), primary_key=True, index=True
    )
    is_preferred: Mapped[bool] = mapped_column(server_default=sa.false())
    """The seller wants this one asked first."""


class Vehicle(Base):
    """A truck. Costs in kopeks."""

    __tablename__ = "vehicle"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "plate"),
        sa.CheckConstraint("payload_kg > 0 AND volume_l > 0 AND longest_mm > 0 AND gross_mass_kg >= payload_kg",
                           name="size_positive"),
        sa.CheckConstraint("fixed_cost >= 0 AND cost_per_km >= 0 AND cost_per_hour >= 0", name="cost_not_negative"),
        sa.CheckConstraint("fuel_ml_per_km >= 0 AND fuel_price >= 0 AND axle_load_kg > 0", name="fuel_not_negative"),
        one_value_enum("body", BODIES),
        one_value_enum("fuel", FUELS),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    name: Mapped[str]
    plate: Mapped[str]
    payload_kg: Mapped[int]
    volume_l: Mapped[int]
    longest_mm: Mapped[int]
    gross_mass_kg: Mapped[int]
    height_mm: Mapped[int] = mapped_column(server_default="3000")
    axle_load_kg: Mapped[int | None]
    """On the heaviest axle, fully loaded: spring road limits compare with it."""
    body: Mapped[str] = mapped_column(server_default="tilt")
    has_crane: Mapped[bool] = mapped_column(server_default=sa.false())
    has_tail_lift: Mapped[bool] = mapped_column(server_default=sa.false())
    fixed_cost: Mapped[Kopeks] = mapped_column(server_default="0")
    cost_per_km: Mapped[Kopeks]
    cost_per_hour: Mapped[Kopeks]
    fuel: Mapped[str] = mapped_column(server_default="diesel")
    fuel_ml_per_km: Mapped[int] = mapped_column(server_default="0")
    """Millilitres (of gas: 1/1000 m3, of current: Wh) a kilometre."""
    fuel_price: Mapped[Kopeks] = mapped_column(server_default="0")
    """For a litre (m3, kWh); the fuel is a part of cost_per_km, not an addition."""
    depot_id: Mapped[int | None] = ref("depot.id")
    """None: the carrier's main yard."""
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    version: Mapped[int] = mapped_column(server_default="1")


class Courier(Base):
    """A driver of a carrier. Hours are minutes from midnight, the default for a workday without a row in shift."""

    __tablename__ = "courier"
    __table_args__ = (
        sa.UniqueConstraint("carrier_id", "user_id"),
        sa.CheckConstraint("0 <= shift_from AND shift_from < shift_to AND shift_to <= 1440", name="shift_in_day"),
        sa.CheckConstraint("break_minutes BETWEEN 0 AND 240 AND break_from <= break_to", name="break_in_day"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    user_id: Mapped[int] = ref("user_account.id")
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    licence: Mapped[str] = mapped_column(server_default="C")
    """The categories in words, made of `licences`."""
    licences: Mapped[Json] = mapped_column(server_default=sa.text("'{}'::jsonb"))
    """{category: last day it is valid, or null}; empty: as `licence` says, without end."""
    skills: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    work_days: Mapped[list[int]] = mapped_column(JSONB, server_default=sa.text("'[1, 2, 3, 4, 5, 6, 7]'::jsonb"))
    """ISO weekdays of the usual hours."""
    vehicle_id: Mapped[int | None] = ref("vehicle.id", index=False)
    shift_from: Mapped[int] = mapped_column(server_default="480")
    shift_to: Mapped[int] = mapped_column(server_default="1200")
    break_minutes: Mapped[int] = mapped_column(server_default="45")
    break_from: Mapped[int | None]
    break_to: Mapped[int | None]
    """When the break may start, minutes from midnight; None: at any time of the shift."""
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    version: Mapped[int] = mapped_column(server_default="1")


class Shift(Base):
    """Who drives what when; a courier or a truck is never in two places (exclusion constraints)."""

    __tablename__ = "shift"
    __table_args__ = (
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),
        ExcludeConstraint(
            ("courier_id", "="), (sa.text("tstzrange(starts_at, ends_at)"), "&&"), name="ex_shift_courier"
        ),
        ExcludeConstraint(
            ("vehicle_id", "="), (sa.text("tstzrange(starts_at, ends_at)"), "&&"), name="ex_shift_vehicle"
        ),
        sa.Index("ix_shift_carrier_id_day", "carrier_id", "day"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    courier_id: Mapped[int] = ref("courier.id", index=False)
    vehicle_id: Mapped[int] = ref("vehicle.id", index=False)
    day: Mapped[date]
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    started_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]


class Tariff(Base):
    """Prices a delivery: base plus km, tonnes, cubic metres, length surcharge, floors; at least the minimum. Kopeks."""

    __tablename__ = "tariff"
    __table_args__ = (
        sa.CheckConstraint(
            "base >= 0 AND per_km >= 0 AND per_tonne >= 0 AND per_m3 >= 0 AND long_piece >= 0 AND per_floor_tonne >= 0"
            " AND crane >= 0 AND tail_lift >= 0 AND hands_tonne >= 0 AND minimum >= 0 AND extra_pickup >= 0",
            name="not_negative",
        ),
        sa.CheckConstraint(
            "free_minutes >= 0 AND waiting_step > 0 AND per_waiting_step >= 0", name="waiting_not_negative"
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="days_ordered"),
        ExcludeConstraint(
            ("carrier_id", "="), ("name", "="), (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_tariff_name",
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id")
    name: Mapped[str]
    base: Mapped[Kopeks]
    included_km: Mapped[int] = mapped_column(server_default="0")
    per_km: Mapped[Kopeks]
    per_tonne: Mapped[Kopeks]
    per_m3: Mapped[Kopeks] = mapped_column(server_default="0")
    long_from_mm: Mapped[int] = mapped_column(server_default="4000")
    long_piece: Mapped[Kopeks] = mapped_column(server_default="0")
    per_floor_tonne: Mapped[Kopeks] = mapped_column(server_default="0")
    hands_tonne: Mapped[Kopeks] = mapped_column(server_default="0")
    crane: Mapped[Kopeks] = mapped_column(server_default="0")
    tail_lift: Mapped[Kopeks] = mapped_column(server_default="0")
    minimum: Mapped[Kopeks] = mapped_column(server_default="0")
    extra_pickup: Mapped[Kopeks] = mapped_column(server_default="0")
    """For each further warehouse when one truck collects at several."""
    max_mass_kg: Mapped[int]
    """More than this goes in several trips, each paid."""
    max_km: Mapped[int] = mapped_column(server_default="100")
    zones: Mapped[JsonList]
    """[{name, price, polygon: [[lat, lon], ...]} or {name, price, lat, lon, radius_m}]: the way for one price."""
    distance_steps: Mapped[JsonList]
    """[{up_to_km, price}]: in place of base and kilometres."""
    mass_steps: Mapped[JsonList]
    """[{up_to_kg, price}]: in place of tonnes."""
    free_minutes: Mapped[int] = mapped_column(server_default="60")
    waiting_step: Mapped[int] = mapped_column(server_default="30")
    per_waiting_step: Mapped[Kopeks] = mapped_column(server_default="0")
    """Unloading longer than the free minutes: for each begun step of so many minutes."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    version: Mapped[int] = mapped_column(server_default="1")


class JointDelivery(Base):
    """One truck that collects at several warehouses for one site. Kopeks; each delivery of it bears its share."""

    __tablename__ = "joint_delivery"
    __table_args__ = (sa.CheckConstraint("price >= 0", name="price_not_negative"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id")
    tariff_id: Mapped[int] = ref("tariff.id", index=False)
    price: Mapped[Kopeks]
    price_lines: Mapped[JsonList]
    distance_m: Mapped[int]
    slot_id: Mapped[int | None] = ref("delivery_slot.id")
    """The one place it takes; free again when its last delivery is called off."""
    slot_kg: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Created]


class Delivery(Base):
    """A fulfilment to carry. Pickup and site are snapshots; times are moments."""

    __tablename__ = "delivery"
    __table_args__ = (
        one_value_enum("state", DELIVERY_STATES),
        sa.CheckConstraint("window_from < window_to", name="window_ordered"),
        sa.CheckConstraint("mass_kg >= 0 AND volume_l >= 0 AND longest_mm >= 0", name="size_not_negative"),
        sa.Index("ix_delivery_carrier_id_day_state", "carrier_id", "day", "state"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    fulfilment_id: Mapped[int] = ref("fulfilment.id", index=False, unique=True)
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    seller_id: Mapped[int] = ref("seller.id")
    buyer_id: Mapped[int] = ref("user_account.id")
    warehouse_id: Mapped[int] = ref("warehouse.id", index=False)
    number: Mapped[str] = mapped_column(index=True)
    """The order's number, for people."""
    state: Mapped[str] = mapped_column(server_default="waiting")
    day: Mapped[date]
    window_from: Mapped[Moment]
    window_to: Mapped[Moment]
    pickup: Mapped[Json]
    """name, address, lat, lon, opens_at, closes_at, loading_minutes, phone."""
    site: Mapped[Json]
    """address, lat, lon, access, max_vehicle_kg, floor, lift, unloading, contact_name, contact_phone."""
    cargo: Mapped[JsonList]
    """[{line, name_ru, name_en, sku, unit, quantity, quantity_base}]."""
    needs: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    mass_kg: Mapped[int]
    volume_l: Mapped[int]
    longest_mm: Mapped[int]
    unloading_minutes: Mapped[int] = mapped_column(server_default="20")
    price: Mapped[Kopeks]
    cash_due: Mapped[Kopeks] = mapped_column(server_default="0")
    pin: Mapped[str]
    """Four digits the buyer tells the courier; shown to the buyer only."""
    pin_failures: Mapped[int] = mapped_column(server_default="0")
    tracking_token: Mapped[str] = mapped_column(unique=True)
    """Random 256 bits; the link works while the delivery is on its way and dies with it."""
    slot_id: Mapped[int | None] = ref("delivery_slot.id")
    """The window it takes a place in; None when the carrier's windows have no limit."""
    slot_kg: Mapped[int] = mapped_column(server_default="0")
    """What it takes of the window, as it was ordered."""
    joint_id: Mapped[int | None] = ref("joint_delivery.id")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class RoutePlan(Base):
    """One version of the plan of a carrier's day. A job makes at most one."""

    __tablename__ = "route_plan"
    __table_args__ = (
        one_value_enum("status", PLAN_STATES),
        one_value_enum("kind", PLAN_KINDS),
        sa.UniqueConstraint("carrier_id", "day", "version"),
        sa.Index(
            "uq_route_plan_published", "carrier_id", "day", unique=True,
            postgresql_where=sa.text("status = 'published'"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    carrier_id: Mapped[int] = ref("carrier.id", index=False)
    day: Mapped[date]
    version: Mapped[int]
    status: Mapped[str] = mapped_column(server_default="draft")
    job_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(server_default="day")
    """`rest`: what is open of a day under way, made from `parent_id`; may be published while its trucks drive."""
    parent_id: Mapped[int | None] = ref("route_plan.id")
    cost: Mapped[Kopeks] = mapped_column(server_default="0")
    distance_m: Mapped[int] = mapped_column(server_default="0")
    duration_s: Mapped[int] = mapped_column(server_default="0")
    solver: Mapped[str] = mapped_column(server_default="")
    quality: Mapped[str] = mapped_column(server_default="graph")
    """`graph` or `estimate`: how the road times were found."""
    unassigned: Mapped[JsonList]
    """[{delivery_id, reason, context}]."""
    created_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]
    published_at: Mapped[Moment | None]


class Route(Base):
    """The day of one truck in a plan."""

    __tablename__ = "route"
    __table_args__ = (one_value_enum("state", ROUTE_STATES), sa.UniqueConstraint("plan_id", "vehicle_id"))

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    plan_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("route_plan.id", ondelete="CASCADE"))
    vehicle_id: Mapped[int] = ref("vehicle.id", index=False)
    courier_id: Mapped[int | None] = ref("courier.id")
    state: Mapped[str] = mapped_column(server_default="planned")
    distance_m: Mapped[int]
    duration_s: Mapped[int]
    cost: Mapped[Kopeks]
    load_kg: Mapped[int]
    load_l: Mapped[int]
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    break_from: Mapped[Moment | None]
    break_to: Mapped[Moment | None]
    geometry: Mapped[JsonList]
    """[[lat, lon], ...] along the streets."""
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]


class Stop(Base):
    """A pickup or drop-off of one delivery on a route."""

    __tablename__ = "stop"
    __table_args__ = (
        one_value_enum("kind", ("pickup", "drop")),
        one_value_enum("state", STOP_STATES),
        sa.UniqueConstraint("route_id", "sequence"),
        sa.UniqueConstraint("route_id", "delivery_id", "kind", "lot"),
        sa.CheckConstraint("lot BETWEEN 1 AND lots", name="lot_in_range"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    route_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("route.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = ref("delivery.id")
    sequence: Mapped[int]
    kind: Mapped[str]
    lot: Mapped[int] = mapped_column(server_default="1")
    """A delivery larger than a truck goes in several lots; each has its own pickup and drop."""
    lots: Mapped[int] = mapped_column(server_default="1")
    locked: Mapped[bool] = mapped_column(server_default=sa.false())
    """Stays on its truck and in its place whatever is changed by hand or planned anew."""
    state: Mapped[str] = mapped_column(server_default="planned")
    planned_arrival: Mapped[Moment]
    planned_departure: Mapped[Moment]
    eta: Mapped[Moment | None]
    arrived_at: Mapped[Moment | None]
    unloading_at: Mapped[Moment | None]
    completed_at: Mapped[Moment | None]
    version: Mapped[int] = mapped_column(server_default="1")


class DeliveryAttempt(Base):
    """What happened at the door, with the proof."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (one_value_enum("outcome", ("delivered", "partially_delivered", "failed")),)

    id: Mapped[Id]
    delivery_id: Mapped[int] = ref("delivery.id")
    stop_id: Mapped[int] = ref("stop.id", index=False)
    courier_id: Mapped[int] = ref("courier.id", index=False)
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    lines: Mapped[JsonList]
    proof: Mapped[Json]
    """pin_ok, signature, photos, cash_counted, lat, lon."""
    happened_at: Mapped[Moment]
    created_at: Mapped[Created]


class DeliveryEvent(Base):
    """Append-only tracking axis; never rewrites the order."""

    __tablename__ = "delivery_event"

    id: Mapped[Id]
    delivery_id: Mapped[int] = ref("delivery.id")
    kind: Mapped[str]
    details: Mapped[Json]
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    happened_at: Mapped[Moment]
    created_at: Mapped[Created]


class Position(Base):
    """Where a courier was. Partitioned by month; kept 90 days."""

    __tablename__ = "position"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)

    courier_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("courier.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), primary_key=True)
    lat: Mapped[float]
    lon: Mapped[float]
    accuracy_m: Mapped[float | None]
    speed_mps: Mapped[float | None]


class LastPosition(Base):
    """The newest position of each courier: what live pages read."""

    __tablename__ = "last_position"

    courier_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("courier.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[Moment]
    lat: Mapped[float]
    lon: Mapped[float]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))
