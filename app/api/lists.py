"""Favourites and lists of products."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import Field

from app import access
from app.api.cart import CartOut, cart_out
from app.api.kernel import PREFIX, Answer, Api, etag, expected_version, given_id
from app.api.schemas import UNITS, MoneyOut, Page, PageQuery, QuantityText, Schema, money, part_of
from app.catalog import lists
from app.core.permissions import Permission
from app.orders import list_to_cart, queries

api = Api("lists", tag="Lists")


class ListIn(Schema):
    """The name of a list."""

    name: str = Field(min_length=1, max_length=lists.LONGEST_NAME)


class ListRowOut(Schema):
    """A list; the favourites have no name."""

    id: uuid.UUID
    name: str
    favourites: bool
    items: int
    version: int


class ItemIn(Schema):
    """A product, and how much of it is wanted; a quantity without a unit is in the base unit."""

    product: uuid.UUID
    quantity: QuantityText | None = Field(default=None, gt=0, le=1_000_000)
    unit: UNITS | None = None


class FavouriteIn(Schema):
    """A product."""

    product: uuid.UUID


class ItemOut(Schema):
    """A product of a list. `price_from` for one `base_unit`; null when nobody sells it now."""

    product: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    base_unit: str
    quantity: QuantityText | None
    unit: str | None
    price_from: MoneyOut | None
    available: QuantityText


class ListDetail(Schema):
    """A list with its products, newest first."""

    id: uuid.UUID
    name: str
    favourites: bool
    version: int
    items: list[ItemOut]


class LeftOut(Schema):
    """A product that is not in the cart as it was wanted; `in_cart` units of it are there."""

    product: uuid.UUID
    code: Literal["not_on_sale", "sold_out", "cart_full", "stock", "minimum", "step"]
    in_cart: QuantityText


class ToCartOut(Schema):
    """The cart, and line by line what is not as it was wanted."""

    cart: CartOut
    not_as_wanted: list[LeftOut]


def _detail(key: uuid.UUID, status: int = 200) -> Answer:
    view = lists.list_view(access.actor().user, key)
    items = [
        ItemOut(
            product=i.public_id, slug=i.slug, name_ru=i.name_ru, name_en=i.name_en, base_unit=i.base_unit,
            quantity=i.quantity, unit=i.unit, price_from=None if i.price_from is None else money(i.price_from),
            available=i.available,
        )
        for i in view.items
    ]  # fmt: skip
    row = view.row
    body = ListDetail(id=row.public_id, name=row.name, favourites=row.is_favourites, version=row.version, items=items)
    headers = etag(row.version) | ({"Location": f"{PREFIX}/me/lists/{key}"} if status == 201 else {})
    return Answer(body, status, headers)


@api.get("/me/lists", permission=Permission.BUY, query=PageQuery, answer=Page[ListRowOut], summary="Own lists")
def own_lists(query: PageQuery) -> Page[ListRowOut]:
    """The favourites first, once something is in them, then by name."""
    rows = [
        ListRowOut(id=r.public_id, name=r.name, favourites=r.is_favourites, items=r.items, version=r.version)
        for r in lists.lists_of(access.actor().user)
    ]
    return part_of(rows, query)


@api.post(
    "/me/lists", permission=Permission.BUY, body=ListIn, answer=ListDetail, status=201, summary="Make a list",
    example={"name": "Ванная на Учебной"},
)  # fmt: skip
def create(body: ListIn) -> Answer:
    """Empty at first."""
    return _detail(lists.create(access.actor(), body.name), 201)


@api.get("/me/lists/{list}", permission=Permission.BUY, answer=ListDetail, summary="A list")
def show(list: str) -> Answer:
    """With its products."""
    return _detail(given_id(list))


@api.patch(
    "/me/lists/{list}", permission=Permission.BUY, body=ListIn, answer=ListDetail, summary="Rename a list",
    example={"name": "Ванная, второй этап"},
)  # fmt: skip
def rename(list: str, body: ListIn) -> Answer:
    """Honours If-Match. The favourites have no name."""
    lists.rename(access.actor(), given_id(list), body.name, expected_version())
    return _detail(given_id(list))


@api.delete("/me/lists/{list}", permission=Permission.BUY, summary="Delete a list", status=204)
def remove(list: str) -> None:
    """The favourites stay."""
    lists.remove(access.actor(), given_id(list))


@api.post(
    "/me/lists/{list}/items", permission=Permission.BUY, body=ItemIn, answer=ListDetail,
    summary="Put a product into a list",
    example={"product": "00000000-0000-7000-8000-000000000000", "quantity": "24", "unit": "bag"},
)  # fmt: skip
def put_item(list: str, body: ItemIn) -> Answer:
    """A product that is there already gets the new quantity."""
    lists.put(access.actor(), given_id(list), body.product, body.quantity, body.unit)
    return _detail(given_id(list))


@api.delete(
    "/me/lists/{list}/items/{product}", permission=Permission.BUY, summary="Take a product out of a list", status=204
)
def take_out_item(list: str, product: str) -> None:
    """Twice is as good as once."""
    lists.take_out(access.actor(), given_id(list), given_id(product))


@api.post(
    "/me/lists/{list}/to-cart", permission=Permission.BUY, answer=ToCartOut, summary="A whole list, into the cart"
)
def to_cart(list: str) -> ToCartOut:
    """For each product the cheapest offer that has as much as is wanted."""
    actor = access.actor()
    outcomes = list_to_cart.put(actor, given_id(list))
    left = [LeftOut(product=o.item.public_id, code=o.note, in_cart=o.in_cart) for o in outcomes if o.note]
    return ToCartOut(cart=cart_out(queries.cart_plan(actor, "")), not_as_wanted=left)


@api.post(
    "/me/favourites", permission=Permission.BUY, body=FavouriteIn, status=204, summary="Mark a favourite",
    example={"product": "00000000-0000-7000-8000-000000000000"},
)  # fmt: skip
def mark(body: FavouriteIn) -> None:
    """Twice is as good as once."""
    lists.favour(access.actor(), body.product, on=True)


@api.delete("/me/favourites/{product}", permission=Permission.BUY, summary="Take the mark away", status=204)
def unmark(product: str) -> None:
    """Twice is as good as once."""
    lists.favour(access.actor(), given_id(product), on=False)
