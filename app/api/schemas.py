"""Shapes that many resources share. Unknown fields of a body are refused."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from app.core.errors import Invalid
from app.core.jobs import JobView

T = TypeVar("T")

UNITS = Literal[
    "pcs", "bag", "sheet", "roll", "pack", "pallet", "m", "m2", "m3", "kg", "t", "l", "set", "box", "can", "bucket",
    "tube", "coil",
]  # fmt: skip


class Schema(BaseModel):
    """Base of all bodies, parameters and answers."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, str_strip_whitespace=True, frozen=True)


def _decimal_text(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("a quantity is a decimal string")
    return value


def _sane_decimal(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12 or -int(value.as_tuple().exponent) > 6:
        raise ValueError("at most 12 digits before and 6 after the point")
    return value


def decimal_text(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


QuantityText = Annotated[
    Decimal,
    BeforeValidator(_decimal_text),
    AfterValidator(_sane_decimal),
    PlainSerializer(decimal_text, return_type=str),
]
"""A decimal string such as "12.5"."""

Utc = Annotated[datetime, PlainSerializer(lambda d: d.isoformat().replace("+00:00", "Z"), return_type=str)]


class MoneyOut(Schema):
    """Kopeks, VAT included unless the field's name says net."""

    amount: int
    currency: Literal["RUB"] = "RUB"


class MoneyIn(Schema):
    """An amount that a client sends, in kopeks."""

    amount: int = Field(ge=0, le=10**12)
    currency: Literal["RUB"] = "RUB"


def money(kopeks: int) -> MoneyOut:
    """Kopeks as the API shows them."""
    return MoneyOut(amount=kopeks)


class PageQuery(Schema):
    """Keyset paging."""

    limit: int = Field(default=24, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=200)


class Page(Schema, Generic[T]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class _Named(Protocol):
    @property
    def id(self) -> object: ...


Row = TypeVar("Row", bound=_Named)


def part_of(items: Sequence[Row], query: PageQuery) -> Page[Row]:
    """The page of a short list that was read whole; the cursor is the id shown last.

    Raises:
        Invalid: not a cursor of this list.
    """
    ids = [str(item.id) for item in items]
    if query.cursor and query.cursor not in ids:
        raise Invalid.one("/query/cursor", "malformed")
    first = ids.index(query.cursor) + 1 if query.cursor else 0
    shown = list(items[first : first + query.limit])
    more = first + query.limit < len(items)
    return Page(items=shown, next_cursor=str(shown[-1].id) if more else None)


class JobState(Schema):
    """Long work as its owner sees it."""

    id: uuid.UUID
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    message: str
    result: dict[str, Any] | None = None

    @classmethod
    def of(cls, view: JobView) -> JobState:
        """From the kernel's row."""
        return cls(
            id=view.id, state=view.state, done=view.done, total=view.total, message=view.message, result=view.result
        )


class JobOut(Schema):
    """Answer 202: where to look for the result."""

    job: JobState


class ProblemField(Schema):
    """One wrong field."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """application/problem+json (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField]
    request_id: str
