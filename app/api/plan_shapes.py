"""Bodies and answers of changes to a draft plan."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from pydantic import Field

from app.api.schemas import Schema, Utc
from app.logistics.plan_edit import MOST_EDITS
from app.logistics.plan_ops import MOST_LOTS


class Operation(Schema):
    """One change. Which fields it reads:

    move: `stop` before stop `before` (or `last`) of `vehicle`; swap: `stop`, `other`; lock, unlock, unassign, join:
    `stop`; split: `stop`, `vehicle` of the new lot; assign: `delivery`, `lot`, `vehicle`, `before` or `last`; courier:
    `vehicle`, `courier`.
    """

    op: Literal["move", "swap", "lock", "unlock", "split", "join", "assign", "unassign", "courier"]
    stop: uuid.UUID | None = None
    other: uuid.UUID | None = None
    delivery: uuid.UUID | None = None
    lot: int | None = Field(default=None, ge=1, le=MOST_LOTS)
    vehicle: uuid.UUID | None = None
    before: uuid.UUID | None = None
    last: bool = False
    courier: uuid.UUID | None = None


class OperationsIn(Schema):
    """Changes made all or none."""

    operations: list[Operation] = Field(min_length=1, max_length=MOST_EDITS)


class StepOut(Schema):
    """A change made by hand, with the names of then."""

    number: int
    kind: str
    details: dict[str, Any]
    detail: str
    who: str
    at: Utc
    undone: bool


class StepsOut(Schema):
    """The newest changes of a plan, newest first."""

    edit: int
    steps: list[StepOut]


class CompareQuery(Schema):
    """The plan to compare with; the version before when not said."""

    other: uuid.UUID | None = Field(default=None, alias="with")


class FigureOut(Schema):
    """A figure of both plans: kopeks, metres, seconds or a count."""

    name: str
    kind: str
    a: int
    b: int


class PlaceOut(Schema):
    """Where a plan puts a lot."""

    vehicle: str
    number: int
    arrival: Utc
    late_s: int


class MovedOut(Schema):
    """A lot that the plans treat differently; null: no truck takes it."""

    delivery: uuid.UUID
    number: str
    lot: int
    a: PlaceOut | None
    b: PlaceOut | None


class ComparisonOut(Schema):
    """Two plans: `a` is the one in the address."""

    a: uuid.UUID
    b: uuid.UUID
    figures: list[FigureOut]
    moved: list[MovedOut]
    same: int
