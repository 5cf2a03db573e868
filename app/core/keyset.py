"""Keyset pages: the next one begins behind the values of the last row shown, whatever was added or removed above."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core.errors import Invalid

Key = tuple[sa.SQLColumnExpression[Any], bool]
"""An expression to sort by, and whether it goes down. The last key of an order must be unique."""


def after(keys: Sequence[Key], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows behind the one with these values: (a > x) or (a = x and b > y) ..., each in its own direction."""
    found = []
    for i, (expression, down) in enumerate(keys):
        same = [e == v for (e, _), v in zip(keys[:i], values[:i], strict=True)]
        found.append(sa.and_(*same, expression < values[i] if down else expression > values[i]))
    return sa.or_(*found)


def ordering(keys: Sequence[Key]) -> list[sa.ColumnElement[Any]]:
    """What ORDER BY takes."""
    return [expression.desc() if down else expression.asc() for expression, down in keys]


def write_cursor(values: Sequence[Any]) -> str:
    """The values of the last row as a text for an address."""
    text = json.dumps([v if isinstance(v, str) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values again; `kinds` are str or Decimal, one per key.

    Raises:
        Invalid: not a cursor of this order.
    """
    try:
        raw = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(raw, list) or len(raw) != len(kinds) or not all(isinstance(v, str) for v in raw):
            raise ValueError
        return [_read(text, kind) for text, kind in zip(raw, kinds, strict=True)]
    except (ValueError, ArithmeticError):
        raise Invalid.one("/query/cursor", "malformed") from None


def _read(text: str, kind: type) -> Any:
    if "\0" in text:
        raise ValueError
    if kind is str:
        return text
    number = Decimal(text)
    if not number.is_finite() or abs(number) >= Decimal(10) ** 18:
        raise ValueError
    return number
