"""YML (the product feed that Russian price aggregators read): offers as rows, elements as columns."""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from app.offers.imports.table import MAX_CELL, MAX_COLUMNS, BadFile, Cell, Grid, Row

FIRST = ("id", "name", "vendor", "vendorCode", "barcode", "price", "count", "unit", "vat", "available", "category")
"""Columns that come first; others follow in the order they are met."""
SKIPPED = frozenset({"picture", "url", "delivery-options", "pickup-options", "age", "condition"})


def open_yml(content: bytes) -> Grid:
    """The offers as a grid whose first row names the elements.

    Raises:
        BadFile: `xml_refused` (entities), `xml_broken`, `no_offers`.
    """
    seen: dict[str, None] = {}
    offers = 0
    for offer, _categories in _offers(content):
        offers += 1
        seen |= dict.fromkeys(_fields(offer))
    if not offers:
        raise BadFile("no_offers")
    names = sorted(seen, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    if len(names) > MAX_COLUMNS:
        raise BadFile("too_many_columns", maximum=MAX_COLUMNS)

    def rows() -> Iterator[Row]:
        yield Row(1, list(names))
        for number, (offer, categories) in enumerate(_offers(content), start=2):
            fields = _fields(offer, categories)
            cells: list[Cell] = [fields.get(name, "")[: MAX_CELL + 1] for name in names]
            yield Row(number, cells)

    return Grid("yml", rows, {}, offers + 1)


def _offers(content: bytes) -> Iterator[tuple[Element, dict[str, str]]]:
    """Each offer, with the categories named so far; the tree behind is thrown away."""
    categories: dict[str, str] = {}
    holder: Element | None = None
    try:
        for event, node in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=False):
            if event == "start":
                holder = node if node.tag == "offers" else holder
                continue
            if node.tag == "category":
                categories[node.get("id", "")] = (node.text or "").strip()
            elif node.tag == "offer":
                yield node, categories
                if holder is not None:
                    holder.clear()
    except DefusedXmlException as error:
        raise BadFile("xml_refused") from error
    except (ParseError, LookupError, ValueError) as error:
        raise BadFile("xml_broken", row=getattr(error, "position", (0, 0))[0]) from error


def _fields(offer: Element, categories: dict[str, str] | None = None) -> dict[str, str]:
    """Names and texts of an offer; parameters under their own names, repeated elements by their first."""
    found: dict[str, str] = {"id": offer.get("id", "").strip()}
    if offer.get("available") is not None:
        found["available"] = offer.get("available", "")
    for node in offer:
        text = (node.text or "").strip().replace("\0", "")
        if node.tag in SKIPPED or not isinstance(node.tag, str):
            continue
        if node.tag == "categoryId":
            found["category"] = (categories or {}).get(text, text)
        elif node.tag == "param":
            found.setdefault(f"param: {node.get('name', '').strip()}", text)
        else:
            found.setdefault(node.tag, text)
    if not found.get("name"):
        parts = [found.get(name, "") for name in ("typePrefix", "vendor", "model")]
        found["name"] = " ".join(part for part in parts if part)
    return found
