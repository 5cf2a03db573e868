"""Commands on estimates: dimensions in, materials at once, prices by a worker."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.core import clock, jobs
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.ids import new_token, token_hash
from app.core.permissions import Actor
from app.core.units import NotANumber, parse_decimal
from app.estimates import queries
from app.estimates.assemblies import MaterialLine, Pooled, calculate, expand, pool, sources
from app.estimates.matching import Choice, fit
from app.estimates.models import Estimate, EstimateLine
from app.offers.candidates import products_of
from app.orders import carts
from app.orders.carts import CartChange

MAX_ITEMS = 50
PRICE_JOB = "estimate.price"


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of work: id of an assembly or bundle, and the dimensions as typed."""

    assembly: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """A new estimate, the job that prices it, and the token of a guest who had none."""

    public_id: uuid.UUID
    job: uuid.UUID
    token: str


def materials(items: Sequence[Item], choices: Mapping[str, Any]) -> list[Pooled]:
    """All materials of an estimate, pooled, with the waste the buyer set by hand.

    Raises:
        Invalid: pointers such as /items/0/inputs/length.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Invalid.one("/items", "too_short" if not items else "too_long", minimum=1, maximum=MAX_ITEMS)
    errors: list[FieldError] = []
    lines: list[MaterialLine] = []
    for number, item in enumerate(items):
        try:
            for assembly, inputs in expand(item.assembly, item.inputs):
                lines.extend(calculate(assembly, inputs))
        except Invalid as error:
            errors.extend(FieldError(f"/items/{number}{e.pointer}", e.code, e.context) for e in error.errors)
    if errors:
        raise Invalid(errors)
    return [_with_waste(p, choices.get(p.key, {})) for p in pool(lines) if p.gross > 0]


def _with_waste(pooled: Pooled, choice: Mapping[str, str]) -> Pooled:
    waste = choice.get("waste_pct")
    if waste is None:
        return pooled
    gross = pooled.base * (1 + Fraction(waste) / 100)
    return Pooled(pooled.category, pooled.spec, pooled.unit, pooled.base, gross, pooled.parts)


@unit_of_work
def create(actor: Actor, token: str, title: str, items: Sequence[Item]) -> Made:
    """Keep an estimate with its materials and queue the pricing.

    Args:
        token: of a guest who has estimates already; a new one is made when it is needed.

    Raises:
        Invalid: a dimension is wrong, the title too long.
    """
    if len(title) > 200:
        raise Invalid.one("/title", "too_long", maximum=200)
    pooled = materials(items, {})
    holder = "" if actor.is_signed_in else token or new_token()
    estimate = Estimate(
        user_id=actor.user_id,
        token_hash=token_hash(holder) if holder else None,
        title=title.strip(),
        items=[{"assembly": i.assembly, "inputs": dict(i.inputs)} for i in items],
        choices={},
    )
    session.add(estimate)
    session.flush()
    _write_lines(estimate.id, pooled)
    job = _queue(estimate, actor)
    return Made(estimate.public_id, job, holder)


def _queue(estimate: Estimate, actor: Actor) -> uuid.UUID:
    estimate.state = "pricing"
    estimate.job_id = jobs.enqueue(PRICE_JOB, {"estimate": estimate.id}, user_id=actor.user_id)
    return estimate.job_id


def _write_lines(estimate_id: int, pooled: Sequence[Pooled]) -> None:
    session.execute(sa.delete(EstimateLine).where(EstimateLine.estimate_id == estimate_id))
    for position, material in enumerate(pooled, start=1):
        first = material.parts[0]
        session.add(
            EstimateLine(
                estimate_id=estimate_id,
                position=position,
                key=material.key,
                category_slug=material.category,
                name_ru=first.ru,
                name_en=first.en,
                base=str(material.base),
                gross=str(material.gross),
                unit=material.unit,
                spec=dict(material.spec),
                details=[_details(part) for part in material.parts],
            )
        )


def _details(part: MaterialLine) -> dict[str, Any]:
    known = sources()
    return {
        "assembly": part.assembly,
        "line": part.line,
        "formula": part.formula,
        "numbers": part.numbers,
        "base": str(part.base),
        "gross": str(part.gross),
        "waste_pct": str(part.waste_pct),
        "consumption": part.consumption,
        "note": part.note,
        "sources": [
            {"id": s, "title": known[s].title, "ref": known[s].ref, "unconfirmed": known[s].is_unconfirmed}
            for s in part.sources
        ],
    }


@unit_of_work
def reprice(actor: Actor, token: str, public_id: uuid.UUID) -> uuid.UUID:
    """Look at the present prices and stock again. Returns the job.

    Raises:
        NotFound: absent or somebody else's.
    """
    return _queue(_own(actor, token, public_id), actor)


@unit_of_work
def change(
    actor: Actor, token: str, public_id: uuid.UUID, *, title: str | None = None, items: Sequence[Item] | None = None,
    version: int | None = None,
) -> None:  # fmt: skip
    """Change the title or the dimensions; new dimensions are counted and priced again.

    Raises:
        NotFound, Invalid, Stale.
    """
    estimate = _own(actor, token, public_id)
    if version is not None and version != estimate.version:
        raise Stale(version=estimate.version)
    if title is not None:
        if len(title) > 200:
            raise Invalid.one("/title", "too_long", maximum=200)
        estimate.title = title.strip()
    if items is not None:
        pooled = materials(items, estimate.choices)
        estimate.items = [{"assembly": i.assembly, "inputs": dict(i.inputs)} for i in items]
        _write_lines(estimate.id, pooled)
        _queue(estimate, actor)
    estimate.version += 1


@unit_of_work
def choose(
    actor: Actor, token: str, public_id: uuid.UUID, line: uuid.UUID, *, product: uuid.UUID | None = None,
    waste_pct: str | None = None,
) -> None:  # fmt: skip
    """Choose another product for a line, or another share of waste; priced again.

    Raises:
        NotFound: not the own estimate or line. Invalid: `not_for_this_line` when the product is of another kind, not
            on sale or sold in a unit that the line cannot be counted in; waste is no percentage from 0 to 100.
    """
    estimate = _own(actor, token, public_id)
    row = session.scalars(
        sa.select(EstimateLine).where(EstimateLine.estimate_id == estimate.id, EstimateLine.public_id == line)
    ).one_or_none()
    if row is None:
        raise NotFound()
    chosen = dict(estimate.choices.get(row.key, {}))
    if product is not None:
        _check_product(estimate, row, product)
        chosen["product"] = str(product)
    if waste_pct is not None:
        chosen["waste_pct"] = _percentage(waste_pct)
    estimate.choices = estimate.choices | {row.key: chosen}
    estimate.version += 1
    _write_lines(estimate.id, materials(_items(estimate), estimate.choices))
    _queue(estimate, actor)


def _check_product(estimate: Estimate, row: EstimateLine, product: uuid.UUID) -> None:
    lines = [p for p in materials(_items(estimate), estimate.choices) if p.key == row.key]
    on_sale = [p for p in products_of([row.category_slug], list(row.spec)) if p.public_id == product]
    if not any(fit(p, line) for p in on_sale for line in lines):
        raise Invalid.one("/product", "not_for_this_line")


def _percentage(text: str) -> str:
    try:
        value = parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one("/waste_pct", error.code) from None
    if not 0 <= value <= 100:
        raise Invalid.one("/waste_pct", "too_small" if value < 0 else "too_large", minimum=0, maximum=100)
    return str(value)


def _items(estimate: Estimate) -> list[Item]:
    return [Item(i["assembly"], i["inputs"]) for i in estimate.items]


@unit_of_work
def remove(actor: Actor, token: str, public_id: uuid.UUID) -> None:
    """Hide an estimate.

    Raises:
        NotFound.
    """
    _own(actor, token, public_id).is_deleted = True


@unit_of_work
def adopt(actor: Actor, token: str) -> None:
    """Estimates that a guest made before signing in become the person's."""
    if token:
        session.execute(
            sa.update(Estimate)
            .where(Estimate.token_hash == token_hash(token), Estimate.user_id.is_(None))
            .values(user_id=actor.user, token_hash=None)
        )


@unit_of_work
def to_cart(actor: Actor, estimates_token: str, cart_token: str, public_id: uuid.UUID) -> tuple[list[CartChange], str]:
    """Everything that was found goes into the cart. Returns what happened to each line, and a new guest cart's token.

    Raises:
        NotFound: not the own estimate. Conflict: `not_priced_yet`, `nothing_to_buy`.
    """
    estimate = _own(actor, estimates_token, public_id)
    if estimate.state != "priced":
        raise Conflict("not_priced_yet")
    wishes: dict[int, Decimal] = {}
    for offer_id, count in queries.found_offers(estimate.id):
        wishes[offer_id] = wishes.get(offer_id, Decimal(0)) + count
    if not wishes:
        raise Conflict("nothing_to_buy")
    return carts.add_many(actor, cart_token, list(wishes.items()))


def _own(actor: Actor, token: str, public_id: uuid.UUID) -> Estimate:
    row = session.scalars(
        sa.select(Estimate)
        .where(queries.held_by(actor, token), Estimate.public_id == public_id, ~Estimate.is_deleted)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


@unit_of_work
def write_prices(estimate_id: int, job: uuid.UUID, found: Mapping[str, Choice | str]) -> dict[str, Any]:
    """Write what the pricing found: material key -> choice, or the reason why there is none. Returns the totals.

    Nothing is written when a later job was queued meanwhile: its dimensions are newer than what this one found.
    """
    latest = session.scalar(sa.select(Estimate.job_id).where(Estimate.id == estimate_id).with_for_update())
    if latest != job:
        return {"superseded": True}
    goods, mass, volume = 0, Fraction(0), Fraction(0)
    rows = session.scalars(
        sa.select(EstimateLine).where(EstimateLine.estimate_id == estimate_id).order_by(EstimateLine.position)
    ).all()
    for row in rows:
        choice = found.get(row.key, "no_product")
        if isinstance(choice, str):
            _clear(row, choice)
            continue
        _fill(row, choice)
        goods += choice.total
        mass += Fraction(row.mass_kg or 0)
        volume += Fraction(row.volume_m3 or 0)
    session.execute(
        sa.update(Estimate)
        .where(Estimate.id == estimate_id)
        .values(
            state="priced", goods=goods, mass_kg=_rounded(mass, 4), volume_m3=_rounded(volume, 6),
            priced_at=clock.now(),
        )
    )  # fmt: skip
    return {"goods": goods, "lines": len(rows), "found": sum(not isinstance(found.get(r.key, ""), str) for r in rows)}


def _fill(row: EstimateLine, choice: Choice) -> None:
    in_base = choice.packs * choice.offer.factor
    row.product_id, row.offer_id = choice.product.id, choice.offer.id
    row.pack_unit, row.pack_content = choice.offer.unit, str(choice.content)
    row.packs, row.price, row.total = choice.packs, choice.price, choice.total
    row.mass_kg = _rounded(in_base * Fraction(choice.product.mass_kg), 4)
    row.volume_m3 = _rounded(in_base * Fraction(choice.product.volume_m3), 6)
    row.relaxed, row.problem = list(choice.unmet), choice.problem


def _clear(row: EstimateLine, problem: str) -> None:
    row.product_id = row.offer_id = row.packs = row.price = row.total = row.mass_kg = row.volume_m3 = None
    row.pack_unit, row.pack_content, row.relaxed, row.problem = "", "", [], problem


def _rounded(value: Fraction, places: int) -> Decimal:
    scaled = (2 * value.numerator * 10**places + value.denominator) // (2 * value.denominator)
    return Decimal(scaled).scaleb(-places)
