"""How completely the cards that a seller offers are filled, and which of them to fill first.

The score of a card is the share that is there of: every attribute its section filters by, description, mass, volume, a
photograph. The score of a seller is the mean over the active products he offers, each counted once. One query each.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa

from app.core import clock
from app.core.db import session

FACTS = ("description", "mass", "volume", "picture")
"""What every card should say besides its attributes."""
SOLD_DAYS = 90

_CARDS = f"""
WITH mine AS (
    SELECT o.product_id AS id, min(o.id) AS offer_id FROM offer o WHERE o.seller_id = :seller AND o.status = 'active'
    GROUP BY o.product_id
), asked AS (
    SELECT category_id, count(*) AS attributes FROM attribute WHERE is_facet GROUP BY category_id
), said AS (
    SELECT v.product_id AS id, count(*) AS attributes FROM product_value v
    JOIN mine ON mine.id = v.product_id JOIN attribute a ON a.id = v.attribute_id AND a.is_facet
    GROUP BY v.product_id
), card AS (
    SELECT p.id, p.category_id, mine.offer_id, p.description_ru <> '' AS description, p.mass_kg > 0 AS mass,
        p.volume_m3 > 0 AS volume, p.picture <> '' AS picture,
        coalesce(asked.attributes, 0) AS asked, coalesce(said.attributes, 0) AS said
    FROM mine JOIN product p ON p.id = mine.id AND p.status = 'active'
    LEFT JOIN asked ON asked.category_id = p.category_id LEFT JOIN said ON said.id = p.id
), scored AS (
    SELECT *, (said + description::int + mass::int + volume::int + picture::int)::numeric
        / (asked + {len(FACTS)}) AS score
    FROM card
)"""
_SELLER = sa.text(
    _CARDS + " SELECT count(*) AS cards, count(*) FILTER (WHERE score = 1) AS complete, avg(score) AS score FROM scored"
)
_FIRST = sa.text(
    _CARDS
    + """, sold AS (
    SELECT o.product_id AS id, sum(l.gross) AS revenue FROM order_line l JOIN offer o ON o.id = l.offer_id
    JOIN seller_order r ON r.id = l.order_id
    WHERE r.seller_id = :seller AND r.created_at >= :since AND r.status NOT IN ('rejected', 'expired', 'cancelled')
    GROUP BY o.product_id
), first AS (
    SELECT scored.*, coalesce(sold.revenue, 0) AS revenue, coalesce(l.offers_count, 0) AS offers
    FROM scored LEFT JOIN sold ON sold.id = scored.id LEFT JOIN product_listing l ON l.product_id = scored.id
    WHERE score < 1 ORDER BY revenue DESC, offers DESC, score, scored.id LIMIT :most
)
SELECT f.*, o.public_id AS offer, p.name_ru, p.name_en, (
        SELECT coalesce(json_agg(json_build_array(a.name_ru, a.name_en) ORDER BY a.position, a.id), '[]')
        FROM attribute a WHERE a.category_id = f.category_id AND a.is_facet
            AND NOT EXISTS (SELECT FROM product_value v WHERE v.product_id = f.id AND v.attribute_id = a.id)
    )::text AS missing
FROM first f JOIN product p ON p.id = f.id JOIN offer o ON o.id = f.offer_id
ORDER BY revenue DESC, offers DESC, score, f.id
"""
)


@dataclass(frozen=True, slots=True)
class SellerScore:
    """`score` between 0 and 1; None when nothing is offered."""

    cards: int
    complete: int
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class CardScore:
    """A card to fill: what it lacks, what the seller sold of it (kopeks), how many offer it.

    `missing`: (Russian, English) names of attributes; `facts`: names of FACTS.
    """

    id: int
    offer: uuid.UUID
    name_ru: str
    name_en: str
    score: Decimal
    revenue: int
    offers: int
    missing: tuple[tuple[str, str], ...]
    facts: tuple[str, ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    def lacking(self, locale: str) -> list[str]:
        """Names of the attributes that are not said."""
        return [en if locale == "en" else ru for ru, en in self.missing]


def of_seller(seller_id: int) -> SellerScore:
    """The mean over what he offers."""
    return SellerScore(*session.execute(_SELLER, {"seller": seller_id}).one())


def to_fill(seller_id: int, today: date, most: int = 50) -> list[CardScore]:
    """Cards that lack something: what he sold most of lately first, then what many offer, then the emptiest."""
    since = clock.at(today - timedelta(days=SOLD_DAYS), 0)
    rows = session.execute(_FIRST, {"seller": seller_id, "since": since, "most": most})
    return [
        CardScore(
            row.id, row.offer, row.name_ru, row.name_en, row.score, int(row.revenue), row.offers,
            tuple((ru, en) for ru, en in json.loads(row.missing)),
            tuple(name for name in FACTS if not getattr(row, name)),
        )
        for row in rows
    ]  # fmt: skip
