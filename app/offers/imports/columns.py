"""What the columns of a price list mean: guessed from headings and contents, corrected by the seller, remembered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.catalog.words import normal
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.offers.import_models import ImportMapping
from app.offers.imports.cells import STOCK_AT, is_barcode
from app.offers.imports.table import Cell

FIELDS = (
    "sku", "name", "brand", "article", "barcode", "category", "unit", "price", "vat", "stock", "warehouse",
    "lead_time_days", "active", "description",
)  # fmt: skip
ERROR_HEADINGS = {"ru": ("Строка файла", "Ошибка"), "en": ("Row of the file", "Error")}
"""Columns that we add to a file of errors; they are ignored when it comes back."""
_HEADINGS: dict[str, tuple[str, ...]] = {
    "sku": ("sku", "код", "код товара", "артикул продавца", "внутренний код", "ваш sku", "shop-sku", "id", "seller sku",
            "код номенклатуры", "номенклатурный номер", "item code", "product code", "код 1с"),
    "name": ("name", "наименование", "название", "товар", "номенклатура", "наименование товара", "название товара",
             "product", "product name", "title", "продукция"),
    "brand": ("brand", "vendor", "бренд", "марка", "производитель", "изготовитель", "торговая марка", "manufacturer"),
    "article": ("article", "vendorcode", "артикул производителя", "артикул изготовителя", "заводской артикул", "mpn",
                "manufacturer article", "part number"),
    "barcode": ("barcode", "ean", "ean13", "ean-13", "gtin", "штрихкод", "штрих-код", "штрих код", "шк", "upc"),
    "category": ("category", "категория", "раздел", "группа", "товарная группа", "группа товаров"),
    "unit": ("unit", "ед", "ед.", "ед.изм", "ед.изм.", "ед. изм.", "ед изм", "единица", "единица измерения",
             "ед. измерения", "uom", "param: единица измерения"),
    "price": ("price", "цена", "розничная цена", "цена розничная", "цена, ₽", "цена, руб", "цена, руб.", "цена с ндс",
              "цена руб", "цена продажи", "розн. цена", "розница", "стоимость"),
    "vat": ("vat", "ндс", "ставка ндс", "ндс, %", "ндс %", "vat rate"),
    "stock": ("stock", "остаток", "остатки", "наличие", "количество", "кол-во", "колво", "qty", "quantity", "count",
              "stock_quantity", "в наличии", "свободный остаток", "on hand", "остаток на складе"),
    "warehouse": ("warehouse", "склад", "наименование склада"),
    "lead_time_days": ("lead_time_days", "lead time", "срок", "срок поставки", "срок поставки, дней", "дней",
                       "срок отгрузки", "days to make ready"),
    "active": ("active", "available", "на продаже", "активен", "on sale", "в продаже"),
    "description": ("description", "описание"),
}  # fmt: skip
_KNOWN = {heading: name for name, headings in _HEADINGS.items() for heading in headings}
_ENDINGS = re.compile(r"[\s*:]+$")
_NOT_OURS = re.compile(r"опт|закуп|стар|oldprice|вход|минималь|скид|ррц|план|резерв|в пути|заказан")
_ADDED = {heading.lower() for pair in ERROR_HEADINGS.values() for heading in pair}


def key_of(heading: Cell) -> str:
    """A heading in the form in which headings are compared."""
    return _ENDINGS.sub("", normal(str(heading)).replace("ё", "е"))


def recognised(cells: Sequence[Cell]) -> int:
    """How many different fields the cells name: a row of headings names two or more."""
    named = {_named(key_of(cell)) for cell in cells if isinstance(cell, str) and cell and len(cell) < 60}
    return len(named - {None})


def is_added(heading: Cell) -> bool:
    """Whether the column is one of a file of errors."""
    return str(heading).removeprefix("param: ").strip().lower() in _ADDED


def guess(headings: Sequence[Cell], samples: Sequence[Sequence[Cell]], warehouses: Mapping[str, str]) -> dict[str, str]:
    """Column number (as text) -> field, each field once; stock once per warehouse.

    Args:
        samples: the first rows below the headings, for columns whose heading says nothing.
        warehouses: name -> public id of the seller's warehouses, which headings of stock may name.
    """
    keys = [key_of(heading) for heading in headings]
    found: dict[str, str] = {}
    for exact in (True, False):
        for column, key in enumerate(keys):
            name = _KNOWN.get(key) if exact else _named(key)
            if name == "stock" or (not exact and _looks_like_stock(key)):
                name = _place_in(key, warehouses) or "stock"
            if name and str(column) not in found and name not in found.values() and not is_added(headings[column]):
                found[str(column)] = name
    if "sku" not in found.values():
        _article_as_sku(keys, found)
    elif "article" not in found.values():
        _take(keys, found, "артикул", "article")
    if "barcode" not in found.values():
        _barcode_by_content(samples, found, len(keys))
    return dict(sorted(found.items(), key=lambda pair: int(pair[0])))


def _named(key: str) -> str | None:
    if key in _KNOWN:
        return _KNOWN[key]
    if _NOT_OURS.search(key):
        return None
    if key.startswith(("цена", "розн", "price")):
        return "price"
    if key in ("артикул", "арт", "арт."):
        return "sku"
    if key.startswith(("наименован", "назван")):
        return "name"
    if key.startswith("штрих"):
        return "barcode"
    return "stock" if _looks_like_stock(key) else None


def _looks_like_stock(key: str) -> bool:
    return key.startswith(("остат", "ост.", "налич", "кол-во", "stock")) and not _NOT_OURS.search(key)


def _place_in(key: str, warehouses: Mapping[str, str]) -> str | None:
    for name, public_id in warehouses.items():
        words = [word for word in re.findall(r"\w+", normal(name)) if word not in ("склад", "warehouse")]
        if words and all(word[:4] in key for word in words):
            return STOCK_AT + public_id
    return None


def _article_as_sku(keys: Sequence[str], found: dict[str, str]) -> None:
    _take(keys, found, "артикул", "sku")
    if "sku" not in found.values() and "article" in found.values():
        column = next(column for column, name in found.items() if name == "article")
        found[column] = "sku"


def _take(keys: Sequence[str], found: dict[str, str], beginning: str, name: str) -> None:
    for column, key in enumerate(keys):
        if key.startswith(beginning) and str(column) not in found:
            found[str(column)] = name
            return


def _barcode_by_content(samples: Sequence[Sequence[Cell]], found: dict[str, str], width: int) -> None:
    for column in range(width):
        texts = [str(row[column]) for row in samples if column < len(row) and row[column] != ""]
        if str(column) not in found and len(texts) >= 3 and all(is_barcode(text) for text in texts):
            found[str(column)] = "barcode"
            return


def missing(mapping: Mapping[str, str]) -> list[str]:
    """What a file cannot do without: the SKU, and a price or a stock."""
    names = set(mapping.values())
    told = any(name == "price" or name.startswith("stock") for name in names)
    return [name for name, has in (("sku", "sku" in names), ("price", told)) if not has]


def checked(mapping: Mapping[str, str], width: int, places: Sequence[str]) -> dict[str, str]:
    """A mapping that a person or client sent.

    Raises:
        Invalid: unknown column, unknown field, a field twice, SKU or price missing.
    """
    errors = []
    kept: dict[str, str] = {}
    for column, name in mapping.items():
        if not name:
            continue
        if not column.isdecimal() or int(column) >= width:
            errors.append(FieldError(f"/mapping/{column}", "unknown_column"))
        elif name not in FIELDS and name.removeprefix(STOCK_AT) not in places:
            errors.append(FieldError(f"/mapping/{column}", "unknown_option"))
        elif name in kept.values():
            errors.append(FieldError(f"/mapping/{column}", "field_twice"))
        else:
            kept[column] = name
    if not errors:
        errors = [FieldError(f"/mapping/{name}", "column_needed") for name in missing(kept)]
    if errors:
        raise Invalid(errors)
    return kept


def by_heading(mapping: Mapping[str, str], headings: Sequence[Cell]) -> dict[str, str]:
    """A mapping from fields to headings, as clients send it, turned round: column number -> field.

    Raises:
        Invalid: `unknown_column`.
    """
    known = {key_of(heading): str(column) for column, heading in reversed(list(enumerate(headings)))}
    absent = [name for name, heading in mapping.items() if key_of(heading) not in known]
    if absent:
        raise Invalid([FieldError(f"/mapping/{name}", "unknown_column") for name in absent])
    return {known[key_of(heading)]: name for name, heading in mapping.items()}


def digest(headings: Sequence[Cell]) -> str:
    """The name under which the meaning of these headings is remembered; our own added columns do not count."""
    text = "\x1f".join(key_of(heading) for heading in headings if not is_added(heading))
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def remembered(seller_id: int, headings: Sequence[Cell]) -> dict[str, str] | None:
    """What the seller said last of a file with these headings."""
    found = session.scalar(
        sa.select(ImportMapping.mapping).where(
            ImportMapping.seller_id == seller_id, ImportMapping.headings == digest(headings)
        )
    )
    return dict(found) if found is not None else None


def remember(seller_id: int, headings: Sequence[Cell], mapping: Mapping[str, str]) -> None:
    """Keep it for the next file, in the present transaction."""
    session.execute(
        insert(ImportMapping)
        .values(seller_id=seller_id, headings=digest(headings), mapping=dict(mapping))
        .on_conflict_do_update(
            index_elements=[ImportMapping.seller_id, ImportMapping.headings],
            set_={"mapping": dict(mapping), "updated_at": sa.func.now()},
        )
    )
