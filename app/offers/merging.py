"""Two cards of one thing become one: the survivor takes over offers and everything that points at the other card.

The other card stays as a row with status `merged`, so that its address, its barcodes and article, and what orders
copied of it still lead somewhere. There is no way back: what came together cannot be told apart any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, pictures
from app.catalog.cards import Content
from app.catalog.models import Product, ProductChange, ProductUnit
from app.core import audit
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.offers import card_changes, listing
from app.offers.models import Offer

MOVE, STAY, DROP = "move", "stay", "drop"
POINTERS: dict[str, str] = {
    "offer.product_id": MOVE,
    "product.merged_into_id": MOVE,
    "product_image.product_id": STAY,  # moved behind the survivor's by `pictures.take_over`
    "product_document.product_id": MOVE,
    "product_list_item.product_id": MOVE,
    "review.product_id": MOVE,
    "question.product_id": MOVE,
    "price_request_line.product_id": MOVE,
    "estimate_line.product_id": MOVE,
    "forecast.product_id": DROP,  # made anew every night
    "recommendation.product_id": DROP,
    "recommendation.other_id": DROP,
    "order_line.product_id": STAY,  # a snapshot
    "price_point.product_id": STAY,  # what was asked for that card on those days
    "product_change.product_id": STAY,  # the history of that card
    "product_value.product_id": STAY,  # values and units are taken over one by one, see `_content`
    "product_unit.product_id": STAY,
    "product_listing.product_id": STAY,  # goes by itself: only active products are listed
}
"""What becomes of every column that points at a product. A test fails when a new one is not named here."""
UNIQUE: dict[str, tuple[str, ...]] = {
    "product_list_item.product_id": ("list_id",),
    "review.product_id": ("user_id",),
}
"""Of columns that move: what else makes a row unique. Where the survivor has such a row already, the other goes."""

_CANDIDATES = sa.text(
    """
WITH me AS (SELECT * FROM product WHERE id = :id),
code AS (SELECT ltrim(barcode, '0') AS bare FROM product_unit WHERE product_id = :id AND barcode <> ''),
found AS (
    SELECT u.product_id AS id, 'barcode' AS why, 3.0 AS weight FROM product_unit u JOIN code c
        ON ltrim(u.barcode, '0') = c.bare WHERE u.barcode <> ''
    UNION ALL
    SELECT p.id, 'article', 2.0 FROM product p JOIN me ON upper(p.article) = upper(me.article)
        AND lower(p.brand) = lower(me.brand) WHERE p.article <> ''
    UNION ALL
    SELECT p.id, 'name', similarity(p.name_key, me.name_key) FROM product p JOIN me ON p.name_key % me.name_key
)
SELECT p.public_id, p.name_ru, p.name_en, p.brand, p.article, p.base_unit, array_agg(DISTINCT f.why) AS why,
    (SELECT count(*) FROM offer o WHERE o.product_id = p.id) AS offers
FROM found f JOIN product p ON p.id = f.id
WHERE p.id <> :id AND p.status <> 'merged'
GROUP BY p.id ORDER BY sum(f.weight) DESC, p.id LIMIT :most
"""
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A card that may be the same thing. `why`: barcode, article, name."""

    public_id: uuid.UUID
    name_ru: str
    name_en: str
    brand: str
    article: str
    base_unit: str
    why: tuple[str, ...]
    offers: int

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def candidates(public_id: uuid.UUID, most: int = 10) -> list[Candidate]:
    """Cards with the same barcode (leading zeros apart), the same brand and article, or a like name; likest first.

    Raises:
        NotFound.
    """
    head = cards.head(public_id)
    session.execute(sa.text("SELECT set_config('pg_trgm.similarity_threshold', '0.5', true)"))
    rows = session.execute(_CANDIDATES, {"id": head.id, "most": most})
    return [
        Candidate(
            row.public_id, row.name_ru, row.name_en, row.brand, row.article, row.base_unit, tuple(sorted(row.why)),
            row.offers,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What a merge would do. `refused`: the code and facts of what stands in the way, or None."""

    survivor: cards.Head
    loser: cards.Head
    kept: Content
    gone: Content
    units: tuple[dict[str, Any], ...]
    """The units of the survivor afterwards."""
    offers: int
    sellers_with_both: int
    refused: tuple[str, Mapping[str, Any]] | None


def plan(survivor: uuid.UUID, loser: uuid.UUID) -> Plan:
    """Both cards, the units that come together, and whether quantities would stay what they are.

    Raises:
        NotFound: one of them is absent or merged already.
        Conflict: `merge_with_itself`.
    """
    kept, gone = cards.head(survivor), cards.head(loser)
    if kept.id == gone.id:
        raise Conflict("merge_with_itself")
    used = set(session.scalars(sa.select(Offer.unit).where(Offer.product_id == gone.id).distinct()))
    both = sa.select(Offer.seller_id).where(Offer.product_id == kept.id)
    counts = session.execute(
        sa.select(
            sa.func.count(), sa.func.count(Offer.seller_id.distinct()).filter(Offer.seller_id.in_(both))
        ).where(Offer.product_id == gone.id)
    ).one()  # fmt: skip
    mine, theirs = cards.read(kept.id), cards.read(gone.id)
    units, refused = _united(kept, gone, mine["units"], theirs["units"], used)
    return Plan(kept, gone, mine, theirs, tuple(units), counts[0], counts[1], refused)


def _united(
    kept: cards.Head, gone: cards.Head, mine: list[dict[str, Any]], theirs: list[dict[str, Any]], used: Collection[str]
) -> tuple[list[dict[str, Any]], tuple[str, Mapping[str, Any]] | None]:
    """The units of both. Stock and prices are kept in base units, so one base unit must be exactly one of the other."""
    known, others = ({unit["code"]: unit for unit in units} for units in (mine, theirs))
    if kept.base_unit != gone.base_unit and not (
        known.get(gone.base_unit, {}).get("factor") == "1/1" or others.get(kept.base_unit, {}).get("factor") == "1/1"
    ):
        return mine, ("merge_base_differs", {"unit": kept.base_unit, "other": gone.base_unit})
    found = [dict(unit) for unit in mine]
    has_content = any(unit["content"] for unit in mine)
    for unit in theirs:
        own = next((one for one in found if one["code"] == unit["code"]), None)
        if own is None:
            found.append(unit | {"content": unit["content"] and not has_content})
            continue
        same = Fraction(own["factor"]) == Fraction(unit["factor"])
        if unit["code"] in used and not same:
            return mine, ("merge_unit_differs", {"unit": unit["code"]})
        if unit["code"] in used and (own["step"], own["minimum"]) != (unit["step"], unit["minimum"]):
            return mine, ("merge_step_differs", {"unit": unit["code"]})
        own["sold"] = own["sold"] or unit["code"] in used
        if same:
            own["barcode"] = own["barcode"] or unit["barcode"]
    return found, None


@unit_of_work
def merge(
    actor: Actor, survivor: uuid.UUID, loser: uuid.UUID, take: Collection[str] = (),
    versions: tuple[int, int] | None = None,
) -> None:  # fmt: skip
    """Let one card take over the other, in one transaction.

    Args:
        take: names (`fields/brand`, `attributes/color`) of what the survivor takes from the other card.
        versions: of survivor and loser, as the operator saw them.

    Raises:
        NotFound: one of them is absent or merged already.
        Conflict: `merge_with_itself`, `card_changed`, `merge_base_differs`, `merge_unit_differs`, `merge_step_differs`.
        Invalid: a value that the survivor cannot take.
    """
    heads = [cards.head(survivor), cards.head(loser)]
    offers = session.scalars(sa.select(Offer.id).where(Offer.product_id.in_([head.id for head in heads])))
    lock_rows(Offer, offers)
    lock_rows(Product, [head.id for head in heads])
    found = plan(survivor, loser)
    if versions is not None and versions != (found.survivor.version, found.loser.version):
        raise Conflict("card_changed", version=found.survivor.version)
    if found.refused:
        raise Conflict(found.refused[0], **found.refused[1])
    _take_barcodes(found)
    cards.write(actor, found.survivor.id, _content(found, take))
    pictures.take_over(actor, found.loser.id, found.survivor.id)
    moved = _move(found.loser.id, found.survivor.id)
    _retire(actor, found)
    _redirect_choices(loser, survivor)
    listing.refresh([found.survivor.id, found.loser.id])
    changed("listing")
    told = {"into": str(survivor), "moved": moved, "card": found.gone}
    audit.record(actor, "product.merged", "product", found.loser.id, before=told, after={"took": sorted(take)})


def _content(found: Plan, take: Collection[str]) -> Content:
    """What the survivor says afterwards that it does not say now; its own units at least, in their new order."""
    change: Content = {}
    for name in take:
        part, _slash, key = name.partition("/")
        if part not in ("fields", "attributes") or key not in found.gone[part] | found.kept[part]:
            raise Invalid.one(f"/take/{name}", "unknown_option")
        change.setdefault(part, {})[key] = found.gone[part].get(key, "")
    place = str(change.get("fields", {}).get("category") or found.kept["fields"]["category"])
    return cards.checked(change, place) | {"units": list(found.units)}


def _take_barcodes(found: Plan) -> None:
    """Free the barcodes that the survivor takes over; the others stay with the merged card and lead on from there."""
    taken = [unit["barcode"] for unit in found.units if unit["barcode"]]
    session.execute(
        sa.update(ProductUnit)
        .where(ProductUnit.product_id == found.loser.id, ProductUnit.barcode.in_(taken))
        .values(barcode="")
        .execution_options(synchronize_session="fetch")
    )


def _move(loser: int, survivor: int) -> dict[str, int]:
    """Point at the survivor what pointed at the other card, as `POINTERS` says; rows by column."""
    counted = {}
    bound = {"loser": loser, "survivor": survivor}
    for pointer, policy in POINTERS.items():
        table, column = pointer.split(".")
        if policy == DROP:
            session.execute(sa.text(f"DELETE FROM {table} WHERE {column} = :loser"), bound)
        elif policy == MOVE:
            keys = UNIQUE.get(pointer)
            if keys:
                same = " AND ".join(f"other.{key} = {table}.{key}" for key in keys)
                session.execute(
                    sa.text(
                        f"DELETE FROM {table} WHERE {column} = :loser AND EXISTS"
                        f" (SELECT FROM {table} other WHERE other.{column} = :survivor AND {same})"
                    ),
                    bound,
                )
            done = session.execute(sa.text(f"UPDATE {table} SET {column} = :survivor WHERE {column} = :loser"), bound)
            counted[pointer] = int(done.rowcount)  # type: ignore[attr-defined]  # CursorResult of an UPDATE
    return counted


_UNFINISHED_IMPORTS = sa.text(
    "UPDATE import_row r SET product_id = :survivor FROM price_import i WHERE i.id = r.import_id"
    " AND i.state NOT IN ('done', 'failed', 'cancelled') AND r.product_id = :loser"
)


def _retire(actor: Actor, found: Plan) -> None:
    """The other card leads to the survivor from now on; edits of it that wait are withdrawn."""
    session.execute(_UNFINISHED_IMPORTS, {"survivor": found.survivor.id, "loser": found.loser.id})
    session.execute(
        sa.update(ProductChange)
        .where(ProductChange.product_id == found.loser.id, ProductChange.status.in_(card_changes.OPEN))
        .values(status="withdrawn", decided_by_id=actor.user_id, decided_how="person", decided_at=sa.func.now())
    )
    row = session.get_one(Product, found.loser.id)
    row.status, row.merged_into_id = "merged", found.survivor.id
    row.version += 1
    session.flush()


def _redirect_choices(loser: uuid.UUID, survivor: uuid.UUID) -> None:
    """Materials that buyers chose by hand in their estimates."""
    session.execute(
        sa.text(
            "UPDATE estimate SET choices = replace(choices::text, :loser, :survivor)::jsonb"
            " WHERE choices::text LIKE '%' || :loser || '%'"
        ),
        {"loser": str(loser), "survivor": str(survivor)},
    )


def offers_of(product_id: int) -> list[tuple[str, str, str, int]]:
    """(seller, SKU, unit, price) of the offers of a card, for the view side by side."""
    rows = session.execute(
        sa.text(
            "SELECT s.name, o.sku, o.unit, o.price FROM offer o JOIN seller s ON s.id = o.seller_id"
            " WHERE o.product_id = :id ORDER BY s.name, o.sku LIMIT 50"
        ),
        {"id": product_id},
    )
    return [(row.name, row.sku, row.unit, row.price) for row in rows]
