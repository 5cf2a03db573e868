"""Reads of estimates. A guest's are held by a token, a person's by the account."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Attribute, Category, Product, ProductValue
from app.core import jobs
from app.core.db import session
from app.core.errors import NotFound
from app.core.ids import token_hash
from app.core.jobs import JobView
from app.core.permissions import Actor
from app.estimates.models import Estimate, EstimateLine
from app.offers.models import Offer, Seller


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a material must be, and what the chosen product is (empty while nothing is chosen)."""

    key: str
    name_ru: str
    name_en: str
    unit: str
    wanted: str
    actual: str

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


@dataclass(frozen=True, slots=True)
class LineView:
    """A material with what was found for it."""

    public_id: uuid.UUID
    position: int
    category: str
    name_ru: str
    name_en: str
    base: Fraction
    gross: Fraction
    unit: str
    details: list[dict[str, Any]]
    spec: dict[str, str]
    product_public_id: uuid.UUID | None
    product_slug: str | None
    product_ru: str | None
    product_en: str | None
    offer_public_id: uuid.UUID | None
    seller: str | None
    pack_unit: str
    pack_content: Fraction | None
    packs: int | None
    price: int | None
    total: int | None
    mass_kg: Decimal | None
    volume_m3: Decimal | None
    problem: str
    relaxed: list[str]
    constraints: tuple[Constraint, ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    def product(self, locale: str) -> str:
        return (self.product_en if locale == "en" else self.product_ru) or ""

    @property
    def bought(self) -> Fraction | None:
        """What the packs hold, in the line's unit."""
        return self.packs * self.pack_content if self.packs is not None and self.pack_content else None

    @property
    def met(self) -> list[Constraint]:
        """Constraints that the chosen product meets."""
        return [c for c in self.constraints if c.key not in self.relaxed]

    @property
    def unmet(self) -> list[Constraint]:
        """Constraints that nothing on sale meets; the chosen product comes nearest."""
        return [c for c in self.constraints if c.key in self.relaxed]


@dataclass(frozen=True, slots=True)
class EstimateView:
    """An estimate with its lines."""

    public_id: uuid.UUID
    title: str
    items: list[dict[str, Any]]
    state: str
    goods: int | None
    mass_kg: Decimal | None
    volume_m3: Decimal | None
    priced_at: datetime | None
    version: int
    created_at: datetime
    lines: tuple[LineView, ...]
    job: JobView | None

    @property
    def is_final(self) -> bool:
        """Nothing more will change by itself."""
        return self.state != "pricing" or self.job is None or self.job.is_finished


def held_by(actor: Actor, token: str) -> sa.ColumnElement[bool]:
    """The scope of every read: the person's own, or those of the guest's token; nobody's for nobody."""
    if actor.is_signed_in:
        return Estimate.user_id == actor.user
    if token:
        return sa.and_(Estimate.token_hash == token_hash(token), Estimate.user_id.is_(None))
    return sa.false()


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """An estimate in a list."""

    id: int
    public_id: uuid.UUID
    title: str
    state: str
    goods: int | None
    lines: int
    created_at: datetime


def estimates(actor: Actor, token: str, before: int | None = None, limit: int = 24) -> list[EstimateRow]:
    """Newest first, with an id below `before`."""
    lines = sa.select(sa.func.count()).where(EstimateLine.estimate_id == Estimate.id).scalar_subquery()
    statement = (
        sa.select(
            Estimate.id, Estimate.public_id, Estimate.title, Estimate.state, Estimate.goods, lines,
            Estimate.created_at,
        )
        .where(held_by(actor, token), ~Estimate.is_deleted)
        .order_by(Estimate.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        statement = statement.where(Estimate.id < before)
    return [EstimateRow(*row) for row in session.execute(statement)]


def estimate(actor: Actor, token: str, public_id: uuid.UUID) -> EstimateView:
    """One estimate with its lines, in four reads.

    Raises:
        NotFound: absent, deleted or somebody else's.
    """
    row = session.execute(
        sa.select(
            Estimate.id, Estimate.public_id, Estimate.title, Estimate.items, Estimate.state, Estimate.goods,
            Estimate.mass_kg, Estimate.volume_m3, Estimate.priced_at, Estimate.version, Estimate.created_at,
            Estimate.job_id,
        ).where(held_by(actor, token), Estimate.public_id == public_id, ~Estimate.is_deleted)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    job = jobs.view(row.job_id, any_user=True) if row.job_id and row.state == "pricing" else None
    shown = {key: value for key, value in row._mapping.items() if key not in ("id", "job_id")}
    return EstimateView(**shown, lines=_lines(row.id), job=job)


def _constraints(estimate_id: int) -> dict[int, tuple[Constraint, ...]]:
    """Position of a line -> its constraints, named as the catalogue names them."""
    rows = session.execute(
        sa.select(
            EstimateLine.position, Attribute.key, Attribute.name_ru, Attribute.name_en, Attribute.unit,
            EstimateLine.spec[Attribute.key].astext, sa.func.coalesce(ProductValue.text, ""),
        )
        .join(Category, Category.slug == EstimateLine.category_slug)
        .join(Attribute, Attribute.category_id == sa.any_(Category.path))
        .outerjoin(
            ProductValue,
            sa.and_(ProductValue.product_id == EstimateLine.product_id, ProductValue.attribute_id == Attribute.id),
        )
        .where(EstimateLine.estimate_id == estimate_id, EstimateLine.spec.has_key(Attribute.key))
        .order_by(EstimateLine.position, Attribute.position)
    )  # fmt: skip
    found: dict[int, tuple[Constraint, ...]] = {}
    for position, *rest in rows:
        found[position] = (*found.get(position, ()), Constraint(*rest))
    return found


def _lines(estimate_id: int) -> tuple[LineView, ...]:
    constraints = _constraints(estimate_id)
    rows = session.execute(
        sa.select(
            EstimateLine.public_id, EstimateLine.position, EstimateLine.category_slug.label("category"),
            EstimateLine.name_ru, EstimateLine.name_en, EstimateLine.base, EstimateLine.gross, EstimateLine.unit,
            EstimateLine.details, EstimateLine.spec, Product.public_id.label("product_public_id"),
            Product.slug.label("product_slug"), Product.name_ru.label("product_ru"),
            Product.name_en.label("product_en"), Offer.public_id.label("offer_public_id"),
            Seller.name.label("seller"), EstimateLine.pack_unit, EstimateLine.pack_content,
            EstimateLine.packs, EstimateLine.price,
            EstimateLine.total, EstimateLine.mass_kg, EstimateLine.volume_m3, EstimateLine.problem,
            EstimateLine.relaxed,
        )
        .outerjoin(Product, Product.id == EstimateLine.product_id)
        .outerjoin(Offer, Offer.id == EstimateLine.offer_id)
        .outerjoin(Seller, Seller.id == Offer.seller_id)
        .where(EstimateLine.estimate_id == estimate_id)
        .order_by(EstimateLine.position)
    )  # fmt: skip
    return tuple(_line(row._mapping, constraints.get(row.position, ())) for row in rows)


def _line(row: Mapping[Any, Any], constraints: tuple[Constraint, ...]) -> LineView:
    """NUMERIC is exact; quantities go on as fractions."""
    content = row["pack_content"]
    exact = {"base": Fraction(row["base"]), "gross": Fraction(row["gross"])}
    return LineView(**{**row, **exact, "pack_content": Fraction(content) if content else None}, constraints=constraints)


@dataclass(frozen=True, slots=True)
class Task:
    """What the pricing needs of an estimate."""

    items: list[dict[str, Any]]
    choices: dict[str, Any]


def task(estimate_id: int) -> Task | None:
    """The estimate to price, unless it was removed."""
    row = session.execute(
        sa.select(Estimate.items, Estimate.choices).where(Estimate.id == estimate_id, ~Estimate.is_deleted)
    ).one_or_none()
    return None if row is None else Task(row.items, row.choices)


def found_offers(estimate_id: int) -> list[tuple[int, Decimal]]:
    """(offer, units of sale) of every line for which something was found."""
    rows = session.execute(
        sa.select(EstimateLine.offer_id, EstimateLine.packs)
        .where(EstimateLine.estimate_id == estimate_id, EstimateLine.offer_id.isnot(None), EstimateLine.packs > 0)
        .order_by(EstimateLine.position)
    )
    return [(row.offer_id, Decimal(row.packs)) for row in rows]
