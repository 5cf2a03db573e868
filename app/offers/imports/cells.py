"""What a cell says: prices, quantities, units, VAT, barcodes as people and spreadsheets write them. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.offers.imports.table import MAX_CELL, Cell, Row

MAX_PRICE = 10**12
MAX_QUANTITY = Decimal(10**11)
LONGEST = {"sku": 100, "name": 300, "brand": 100, "article": 100, "category": 200, "description": MAX_CELL}
STOCK_AT = "stock:"
"""`stock:<public id of a warehouse>`: the column holds what lies in that warehouse."""

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']")
_MONEY_SIGN = re.compile(r"(₽|руб(лей|\.|)|rub|р\.?)$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*|[+-]?[.,]\d+")
_ROUNDED = re.compile(r"\d[.,]?\d*e\+?\d+", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNITS = {
    "pcs": ("шт", "штука", "штук", "штуки", "pcs", "pc", "piece", "ед", "796"),
    "bag": ("меш", "мешок", "мешков", "bag"), "sheet": ("лист", "листов", "sheet", "625"),
    "roll": ("рул", "рулон", "рулонов", "roll", "736"),
    "pack": ("уп", "упак", "упаковка", "пач", "пачка", "pack", "778"),
    "pallet": ("поддон", "паллета", "паллет", "палета", "pallet"),
    "m": ("м", "пог.м", "п.м", "пм", "мп", "м.п", "метр", "m", "006"),
    "m2": ("м2", "м²", "кв.м", "m2", "m²", "055"), "m3": ("м3", "м³", "куб.м", "куб", "m3", "m³", "113"),
    "kg": ("кг", "kg", "166"), "t": ("т", "тн", "тонна", "t", "168"), "l": ("л", "литр", "l", "112"),
    "set": ("компл", "комплект", "наб", "набор", "set", "839"), "box": ("кор", "коробка", "ящ", "ящик", "box"),
    "can": ("банка", "канистра", "бан", "can"), "bucket": ("ведро", "вед", "bucket"),
    "tube": ("туба", "туб", "тюбик", "картридж", "tube"), "coil": ("бухта", "бух", "coil"),
}  # fmt: skip
_UNIT_OF = {name: code for code, names in _UNITS.items() for name in names}
_VAT = {
    "22": "general", "vat_22": "general", "11": "general", "10": "reduced10", "vat_10": "reduced10",
    "7": "special7", "vat_7": "special7", "5": "special5", "vat_5": "special5", "0": "none", "no_vat": "none",
    "vat_0": "none", "безндс": "none", "необлагается": "none", "нет": "none", "none": "none", "-": "none",
}  # fmt: skip
_YES = frozenset({"да", "есть", "1", "true", "yes", "y", "+", "on", "active", "истина"})
_NO = frozenset({"нет", "0", "false", "no", "n", "-", "off", "hidden", "ложь"})


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row: the field, a stable code, values for the sentence."""

    field: str
    code: str
    context: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "code": self.code, "context": self.context}


class BadCell(ValueError):
    """A cell that does not say what its column should."""

    def __init__(self, code: str, **context: Any) -> None:
        super().__init__(code)
        self.code, self.context = code, context


@dataclass(slots=True)
class Said:
    """What a row says. Prices in kopeks; stock by warehouse in the unit of the row; None: nothing said."""

    number: int
    cells: list[Cell]
    sku: str = ""
    name: str = ""
    brand: str = ""
    article: str = ""
    barcode: str = ""
    category: str = ""
    description: str = ""
    unit: str = ""
    price: int | None = None
    vat: str | None = None
    lead_time_days: int | None = None
    active: bool | None = None
    stock: dict[int, Decimal] = dataclasses.field(default_factory=dict)
    errors: list[RowError] = dataclasses.field(default_factory=list)

    def wrong(self, name: str, code: str, **context: Any) -> None:
        """Note an error; one per field is enough."""
        if all(error.field != name for error in self.errors):
            self.errors.append(RowError(name, code, context))


@dataclass(frozen=True, slots=True)
class Places:
    """The seller's open warehouses: by name in lower case and by public id, and the one chosen for the file."""

    by_name: Mapping[str, int]
    by_public_id: Mapping[str, int]
    chosen: int | None


def read_row(row: Row, mapping: Sequence[tuple[int, str]], places: Places) -> Said | None:
    """What the row says, errors noted in it; None for a row that only holds a heading between goods."""
    said = Said(row.number, row.cells)
    texts = {name: _text(row.cells[column]) if column < len(row.cells) else "" for column, name in mapping}
    if not any(text for name, text in texts.items() if name in ("sku", "price", "barcode") or name.startswith("stock")):
        return None
    for column, name in mapping:
        if column in row.marks:
            said.wrong(name, row.marks[column])
    _read_texts(said, texts)
    for column, name in mapping:
        reader = _READERS.get(name.partition(":")[0])
        if reader is None or not texts[name]:
            continue
        try:
            reader(said, row.cells[column], name, places)
        except BadCell as error:
            said.wrong(name, error.code, **error.context)
    _place_stock(said, texts.get("warehouse", ""), places)
    return said


def _text(cell: Cell) -> str:
    """The cell as a person reads it; the apostrophe that keeps a spreadsheet from calculating is not part of it."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    text = str(cell).strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def _read_texts(said: Said, texts: Mapping[str, str]) -> None:
    for name, most in LONGEST.items():
        text = texts.get(name, "")
        if len(text) > most:
            said.wrong(name, "too_long", maximum=most)
        elif text.startswith(_FORMULA) and not _NUMBER.fullmatch(text.lstrip("+-") or "x"):
            said.wrong(name, "looks_like_formula")
        elif name in ("sku", "article") and _ROUNDED.fullmatch(text):
            said.wrong(name, "number_rounded")
        else:
            setattr(said, name, " ".join(text.split()) if name != "description" else text)
    if not said.sku:
        said.wrong("sku", "required")


def _price(said: Said, cell: Cell, name: str, _places: Places) -> None:
    said.price = price_of(cell)


def price_of(cell: Cell) -> int:
    """Kopeks. A number of a spreadsheet is rounded to kopeks; a text must not leave thousands and decimals open.

    Raises:
        BadCell: not_a_number, ambiguous_number, too_small, too_large.
    """
    text = str(Decimal(repr(cell))) if isinstance(cell, float) else _text(cell)
    value = _number(_MONEY_SIGN.sub("", _SPACES.sub("", text)), strict=isinstance(cell, str))
    if value <= 0:
        raise BadCell("price_not_positive")
    if value * 100 > MAX_PRICE:
        raise BadCell("too_large", maximum=MAX_PRICE // 100)
    kopeks = int((value * 100).quantize(Decimal(1), ROUND_HALF_UP))
    if kopeks < 1:
        raise BadCell("price_not_positive")
    return kopeks


def _number(bare: str, *, strict: bool) -> Decimal:
    """A number with spaces taken out: the last of comma and point parts the decimals.

    Raises:
        BadCell: not_a_number; ambiguous_number for "1,240", which may be one or a thousand.
    """
    bare = bare.replace("\u2212", "-")
    if re.fullmatch(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)", bare, re.IGNORECASE) and not strict:
        return Decimal(bare)
    if not bare.isascii() or not _NUMBER.fullmatch(bare) or len(bare) > 30:
        raise BadCell("not_a_number")
    marks = [c for c in bare if c in ".,"]
    if len(set(marks)) == 2:
        last = marks[-1]
        if marks.count(last) > 1:
            raise BadCell("not_a_number")
        bare = bare.replace("," if last == "." else ".", "").replace(last, ".")
    elif len(marks) > 1:
        groups = re.split(r"[.,]", bare)
        if any(len(group) != 3 for group in groups[1:]):
            raise BadCell("not_a_number")
        bare = "".join(groups)
    elif marks:
        whole, _, rest = bare.partition(marks[0])
        if strict and len(rest) == 3 and whole.lstrip("+-") not in ("", "0"):
            raise BadCell("ambiguous_number")
        bare = bare.replace(",", ".")
    return Decimal(bare)


def _stock(said: Said, cell: Cell, name: str, places: Places) -> None:
    text = str(Decimal(repr(cell))) if isinstance(cell, float) else _text(cell)
    value = _number(_SPACES.sub("", text), strict=isinstance(cell, str))
    if value < 0:
        raise BadCell("too_small", minimum=0)
    if value > MAX_QUANTITY:
        raise BadCell("too_large", maximum=int(MAX_QUANTITY))
    if -int(value.normalize().as_tuple().exponent) > 6:
        value = value.quantize(Decimal("0.000001"))
    place = places.by_public_id.get(name.removeprefix(STOCK_AT), places.chosen) if STOCK_AT in name else 0
    said.stock[place or 0] = value


def _place_stock(said: Said, named: str, places: Places) -> None:
    """Stock of a column without a warehouse lies in the one the row names, else in the one chosen for the file."""
    if named and named.lower() not in places.by_name:
        said.stock.pop(0, None)
        said.wrong("warehouse", "unknown_warehouse")
        return
    place = places.by_name.get(named.lower()) if named else places.chosen
    if 0 in said.stock:
        if place is None:
            said.stock.pop(0)
            said.wrong("stock", "warehouse_needed")
        else:
            said.stock[place] = said.stock.pop(0)


def _unit(said: Said, cell: Cell, _name: str, _places: Places) -> None:
    found = unit_of(_text(cell))
    if found is None:
        raise BadCell("unknown_unit")
    said.unit = found


def unit_of(text: str) -> str | None:
    """The unit that people write so; None when nobody does."""
    bare = _SPACES.sub("", text).lower().rstrip(".")
    return _UNIT_OF.get(bare) or _UNIT_OF.get(bare.replace(".", ""))


def _vat(said: Said, cell: Cell, _name: str, _places: Places) -> None:
    bare = _SPACES.sub("", _text(cell)).lower().removeprefix("ндс").rstrip("%")
    if isinstance(cell, float) and 0 < cell < 1:  # a cell shown as a percentage
        bare = format(cell * 100, ".4g")
    found = _VAT.get(bare)
    if found is None:
        raise BadCell("unknown_vat")
    said.vat = found


def _barcode(said: Said, cell: Cell, _name: str, _places: Places) -> None:
    text = _SPACES.sub("", _text(cell))
    if _ROUNDED.fullmatch(text):
        raise BadCell("number_rounded")
    first = re.split(r"[,;]", text)[0]
    if not is_barcode(first):
        raise BadCell("wrong_barcode")
    said.barcode = first


def is_barcode(text: str) -> bool:
    """EAN-8, UPC-A, EAN-13 or GTIN-14 with the right check digit."""
    if not (text.isascii() and text.isdecimal() and len(text) in (8, 12, 13, 14)):
        return False
    total = sum(int(c) * (3 if place % 2 else 1) for place, c in enumerate(reversed(text[:-1]), start=1))
    return (10 - total % 10) % 10 == int(text[-1])


def _lead(said: Said, cell: Cell, _name: str, _places: Places) -> None:
    found = re.fullmatch(r"(\d{1,4})(?:[.,]0+)?\s*(?:дн\.?|дней|день|дня|days?)?", _text(cell).lower())
    if found is None:
        raise BadCell("not_a_whole_number")
    days = int(found.group(1))
    if days > 365:
        raise BadCell("too_large", maximum=365)
    said.lead_time_days = days


def _active(said: Said, cell: Cell, _name: str, _places: Places) -> None:
    bare = _text(cell).lower()
    if bare not in _YES | _NO:
        raise BadCell("not_yes_or_no")
    said.active = bare in _YES


_READERS = {
    "price": _price, "stock": _stock, "unit": _unit, "vat": _vat, "barcode": _barcode, "lead_time_days": _lead,
    "active": _active,
}  # fmt: skip
