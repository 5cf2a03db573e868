"""Files as they really come: any letters, any delimiter, strange sheets, and hostile ones that get a clear answer."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.offers.imports import columns
from app.offers.imports.files import PriceList, open_file
from app.offers.imports.table import BadFile
from tests.imports.lists import csv_file, packed, xlsx_file, yml_file

ROWS = [["К-1", "Клей плиточный Зима", "545,50", "12"], ["К-2", "Штукатурка гипсовая, 30 кг", "410", "7"]]
WAYS = [
    (encoding, delimiter)
    for encoding in ("utf-8", "utf-8-sig", "cp1251", "cp866", "koi8-r", "utf-16")
    for delimiter in ";,\t|"
]


def guessed(found: PriceList) -> dict[str, str]:
    return columns.guess(found.headings, found.samples, {})


def refused(content: bytes) -> str:
    with pytest.raises(BadFile) as error:
        for _row in open_file(content).rows():
            pass
    return error.value.code


@pytest.mark.parametrize(("encoding", "delimiter"), WAYS, ids=lambda w: {"\t": "tab"}.get(w, w))
def test_any_letters_and_any_delimiter(encoding: str, delimiter: str) -> None:
    found = open_file(csv_file(ROWS, encoding=encoding, delimiter=delimiter))
    assert found.headings == ("Код", "Наименование", "Цена", "Остаток")
    assert [row.cells for row in found.rows()] == ROWS
    assert guessed(found) == {"0": "sku", "1": "name", "2": "price", "3": "stock"}


WORDS = st.text("абвгдежзийклмнопрстуфхцчшщъыьэюя ", min_size=4, max_size=30).filter(lambda t: len(t.split()) > 0)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(WORDS, min_size=4, max_size=12),
    encoding=st.sampled_from(["utf-8", "cp1251", "utf-8-sig"]),
    delimiter=st.sampled_from(";,\t"),
)
def test_what_is_written_is_what_is_read(names: list[str], encoding: str, delimiter: str) -> None:
    rows = [[f"A{i}", " ".join(name.split()), f"{i + 1},50", str(i)] for i, name in enumerate(names)]
    found = open_file(csv_file(rows, encoding=encoding, delimiter=delimiter))
    assert [row.cells for row in found.rows()] == rows


def test_headings_may_stand_below_a_logo_and_rows_keep_the_numbers_people_see() -> None:
    text = (
        'ООО "Демо";;;\r\n;;;\r\nпрайс на ноябрь;;;\r\nКод;Наименование;Цена;Остаток\r\nA;Б;1;2\r\n;;;\r\nB;В;3;4\r\n'
    )
    found = open_file(text.encode("cp1251"))
    assert found.header_row == 4
    assert [row.number for row in found.rows()] == [5, 7]


def test_a_spreadsheet_may_name_its_delimiter() -> None:
    found = open_file("sep=|\nКод|Цена\nA|1\n".encode())
    assert [row.cells for row in found.rows()] == [["A", "1"]]


def test_a_workbook_is_read_from_the_sheet_with_headings() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Контакты"])
    hidden = book.create_sheet("Старое")
    hidden.append(["Код", "Цена"])
    hidden.append(["X", 1])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("Склад")
    sheet.append(["Прайс"])
    sheet.append(["Код", "Наименование", "Цена", "Остаток"])
    sheet.append(["К-1", "Клей", 545.5, 12])
    out = io.BytesIO()
    book.save(out)
    found = open_file(out.getvalue())
    assert (found.grid.about, found.header_row) == ({"sheet": "Склад"}, 2)
    assert [row.cells for row in found.rows()] == [["К-1", "Клей", 545.5, 12]]


def test_cells_under_a_merged_one_are_marked_not_invented() -> None:
    rows = [["К-1", "Клей", 545.5, 12], ["К-2", None, 410, 7], ["К-3", None, 1, 1]]
    found = open_file(xlsx_file(rows, merged=["B2:B3"]))
    assert [(row.number, row.marks) for row in found.rows()] == [(2, {}), (3, {1: "merged_cells"}), (4, {})]


def test_dates_and_errors_of_a_spreadsheet_are_marked() -> None:
    from datetime import datetime

    rows = [[datetime(2026, 5, 12), "Клей", 545.5, "#N/A"]]
    [row] = open_file(xlsx_file(rows)).rows()
    assert row.marks == {0: "cell_is_date", 3: "cell_error"}


def test_yml_becomes_a_table_of_its_elements() -> None:
    offers = (
        '<offer id="A1" available="true"><price>545.50</price><categoryId>7</categoryId><name>Клей</name>'
        "<vendor>Зима</vendor><vendorCode>Z1</vendorCode><barcode>4600000000015</barcode><count>3</count>"
        '<param name="Единица измерения">мешок</param></offer>'
        '<offer id="A2"><price>1</price><typePrefix>Клей</typePrefix><vendor>Лето</vendor><model>5 кг</model></offer>'
    )
    doctype = '<!DOCTYPE yml_catalog SYSTEM "shops.dtd">\n'
    for encoding in ("utf-8", "windows-1251"):
        found = open_file(yml_file(offers, encoding, doctype))
        first, second = found.rows()
        named = dict(zip(found.headings, first.cells, strict=False))
        assert named["category"] == "Клеи"
        assert named["param: Единица измерения"] == "мешок"
        assert dict(zip(found.headings, second.cells, strict=False))["name"] == "Клей Лето 5 кг"
        kinds = {str(found.headings[int(c)]): name for c, name in guessed(found).items()}
        assert kinds["vendorCode"] == "article"
        assert kinds["count"] == "stock"
        assert kinds["param: Единица измерения"] == "unit"


def bomb(size: int = 150 * 1024 * 1024) -> bytes:
    """A workbook of a few kilobytes that unpacks to 150 MB."""
    parts = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
    return packed(parts | {"xl/worksheets/sheet1.xml": bytes(size)})


def lying() -> bytes:
    """An archive whose directory says less than it holds."""
    content = bytearray(packed({"[Content_Types].xml": b"x" * 100_000}))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    return bytes(content)


def wide(count: int) -> bytes:
    return xlsx_file([["x"] * count], headings=["Код", "Цена", *(f"к{i}" for i in range(count - 2))])


def entities() -> bytes:
    head = '<!DOCTYPE y [<!ENTITY a "ха"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    return yml_file('<offer id="1"><name>&b;</name><price>1</price></offer>', head=head)


def outside() -> bytes:
    head = '<!DOCTYPE y [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'
    return yml_file('<offer id="1"><name>&a;</name><price>1</price></offer>', head=head)


MOJIBAKE = "Код;Наименование;Цена\nA;Клей плиточный зимний усиленный;1\n".encode().decode("cp1251", "replace").encode()
HOSTILE: list[tuple[str, Any, str]] = [
    ("nothing", b"  \n ", "file_empty"),
    ("headings only", "Код;Цена\n".encode(), "file_empty"),
    ("zip bomb", bomb, "zip_bomb"),
    ("many parts", packed({f"p{i}": b"" for i in range(300)}), "zip_bomb"),
    ("a directory that lies", lying, "file_broken"),
    ("half a workbook", xlsx_file(ROWS)[:3000], "file_broken"),
    ("any archive", packed({"readme.txt": b"hello"}), "not_a_price_list"),
    ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls_old"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(50), "not_a_price_list"),
    ("binary", bytes(range(256)) * 20, "not_a_price_list"),
    ("a page", b"<!DOCTYPE html><html><body>Sign in</body></html>", "web_page"),
    ("1,000 columns", lambda: wide(1000), "too_many_columns"),
    ("1,000 columns of text", (";".join(["Цена"] * 1000) + "\n" + ";".join(["1"] * 1000)).encode(), "too_many_columns"),
    ("a merged column", lambda: xlsx_file(ROWS, merged=["A2:A60000"]), "merged_column"),
    ("wrong letters", MOJIBAKE, "wrong_encoding"),
    ("one column", "Наименование товара\nКлей\nШтукатурка\n".encode(), "one_column"),
    ("an open quotation mark", ('Код;Цена\nA;"1\n' + "B;2\n" * 40_000).encode(), "csv_broken"),
    ("entities", entities, "xml_refused"),
    ("files of ours", outside, "xml_refused"),
    ("half a feed", yml_file('<offer id="1"><name>a</name>')[:-40], "xml_broken"),
    ("a feed of nothing", yml_file(""), "no_offers"),
]


@pytest.mark.parametrize(("content", "code"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_a_file_that_cannot_be_taken_is_answered_clearly(content: Any, code: str) -> None:
    assert refused(content() if callable(content) else content) == code


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bomb(101 * 1024 * 1024)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was opened"))
    assert refused(content) == "zip_bomb"


def test_a_cell_far_away_does_not_fill_the_memory() -> None:
    book = openpyxl.Workbook()
    for column, text in enumerate(["Код", "Цена"], start=1):
        book.active.cell(1, column, text)
        book.active.cell(2, column, 1)
    book.active.cell(1_048_576, 1, "далеко")
    out = io.BytesIO()
    book.save(out)
    assert [row.number for row in open_file(out.getvalue()).rows()] == [2, 1_048_576]


def test_a_list_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offers.imports.table.MAX_ROWS", 50)
    assert refused(csv_file([["A", "Б", "1", "2"]] * 60)) == "too_many_rows"


def test_unreadable_letters_are_marked_in_their_cells() -> None:
    content = csv_file([["К-1", "Клей", "1", "2"]] * 3) + b"K-9;\xff\xfe;1;2\n" + csv_file([["К-2", "Клей", "1", "2"]])
    marked = [row.number for row in open_file(content * 1).rows() if row.marks]
    assert len(marked) <= 1


class TestColumns:
    def guess(self, headings: list[str], samples: list[list[str]] | None = None) -> dict[str, str]:
        found = columns.guess(headings, samples or [], {"Склад Очиченко": "u1", "Север": "u2"})
        return {headings[int(column)]: name for column, name in found.items()}

    def test_headings_of_many_programs(self) -> None:
        assert self.guess(["Код", "Розн. цена", "Ост. Очич.", "Ед"]) == {
            "Код": "sku", "Розн. цена": "price", "Ост. Очич.": "stock:u1", "Ед": "unit",
        }  # fmt: skip
        assert self.guess(["Артикул", "Номенклатура", "Цена (опт)", "Цена розн.", "Остаток Север", "Остаток"]) == {
            "Артикул": "sku", "Номенклатура": "name", "Цена розн.": "price", "Остаток Север": "stock:u2",
            "Остаток": "stock",
        }  # fmt: skip
        assert self.guess(["Код", "Артикул", "Производитель", "Штрих-код", "НДС", "Цена, руб."]) == {
            "Код": "sku", "Артикул": "article", "Производитель": "brand", "Штрих-код": "barcode", "НДС": "vat",
            "Цена, руб.": "price",
        }  # fmt: skip
        assert self.guess(["sku", "name", "price", "qty"]) == {
            "sku": "sku", "name": "name", "price": "price", "qty": "stock",
        }  # fmt: skip

    def test_barcodes_are_known_by_their_look(self) -> None:
        samples = [["A", "4600000000015"], ["B", "4600000000022"], ["C", "4600000000039"]]
        assert self.guess(["Код", "Непонятно"], samples) == {"Код": "sku", "Непонятно": "barcode"}

    def test_our_own_columns_of_errors_are_not_taken(self) -> None:
        assert self.guess(["Код", "Цена", "Строка файла", "Ошибка"]) == {"Код": "sku", "Цена": "price"}
        assert columns.digest(["Код", "Цена", "Строка файла", "Ошибка"]) == columns.digest(["Код", "цена "])

    def test_without_sku_or_anything_to_write_a_file_says_nothing(self) -> None:
        assert columns.missing({"0": "name"}) == ["sku", "price"]
        assert columns.missing({"0": "sku", "1": "stock:u1"}) == []
