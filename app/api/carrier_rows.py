"""Rows of a carrier's fleet as answers, and patches as whole facts."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import Any

from app.api.schemas import Schema
from app.core.errors import NotFound


def shown(row: Any, model: type[Any]) -> Any:
    """A row of the fleet as its model: `public_id` becomes `id`."""
    names = [name for name in model.model_fields if name != "id" and hasattr(row, name)]
    return model(id=row.public_id, **{name: getattr(row, name) for name in names})


def one_of(rows: list[Any], public_id: uuid.UUID) -> Any:
    """The row of an id.

    Raises:
        NotFound: none has it.
    """
    found = next((row for row in rows if row.public_id == public_id), None)
    if found is None:
        raise NotFound()
    return found


def merged(row: Any, patch: Schema, facts: type[Any]) -> Any:
    """The facts of a row with what the patch says."""
    may_be_empty = {"vehicle", "valid_to", "depot", "axle_load_kg", "break_from", "break_to"}
    given = patch.model_dump(exclude_unset=True)
    said = {name: value for name, value in given.items() if value is not None or name in may_be_empty}
    return facts(**{f.name: said.get(f.name, getattr(row, f.name)) for f in fields(facts)})
