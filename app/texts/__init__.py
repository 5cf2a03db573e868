"""What people read for codes: errors, states, reasons. One module per area; the edge translates.

Each area module may hold `ERRORS` (code -> lazy text with %(name)s of the error's context).
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from app.core.errors import DomainError
from app.texts import general


@functools.cache
def _errors() -> dict[str, object]:
    found: dict[str, object] = {}
    for module in pkgutil.iter_modules(__path__):
        found.update(getattr(importlib.import_module(f"{__name__}.{module.name}"), "ERRORS", {}))
    return found


def message(error: DomainError) -> str:
    """The sentence for an error in the language of the request; a code nobody worded gets the general one."""
    return error_text(error.code, error.context)


def error_text(code: str, context: dict[str, object]) -> str:
    """The sentence for a code."""
    text = str(_errors().get(code, general.UNKNOWN))
    try:
        return text % context if "%(" in text else text
    except KeyError:
        return text
