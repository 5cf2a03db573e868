"""The operator's hand on categories and their attributes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.catalog import CategoryDetail, detail_of
from app.api.kernel import Answer, Api, accepted, etag, expected_version
from app.api.schemas import JobOut, Schema
from app.catalog import categories
from app.core.permissions import Permission
from app.estimates import taxonomy
from app.estimates.taxonomy import Wish

api = Api("catalog_admin", tag="Catalogue")
SLUG = r"^[a-z0-9]+([_-][a-z0-9]+)*$"


class CategoryIn(Schema):
    """A category to open."""

    slug: str = Field(pattern=SLUG, max_length=80)
    parent: str | None = Field(default=None, max_length=80)
    name_ru: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    position: int = Field(default=0, ge=0, le=10_000)
    drawing: str = Field(default="box", max_length=40)
    synonyms: list[str] = Field(default_factory=list, max_length=50)


class CategoryPatch(Schema):
    """Fields to change. A changed `slug` keeps leading here; `parent` is a slug, empty for the top of the tree."""

    slug: str | None = Field(default=None, pattern=SLUG, max_length=80)
    parent: str | None = Field(default=None, max_length=80)
    name_ru: str | None = Field(default=None, min_length=1, max_length=200)
    name_en: str | None = Field(default=None, min_length=1, max_length=200)
    position: int | None = Field(default=None, ge=0, le=10_000)
    drawing: str | None = Field(default=None, max_length=40)
    synonyms: list[str] | None = Field(default=None, max_length=50)


def _sent(body: Schema, *but: str) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, exclude_none=True, exclude=set(but))


def _do(action: str, slug: str, key: str = "", given: dict[str, Any] | None = None) -> Answer | None:
    """Perform it; 202 with the job when a worker finishes it."""
    job = taxonomy.perform(access.actor(), Wish(action, slug, key, given or {}), expected_version())
    return None if job is None else accepted(job)


@api.post(
    "/categories", permission=Permission.ADMIN_CATALOGUE, body=CategoryIn, answer=CategoryDetail, status=201,
    summary="Open a category", example={"slug": "new_things", "name_ru": "Новинки", "name_en": "New things"},
)  # fmt: skip
def add_category(body: CategoryIn) -> Answer:
    """Three levels at most."""
    _do("category.add", body.slug, given=_sent(body, "slug"))
    return Answer(detail_of(body.slug), 201, {"Location": f"/api/v1/categories/{body.slug}"})


@api.patch(
    "/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, body=CategoryPatch, answer=CategoryDetail,
    summary="Change a category", example={"name_en": "Boards", "position": 3},
)  # fmt: skip
def edit_category(slug: str, body: CategoryPatch) -> Answer:
    """Products are found by new words soon; old addresses lead on. An assembly that names it keeps its slug."""
    _do("category.edit", slug, given=_sent(body))
    now = body.slug or slug
    return Answer(detail_of(now), 200, etag(categories.by_slug(now).version))


@api.delete("/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, summary="Take a category away", status=204)
def remove_category(slug: str) -> None:
    """Only an empty one that no assembly names."""
    _do("category.remove", slug)


class AttributeIn(Schema):
    """A property that products of a leaf have."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name_ru: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    kind: Literal["text", "number", "enum", "range", "bool"]
    unit: str = Field(default="", max_length=20)
    is_facet: bool = True
    position: int = Field(default=0, ge=0, le=10_000)


class AttributePatch(Schema):
    """Fields to change; the key stays. Another kind is taken when every value can be one of it."""

    name_ru: str | None = Field(default=None, min_length=1, max_length=200)
    name_en: str | None = Field(default=None, min_length=1, max_length=200)
    kind: Literal["text", "number", "enum", "range", "bool"] | None = None
    unit: str | None = Field(default=None, max_length=20)
    is_facet: bool | None = None
    position: int | None = Field(default=None, ge=0, le=10_000)


class MergeIn(Schema):
    """Values that are written as one from now on."""

    values: list[str] = Field(min_length=1, max_length=200)
    into: str = Field(min_length=1, max_length=200)


@api.post(
    "/categories/{slug}/attributes", permission=Permission.ADMIN_CATALOGUE, body=AttributeIn, answer=CategoryDetail,
    status=201, summary="Add an attribute",
    example={"key": "colour", "name_ru": "Цвет", "name_en": "Colour", "kind": "enum"},
)  # fmt: skip
def add_attribute(slug: str, body: AttributeIn) -> Answer:
    """To a category that has none below."""
    _do("attribute.add", slug, body.key, _sent(body, "key"))
    return Answer(detail_of(slug), 201, {"Location": f"/api/v1/categories/{slug}"})


@api.patch(
    "/categories/{slug}/attributes/{key}", permission=Permission.ADMIN_CATALOGUE, body=AttributePatch,
    answer=CategoryDetail, waiting=JobOut, summary="Change an attribute", example={"name_en": "Color", "position": 2},
)  # fmt: skip
def edit_attribute(slug: str, key: str, body: AttributePatch) -> Answer:
    """202 with a job when many products are touched. An attribute that assemblies name keeps its kind and unit."""
    return _do("attribute.edit", slug, key, _sent(body)) or Answer(detail_of(slug))


@api.post(
    "/categories/{slug}/attributes/{key}/merge", permission=Permission.ADMIN_CATALOGUE, body=MergeIn,
    answer=CategoryDetail, waiting=JobOut, summary="Merge values", example={"values": ["белый"], "into": "Белый"},
)  # fmt: skip
def merge_values(slug: str, key: str, body: MergeIn) -> Answer:
    """Not those that an assembly asks for."""
    return _do("attribute.merge", slug, key, _sent(body)) or Answer(detail_of(slug))


@api.delete(
    "/categories/{slug}/attributes/{key}", permission=Permission.ADMIN_CATALOGUE, waiting=JobOut, status=204,
    summary="Take an attribute away",
)  # fmt: skip
def remove_attribute(slug: str, key: str) -> Answer:
    """With its values; not one that an assembly names."""
    return _do("attribute.remove", slug, key) or Answer(None, 204)
