"""The catalogue and search. The whole state of a list is in its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from werkzeug.datastructures import MultiDict

from app.access import Guarded
from app.catalog import categories, listing, queries, search
from app.catalog.listing import Facets, Filters
from app.core import clock
from app.core.cache import Cache
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import site_rates
from app.offers.sellers import seller_names
from app.texts.catalog import SORTS
from app.web import paths, sites
from app.web.buyer import marks, product_cards
from app.web.filters import language, money, property_value, relative_day
from app.web.htmx import is_part_request, render_page

pages = Guarded("catalog", __name__)
PAGE_SIZE = 24
KEPT_SECONDS = 60
"""How old the stock in a list may be; sellers' own changes and the product page show at once."""
SHOWN_VALUES = 6
SHOWN_SECTIONS = 8
NOT_ATTRIBUTES = {"sort", "cursor", "q", "price_min", "price_max", "seller", "in_stock", "by", "section"}


@dataclass(frozen=True, slots=True)
class Chip:
    """An applied filter, the address of the list without it, and which filter it belongs to."""

    text: str
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class DayChoice:
    """A day by which goods may be wanted, and how many products can be there."""

    value: str
    name: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """For an empty list: without this filter there would be so many products."""

    text: str
    url: str
    count: int


@pages.get("/catalog", permission=Permission.PUBLIC)
def all_categories() -> str:
    """The whole tree."""
    return render_template("buyer/categories.html", tree=queries.tree(_cache()))


@pages.get("/catalog/<slug>", permission=Permission.PUBLIC)
def category(slug: str) -> Response:
    """Products of a category with its facets."""
    cache = _cache()
    try:
        trail = queries.find_category(queries.tree(cache), slug)
    except NotFound:
        now = categories.present_slug(slug)
        if now is None:
            raise
        asked = request.args.to_dict(flat=False)
        return make_response(redirect(paths.with_query(paths.category_path(now), asked), code=301))
    site = sites.chosen()
    where = site_rates.rounded(site.point) if site else ""
    detail = f"{language()} {clock.now():%d%H} {where} {slug}?{request.query_string.decode(errors='replace')}"
    results = cache.get_or_make("listing", detail, lambda: _category_results(slug, trail[-1]), seconds=KEPT_SECONDS)
    return _show(results, trail=trail, q="")


def _cache() -> Cache:
    found: Cache = current_app.extensions["cache"]
    return found


def _category_results(slug: str, node: queries.CategoryNode) -> str:
    # attributes differ from leaf to leaf; above leaves only brand, price, seller, stock and date narrow
    known = [] if node.children else queries.attributes([node.id], _cache())
    return _results(paths.category_path(slug), Filters(category_ids=node.leaves()), known)


@pages.get("/search", permission=Permission.PUBLIC)
def find() -> Response:
    """Products found by words, SKU, article or barcode; `section` narrows to a category, whose facets then show."""
    text = request.args.get("q", "").strip()[:200]
    found = search.match(text, _cache()) if text else None
    tree = queries.tree(_cache())
    if found is None:
        return render_page("buyer/search_empty.html", "buyer/_search_empty.html", q=text, tree=tree)
    node = queries.node_by_slug(tree, request.args.get("section", ""))
    known = queries.attributes([node.id], _cache()) if node and not node.children else []
    base = Filters(match=found, category_ids=node.leaves() if node else ())
    results = _results(paths.SEARCH, base, known, q=text, found=found, section=node, tree=tree)
    return _show(results, trail=(), q=text)


def _show(results: str, **context: Any) -> Response:
    """The list alone when htmx asks for it, else the page around it."""
    if is_part_request():
        return make_response(marks.press(results))
    return make_response(
        render_template(
            "buyer/catalog.html", results=marks.press(results), compared=len(marks.compared()),
            most_compared=marks.MOST_COMPARED, **context,
        )
    )  # fmt: skip


def _results(path: str, base: Filters, known: list[queries.AttributeRow], **context: Any) -> str:
    args, site = request.args, sites.chosen()
    filters = read_filters(args, replace(base, to_site=sites.to_site(site)), {row.key for row in known})
    sort = args.get("sort", "relevance")
    sort = sort if sort in listing.SORTS and (site or sort != "delivered") else "relevance"
    try:
        items, following = listing.page(filters, known, sort, args.get("cursor"), PAGE_SIZE)
    except Invalid:
        items, following = listing.page(filters, known, sort, None, PAGE_SIZE)
    counted = listing.facets(filters, known)
    names = seller_names([seller for seller, _ in counted.sellers], _cache())
    query = {k: args.getlist(k) for k in args if k != "cursor"}
    applied = chips(path, query, filters, counted, names)
    if context.get("section"):
        section = context["section"]
        applied.append(Chip(section.name(language()), paths.with_query(path, query, section=None), "section"))
    context |= {
        "drops": [] if items else drops(path, query, applied, counted.without),
        "path": path,
        "query": query,
        "filters": filters,
        "sort": sort,
        "sorts": [(value, text) for value, text in SORTS if site or value != "delivered"],
        "site": site,
        "facets": counted,
        "property_facets": [(facet, *_cut(facet.values)) for facet in counted.facets],
        "sellers": _cut([_SellerChoice(str(s), names.get(s, ""), n, s in filters.seller_ids)
                         for s, n in counted.sellers]),
        "days": day_choices(filters, counted),
        "sections": _sections(path, query, counted, context.get("tree", ())) if not context.get("section") else [],
        "cards": product_cards.shown(items, has_site=site is not None),
        "next_url": paths.with_query(path, query, cursor=following) if following else "",
        "chips": applied,
        "reset_url": paths.with_query(path, {"q": query.get("q")}),
        "q": context.get("q", ""),
    }  # fmt: skip
    return render_template("buyer/_results.html", **context)


@dataclass(frozen=True, slots=True)
class _SellerChoice:
    value: str
    name: str
    count: int
    selected: bool


def _cut(values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What is shown at once, and what stands behind "more"."""
    return list(values[:SHOWN_VALUES]), list(values[SHOWN_VALUES:])


def _sections(
    path: str, query: Mapping[str, list[str]], counted: Facets, tree: Sequence[queries.CategoryNode]
) -> list[tuple[str, str, int]]:
    """(address, name, products) of the sections that a search found something in, the fullest first."""
    found = []
    for category_id, count in counted.sections:
        trail = queries.trail_of(tree, category_id)
        if trail and count:
            found.append((paths.with_query(path, query, section=trail[-1].slug), trail[-1].name(language()), count))
    return found[:SHOWN_SECTIONS] if len(found) > 1 else []


def read_filters(args: MultiDict[str, str], base: Filters, known: set[str]) -> Filters:
    """Filters of a URL; what cannot be read narrows nothing."""
    chosen = {
        key: tuple(dict.fromkeys(v for v in args.getlist(key) if v))[:20]
        for key in args
        if key not in NOT_ATTRIBUTES and (key in known or key == listing.BRAND)
    }
    return replace(
        base,
        attributes={k: v for k, v in chosen.items() if v},
        price_min=_roubles(args.get("price_min", "")),
        price_max=_roubles(args.get("price_max", "")),
        seller_ids=tuple(int(s) for s in args.getlist("seller")[:20] if s.isdecimal() and len(s) < 10),
        in_stock=args.get("in_stock") == "1",
        ready_days=ready_days(args.get("by", "")),
    )


def ready_days(text: str) -> int | None:
    """The longest lead time with which goods arrive by this day (YYYY-MM-DD): they travel the day after."""
    try:
        return max((date.fromisoformat(text) - clock.today()).days - 1, -1)
    except ValueError:
        return None


def day_choices(filters: Filters, counted: Facets) -> list[DayChoice]:
    """Days by which goods may be wanted, with counts; a day of the address that is none of them stands first."""
    found = [
        DayChoice((clock.today() + timedelta(days=days + 1)).isoformat(), _by(days), count, days == filters.ready_days)
        for days, count in counted.ready.items()
    ]
    if filters.ready_days is not None and not any(choice.selected for choice in found):
        day = (clock.today() + timedelta(days=filters.ready_days + 1)).isoformat()
        found.insert(0, DayChoice(day, _by(filters.ready_days), counted.total, True))
    return found


def _by(days: int) -> str:
    day = clock.today() + timedelta(days=days + 1)
    return relative_day(day) if days <= 0 else str(_("by %(day)s", day=relative_day(day)))


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
        for value in values:
            rest = [v for v in query.get(key, []) if v != value]
            label = f"{facet.name(language())}: {property_value(value, facet.unit)}" if facet else value
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
    if filters.ready_days is not None:
        text = str(_("Delivery: %(day)s", day=_by(filters.ready_days)))
        found.append(Chip(text, paths.with_query(path, query, by=None), "by"))
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
