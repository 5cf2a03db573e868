"""The page of a product: all sellers side by side, exact units, how much is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app import access
from app.access import Guarded
from app.catalog import queries, search, words
from app.catalog.facts import truck_kg
from app.catalog.listing import ToSite
from app.catalog.queries import CategoryNode, MergedInto, ProductCard
from app.catalog.search import Match
from app.core.money import line_total, round_half_up
from app.core.permissions import Permission
from app.core.units import NotANumber, ceil_to_step, parse_decimal
from app.feedback import queries as feedback
from app.offers import queries as offers
from app.offers.queries import OfferForSale, Place
from app.offers.return_terms import Terms
from app.texts import returns as return_words
from app.texts.media import DOCUMENT_KINDS
from app.web import paths, sites
from app.web.buyer import marks
from app.web.filters import language
from app.web.htmx import render_page

pages = Guarded("product", __name__)


@dataclass(frozen=True, slots=True)
class Need:
    """So much of the content unit is needed: how many units of sale that is, and what they hold."""

    text: str
    unit: str
    packs: Decimal | None = None
    holds: Fraction | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An offer in the table of the page. `delivered`: `total` with delivery to the site; None without one."""

    offer: OfferForSale
    quantity: Decimal
    price: int
    rule: str
    total: int
    content_price: int | None
    arrives: date
    places: tuple[tuple[Place, Decimal], ...]
    delivered: int | None

    @property
    def base_price(self) -> Fraction:
        """Kopeks for a base unit: sellers may sell in different units."""
        return Fraction(self.price) / self.offer.factor


SORTS: Mapping[str, Callable[[OfferLine], Any]] = {
    "price": lambda line: line.base_price,
    "delivered": lambda line: (line.delivered is None, line.delivered),
    "date": lambda line: line.arrives,
    "rating": lambda line: -line.offer.seller_rating,
}
"""Orders of the sellers' table by their names in the address; who has nothing in stock stands last in each."""


@pages.get("/product/<slug>", permission=Permission.PUBLIC)
def show(slug: str) -> Response:
    """A product; `need` in content units works out the packs, `offer` chooses one of the offers."""
    card = queries.product_by_slug(slug)
    found, away, places, terms = offers.offers_with_places(card.id)
    need = read_need(request.args.get("need", ""), card, found[0] if found else None)
    site = sites.chosen()
    to_site = sites.to_site(site)
    lines = [offer_line(offer, need, places, to_site) for offer in found]
    lines.sort(key=lambda line: (not line.places, line.total, line.offer.id))
    asked = request.args.get("offer")
    chosen = next((line for line in lines if str(line.offer.public_id) == asked), lines[0] if lines else None)
    trail = queries.trail_of(queries.tree(current_app.extensions["cache"]), card.category_id) or queries.trail_of(
        queries.tree(), card.category_id
    )  # a category younger than the cached tree
    sort = request.args.get("sort", "")
    return render_page(
        "buyer/product.html", None, card=card, lines=in_order(lines, sort), chosen=chosen, need=need,
        trail=trail, name=card.name(language()), site=site, sort=sort if sort in SORTS else "",
        sort_links=_sort_links(slug), said=feedback.of_product(card.id, access.actor().user_id),
        marks=marks.present(), most_compared=marks.MOST_COMPARED, away=away,
        document_kinds=DOCUMENT_KINDS, returns=_returns(terms, trail),
    )  # fmt: skip


def _returns(terms: Mapping[int, Terms], trail: Sequence[CategoryNode]) -> dict[int, str]:
    """Seller -> what becomes of leftovers of this product, in words."""
    path = [node.id for node in trail]
    return {seller: return_words.short(one, excluded=one.excludes(path)) for seller, one in terms.items()}


def in_order(lines: Sequence[OfferLine], sort: str) -> list[OfferLine]:
    """The table in the order asked for; the cheapest sum first when it is none of SORTS."""
    key = SORTS.get(sort)
    return list(lines) if key is None else sorted(lines, key=lambda line: (not line.places, key(line)))


def _sort_links(slug: str) -> dict[str, str]:
    kept = {name: request.args[name] for name in ("need", "offer") if name in request.args}
    return {sort: paths.with_query(paths.product_path(slug), kept, sort=sort) for sort in SORTS}


@pages.errorhandler(MergedInto)
def moved(error: MergedInto) -> ResponseReturnValue:
    """The address of a duplicate leads to the card that took it over, with the same questions."""
    return redirect(paths.with_query(paths.product_path(error.slug), request.args.to_dict(flat=False)), code=301)


def read_need(text: str, card: ProductCard, offer: OfferForSale | None) -> Need | None:
    """The calculator's answer: whole steps of the unit of sale that hold at least what is needed."""
    content = card.content
    if content is None or offer is None or content.code == offer.unit:
        return None
    if not text.strip():
        return Need("", content.code)
    try:
        wanted = parse_decimal(text)
    except NotANumber as error:
        return Need(text, content.code, error=error.code)
    if not 0 < wanted < 1_000_000:
        return Need(text, content.code, error="too_small" if wanted <= 0 else "too_large")
    packs = ceil_to_step(Fraction(wanted) * content.factor / offer.factor, offer.step, offer.minimum)
    holds = Fraction(packs) * offer.factor / content.factor
    return Need(text, content.code, packs, holds)


def offer_line(
    offer: OfferForSale, need: Need | None, places: Mapping[int, Place], to_site: ToSite | None
) -> OfferLine:
    """An offer with its sum for what is needed, or for the least one may buy."""
    quantity = need.packs if need is not None and need.packs is not None else offer.minimum
    applied = offer.price_for(quantity)
    content = offer.content_per_unit
    stocked = tuple((places[w], offer.available_at(w)) for w in offer.stock if offer.available_at(w) > 0)
    total = line_total(applied.price, quantity)
    return OfferLine(
        offer, quantity, applied.price, applied.rule, total,
        round_half_up(applied.price / content) if content else None,
        offers.earliest_day(offer), stocked, with_delivery(offer, total, quantity, to_site),
    )  # fmt: skip


def with_delivery(offer: OfferForSale, total: int, quantity: Decimal, to_site: ToSite | None) -> int | None:
    """The sum with delivery of so many units as a part of a tonne, as lists count it; None: no site, or not brought."""
    if to_site is None:
        return None
    kilograms = truck_kg(offer.mass_kg, offer.volume_m3)
    share = to_site.share(offer.seller_id, kilograms, Fraction(quantity) * offer.factor)
    return None if share is None else total + share


def _forms(text: str, found: Match | None) -> list[str]:
    return [*words.variants(text), *([found.meant] if found and found.meant else [])]


@pages.get("/search/suggest", permission=Permission.PUBLIC)
def suggest() -> str:
    """The list under the search field."""
    text = request.args.get("q", "").strip()[:200]
    cache = current_app.extensions["cache"]
    found = search.match(text, cache, typing=True) if len(text) >= 2 else None
    items = queries.suggestions(found, 5) if found else []
    near = queries.categories_named(queries.tree(cache), _forms(text, found), 2) if len(text) >= 2 else []
    return render_template(
        "buyer/_suggest.html", items=items, categories=near, q=text, meant=found.meant if found else None
    )
