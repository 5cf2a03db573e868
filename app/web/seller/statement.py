"""A statement of the ledger for a period as CSV and PDF."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.core import clock
from app.core.money import as_decimal
from app.core.pdf import Column, Document
from app.offers.imports.corrected import safe_text
from app.orders.money_queries import OrderName
from app.payments.balances import Statement, Transfer
from app.texts import payments as words
from app.web.filters import money


def _what(row: Transfer) -> str:
    name = str(words.KINDS[row.kind])
    return f"{name}: {row.reason}" if row.reason else name


def _number(row: Transfer, names: Mapping[int, OrderName]) -> str:
    return names[row.order_id].number if row.order_id is not None and row.order_id in names else ""


def as_csv(found: Statement, names: Mapping[int, OrderName]) -> bytes:
    """Semicolons and a byte order mark, as spreadsheets here expect; text that looks like a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([_("Time"), _("What"), _("Order"), _("Sum, ₽"), _("Balance, ₽")])
    balance = found.opening
    writer.writerow([f"{found.first:%d.%m.%Y}", _("Balance at the beginning"), "", "", _decimal(balance)])
    for row in found.rows:
        balance += row.amount
        at = f"{clock.local(row.created_at):%d.%m.%Y %H:%M}"
        writer.writerow([at, safe_text(_what(row)), _number(row, names), _decimal(row.amount), _decimal(balance)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _decimal(kopeks: int) -> str:
    return f"{as_decimal(kopeks):f}".replace(".", ",")


def as_pdf(found: Statement, names: Mapping[int, OrderName], seller: str, operator: str) -> bytes:
    """The statement on paper."""
    paper = Document(str(_("Statement")), footer=f"{operator} · {seller}", at=clock.now())
    paper.heading(
        str(_("Statement from %(first)s to %(last)s", first=f"{found.first:%d.%m.%Y}", last=f"{found.last:%d.%m.%Y}"))
    )
    paper.facts([(str(_("Seller")), seller), (str(_("Operator")), operator)])
    paper.space()
    paper.totals([(str(_("Balance at the beginning")), money(found.opening))])
    rows = [
        [
            f"{clock.local(row.created_at):%d.%m.%Y %H:%M}",
            _what(row),
            _number(row, names),
            money(row.amount),
        ]
        for row in found.rows
    ]
    columns = [Column(str(_("Time")), 2), Column(str(_("What")), 5), Column(str(_("Order")), 1.5),
               Column(str(_("Sum")), 2, right=True)]  # fmt: skip
    paper.table(columns, rows)
    sums = [(str(words.KINDS[kind]), money(amount)) for kind, amount in found.sums().items()]
    paper.totals([*sums, (str(_("Balance at the end")), money(found.closing))])
    return paper.output()
