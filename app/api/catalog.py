"""The catalogue for outside clients: categories, products, offers, suggestions."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from flask import Response, current_app, request
from pydantic import Field, RootModel, model_validator

from app import access
from app.accounts import queries as people
from app.api.kernel import Answer, Api, given_id
from app.api.media_shapes import DocumentOut, ImageOut, document_out, image_sizes
from app.api.schemas import MoneyOut, PageQuery, QuantityText, Schema, money
from app.catalog import categories, listing, queries, search
from app.catalog.listing import Facets, Filters, ListedProduct, ToSite
from app.catalog.queries import AttributeRow, CategoryNode, ProductCard
from app.core.cache import Cache
from app.core.errors import FieldError, Invalid, NotFound, NotSignedIn
from app.core.ids import parse_uuid
from app.core.money import round_half_up
from app.core.permissions import Permission
from app.offers import queries as offers
from app.offers import sellers
from app.offers.queries import OfferForSale
from app.web import sites
from app.web.buyer.catalog import ready_days
from app.web.buyer.product import with_delivery
from app.web.filters import language
from app.web.photos import image_url
from app.web.sites import ChosenSite

api = Api("catalog", tag="Catalogue")


class CategoryOut(Schema):
    """A node of the tree; `products` counts those on sale in and below it."""

    slug: str
    name: str
    products: int
    children: list[CategoryOut]


class TreeOut(Schema):
    """The whole tree."""

    items: list[CategoryOut]


class AttributeOut(Schema):
    """A property of the category's products; filter by it with `attr.<key>=`."""

    key: str
    name: str
    kind: str
    unit: str
    facet: bool


class CategoryDetail(CategoryOut):
    """A category with its properties and the way to it."""

    path: list[str]
    attributes: list[AttributeOut]


def _cache() -> Cache:
    found: Cache = current_app.extensions["cache"]
    return found


def _category(node: CategoryNode) -> dict[str, Any]:
    return {
        "slug": node.slug,
        "name": node.name(language()),
        "products": node.products,
        "children": [_category(child) for child in node.children],
    }


@api.get("/categories", permission=Permission.PUBLIC, answer=TreeOut, summary="The tree of categories")
def all_categories() -> TreeOut:
    """Names in the language of Accept-Language."""
    return TreeOut.model_validate({"items": [_category(node) for node in queries.tree(_cache())]})


@api.get("/categories/{slug}", permission=Permission.PUBLIC, answer=CategoryDetail, summary="A category")
def category(slug: str) -> Answer:
    """With the properties its products may be filtered by. An address that it had before answers 308."""
    try:
        return Answer(detail_of(slug))
    except NotFound:
        now = categories.present_slug(slug)
        if now is None:
            raise
        return Answer(None, 308, {"Location": f"/api/v1/categories/{now}"})


def detail_of(slug: str) -> CategoryDetail:
    """A category as the API shows it.

    Raises:
        NotFound.
    """
    trail = queries.find_category(queries.tree(_cache()), slug)
    known = [] if trail[-1].children else queries.attributes([trail[-1].id])
    return CategoryDetail(
        **_category(trail[-1]), path=[node.slug for node in trail], attributes=[_attribute(row) for row in known]
    )


def _attribute(row: AttributeRow) -> AttributeOut:
    return AttributeOut(key=row.key, name=row.name(language()), kind=row.kind, unit=row.unit, facet=row.is_facet)


class ProductsQuery(PageQuery):
    """`attr.<key>=v1,v2` narrows by a property, several values add up. Prices in kopeks for one base unit."""

    q: str | None = Field(default=None, max_length=200)
    category: str | None = Field(default=None, max_length=100)
    price_min: int | None = Field(default=None, ge=0, le=10**12)
    price_max: int | None = Field(default=None, ge=0, le=10**12)
    seller: str | None = Field(default=None, max_length=500, description="slugs, separated by commas")
    in_stock: bool = False
    by: date | None = Field(default=None, description="in stock with somebody who can deliver by this day")
    site: str | None = Field(
        default=None, max_length=80, description="id of an own site, or `lat,lon`: prices with delivery there"
    )
    sort: Literal["relevance", "price", "unit_price", "delivered", "newest"] = "relevance"
    facets: bool = False
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="given as attr.<key>=v1,v2")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: dict[str, Any]) -> dict[str, Any]:
        chosen = {k.removeprefix("attr."): v for k, v in raw.items() if k.startswith("attr.")}
        rest = {k: v for k, v in raw.items() if not k.startswith("attr.")}
        values = {k: tuple(part for part in str(v).split(",") if part)[:20] for k, v in chosen.items()}
        return rest | ({"attributes": {k: v for k, v in values.items() if v}} if values else {})


class ProductOut(Schema):
    """A product of a list. `unit_price` is for one `content_unit`, where the product is measured in one.

    `delivered`: the lowest price of one `unit` with delivery to the `site` as a part of a tonne; null when nobody
    brings it there or no site is given.
    """

    id: uuid.UUID
    slug: str
    name: str
    category: str
    brand: str
    image: str
    unit: str
    price_from: MoneyOut
    unit_price: MoneyOut | None
    content_unit: str | None
    offers_count: int
    available: QuantityText
    delivered: MoneyOut | None


class FacetValueOut(Schema):
    """A value and how many products it would leave."""

    value: str
    count: int
    selected: bool


class FacetOut(Schema):
    """A property one may filter by."""

    key: str
    name: str
    unit: str
    values: list[FacetValueOut]


class ProductsOut(Schema):
    """A page of products; facets and total when `facets=1`.

    `corrected`: the query as it was understood, when not as typed; `left_out`: its words that nothing on sale has.
    """

    items: list[ProductOut]
    next_cursor: str | None
    facets: list[FacetOut] | None = None
    total: int | None = None
    corrected: str | None = None
    left_out: list[str] = Field(default_factory=list)


@api.get(
    "/products", permission=Permission.PUBLIC, query=ProductsQuery, answer=ProductsOut, summary="Search and filter"
)
def products(query: ProductsQuery) -> ProductsOut:
    """Inside a facet values add up, between facets they narrow; a facet is not narrowed by itself."""
    tree = queries.tree(_cache())
    known: list[AttributeRow] = []
    category_ids: list[int] = []
    if query.category is not None:
        node = _category_of(tree, query.category)
        category_ids = node.leaves()
        known = [] if node.children else queries.attributes([node.id], _cache())
    unknown = set(query.attributes) - {row.key for row in known} - {listing.BRAND}
    if unknown:
        raise Invalid([FieldError(f"/query/attr.{key}", "unknown_field") for key in sorted(unknown)])
    match = search.match(query.q, _cache()) if query.q else None
    if query.q and match is None:
        return ProductsOut(items=[], next_cursor=None, **({"facets": [], "total": 0} if query.facets else {}))
    filters = Filters(
        category_ids, match, query.attributes, query.price_min, query.price_max, _seller_ids(query.seller),
        query.in_stock, None if query.by is None else ready_days(query.by.isoformat()), _to_site(query.site),
    )  # fmt: skip
    items, following = listing.page(filters, known, query.sort, query.cursor, query.limit)
    counted = _counted(listing.facets(filters, known)) if query.facets else {}
    if match is not None:
        counted |= {"corrected": match.meant, "left_out": list(match.dropped)}
    return ProductsOut(items=[_product(item, tree) for item in items], next_cursor=following, **counted)


def _to_site(given: str | None) -> ToSite | None:
    """Delivery rates to an own site or a point.

    Raises:
        Invalid: neither a site of the caller nor a place on Earth.
    """
    if given is None:
        return None
    key, figures = parse_uuid(given), given.split(",")
    try:
        if key is not None:
            row = people.site(access.actor().user, key)
            return sites.to_site(ChosenSite(row.title, row.lat, row.lon))
        found = sites.at(float(figures[0]), float(figures[1])) if len(figures) == 2 else None
    except (NotFound, NotSignedIn, ValueError):
        found = None
    if found is None:
        raise Invalid.one("/query/site", "unknown_option")
    return sites.to_site(found)


def _category_of(tree: tuple[CategoryNode, ...], slug: str) -> CategoryNode:
    try:
        return queries.find_category(tree, slug)[-1]
    except NotFound:
        now = categories.present_slug(slug)
        if now is not None:
            return queries.find_category(tree, now)[-1]
        raise Invalid.one("/query/category", "unknown_option") from None


def _seller_ids(slugs: str | None) -> tuple[int, ...]:
    if not slugs:
        return ()
    wanted = slugs.split(",")
    found = sellers.ids_of(wanted)
    if len(found) != len(set(wanted)):
        raise Invalid.one("/query/seller", "unknown_option")
    return tuple(found.values())


def _counted(found: Facets) -> dict[str, Any]:
    shown = [
        FacetOut(
            key=facet.key, name=facet.name(language()), unit=facet.unit,
            values=[FacetValueOut(value=v.value, count=v.count, selected=v.selected) for v in facet.values],
        )
        for facet in found.facets
    ]  # fmt: skip
    return {"facets": shown, "total": found.total}


def _product(item: ListedProduct, tree: tuple[CategoryNode, ...]) -> ProductOut:
    trail = queries.trail_of(tree, item.category_id)
    return ProductOut(
        id=item.public_id, slug=item.slug, name=item.name_en if language() == "en" else item.name_ru,
        category=trail[-1].slug if trail else "", brand=item.brand, image=image_url(item.picture, item.drawing),
        unit=item.base_unit, price_from=money(item.price_from),
        unit_price=None if item.unit_price is None else money(item.unit_price), content_unit=item.content_unit,
        offers_count=item.offers_count, available=item.available,
        delivered=None if item.delivered is None else money(item.delivered),
    )  # fmt: skip


class UnitOut(Schema):
    """One of it is `factor` base units, exactly, as "numerator/denominator"."""

    code: str
    factor: str
    step: QuantityText
    minimum: QuantityText
    sold: bool
    content: bool
    barcode: str


class ValueOut(Schema):
    """A property with its value."""

    key: str
    name: str
    value: str
    unit: str


class ProductDetail(Schema):
    """A product; mass and volume are of one base unit. `image` is the first photograph, or a drawing without one."""

    id: uuid.UUID
    slug: str
    name: str
    description: str
    category: str
    brand: str
    article: str
    unit: str
    units: list[UnitOut]
    attributes: list[ValueOut]
    mass_kg: QuantityText
    volume_m3: QuantityText
    length_mm: int
    image: str
    images: list[ImageOut]
    documents: list[DocumentOut]
    version: int


@api.get("/products/{product}", permission=Permission.PUBLIC, answer=ProductDetail, summary="A product")
def product(product: str) -> ProductDetail:
    """With its units of sale and properties."""
    return _detail(queries.product(given_id(product)))


@api.errorhandler(queries.MergedInto)
def moved(error: queries.MergedInto) -> Response:
    """A duplicate answers 308 with the card that took it over, for the same question."""
    given = str((request.view_args or {}).get("product", ""))
    response = current_app.response_class(status=308)
    response.headers["Location"] = request.full_path.rstrip("?").replace(given, str(error.public_id), 1)
    return response


def _detail(card: ProductCard) -> ProductDetail:
    trail = queries.trail_of(queries.tree(_cache()), card.category_id)
    first = card.images[0].name if card.images else ""
    return ProductDetail(
        id=card.public_id, slug=card.slug, name=card.name(language()),
        description=card.description_en if language() == "en" else card.description_ru,
        category=trail[-1].slug if trail else "", brand=card.brand, article=card.article, unit=card.base_unit,
        units=[
            UnitOut(
                code=u.code, factor=f"{u.factor.numerator}/{u.factor.denominator}", step=u.step, minimum=u.minimum,
                sold=u.is_sold, content=u.is_content, barcode=u.barcode,
            )
            for u in card.units
        ],
        attributes=[ValueOut(key=a.key, name=a.name(language()), value=v, unit=a.unit) for a, v in card.values],
        mass_kg=card.mass_kg, volume_m3=card.volume_m3, length_mm=card.length_mm,
        image=image_url(first, trail[-1].drawing if trail else ""),
        images=[
            ImageOut(alt=one.alt(language()), sizes=image_sizes(one.name, one.width, one.height))
            for one in card.images
        ],
        documents=[document_out(row) for row in card.documents],
        version=card.version,
    )  # fmt: skip


class SellerOut(Schema):
    """Who sells."""

    slug: str
    name: str
    rating: QuantityText


class StepOut(Schema):
    """From this many units the price is lower."""

    from_: QuantityText = Field(serialization_alias="from", validation_alias="from")
    price: MoneyOut


class OfferOut(Schema):
    """An offer. `price` for one `unit`; `available` in units of sale; `earliest` is the first day it may arrive.

    `delivered_price`: of one `unit` brought to the `site` as a part of a tonne, the figure that lists and the product's
    page show; null without a site, or when nobody brings this seller's goods there.
    """

    id: uuid.UUID
    seller: SellerOut
    sku: str
    unit: str
    step: QuantityText
    minimum: QuantityText
    price: MoneyOut
    unit_price: MoneyOut | None
    content_unit: str | None
    ladder: list[StepOut]
    available: QuantityText
    lead_time_days: int
    earliest: date | None
    delivered_price: MoneyOut | None


class OffersQuery(Schema):
    """Where to deliver."""

    site: str | None = Field(default=None, max_length=80, description="id of an own site, or `lat,lon`")


class OffersOut(RootModel[list[OfferOut]]):
    """Offers, cheapest first."""


@api.get(
    "/products/{product}/offers", permission=Permission.PUBLIC, query=OffersQuery, answer=OffersOut,
    summary="Who sells a product",
)  # fmt: skip
def product_offers(product: str, query: OffersQuery) -> OffersOut:
    """All sellers side by side."""
    to_site = _to_site(query.site)
    card = queries.product(given_id(product))
    found = offers.offers_of_product(card.id)
    slugs = {row.id: row.slug for row in sellers.sellers([o.seller_id for o in found]).values()}
    return OffersOut([_offer(offer, slugs[offer.seller_id], to_site) for offer in found])


def _offer(offer: OfferForSale, slug: str, to_site: ToSite | None) -> OfferOut:
    content = offer.content_price
    delivered = with_delivery(offer, offer.price, Decimal(1), to_site)
    arrives = offers.earliest_day(offer) if offer.available > 0 else None
    return OfferOut(
        id=offer.public_id, seller=SellerOut(slug=slug, name=offer.seller_name, rating=offer.seller_rating),
        sku=offer.sku, unit=offer.unit, step=offer.step, minimum=offer.minimum, price=money(offer.price),
        unit_price=None if content is None else money(round_half_up(content)), content_unit=offer.content_unit,
        ladder=[StepOut.model_validate({"from": s.from_quantity, "price": money(s.price)}) for s in offer.ladder],
        available=offer.available, lead_time_days=offer.lead_time_days, earliest=arrives,
        delivered_price=None if delivered is None else money(delivered),
    )  # fmt: skip


def drawing_of(tree: tuple[CategoryNode, ...], category_id: int) -> str:
    """Name of the drawing of a category, for products without a photograph."""
    trail = queries.trail_of(tree, category_id)
    return trail[-1].drawing if trail else ""
