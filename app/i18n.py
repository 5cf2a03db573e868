"""Languages. Texts are written in English in the code; Russian lives in `translations/ru/<area>.po`.

All area files of a language are merged and compiled once per change and kept under `var/`, so that no compiled
catalogue is committed and areas never collide in one file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import flask
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, Domain, get_locale  # type: ignore[import-untyped]  # the package ships no types
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from flask import Flask

LOCALES = ("ru", "en")
DEFAULT_LOCALE = "ru"
SOURCE_LOCALE = "en"
COOKIE = "lang"
TIMEZONE = "Europe/Moscow"
ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "translations"


def area_files(locale: str, folder: Path = TRANSLATIONS) -> list[Path]:
    """The area catalogues of a language, in a fixed order."""
    return sorted((folder / locale).glob("*.po"))


def merged(locale: str, folder: Path = TRANSLATIONS) -> Catalog:
    """One catalogue out of all areas; of two translations of a text the first file's wins."""
    whole = Catalog(locale=locale, charset="utf-8")
    for path in area_files(locale, folder):
        with path.open("rb") as file:
            area = read_po(file, locale=locale)
        for message in area:
            known = whole.get(message.id, message.context) if message.id else message
            if known is None and not message.fuzzy and _translated(message.string):
                whole.add(message.id, message.string, context=message.context)
    return whole


def _translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def load(locale: str, cache: Path, folder: Path = TRANSLATIONS) -> NullTranslations:
    """Compiled texts of a language.

    Args:
        cache: folder for the compiled copies, named by the content of the area files.
    """
    if locale == SOURCE_LOCALE:
        return NullTranslations()
    digest = hashlib.sha256()
    for path in area_files(locale, folder):
        digest.update(path.name.encode() + path.read_bytes())
    compiled = cache / f"{locale}.{digest.hexdigest()[:16]}.mo"
    if not compiled.exists():
        buffer = BytesIO()
        write_mo(buffer, merged(locale, folder))
        _keep(compiled, buffer.getvalue())
    with compiled.open("rb") as file:
        return Translations(file)


def _keep(path: Path, data: bytes) -> None:
    """Write whole or not at all: several processes start at the same moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.chmod(name, 0o644)
    os.replace(name, path)


def present_language() -> str:
    """`ru` or `en`: the language of the present request or job."""
    try:
        known = flask.g.get("_flask_babel")  # where Flask-Babel keeps its answer, and `force_locale` what it forces
    except RuntimeError:  # no application context
        return DEFAULT_LOCALE
    locale = getattr(known, "babel_locale", None) or get_locale()
    return str(locale.language) if locale else DEFAULT_LOCALE


class _Texts(Domain):  # type: ignore[misc]  # Domain is untyped
    """Flask-Babel's source of texts, fed from memory."""

    def __init__(self, texts: dict[str, NullTranslations]) -> None:
        super().__init__()
        self._texts = texts

    def get_translations(self) -> NullTranslations:
        return self._texts.get(present_language(), self._texts[DEFAULT_LOCALE])


def init_i18n(app: Flask, *, cache: Path, user_locale: Callable[[], str | None] = lambda: None) -> Babel:
    """Set up Flask-Babel, `_`, `ngettext` and the filters of Babel in templates.

    Args:
        cache: folder for compiled catalogues.
        user_locale: language of the signed-in person, or None.
    """
    babel = Babel()
    babel.init_app(
        app,
        default_locale=DEFAULT_LOCALE,
        default_timezone=TIMEZONE,
        locale_selector=lambda: choose_locale(user_locale),
    )
    texts = {locale: load(locale, cache) for locale in LOCALES}
    babel.__dict__["domain_instance"] = _Texts(texts)
    # Flask-Babel's own callables look through the context six times for each of hundreds of texts of a page
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by jinja2.ext.i18n
        gettext=lambda text: texts[present_language()].ugettext(text),
        ngettext=lambda one, many, n: texts[present_language()].ungettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, text: texts[present_language()].upgettext(context, text),
        npgettext=lambda context, one, many, n: texts[present_language()].unpgettext(context, one, many, n),
    )
    app.jinja_env.add_extension("jinja2.ext.do")
    return babel


def choose_locale(user_locale: Callable[[], str | None]) -> str:
    """Language of the present answer: the person's, then the cookie's, then Russian. The API obeys Accept-Language."""
    if not flask.has_request_context():
        return DEFAULT_LOCALE
    request = flask.request
    if request.path.startswith("/api/v1"):
        return request.accept_languages.best_match(LOCALES, DEFAULT_LOCALE) or DEFAULT_LOCALE
    try:
        own = user_locale()
    except SQLAlchemyError:  # the database may be down; the error page still has a language
        own = None
    for choice in (own, request.cookies.get(COOKIE)):
        if choice in LOCALES:
            return str(choice)
    return DEFAULT_LOCALE
