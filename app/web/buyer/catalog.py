"""The catalogue and search. The whole state of a list is in its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, current_app, make_response, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from app.access import Guarded
from app.catalog import listing, queries, search
from app.catalog.listing import Facets, Filters, ListedProduct
from app.core import clock
from app.core.cache import Cache
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.offers.sellers import seller_names
from app.texts.catalog import SORTS
from app.web import paths
from app.web.assets import asset_url
from app.web.drawings import file_of
from app.web.filters import language, money, relative_day
from app.web.htmx import is_part_request, render_page
from app.web.unit_texts import unit_label as units

pages = Guarded("catalog", __name__)
PAGE_SIZE = 24
KEPT_SECONDS = 60
"""How old the stock in a list may be; sellers' own changes and the product page show at once."""
NOT_ATTRIBUTES = {"sort", "cursor", "q", "price_min", "price_max", "seller", "in_stock", "all"}


@dataclass(frozen=True, slots=True)
class Chip:
    """An applied filter, the address of the list without it, and which filter it belongs to."""

    text: str
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Drop:
    """For an empty list: without this filter there would be so many products."""

    text: str
    url: str
    count: int


@pages.get("/catalog", permission=Permission.PUBLIC)
def all_categories() -> str:
    """The whole tree."""
    return render_template("buyer/categories.html", tree=queries.tree(current_app.extensions["cache"]))


@pages.get("/catalog/<slug>", permission=Permission.PUBLIC)
def category(slug: str) -> Response:
    """Products of a category with its facets."""
    cache: Cache = current_app.extensions["cache"]
    trail = queries.find_category(queries.tree(cache), slug)
    detail = f"{language()} {clock.now():%d%H} {slug}?{request.query_string.decode(errors='replace')}"
    results = cache.get_or_make("listing", detail, lambda: _category_results(slug, trail[-1]), seconds=KEPT_SECONDS)
    return _show(Markup(results), trail=trail, q="")  # made by our template, where everything is escaped


def _category_results(slug: str, node: queries.CategoryNode) -> str:
    known = queries.attributes(node.leaves())
    if node.children:
        known = []  # attributes differ from leaf to leaf; above leaves only brand, price, seller and stock narrow
    return _results(paths.category_path(slug), Filters(category_ids=node.leaves()), known)


@pages.get("/search", permission=Permission.PUBLIC)
def find() -> Response:
    """Products found by words, SKU, article or barcode."""
    text = request.args.get("q", "").strip()[:200]
    found = search.match(text) if text else None
    if found is None:
        tree = queries.tree(current_app.extensions["cache"])
        return render_page("buyer/search_empty.html", "buyer/_search_empty.html", q=text, tree=tree)
    results = _results(paths.SEARCH, Filters(match=found), [], q=text, meant=found.meant)
    return _show(Markup(results), trail=(), q=text)


def _show(results: Markup, **context: Any) -> Response:
    """The list alone when htmx asks for it, else the page around it."""
    if is_part_request():
        return make_response(results)
    return make_response(render_template("buyer/catalog.html", results=results, **context))


def _results(path: str, base: Filters, known: list[queries.AttributeRow], **context: Any) -> str:
    args = request.args
    filters = read_filters(args, base, {row.key for row in known})
    sort = args.get("sort", "relevance")
    sort = sort if sort in listing.SORTS else "relevance"
    try:
        items, following = listing.page(filters, known, sort, args.get("cursor"), PAGE_SIZE)
    except Invalid:
        items, following = listing.page(filters, known, sort, None, PAGE_SIZE)
    counted = listing.facets(filters, known)
    names = seller_names([seller for seller, _ in counted.sellers])
    query = {k: args.getlist(k) for k in args if k != "cursor"}
    applied = chips(path, query, filters, counted, names)
    context |= {
        "drops": [] if items else drops(path, query, applied, listing.without_each(filters, known)),
        "path": path,
        "query": query,
        "filters": filters,
        "sort": sort,
        "sorts": SORTS,
        "facets": counted,
        "sellers": [(str(s), names.get(s, ""), n, s in filters.seller_ids) for s, n in counted.sellers],
        "cards": [card(item) for item in items],
        "next_url": paths.with_query(path, query, cursor=following) if following else "",
        "chips": applied,
        "reset_url": paths.with_query(path, {"q": query.get("q")}),
        "q": context.get("q", ""),
    }
    return render_template("buyer/_results.html", **context)


def read_filters(args: MultiDict[str, str], base: Filters, known: set[str]) -> Filters:
    """Filters of a URL; what cannot be read narrows nothing."""
    chosen = {
        key: tuple(v for v in args.getlist(key) if v)[:20]
        for key in args
        if key not in NOT_ATTRIBUTES and (key in known or key == listing.BRAND)
    }
    return Filters(
        category_ids=base.category_ids,
        match=base.match,
        attributes={k: v for k, v in chosen.items() if v},
        price_min=_roubles(args.get("price_min", "")),
        price_max=_roubles(args.get("price_max", "")),
        seller_ids=tuple(int(s) for s in args.getlist("seller")[:20] if s.isdecimal() and len(s) < 10),
        in_stock=args.get("in_stock") == "1",
    )


def _roubles(text: str) -> int | None:
    digits = "".join(c for c in text.split(",")[0].split(".")[0] if c.isdecimal())
    return int(digits) * 100 if digits and len(digits) < 10 else None


def chips(
    path: str, query: Mapping[str, list[str]], filters: Filters, counted: Facets, sellers: Mapping[int, str]
) -> list[Chip]:
    """One chip for each applied filter."""
    found = []
    names = {facet.key: facet for facet in counted.facets}
    for key, values in filters.attributes.items():
        facet = names.get(key)
        unit = f" {units(facet.unit)}" if facet and facet.unit else ""
        for value in values:
            rest = [v for v in query.get(key, []) if v != value]
            label = f"{facet.name(language())}: {value}{unit}" if facet else value
            found.append(Chip(label, paths.with_query(path, query, **{key: rest or None}), key))
    for seller in filters.seller_ids:
        rest = [s for s in query.get("seller", []) if s != str(seller)]
        found.append(
            Chip(sellers.get(seller, str(seller)), paths.with_query(path, query, seller=rest or None), "seller")
        )
    if filters.price_min is not None or filters.price_max is not None:
        found.append(Chip(_price_text(filters), paths.with_query(path, query, price_min=None, price_max=None), "price"))
    if filters.in_stock:
        found.append(Chip(_("In stock"), paths.with_query(path, query, in_stock=None), "in_stock"))
    return found


def _price_text(filters: Filters) -> str:
    low, high = filters.price_min, filters.price_max
    if low is not None and high is not None:
        return str(_("%(low)s to %(high)s", low=money(low), high=money(high)))
    if low is not None:
        return str(_("from %(low)s", low=money(low)))
    return str(_("up to %(high)s", high=money(high or 0)))


def drops(path: str, query: Mapping[str, list[str]], applied: Sequence[Chip], counts: Mapping[str, int]) -> list[Drop]:
    """Filters whose absence would show something, the most fruitful first."""
    found = []
    for key, count in sorted(counts.items(), key=lambda item: -item[1]):
        names = [chip.text for chip in applied if chip.key == key]
        gone = ("price_min", "price_max") if key == "price" else (key,)
        if count and names:
            found.append(Drop(", ".join(names), paths.with_query(path, query, **dict.fromkeys(gone)), count))
    return found


def card(item: ListedProduct) -> dict[str, Any]:
    """A product for the card macro."""
    ru = language() != "en"
    content = item.content_unit if item.unit_price is not None and item.content_unit != item.base_unit else None
    arrives = clock.today() + timedelta(days=max(item.lead_time_days, 0) + 1)
    return {
        "url": paths.product_path(item.slug),
        "name": item.name_ru if ru else item.name_en,
        "image": drawing_url(item.drawing),
        "price": item.price_from,
        "unit_name": units(item.base_unit),
        "content_price": item.unit_price if content else None,
        "content_unit": content,
        "offers_count": item.offers_count,
        "available": item.available,
        "base_unit": item.base_unit,
        "arrives": relative_day(arrives) if item.available > 0 else "",
    }


def drawing_url(name: str) -> str:
    """Address of the drawing that stands where there is no photograph."""
    return asset_url(file_of(name))
