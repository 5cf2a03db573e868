"""Pricing: finds for every material of an estimate a real product that some seller has now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.estimates.assemblies import Pooled
from app.estimates.matching import Choice, Fit, choose, fit, shortlist, why_nothing
from app.offers.candidates import CandidateProduct, products_of
from app.offers.queries import OfferForSale, offers_of_products


def price(
    lines: Sequence[Pooled], choices: Mapping[str, Mapping[str, str]], progress: Callable[[int, int], None]
) -> dict[str, Choice | str]:
    """Material key -> the choice, or the reason why there is none. Two reads, whatever the number of lines."""
    keys = sorted({key for line in lines for key, _ in line.spec})
    products = products_of(sorted({line.category for line in lines}), keys)
    leaves: dict[str, list[CandidateProduct]] = {line.category: [] for line in lines}
    for product in products:
        leaves[product.category].append(product)
    fits = {line.key: _fits(line, leaves[line.category], choices.get(line.key, {})) for line in lines}
    offers: dict[int, list[OfferForSale]] = {}
    wanted = sorted({f.product.id for found in fits.values() for f in found})
    for offer in offers_of_products(wanted) if wanted else ():
        offers.setdefault(offer.product_id, []).append(offer)
    result: dict[str, Choice | str] = {}
    for number, line in enumerate(lines, start=1):
        result[line.key] = choose(line, fits[line.key], offers) or why_nothing(line, leaves[line.category])
        progress(number, len(lines))
    return result


def _fits(line: Pooled, products: Sequence[CandidateProduct], chosen: Mapping[str, str]) -> list[Fit]:
    """The product chosen by hand if it can be counted in the line's unit, else the best fitting ones."""
    wanted = chosen.get("product")
    by_hand = [p for p in products if str(p.public_id) == wanted] if wanted else []
    found = [f for p in by_hand for f in [fit(p, line)] if f is not None]
    return found or shortlist(line, products)
