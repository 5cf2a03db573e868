"""What cells say: prices, quantities, units, VAT and barcodes as people and spreadsheets write them."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offers.imports.cells import BadCell, Places, Said, is_barcode, price_of, read_row
from app.offers.imports.corrected import RISKY, safe_text
from app.offers.imports.table import Cell, Row

PLACES = Places({"север": 1, "юг": 2}, {"u1": 1, "u2": 2}, 1)


def read(mapping: dict[str, Cell], places: Places = PLACES, marks: dict[int, str] | None = None) -> Said:
    given_cells = {"sku": "A"} | mapping
    row = Row(2, list(given_cells.values()), marks or {})
    said = read_row(row, list(enumerate(given_cells)), places)
    assert said is not None
    return said


def wrong(mapping: dict[str, Cell], places: Places = PLACES) -> dict[str, str]:
    return {error.field: error.code for error in read(mapping, places).errors}


@pytest.mark.parametrize(
    ("cell", "kopeks"),
    [
        ("545", 54500), ("545,5", 54550), ("545.50", 54550), ("1 240,50 ₽", 124050), ("1\u00a0240.50 руб.", 124050),
        ("1,240.50", 124050), ("1.240,50", 124050), ("1'240,50", 124050), ("12 000 р.", 1200000),
        ("1.240.500", 124050000),
        (545, 54500), (545.5, 54550), (0.1 + 0.2, 30), (123.456, 12346), (1e3, 100000), ("0,345", 35),
    ],
)  # fmt: skip
def test_prices(cell: Cell, kopeks: int) -> None:
    assert price_of(cell) == kopeks


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("по запросу", "not_a_number"), ("1,240", "ambiguous_number"), ("12.345", "ambiguous_number"),
        ("0", "price_not_positive"), ("-5", "price_not_positive"), ("0,001", "price_not_positive"),
        ("1e5", "not_a_number"), ("NaN", "not_a_number"), ("inf", "not_a_number"), ("١٢", "not_a_number"),
        ("1,2,3", "not_a_number"), ("99999999999999", "too_large"), (1e200, "too_large"), (0, "price_not_positive"),
    ],
)  # fmt: skip
def test_what_is_no_price(cell: Cell, code: str) -> None:
    with pytest.raises(BadCell) as error:
        price_of(cell)
    assert error.value.code == code


@given(st.integers(1, 10**11), st.sampled_from([",", "."]), st.sampled_from(["", " ", "\u00a0"]))
def test_a_price_written_by_any_program_is_read_exactly(kopeks: int, point: str, space: str) -> None:
    text = f"{kopeks // 100:,}".replace(",", space) + f"{point}{kopeks % 100:02d}"
    assert price_of(text) == kopeks


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadCell):
        assert price_of(text) >= 1


def test_stock_lies_where_the_column_the_row_or_the_file_says() -> None:
    assert read({"stock": "12"}).stock == {1: Decimal(12)}
    assert read({"stock": "12", "warehouse": "Юг"}).stock == {2: Decimal(12)}
    assert read({"stock:u2": "7,5", "stock:u1": "3"}).stock == {1: Decimal(3), 2: Decimal("7.5")}
    assert wrong({"stock": "12", "warehouse": "Запад"}) == {"warehouse": "unknown_warehouse"}
    assert wrong({"stock": "12"}, Places({}, {}, None)) == {"stock": "warehouse_needed"}
    assert wrong({"stock": "есть"}) == {"stock": "not_a_number"}
    assert wrong({"stock": "-1"}) == {"stock": "too_small"}
    assert read({"stock": ""}).stock == {}


@pytest.mark.parametrize(
    ("text", "unit"),
    [("шт", "pcs"), ("Шт.", "pcs"), ("м2", "m2"), ("кв. м", "m2"), ("м²", "m2"), ("пог. м", "m"), ("УП", "pack"),
     ("мешок", "bag"), ("796", "pcs"), ("kg", "kg")],
)  # fmt: skip
def test_units(text: str, unit: str) -> None:
    assert read({"unit": text}).unit == unit


def test_units_vat_days_and_sale() -> None:
    assert wrong({"unit": "попугай"}) == {"unit": "unknown_unit"}
    assert [read({"vat": v}).vat for v in ("22", "22%", "НДС 10 %", "без НДС", "VAT_22", "5", 22, 0.22)] == [
        "general", "general", "reduced10", "none", "general", "special5", "general", "general",
    ]  # fmt: skip
    assert wrong({"vat": "20%"}) == {"vat": "unknown_vat"}
    assert read({"lead_time_days": "3 дня"}).lead_time_days == 3
    assert wrong({"lead_time_days": "скоро"}) == {"lead_time_days": "not_a_whole_number"}
    assert (read({"active": "да"}).active, read({"active": "false"}).active) == (True, False)


def test_barcodes() -> None:
    assert is_barcode("4600000000015")
    assert is_barcode("96385074")
    assert not is_barcode("4600000000016")
    assert not is_barcode("46000000000")
    assert wrong({"barcode": "4,6E+12"}) == {"barcode": "number_rounded"}
    assert wrong({"barcode": "4600000000016"}) == {"barcode": "wrong_barcode"}
    assert read({"barcode": 4600000000015.0}).barcode == "4600000000015"


@pytest.mark.parametrize("text", ["=1+1", "=HYPERLINK(A1)", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0"])
def test_formulas_are_refused_coming_in_and_harmless_going_out(text: str) -> None:
    assert wrong({"name": text}) == {"name": "looks_like_formula"}
    assert wrong({"name": f"'{text}"}) == {"name": "looks_like_formula"}
    assert safe_text(text) == f"'{text}"


@given(st.text(max_size=30))
def test_nothing_that_leaves_begins_like_a_formula(text: str) -> None:
    assert not safe_text(text).startswith(RISKY)


def test_numbers_that_a_spreadsheet_made_of_a_code_stay_the_code() -> None:
    assert read({"sku": 12345.0}).sku == "12345"
    assert read({"sku": 12345}).sku == "12345"
    assert wrong({"sku": "1,2E+05"}) == {"sku": "number_rounded"}
    assert {e.code for e in read({"price": "1"}, marks={0: "cell_is_date"}).errors} == {"cell_is_date"}


def test_a_heading_between_goods_is_no_row() -> None:
    assert read_row(Row(3, ["Сухие смеси", "", ""]), [(0, "name"), (1, "sku"), (2, "price")], PLACES) is None


def test_all_errors_of_a_row_are_told_at_once() -> None:
    assert wrong({"sku": "", "price": "x", "stock": "y", "unit": "z", "barcode": "1"}) == {
        "sku": "required", "price": "not_a_number", "stock": "not_a_number", "unit": "unknown_unit",
        "barcode": "wrong_barcode",
    }  # fmt: skip
