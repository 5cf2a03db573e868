"""The operator's groups of words that mean the same in a search."""

from __future__ import annotations

import uuid

from pydantic import Field

from app import access
from app.api.kernel import Api
from app.api.schemas import Schema
from app.catalog import synonyms
from app.core.permissions import Permission

api = Api("synonyms", tag="Catalogue")


class GroupIn(Schema):
    """A group: the terms mean what its head means."""

    head: str = Field(min_length=1, max_length=synonyms.LONGEST)
    terms: list[str] = Field(min_length=1, max_length=synonyms.MOST_TERMS)


class GroupsOut(Schema):
    """All groups by head."""

    items: list[GroupIn]


class RebuildOut(Schema):
    """The job that rewrites the index."""

    job: uuid.UUID


@api.get("/synonyms", permission=Permission.ADMIN_CATALOGUE, answer=GroupsOut, summary="Synonyms of the search")
def list_groups() -> GroupsOut:
    """Each group as it is kept: small letters, ё as е."""
    return GroupsOut(items=[GroupIn(head=g.head, terms=list(g.terms)) for g in synonyms.groups()])


@api.put(
    "/synonyms", permission=Permission.ADMIN_CATALOGUE, body=GroupIn, answer=GroupIn, summary="Write a group",
    example={"head": "гипсокартон", "terms": ["гкл", "кнауф-лист"]},
)  # fmt: skip
def save_group(body: GroupIn) -> GroupIn:
    """The terms replace those that the group had. Searches know it at once."""
    made = synonyms.save(access.actor(), body.head, body.terms)
    return GroupIn(head=made.head, terms=list(made.terms))


@api.delete("/synonyms/{head}", permission=Permission.ADMIN_CATALOGUE, summary="Take a group away", status=204)
def remove_group(head: str) -> None:
    """By its head."""
    synonyms.remove(access.actor(), head)


@api.post(
    "/search-index/rebuild", permission=Permission.ADMIN_CATALOGUE, answer=RebuildOut, status=202,
    summary="Rewrite the search index",
)  # fmt: skip
def rebuild() -> RebuildOut:
    """A worker does it in batches; the search answers meanwhile."""
    return RebuildOut(job=synonyms.order_rebuild(access.actor()))
