"""Static files: one stylesheet out of five, names that carry a hash of the content, brotli and gzip copies.

At start the files of `static/` are copied under `var/` with hashed names and compressed once; whitenoise then
answers them before Flask is entered. A hashed address never changes its bytes, so browsers keep it for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # the package ships no types
from whitenoise import WhiteNoise  # type: ignore[import-untyped]  # the package ships no types

if TYPE_CHECKING:
    from wsgiref.headers import Headers

    from flask import Flask

PREFIX = "/static/"
STYLESHEETS = (
    "css/tokens.css",
    "css/base.css",
    "css/layout/columns.css",
    "css/layout/shop.css",
    "css/layout/office.css",
    "css/layout/courier.css",
    "css/parts/type.css",
    "css/parts/buttons.css",
    "css/parts/fields.css",
    "css/parts/tags.css",
    "css/parts/panels.css",
    "css/parts/goods.css",
    "css/parts/pictures.css",
    "css/parts/tables.css",
    "css/parts/figures.css",
    "css/parts/maps.css",
    "css/parts/overlays.css",
    "css/pages.css",
    "css/dispatch.css",
)
BUNDLE = "css/app.css"
COMPRESSED = frozenset({".css", ".js", ".svg", ".json", ".txt", ".webmanifest"})
SKIPPED = frozenset({"licenses", "VERSIONS.txt"})
PLAIN_MAX_AGE = 300
"""Seconds an address without a hash may be kept."""

_CSS_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)['\"]?\s*\)")
_HASHED = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")
_SYMBOL = re.compile(r'<symbol id="([^"]+)"')
_CHARSETS = re.compile(r"^\s*@charset[^;]+;", re.MULTILINE)


class UnknownAsset(LookupError):
    """A template asks for a static file that does not exist."""


class Assets:
    """The static files of one process: logical path to hashed address."""

    def __init__(self, source: Path, target: Path) -> None:
        """Copy, hash and compress what changed.

        Args:
            source: the folder `static/` of the project.
            target: a folder for the copies; shared by processes, safe to delete.
        """
        self.source = source
        self.target = target
        self._urls: dict[str, str] = {}
        plain = [path for path in sorted(_files(source)) if not path.startswith("css/")]
        stylesheets = [path for path in plain if path.endswith(".css")]
        for path in plain:
            if path not in stylesheets:
                self._add(path, (source / path).read_bytes())
        for path in stylesheets:
            self._add(path, b"@layer vendor {\n" + self._stylesheet([path]) + b"\n}\n")  # ours come after theirs
        self._add(BUNDLE, self._stylesheet(STYLESHEETS))
        self.icons = frozenset(_SYMBOL.findall((source / "vendor/icons.svg").read_text(encoding="utf-8")))

    def url(self, path: str) -> str:
        """Address of a static file, e.g. `url("img/block.svg")`; the stylesheet is `css/app.css`.

        Raises:
            UnknownAsset: there is no such file.
        """
        try:
            return self._urls[path]
        except KeyError:
            raise UnknownAsset(f"no static file {path!r}") from None

    def has(self, path: str) -> bool:
        """Whether such a static file exists."""
        return path in self._urls

    def _stylesheet(self, paths: Iterable[str]) -> bytes:
        """The stylesheets joined, with hashed addresses inside url()."""
        parts = []
        for path in paths:
            text = _CHARSETS.sub("", (self.source / path).read_text(encoding="utf-8"))
            parts.append(_CSS_URL.sub(partial(self._inside, folder=Path(path).parent), text))
        return "\n".join(parts).encode()

    def _inside(self, found: re.Match[str], *, folder: Path) -> str:
        target = found.group(1)
        if target.startswith(("#", "data:", "/")):
            return found.group(0)
        return f'url("{self.url(os.path.normpath(folder / target))}")'

    def _add(self, path: str, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()[:12]
        stem, suffix = os.path.splitext(path)
        name = f"{stem}.{digest}{suffix}"
        self._urls[path] = PREFIX + name
        file = self.target / name
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if suffix in COMPRESSED:
            _write(file.with_name(file.name + ".br"), brotli.compress(data, quality=11))
            _write(file.with_name(file.name + ".gz"), gzip.compress(data, 9, mtime=0))
        _write(file, data)  # last: a process that sees it finds the copies as well


def _files(source: Path) -> Iterable[str]:
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if path.is_file() and not SKIPPED.intersection(relative.parts):
            yield str(relative)


def _write(file: Path, data: bytes) -> None:
    """Write whole or not at all: several processes start at the same moment."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.chmod(name, 0o644)
    os.replace(name, file)


def _headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def init_assets(app: Flask, source: Path, target: Path) -> Assets:
    """Prepare the files, serve them in front of `app.wsgi_app`, and give templates `static_url`.

    Only files known at start are served: no path of a request ever reaches the file system.
    """
    assets = Assets(source, target)
    served = WhiteNoise(
        app.wsgi_app,
        max_age=PLAIN_MAX_AGE,
        allow_all_origins=False,
        mimetypes={".webmanifest": "application/manifest+json"},
        add_headers_function=_headers,
        immutable_file_test=lambda path, url: bool(_HASHED.search(url)),
    )
    for path, url in assets._urls.items():
        served.add_file_to_dictionary(url, str(target / url.removeprefix(PREFIX)))
        # the same file under its plain name, for mail, documentation and hands
        served.add_file_to_dictionary(PREFIX + path, str(target / url.removeprefix(PREFIX)))
    if assets.has("img/favicon.svg"):
        favicon = target / assets.url("img/favicon.svg").removeprefix(PREFIX)
        served.add_file_to_dictionary("/favicon.ico", str(favicon))
    app.wsgi_app = served  # type: ignore[method-assign]  # Flask's documented way to add middleware
    app.extensions["assets"] = assets
    app.jinja_env.globals["static_url"] = assets.url
    return assets


def asset_url(path: str) -> str:
    """Address of a static file for the current application; see `Assets.url`."""
    from flask import current_app

    assets: Assets = current_app.extensions["assets"]
    return assets.url(path)
