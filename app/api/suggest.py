"""Suggestions under the search field."""

from __future__ import annotations

import uuid

from flask import current_app
from pydantic import Field

from app.api.catalog import drawing_of
from app.api.kernel import Api
from app.api.schemas import MoneyOut, Schema, money
from app.catalog import queries, search, words
from app.core.permissions import Permission
from app.web.filters import language
from app.web.photos import image_url

api = Api("suggest", tag="Catalogue")


class SuggestQuery(Schema):
    """What is being typed."""

    q: str = Field(max_length=200)


class SuggestedProduct(Schema):
    """A product one may mean."""

    id: uuid.UUID
    slug: str
    name: str
    price_from: MoneyOut
    image: str


class SuggestedCategory(Schema):
    """A category one may mean."""

    slug: str
    name: str
    products: int


class Suggestions(Schema):
    """`corrected`: what was searched for when the words as typed found nothing."""

    products: list[SuggestedProduct]
    categories: list[SuggestedCategory]
    corrected: str | None


@api.get(
    "/search/suggest", permission=Permission.PUBLIC, query=SuggestQuery, answer=Suggestions, summary="While typing"
)
def suggest(query: SuggestQuery) -> Suggestions:
    """Products and categories for the beginning of a query."""
    cache = current_app.extensions["cache"]
    found = search.match(query.q, cache, typing=True) if len(query.q.strip()) >= 2 else None
    forms = [*words.variants(query.q), *([found.meant] if found and found.meant else [])]
    tree = queries.tree(cache)
    near = queries.categories_named(tree, forms) if found else []
    en = language() == "en"
    return Suggestions(
        products=[
            SuggestedProduct(
                id=i.public_id, slug=i.slug, name=i.name_en if en else i.name_ru, price_from=money(i.price_from),
                image=image_url(i.picture, drawing_of(tree, i.category_id)),
            )
            for i in (queries.suggestions(found) if found else [])
        ],
        categories=[SuggestedCategory(slug=n.slug, name=n.name(language()), products=n.products) for n in near],
        corrected=found.meant if found else None,
    )  # fmt: skip
