"""Bank statements as text: what is understood, and what is refused with its line."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.payments import statement_file

OURS = "40702810000000000001"
THEIRS = "40702810000000000099"


def document(purpose: str = "Оплата счета R1001", **more: str) -> str:
    fields = {
        "Номер": "17", "Дата": "24.11.2026", "Сумма": "1250.50", "ПлательщикСчет": THEIRS,
        "ПлательщикИНН": "7700000023", "Плательщик1": "ООО «Стройка»", "ПолучательСчет": OURS,
        "ДатаПоступило": "24.11.2026", "НазначениеПлатежа": purpose, **more,
    }  # fmt: skip
    lines = [f"{key}={value}" for key, value in fields.items()]
    return "\n".join(["СекцияДокумент=Платежное поручение", *lines, "КонецДокумента"])


def statement(*documents: str, account: str = OURS, end: str = "КонецФайла") -> str:
    days = "ДатаНачала=24.11.2026\nДатаКонца=24.11.2026"
    head = f"1CClientBankExchange\nВерсияФормата=1.03\nКодировка=Windows\n{days}\nРасчСчет={account}"
    own = f"СекцияРасчСчет\nДатаНачала=24.11.2026\nРасчСчет={account}\nНачальныйОстаток=0.00\nКонецРасчСчет"
    return "\n".join([head, own, *documents, end, ""])


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8", "utf-8-sig"])
def test_a_payment_is_read_whole(encoding: str) -> None:
    found = statement_file.parse(statement(document()).replace("\n", "\r\n").encode(encoding))
    assert (found.accounts, found.first_day) == ((OURS,), date(2026, 11, 24))
    [one] = found.documents
    assert (one.number, one.day, one.amount, one.payer_inn) == ("17", date(2026, 11, 24), 125_050, "7700000023")
    assert (one.payer_name, one.purpose, one.left_on) == ("ООО «Стройка»", "Оплата счета R1001", None)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "statement_not_1c", None),
        ("id;sum\n1;2", "statement_not_1c", None),
        (statement(document(Сумма="12,345")), "statement_amount", 15),
        (statement(document(Сумма="-5")), "statement_amount", 15),
        (statement(document(Сумма="")), "statement_missing", 12),
        (statement(document(Дата="31.02.2026")), "statement_date", 14),
        (statement(document(ПлательщикИНН="77о0")), "statement_inn", 17),
        (statement(document()).replace("КонецДокумента\n", ""), "statement_section", 22),
        (statement(document().replace("Номер=17", "просто строка")), "statement_missing", 12),
        (statement(document(), end="").strip(), "statement_unfinished", 22),
        (statement(document(), account="407"), "statement_account", 6),
        (statement(document()) + "Номер=1", "statement_after_end", 24),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named_by_its_line(text: str, code: str, line: int | None) -> None:
    with pytest.raises(Invalid) as refused:
        statement_file.parse(text.encode())
    first = refused.value.errors[0]
    assert (first.code, first.context.get("line")) == (code, line)


@pytest.mark.parametrize(
    ("purpose", "numbers"),
    [
        ("Оплата счета R1001 от 24.11.2026, в т.ч. НДС 22% 225.50", ["R1001"]),
        ("по сч. р1001", ["R1001"]),
        ("Р-1001", ["R1001"]),
        ("R № 1001", ["R1001"]),
        ("r №1001", ["R1001"]),
        ("заказ R 1 001", ["R1001"]),
        ("R1001-2", ["R1001"]),
        ("R0001001", ["R1001"]),
        ("счета R1001 R1002", ["R1001", "R1002"]),
        ("R1001,R1002", ["R1001", "R1002"]),
        ("1000 р 50 коп., без НДС", []),
        ("доставка в Тверь 1001", []),
        ("Договор 5, R1001. Сумма 1250 р. 50", ["R1001"]),
        ("", []),
    ],
)
def test_numbers_are_found_in_any_usual_spelling(purpose: str, numbers: list[str]) -> None:
    assert [readings[0] for readings in statement_file.numbers_in(purpose)] == numbers


def test_spaces_inside_a_number_leave_both_readings() -> None:
    assert statement_file.numbers_in("R1 001 шт") == [("R1001", "R1")]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for whole in (data, statement_file.FIRST_LINE.encode() + b"\n" + data):
        with contextlib.suppress(Invalid):
            statement_file.parse(whole)


@given(st.integers(min_value=1, max_value=10**13))
def test_kopeks_are_read_back(kopeks: int) -> None:
    assert statement_file.kopeks_of(f"{kopeks // 100}.{kopeks % 100:02d}") == kopeks
