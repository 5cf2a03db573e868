"""The operator's hand on categories."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app import access
from app.api.catalog import CategoryDetail
from app.api.catalog import category as shown_category
from app.api.kernel import Answer, Api, etag, expected_version
from app.api.schemas import Schema
from app.catalog import service
from app.core.permissions import Permission

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
    """Fields to change."""

    name_ru: str | None = Field(default=None, min_length=1, max_length=200)
    name_en: str | None = Field(default=None, min_length=1, max_length=200)
    position: int | None = Field(default=None, ge=0, le=10_000)
    drawing: str | None = Field(default=None, max_length=40)
    synonyms: list[str] | None = Field(default=None, max_length=50)


def _sent(body: Schema, *but: str) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, exclude_none=True, exclude=set(but))


@api.post(
    "/categories", permission=Permission.ADMIN_CATALOGUE, body=CategoryIn, answer=CategoryDetail, status=201,
    summary="Open a category", example={"slug": "new_things", "name_ru": "Новинки", "name_en": "New things"},
)  # fmt: skip
def add_category(body: CategoryIn) -> Answer:
    """Three levels at most."""
    service.add_category(access.actor(), body.slug, body.parent, _sent(body, "slug", "parent"))
    return Answer(shown_category(body.slug), 201, {"Location": f"/api/v1/categories/{body.slug}"})


@api.patch(
    "/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, body=CategoryPatch, answer=CategoryDetail,
    summary="Change a category",
)  # fmt: skip
def edit_category(slug: str, body: CategoryPatch) -> Answer:
    """Products are found by the new words at once."""
    version = service.edit_category(access.actor(), slug, _sent(body), expected_version())
    return Answer(shown_category(slug), 200, etag(version))


@api.delete("/categories/{slug}", permission=Permission.ADMIN_CATALOGUE, summary="Take a category away", status=204)
def remove_category(slug: str) -> None:
    """Only an empty one."""
    service.remove_category(access.actor(), slug)
