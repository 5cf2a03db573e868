"""Sentences and files of imports: what is wrong with a row, the file of rows to be mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flask import Response, current_app

from app import texts
from app.core.permissions import Actor
from app.offers.imports import corrected, queries
from app.offers.imports.cells import STOCK_AT
from app.offers.imports.queries import ImportHead
from app.texts.imports import ADDED, FIELDS
from app.web.unit_texts import unit_label


def field_label(name: str) -> str:
    """What a field is called; stock of a named warehouse is stock."""
    return str(FIELDS.get("stock" if name.startswith(STOCK_AT) else name, name))


def row_error(error: Mapping[str, Any]) -> str:
    """One error of a row: the field and what is wrong."""
    context = dict(error["context"])
    if "unit" in context:
        context["unit"] = unit_label(context["unit"])
    return f"{field_label(error['field'])}: {texts.error_text(error['code'], context)}"


def row_errors(errors: Sequence[Mapping[str, Any]]) -> str:
    """All errors of a row in one cell."""
    return " ".join(row_error(error) for error in errors)


def errors_file(actor: Actor, head: ImportHead) -> Response:
    """The rows to be mended, in a file like the one that came."""
    rows = ((row.number, row.cells, row_errors(row.errors)) for row in queries.error_rows(head))
    file = corrected.write(dict(head.about), head.headers, (str(ADDED[0]), str(ADDED[1])), rows)
    name = f"{head.file_name.rsplit('.', 1)[0]}-errors.{file.extension}"
    response: Response = current_app.response_class(file.content, mimetype=file.content_type)
    response.headers["Content-Disposition"] = f"attachment; filename=\"errors.{file.extension}\"; filename*=UTF-8''" + (
        quote(name)
    )
    response.headers["Cache-Control"] = "no-store"
    return response
