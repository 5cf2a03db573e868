"""Which product and offer satisfy a material: pure choice among candidates."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.core.money import line_total
from app.core.units import ceil_to_step
from app.estimates.assemblies import Pooled
from app.offers.candidates import CandidateProduct
from app.offers.queries import OfferForSale

SHORTLIST = 5
"""Products of a line whose offers are looked at."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a product fits: constraints it does not meet; `content` of the line unit in one base unit."""

    product: CandidateProduct
    content: Fraction
    unmet: tuple[str, ...]
    far: int
    """Constraints that are not even near (another first number, another word)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The offer to buy: `packs` units of sale at `price` each; `problem` is empty or short_stock."""

    product: CandidateProduct
    offer: OfferForSale
    content: Fraction
    packs: int
    price: int
    total: int
    unmet: tuple[str, ...]
    problem: str = ""


def content_of(product: CandidateProduct, line: Pooled) -> Fraction | None:
    """How much of the line's unit one base unit of the product holds; None when they cannot be compared."""
    if line.unit in product.units:
        return 1 / product.units[line.unit]
    sold = line.parts[0]
    if line.unit == "pcs" and product.base_unit == sold.sold_unit:
        return sold.sold_content
    return None


def fit(product: CandidateProduct, line: Pooled) -> Fit | None:
    """How well the product meets the constraints of the line."""
    content = content_of(product, line)
    if content is None:
        return None
    unmet = [(key, wanted) for key, wanted in line.spec if not same_value(product.values.get(key, ""), wanted)]
    far = sum(not _near(product.values.get(key, ""), wanted) for key, wanted in unmet)
    return Fit(product, content, tuple(key for key, _ in unmet), far)


def same_value(value: str, wanted: str) -> bool:
    """Whether a value of a product is what a line asks for: the same text, or the same number."""
    if value == wanted:
        return True
    number = _number(wanted)
    return number is not None and _number(value) == number


@functools.lru_cache(maxsize=4096)
def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _near(value: str, wanted: str) -> bool:
    """A size that begins with the same figures: 50х40 for 50х50, 667х500х80 for 667х500."""
    first, other = re.findall(r"\d+(?:\.\d+)?", value), re.findall(r"\d+(?:\.\d+)?", wanted)
    return bool(first and other) and first[0] == other[0]


def shortlist(line: Pooled, products: Sequence[CandidateProduct]) -> list[Fit]:
    """The best fitting among products of the line's leaf: fewest constraints unmet, enough in stock, cheapest."""
    fits = [f for p in products for f in [fit(p, line)] if f is not None]
    if not fits:
        return []
    best = min((f.far, len(f.unmet)) for f in fits)
    equal = [f for f in fits if (f.far, len(f.unmet)) == best]
    return sorted(equal, key=lambda f: (_scarcity(f, line), _rough_total(f, line), f.product.id))[:SHORTLIST]


def _scarcity(found: Fit, line: Pooled) -> int:
    """0: all sellers together have enough; 1: some; 2: nothing."""
    if found.product.available <= 0:
        return 2
    return int(Fraction(found.product.available) * found.content < line.gross)


def _rough_total(found: Fit, line: Pooled) -> Fraction:
    return -(-line.gross // found.content) * Fraction(found.product.price_from)


def choose(line: Pooled, fits: Sequence[Fit], offers: Mapping[int, Sequence[OfferForSale]]) -> Choice | None:
    """The cheapest offer that has enough; when nobody has, the one with most of it."""
    choices = [
        _choice(line, found, offer, available)
        for found in fits
        for offer in offers.get(found.product.id, ())
        for available in [offer.available]
        if available > 0
    ]
    if not choices:
        return None
    return min(choices, key=lambda c: (bool(c.problem), c.total if not c.problem else -c.offer.available, c.offer.id))


def _choice(line: Pooled, found: Fit, offer: OfferForSale, available: Decimal) -> Choice:
    per_unit = found.content * offer.factor
    quantity = ceil_to_step(line.gross / per_unit, offer.step, offer.minimum)
    price = offer.price_for(quantity).price
    return Choice(
        found.product, offer, per_unit, int(quantity), price, line_total(price, quantity), found.unmet,
        "" if available >= quantity else "short_stock",
    )  # fmt: skip


def why_nothing(line: Pooled, products: Sequence[CandidateProduct]) -> str:
    """The reason when no offer was chosen: no_product, unit_mismatch or no_stock."""
    if not products:
        return "no_product"
    if all(content_of(p, line) is None for p in products):
        return "unit_mismatch"
    return "no_stock"
