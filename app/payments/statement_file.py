"""Reads a bank statement in the text format that 1C and banks exchange (`1CClientBankExchange`, version 1.02 or 1.03).

Strict: a line that cannot be understood refuses the file, and every such line is named. Pure: bytes in, rows out.
Format: "Стандарт обмена данными с банком", 1C; keys are Russian words, `key=value`, one on a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from app.core.errors import FieldError, Invalid

MAX_BYTES = 5 * 1024 * 1024
MAX_DOCUMENTS = 10_000
MAX_ERRORS = 50
FIRST_LINE = "1CClientBankExchange"
MOST = 10**14
"""Kopeks; no payment is larger."""
_AMOUNT = re.compile(r"[0-9]{1,12}([.,][0-9]{1,2})?")
_ACCOUNT = re.compile(r"[0-9]{20}")
_NEEDED = ("Номер", "Дата", "Сумма", "ПлательщикСчет", "ПолучательСчет")
_LONGEST = {"Номер": 40, "ПлательщикИНН": 12, "ПлательщикСчет": 34, "ПолучательСчет": 34}


@dataclass(frozen=True, slots=True)
class Document:
    """A payment in the file. `amount` in kopeks; `left_on` is empty until the bank has taken it off the payer."""

    line: int
    number: str
    day: date
    amount: int
    payer_account: str
    payee_account: str
    payer_inn: str
    payer_name: str
    purpose: str
    left_on: date | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says."""

    accounts: tuple[str, ...]
    first_day: date | None
    last_day: date | None
    documents: tuple[Document, ...]


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8 with or without a mark, or windows-1251.

    Raises:
        Invalid: `statement_too_large`, `statement_encoding`.
    """
    if len(data) > MAX_BYTES:
        raise Invalid.one("/file", "statement_too_large", maximum=MAX_BYTES // 1024 // 1024)
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid.one("/file", "statement_encoding")


def parse(data: bytes) -> Statement:
    """The accounts and payments of a file.

    Raises:
        Invalid: the file is something else, too large, unfinished, or has lines that cannot be understood; `line` of
            each error counts from 1.
    """
    lines = decoded(data).splitlines()
    if not lines or lines[0].strip() != FIRST_LINE:
        raise Invalid.one("/file", "statement_not_1c")
    reader = _Reader()
    for number, text in enumerate(lines[1:], 2):
        if text.strip():
            reader.take(number, text.strip())
    return reader.finished(len(lines))


@dataclass
class _Reader:
    """Takes line after line; what is wrong is kept until the end, so that all of it is told at once."""

    errors: list[FieldError] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    head: dict[str, tuple[int, str]] = field(default_factory=dict)
    section: str = ""
    began: int = 0
    values: dict[str, tuple[int, str]] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    ended: bool = False

    def wrong(self, line: int, code: str, **context: object) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(FieldError("/file", code, {"line": line, **context}))

    def take(self, line: int, text: str) -> None:
        key, separator, value = (part.strip() for part in text.partition("="))
        if self.ended:
            self.wrong(line, "statement_after_end")
        elif key in ("СекцияРасчСчет", "СекцияДокумент"):
            self._open(line, key)
        elif key in ("КонецРасчСчет", "КонецДокумента"):
            self._close(line, key)
        elif key == "КонецФайла":
            self.ended = True
            if self.section:
                self.wrong(line, "statement_section", name=self.section)
        elif not separator:
            self.wrong(line, "statement_line")
        elif self.section:
            self._put(line, key, value)
        elif key == "РасчСчет":
            self._account(line, value)
        else:
            self.head.setdefault(key, (line, value))

    def _open(self, line: int, key: str) -> None:
        if self.section:
            self.wrong(line, "statement_section", name=self.section)
        self.section, self.began, self.values = key, line, {}

    def _close(self, line: int, key: str) -> None:
        expected = {"СекцияРасчСчет": "КонецРасчСчет", "СекцияДокумент": "КонецДокумента"}.get(self.section)
        if key != expected:
            self.wrong(line, "statement_section", name=key)
        elif self.section == "СекцияДокумент":
            self._document(line)
        self.section = ""

    def _put(self, line: int, key: str, value: str) -> None:
        if key in self.values:
            self.wrong(line, "statement_twice", name=key)
        elif len(value) > _LONGEST.get(key, 1000):
            self.wrong(line, "statement_long", name=key)
        else:
            self.values[key] = (line, value)

    def _account(self, line: int, value: str) -> None:
        if not _ACCOUNT.fullmatch(value):
            self.wrong(line, "statement_account", name=value[:34])
        elif value not in self.accounts:
            self.accounts.append(value)

    def _document(self, line: int) -> None:
        if len(self.documents) >= MAX_DOCUMENTS:
            raise Invalid.one("/file", "statement_too_long", maximum=MAX_DOCUMENTS)
        missing = [name for name in _NEEDED if not self._text(name)]
        for name in missing:
            self.wrong(self.began, "statement_missing", name=name)
        day, left_on = self._day("Дата"), self._day("ДатаСписано")
        self._day("ДатаПоступило")  # refused when it is no date, and not needed
        amount = self._kopeks("Сумма")
        if missing or day is None or amount is None:
            return
        inn = self._text("ПлательщикИНН")
        if inn and not (inn.isascii() and inn.isdigit()):
            self.wrong(self.values["ПлательщикИНН"][0], "statement_inn")
            return
        self.documents.append(
            Document(
                self.began, self._text("Номер"), day, amount, self._text("ПлательщикСчет"),
                self._text("ПолучательСчет"), inn, self._text("Плательщик1") or self._text("Плательщик"),
                self._purpose(), left_on,
            )
        )  # fmt: skip

    def _text(self, name: str) -> str:
        return " ".join(self.values.get(name, (0, ""))[1].split())

    def _purpose(self) -> str:
        """One field, or, as some banks write it, up to six numbered ones."""
        parts = [self._text("НазначениеПлатежа"), *(self._text(f"НазначениеПлатежа{n}") for n in range(1, 7))]
        whole = parts[0] or " ".join(part for part in parts[1:] if part)
        return whole[:1000]

    def _day(self, name: str) -> date | None:
        line, value = self.values.get(name, (0, ""))
        if not value:
            return None
        found = day_of(value)
        if found is None:
            self.wrong(line, "statement_date", name=name)
        return found

    def _kopeks(self, name: str) -> int | None:
        line, value = self.values.get(name, (0, ""))
        if not value:
            return None
        found = kopeks_of(value)
        if found is None:
            self.wrong(line, "statement_amount", name=name)
        return found

    def finished(self, lines: int) -> Statement:
        """The statement.

        Raises:
            Invalid: anything was wrong.
        """
        first, last = (self._head_day(name) for name in ("ДатаНачала", "ДатаКонца"))
        if not self.ended and not self.errors:
            self.wrong(lines, "statement_unfinished")
        if not self.accounts and not self.errors:
            self.wrong(1, "statement_no_account")
        if self.errors:
            raise Invalid(sorted(self.errors, key=lambda e: e.context["line"]))
        return Statement(tuple(self.accounts), first, last, tuple(self.documents))

    def _head_day(self, name: str) -> date | None:
        line, value = self.head.get(name, (0, ""))
        found = day_of(value) if value else None
        if value and found is None:
            self.wrong(line, "statement_date", name=name)
        return found


def day_of(text: str) -> date | None:
    """A day written as 24.11.2026; None when it is none."""
    try:
        return (
            datetime.strptime(text, "%d.%m.%Y").date() if re.fullmatch(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}", text) else None
        )
    except ValueError:
        return None


def kopeks_of(text: str) -> int | None:
    """Roubles with at most two places as kopeks; None when it is no positive amount."""
    if not _AMOUNT.fullmatch(text):
        return None
    found = int(Decimal(text.replace(",", ".")) * 100)
    return found if 0 < found <= MOST else None


_NUMBER = re.compile(
    r"(?<![^\W\d_])[RrРр][ \u00a0]?[-–—№#]?[ \u00a0]?([0-9]{1,3}(?:[ \u00a0][0-9]{3})+(?![0-9])|[0-9]{1,12})"
)


def numbers_in(purpose: str) -> list[tuple[str, ...]]:
    """Numbers of purchases that a purpose of payment may name, in the order they stand.

    People write R1001, r-1001, "Р 1001" with a Cyrillic letter, "R1 001", and numbers of orders (R1001-2). Each find is
    a tuple of readings, the longer first. "1000 р 50 коп." names none: a letter after a number means roubles.
    """
    return list(_numbers(purpose))


def _numbers(purpose: str) -> Iterator[tuple[str, ...]]:
    end = 0
    for found in _NUMBER.finditer(purpose):
        between = purpose[end : found.start()].rstrip(" \u00a0")
        if between[-1:].isdigit():
            continue
        end = found.end()
        digits = re.sub(r"[^0-9]", "", found[1])
        first = re.split(r"[^0-9]", found[1])[0]
        readings = dict.fromkeys(f"R{text.lstrip('0')}" for text in (digits, first) if text.lstrip("0"))
        if readings:
            yield tuple(readings)
