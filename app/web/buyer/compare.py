"""Up to four products side by side: kept in a cookie of this browser, or named in an address to share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Response, current_app, flash, make_response, render_template, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.access import Guarded
from app.catalog import listing, queries
from app.catalog.listing import Filters, ListedProduct
from app.catalog.queries import ProductCard
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.feedback import queries as feedback
from app.web import paths, sites
from app.web.account.auth import safe_next
from app.web.buyer import marks
from app.web.buyer.product_cards import drawing_url
from app.web.filters import language, mass, property_value, qty
from app.web.htmx import is_part_request, redirect_to, render_page
from app.web.reading import key_of

pages = Guarded("compare", __name__)
PATH = "/compare"


@dataclass(frozen=True, slots=True)
class Row:
    """A property of all columns; `differs` when they are not all the same."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Column:
    """A product of the comparison; `sold` is None when nobody sells it now."""

    card: ProductCard
    name: str
    image: str
    sold: ListedProduct | None
    rating: feedback.Rating | None
    without_url: str


@pages.get(PATH, permission=Permission.PUBLIC)
def show() -> Response:
    """The products of the address, or those of this browser."""
    given = request.args.get("ids", "")
    ids = marks.read_ids(given) if given else marks.compared()
    cards = queries.products(ids) if ids else []
    site = sites.chosen()
    sold = _sold(cards, sites.to_site(site))
    ratings = feedback.ratings([card.id for card in cards]) if cards else {}
    only = request.args.get("only") == "differences"
    rows = rows_of(cards)
    return render_page(
        "buyer/compare.html", None, columns=[_column(card, cards, sold, ratings) for card in cards], site=site,
        rows=[row for row in rows if row.differs or not only], hidden=sum(not row.differs for row in rows), only=only,
        kept=not given, gone=len(ids) - len(cards), same_kind=len({card.category_id for card in cards}) < 2,
        share_url=paths.with_query(PATH, ids=_text(card.public_id for card in cards)),
        only_url=paths.with_query(PATH, ids=given, only=None if only else "differences"),
    )  # fmt: skip


def _text(ids: Any) -> str:
    return ",".join(str(one) for one in ids)


def _sold(cards: Sequence[ProductCard], to_site: listing.ToSite | None) -> dict[int, ListedProduct]:
    """Prices as lists show them, in one query."""
    if not cards:
        return {}
    wanted = Filters(product_ids=[card.id for card in cards], to_site=to_site)
    found, _next = listing.page(wanted, [], "newest", None, len(cards))
    return {item.id: item for item in found}


def _column(
    card: ProductCard, cards: Sequence[ProductCard], sold: Mapping[int, ListedProduct],
    ratings: Mapping[int, feedback.Rating],
) -> Column:  # fmt: skip
    trail = queries.trail_of(queries.tree(current_app.extensions["cache"]), card.category_id)
    rest = _text(other.public_id for other in cards if other.id != card.id)
    return Column(
        card, card.name(language()), drawing_url(trail[-1].drawing if trail else "box"), sold.get(card.id),
        ratings.get(card.id), paths.with_query(PATH, ids=rest),
    )  # fmt: skip


def rows_of(cards: Sequence[ProductCard]) -> list[Row]:
    """Brand, properties in the order of the first product that has them, mass and size."""
    names: dict[str, str] = {}
    values: list[dict[str, str]] = []
    for card in cards:
        own = {}
        for attribute, value in card.values:
            names.setdefault(attribute.key, attribute.name(language()))
            own[attribute.key] = property_value(value, attribute.unit)
        values.append(own)
    dash = "–"
    found = [Row(str(_("Brand")), tuple(card.brand or dash for card in cards))]
    found += [Row(name, tuple(own.get(key, dash) for own in values)) for key, name in names.items()]
    unit_mass = tuple(mass(card.mass_kg) if card.mass_kg else dash for card in cards)
    length = tuple(qty(Decimal(card.length_mm), "mm") if card.length_mm else dash for card in cards)
    found += [Row(str(_("Mass of a unit")), unit_mass), Row(str(_("Longest side")), length)]
    return [row for row in found if set(row.values) != {dash}]


@pages.post(PATH, permission=Permission.PUBLIC)
def change() -> Response:
    """Put a product in or take it out (`toggle`), or take all out (`clear`)."""
    kept = marks.compared()
    if "clear" in request.form:
        response = redirect_to(PATH)
        marks.remember_compared(response, [])
        return response
    key = key_of(request.form.get("toggle", ""))
    if key in kept:
        return _changed(key, [one for one in kept if one != key])
    if not queries.products([key]):
        raise NotFound()
    if len(kept) >= marks.MOST_COMPARED:
        return _changed(key, kept, str(_("Four products are compared already: take one out first.")))
    return _changed(key, [*kept, key])


def _changed(key: uuid.UUID, ids: list[uuid.UUID], warning: str = "") -> Response:
    """The button and the bar for htmx; without script back to where it was pressed."""
    if is_part_request():
        card = next(iter(queries.products([key])), None)
        body = render_template(
            "buyer/_compared.html", id=str(key), name=card.name(language()) if card else "", on=key in ids,
            count=len(ids), most=marks.MOST_COMPARED, warning=warning, text=request.args.get("text") == "1",
        )  # fmt: skip
        response = make_response(body)
    else:
        if warning:
            flash(warning, "warn")
        response = redirect_to(PATH if warning else safe_next(request.form.get("next", PATH)))
    marks.remember_compared(response, ids)
    return response
