"""Hearts and the comparison: what this visitor has marked, for the buttons of cards and pages.

Lists of products are kept for everybody (`catalog.category`), so their buttons are drawn unpressed and `press` marks
those of the visitor in the finished text.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, current_app, request
from markupsafe import Markup

from app import access
from app.catalog import lists
from app.core.ids import parse_uuid
from app.web import sessions

COMPARE_COOKIE = "compare"
SAVE_COOKIE = "save"
MOST_COMPARED = 4
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Marks:
    """Outward ids of products: favourites of the person, and what is compared in this browser, in order."""

    favourites: frozenset[str]
    compared: tuple[str, ...]


def present() -> Marks:
    """The marks of this request's visitor."""
    actor = access.actor()
    saved = lists.favourites(actor.user, current_app.extensions["cache"]) if actor.is_signed_in else frozenset()
    return Marks(saved, tuple(str(one) for one in compared()))


def compared() -> list[uuid.UUID]:
    """Products compared in this browser, at most MOST_COMPARED."""
    return read_ids(request.cookies.get(COMPARE_COOKIE, ""))


def read_ids(text: str) -> list[uuid.UUID]:
    """Outward ids out of a cookie or an address, separated by commas; what is none is left out."""
    found = [parse_uuid(part) for part in text[:400].split(",")]
    return list(dict.fromkeys(one for one in found if one is not None))[:MOST_COMPARED]


def remember_compared(response: Response, ids: Iterable[uuid.UUID]) -> None:
    """Keep what is compared for a year, or forget it."""
    text = ",".join(one.hex for one in ids)
    if text:
        sessions.set_cookie(response, COMPARE_COOKIE, text, sessions.YEAR)
    else:
        response.delete_cookie(COMPARE_COOKIE, path="/")


def press(html: str) -> Markup:
    """A finished list with the visitor's buttons pressed."""
    marks = present()
    for name, ids in (("product", marks.favourites), ("toggle", marks.compared)):
        for one in ids:
            html = html.replace(f'name="{name}" value="{one}" aria-pressed="false"',
                                f'name="{name}" value="{one}" aria-pressed="true"')  # fmt: skip
    return Markup(html)  # made by our template, where everything is escaped
