"""Offers by what people have in their own books: a seller's SKU, a barcode, the manufacturer's article."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa

from app.core.db import session
from app.offers import queries
from app.offers.queries import OfferForSale

_LATIN = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
_CYRILLIC = str.maketrans("ABEKMHOPCTYX", "АВЕКМНОРСТУХ")
_FOUND = sa.text(
    """
    SELECT upper(o.sku) AS code, o.id AS offer_id, o.product_id FROM offer o
    WHERE upper(o.sku) = ANY(:codes) AND o.status = 'active'
    UNION ALL
    SELECT u.barcode, NULL, u.product_id FROM product_unit u WHERE u.barcode = ANY(:codes) AND u.barcode <> ''
    UNION ALL
    SELECT upper(p.article), NULL, p.id FROM product p WHERE upper(p.article) = ANY(:codes) AND p.article <> ''
    """
)
_UNITS = sa.text("SELECT product_id, code, numerator, denominator FROM product_unit WHERE product_id = ANY(:products)")


@dataclass(frozen=True, slots=True)
class Coded:
    """Offers found by a code, cheapest first, and the units of their products: (product, unit) -> base units."""

    offers: Mapping[str, tuple[OfferForSale, ...]]
    factors: Mapping[tuple[int, str], Fraction]


def spellings(code: str) -> tuple[str, ...]:
    """A code as it may stand in the books: in capitals, with look-alike letters of either alphabet."""
    bare = "".join(code.split()).upper()
    return tuple(dict.fromkeys((bare, code.strip().upper(), bare.translate(_LATIN), bare.translate(_CYRILLIC))))


def by_codes(codes: Iterable[str]) -> Coded:
    """What is on sale under these codes; three queries however many they are.

    A SKU names its own offers, and every offer of their product when none of them is on sale now. A barcode or article
    names every offer of the product. A code may be the SKU of one product and the article of another.
    """
    wanted = {code: spellings(code) for code in codes}
    rows = session.execute(_FOUND, {"codes": sorted({s for own in wanted.values() for s in own})}).all()
    products = sorted({row.product_id for row in rows})
    sold: dict[int, list[OfferForSale]] = {}
    for offer in queries.offers_of_products(products) if products else []:
        sold.setdefault(offer.product_id, []).append(offer)
    found: dict[str, tuple[OfferForSale, ...]] = {}
    for code, own in wanted.items():
        named = [row for row in rows if row.code in own]
        skus = {row.offer_id for row in named if row.offer_id is not None}
        all_of = [offer for product in {row.product_id for row in named} for offer in sold.get(product, [])]
        by_sku = {offer.product_id for offer in all_of if offer.id in skus}
        meant = [offer for offer in all_of if offer.id in skus or offer.product_id not in by_sku]
        found[code] = tuple(sorted(meant, key=lambda offer: (offer.price / offer.factor, offer.id)))
    units = session.execute(_UNITS, {"products": products}).all() if products else []
    return Coded(found, {(u.product_id, u.code): Fraction(u.numerator, u.denominator) for u in units})
