"""A Flask app with the page kernel only: no database, no accounts. For tests of layouts and components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, get_flashed_messages, request
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]  # the package ships no types
from jinja2 import ChoiceLoader, FileSystemLoader

from app.i18n import init_i18n
from app.web import htmx
from app.web.assets import init_assets
from app.web.filters import init_filters, language
from app.web.headers import init_headers

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class SampleActor:
    """Stands where the signed-in person stands."""

    is_signed_in: bool = False
    name: str = ""
    is_admin: bool = False
    seller: object = None
    carrier: object = None
    is_courier: bool = False


def make_sample_app(cache: Path, actor: SampleActor | None = None, **config: Any) -> Flask:
    """The kernel wired as create_app wires it."""
    person = actor or SampleActor()
    app = Flask("sample", root_path=str(ROOT), template_folder="templates", static_folder=None)
    app.config.update(
        SECRET_KEY="sample-secret-for-tests-only-32-characters",
        TESTING=True,
        WTF_CSRF_ENABLED=False,
        **config,
    )
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(ROOT / "templates"),
            FileSystemLoader(ROOT / "tests/web/templates"),
        ]
    )
    CSRFProtect(app)
    init_i18n(app, cache=cache / "i18n")
    assets = init_assets(app, ROOT / "static", cache / "static")
    init_filters(app, assets)
    init_headers(app, is_signed_in=lambda: person.is_signed_in)
    htmx.init_htmx(app)

    @app.context_processor
    def context() -> dict[str, Any]:
        categories = [
            {"slug": "masonry", "name": "Wall materials"},
            {"slug": "timber", "name": "Timber"},
        ]
        return {
            "actor": person,
            "cart_count": lambda: 5,
            "top_categories": categories,
            "locale": language(),
            "theme": request.cookies.get("theme", ""),
            "get_flashed_messages": get_flashed_messages,
        }

    return app
