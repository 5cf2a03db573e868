"""Forms of the fleet: a list of fields is read, checked and shown again with what was typed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from flask import request

from app import texts
from app.core.errors import DomainError, Invalid
from app.core.units import NotANumber, parse_decimal

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. kind: text, area (several lines), number, quantity (decimal), degrees, money (roubles), time (of the
    day), day, check, checks (several of the options), choice; maybe_number and maybe_time are None when empty.
    """

    name: str
    label: Any
    kind: str = "text"
    unit: str = ""
    hint: Any = ""
    required: bool = True
    most: int = 120
    options: Sequence[tuple[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is shown: text by field, error sentence by field, sentences about the whole."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    general: Sequence[str] = ()

    def summary(self, fields: Sequence[Field]) -> list[tuple[str, str]]:
        """(field id, sentence) for the box above the form."""
        named = [(one.name, f"{one.label}: {self.errors[one.name]}") for one in fields if one.name in self.errors]
        known = {one.name for one in fields}
        rest = [("", text) for name, text in self.errors.items() if name not in known]
        return named + rest + [("", text) for text in self.general]


def read(fields: Sequence[Field]) -> dict[str, Any]:
    """The values of the posted form.

    Raises:
        Invalid: every field that cannot be read, at once.
    """
    values: dict[str, Any] = {}
    errors = []
    for one in fields:
        try:
            values[one.name] = _READERS[one.kind](one, request.form.get(one.name, "").strip())
        except Invalid as refused:
            errors += refused.errors
    if errors:
        raise Invalid(errors)
    return values


def refused(error: DomainError) -> Filled:
    """The form again: what was typed, and what is wrong with it."""
    typed = {name: ",".join(request.form.getlist(name)) for name in request.form if name != "csrf_token"}
    if not isinstance(error, Invalid):
        return Filled(typed, {}, [texts.message(error)])
    sentences = {one.pointer.rpartition("/")[2]: texts.error_text(one.code, one.context) for one in error.errors}
    return Filled(typed, sentences)


def shown(fields: Sequence[Field], row: object) -> Filled:
    """The form of a row that exists."""
    return Filled({one.name: _WRITERS.get(one.kind, _plain)(getattr(row, one.name)) for one in fields})


def number(text: str, pointer: str) -> int:
    """A whole number as people type it, with spaces between thousands.

    Raises:
        Invalid: `not_a_whole_number` or `too_large`.
    """
    plain = "".join(text.split()).replace("\u00a0", "")
    if not plain.lstrip("-").isdecimal():
        raise Invalid.one(pointer, "not_a_whole_number")
    if len(plain) > 12:
        raise Invalid.one(pointer, "too_large", maximum=10**12)
    return int(plain)


def kopeks(text: str, pointer: str) -> int:
    """Roubles as people type them ("1 240,50") in kopeks.

    Raises:
        Invalid: `not_a_number`, `too_small` or `too_large`.
    """
    plain = "".join(text.split()).replace("\u00a0", "").replace(",", ".").removesuffix("₽")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise Invalid.one(pointer, "not_a_number") from None
    if not value.is_finite():
        raise Invalid.one(pointer, "not_a_number")
    if value < 0:
        raise Invalid.one(pointer, "too_small", minimum=0)
    if value > 10**9:
        raise Invalid.one(pointer, "too_large", maximum=10**9)
    return int((value * 100).to_integral_value())


def minutes(text: str, pointer: str) -> int:
    """A time of the day ("8:30") as minutes from midnight.

    Raises:
        Invalid: `not_a_time`.
    """
    hours, colon, rest = text.partition(":")
    if not (hours.isdecimal() and (not colon or rest.isdecimal()) and len(hours) <= 2 and len(rest) <= 2):
        raise Invalid.one(pointer, "not_a_time")
    value = int(hours) * 60 + int(rest or 0)
    if value > 1440 or int(rest or 0) > 59:
        raise Invalid.one(pointer, "not_a_time")
    return value


def _text(one: Field, text: str) -> str:
    if one.required and not text:
        raise Invalid.one(f"/{one.name}", "required")
    if len(text) > one.most:
        raise Invalid.one(f"/{one.name}", "too_long", maximum=one.most)
    return text


def _needed(reader: Callable[[str, str], Value]) -> Callable[[Field, str], Value]:
    def read_one(one: Field, text: str) -> Value:
        if not text and one.required:
            raise Invalid.one(f"/{one.name}", "required")
        return reader(text or "0", f"/{one.name}")

    return read_one


def _day(one: Field, text: str) -> date | None:
    if not text:
        if one.required:
            raise Invalid.one(f"/{one.name}", "required")
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.one(f"/{one.name}", "not_a_day") from None


def _quantity(text: str, pointer: str) -> Decimal:
    try:
        return parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one(pointer, error.code) from None


def _choice(one: Field, text: str) -> str:
    if text not in {value for value, _label in one.options}:
        raise Invalid.one(f"/{one.name}", "unknown_option")
    return text


def degrees(text: str, pointer: str) -> float:
    """A latitude or longitude; whether it is on Earth is looked at where both are known.

    Raises:
        Invalid: `not_a_number`.
    """
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        raise Invalid.one(pointer, "not_a_number") from None
    if not math.isfinite(found):
        raise Invalid.one(pointer, "not_a_number")
    return found


def _maybe(reader: Callable[[str, str], Value]) -> Callable[[Field, str], Value | None]:
    return lambda one, text: reader(text, f"/{one.name}") if text else None


def _checks(one: Field, _text: str) -> list[str]:
    chosen = request.form.getlist(one.name)
    if not set(chosen) <= {value for value, _label in one.options}:
        raise Invalid.one(f"/{one.name}", "unknown_option")
    return chosen


_READERS: dict[str, Callable[[Field, str], Any]] = {
    "text": _text,
    "area": _text,
    "degrees": _needed(degrees),
    "maybe_number": _maybe(number),
    "maybe_time": _maybe(minutes),
    "checks": _checks,
    "number": _needed(number),
    "quantity": _needed(_quantity),
    "money": _needed(kopeks),
    "time": _needed(minutes),
    "day": _day,
    "check": lambda _one, text: bool(text),
    "choice": _choice,
}


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "money": lambda value: f"{value // 100},{value % 100:02d}" if value % 100 else str(value // 100),
    "time": lambda value: f"{value // 60}:{value % 60:02d}",
    "maybe_time": lambda value: "" if value is None else f"{value // 60}:{value % 60:02d}",
    "checks": lambda value: ",".join(str(one) for one in value),
    "degrees": lambda value: f"{value:.6f}".rstrip("0").rstrip("."),
    "check": lambda value: "1" if value else "",
}
