"""The page kernel: static files, headers, htmx, languages, values in templates."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # the package ships no types
import pytest
import time_machine
from flask import Flask, Response, render_template_string
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.web import filters, htmx, paths
from app.web.assets import Assets, UnknownAsset
from app.web.drawings import DRAWINGS, GROUPS, LEAVES, file_of
from app.web.headers import content_security_policy
from app.web.status_texts import KINDS, status_of
from tests.web.sample_app import ROOT, SampleActor, make_sample_app

PART = '<section id="part">{{ word }}</section>'


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


def _app(cache: Path, actor: SampleActor | None = None) -> Flask:
    app = make_sample_app(cache, actor)

    @app.get("/live/<word>")
    def live(word: str) -> Response:
        return htmx.live(render_template_string(PART, word=word), done=word == "done")

    @app.get("/go")
    def go() -> Response:
        return htmx.redirect_to("/cart")

    @app.get("/said")
    def said() -> Response:
        return htmx.announce(app.make_response("ok"), "64 товара")

    return app


@pytest.fixture(scope="module")
def app(cache: Path) -> Flask:
    return _app(cache)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def in_russian(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        yield


# --- static files ---


def test_a_hashed_address_is_kept_for_ever_and_compressed(app: Flask, client: FlaskClient) -> None:
    assets: Assets = app.extensions["assets"]
    answer = client.get(assets.url("css/app.css"), headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    text = brotli.decompress(answer.data).decode()
    assert text.count("@layer vendor, tokens, base, layout, parts, pages;") == 1
    for layer in ("tokens", "base", "layout", "parts", "pages"):
        assert f"@layer {layer} {{" in text


def test_every_address_in_the_stylesheets_exists(app: Flask, client: FlaskClient) -> None:
    assets: Assets = app.extensions["assets"]
    for sheet in ("css/app.css", "vendor/leaflet.css"):
        for address in re.findall(r'url\("(/static/[^"]+)"\)', client.get(assets.url(sheet)).get_data(as_text=True)):
            assert client.get(address).status_code == 200, address


def test_the_plain_address_is_kept_for_a_short_time(client: FlaskClient) -> None:
    assert "immutable" not in client.get("/static/img/logo.svg").headers["Cache-Control"]
    assert client.get("/favicon.ico").mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    "path", ["/static/../app/settings.py", "/static/%2e%2e/wsgi.py", "/static/vendor/VERSIONS.txt"]
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_template_that_names_an_absent_file_or_icon_fails(app: Flask) -> None:
    with app.test_request_context("/"):
        with pytest.raises(UnknownAsset):
            render_template_string('{{ static_url("img/none.svg") }}')
        with pytest.raises(LookupError, match="no-such-icon"):
            render_template_string('{{ icon("no-such-icon") }}')


def test_the_weight_of_a_page_stays_in_the_budget(app: Flask, cache: Path) -> None:
    assets: Assets = app.extensions["assets"]

    def weight(*names: str) -> int:
        return sum((assets.target / f"{assets.url(name).removeprefix('/static/')}.br").stat().st_size for name in names)

    scripts = weight("vendor/htmx.min.js", "vendor/idiomorph-ext.min.js", "js/app.js")
    assert scripts <= 30 * 1024
    assert scripts + weight("vendor/leaflet.js", "js/map.js") <= 75 * 1024
    assert weight("css/app.css") <= 15 * 1024


def test_every_category_has_a_drawing(app: Flask) -> None:
    assets: Assets = app.extensions["assets"]
    for name in [*DRAWINGS, *GROUPS, *LEAVES]:
        assert assets.has(file_of(name)), name
    assert file_of("no-such-leaf", "tile") == "img/tile.svg"


def test_vendored_files_are_those_of_the_list() -> None:
    done = subprocess.run(
        [sys.executable, "tools/vendor.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_components_use_icons_of_the_sprite(app: Flask) -> None:
    assets: Assets = app.extensions["assets"]
    used = set()
    for path in (ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r'icon\("([a-z0-9-]+)"', path.read_text(encoding="utf-8")))
    used |= {status.icon for kind in KINDS.values() for status in kind.values() if status.icon}
    assert used <= assets.icons


# --- headers ---


def test_pages_carry_the_policy_and_vary(client: FlaskClient) -> None:
    headers = client.get("/live/x").headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert {"HX-Request", "Cookie"} <= {name.strip() for name in headers["Vary"].split(",")}
    assert headers["Cache-Control"] == "no-cache"


def test_pages_of_a_person_are_not_stored(cache: Path) -> None:
    answer = _app(cache, SampleActor(is_signed_in=True)).test_client().get("/live/x")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_map_server_is_allowed_for_pictures_only() -> None:
    policy = content_security_policy("https://{s}.tiles.example/{z}/{x}/{y}.png")
    assert policy.endswith("img-src 'self' https://*.tiles.example")
    assert "tiles.example" not in content_security_policy("")


# --- htmx ---


def test_a_part_is_sent_only_to_htmx(app: Flask) -> None:
    part, page = "errors/_error.html", "errors/404.html"
    for headers, whole in (({}, True), ({"HX-Request": "true"}, False)):
        with app.test_request_context("/", headers=headers):
            assert htmx.is_part_request() is not whole
            assert ("404" in htmx.render_page(page, part).get_data(as_text=True)) is whole


def test_back_asks_for_the_whole_page(app: Flask) -> None:
    with app.test_request_context("/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}):
        assert not htmx.is_part_request()


def test_redirects_for_both_kinds_of_visitor(client: FlaskClient) -> None:
    plain = client.get("/go")
    assert (plain.status_code, plain.headers["Location"]) == (303, "/cart")
    with_htmx = client.get("/go", headers={"HX-Request": "true"})
    assert (with_htmx.status_code, with_htmx.headers["HX-Redirect"]) == (204, "/cart")


def test_a_polled_part_answers_304_then_286(client: FlaskClient) -> None:
    ask = {"HX-Request": "true"}
    first = client.get("/live/running", headers=ask)
    assert first.status_code == 200
    again = client.get("/live/running", headers={**ask, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    last = client.get("/live/done", headers={**ask, "If-None-Match": first.headers["ETag"]})
    assert (last.status_code, last.get_data(as_text=True)) == (286, '<section id="part">done</section>')
    assert client.get("/live/done").status_code == 200


def test_events_travel_in_ascii(client: FlaskClient) -> None:
    headers = client.get("/said").headers
    assert headers["HX-Trigger"].isascii()
    assert "announce" in headers["HX-Trigger"]


# --- languages ---


@pytest.mark.parametrize(
    ("path", "cookie", "accept", "wanted"),
    [
        ("/", "", "en", "Корзина"),
        ("/", "en", "", "Cart"),
        ("/", "xx", "", "Корзина"),
        ("/api/v1/x", "", "en-GB,en;q=0.9", "Cart"),
        ("/api/v1/x", "", "de", "Корзина"),
    ],
)
def test_language_of_an_answer(app: Flask, path: str, cookie: str, accept: str, wanted: str) -> None:
    headers = {"Accept-Language": accept} if accept else {}
    if cookie:
        headers["Cookie"] = f"lang={cookie}"
    with app.test_request_context(path, headers=headers):
        assert render_template_string('{{ _("Cart") }}') == wanted


# --- values ---


@pytest.mark.usefixtures("in_russian")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (filters.money(124050), "1\u00a0240,50\u00a0₽"),
        (filters.money(124000), "1\u00a0240\u00a0₽"),
        (filters.money(5), "0,05\u00a0₽"),
        (filters.money(-241200), "\u22122\u00a0412\u00a0₽"),
        (filters.money(100, sign=True), "+1\u00a0₽"),
    ],
)
def test_money_in_russian_by_default(value: str, text: str) -> None:
    assert value == text


@pytest.mark.usefixtures("in_russian")
def test_quantities_take_the_right_form() -> None:
    assert filters.qty(Decimal(1), "bag") == "1\u00a0мешок"
    assert filters.qty(24, "bag") == "24\u00a0мешка"
    assert filters.qty(1340, "bag") == "1\u00a0340\u00a0мешков"
    assert filters.qty(Decimal("1.50"), "bag") == "1,5\u00a0мешка"
    assert filters.qty(Fraction(27, 2), "m2") == "13,5\u00a0м²"
    assert filters.qty(Fraction(1, 3), "m3") == "0,333\u00a0м³"
    assert filters.mass(Decimal("999.96")) == "1\u00a0000\u00a0кг"
    assert filters.mass(12800) == "12,8\u00a0т"
    assert filters.volume(Decimal("26.04")) == "26\u00a0м³"
    assert filters.percent(Fraction(13, 100)) == "13\u00a0%"


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_money_says_exactly_what_it_is(kopeks: int) -> None:
    text = filters.money(kopeks).replace("\u00a0", "").replace("₽", "").replace("\u2212", "-").replace(",", ".")
    assert Decimal(text) * 100 == kopeks


@given(st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**6))
def test_figures_round_half_away_from_zero(value: Fraction) -> None:
    shown = Fraction(filters.number(value).replace("\u00a0", "").replace("\u2212", "-").replace(",", "."))
    assert abs(shown - value) <= Fraction(1, 2000)


@pytest.mark.usefixtures("in_russian")
@time_machine.travel(datetime(2026, 11, 24, 21, 30, tzinfo=UTC), tick=False)
def test_days_are_those_of_the_market() -> None:
    """21:30 UTC is already the next day in Moscow."""
    assert filters.relative_day(date(2026, 11, 25)) == "сегодня, 25\u00a0ноября"
    assert filters.relative_day(date(2026, 11, 26)) == "завтра, 26\u00a0ноября"
    assert filters.relative_day(date(2026, 11, 28)) == "сб, 28\u00a0ноября"
    assert "2027" in filters.day(date(2027, 1, 9))
    assert filters.moment(datetime(2026, 11, 24, 6, 5, tzinfo=UTC)) == "24\u00a0ноября, 9:05"
    assert (
        filters.window(datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 11, tzinfo=UTC))
        == "12:00\u201314:00"
    )
    assert filters.duration(timedelta(minutes=80)) == "1\u00a0ч 20\u00a0мин"
    assert filters.duration(3 * 86400) == "3\u00a0дня"


def test_english_numbers(app: Flask) -> None:
    with app.test_request_context("/", headers={"Cookie": "lang=en"}):
        assert filters.money(124050) == "₽1,240.50"
        assert filters.qty(Decimal("1.5"), "bag") == "1.5\u00a0bags"
        assert filters.day(date(clock.today().year, 11, 25)) == "November\u00a025"


@pytest.mark.usefixtures("in_russian")
def test_an_unnamed_status_is_shown_as_it_is() -> None:
    assert str(status_of("order", "accepted").label) == "принят"
    assert status_of("order", "under_review").label == "under review"


def test_addresses_are_escaped_and_empty_values_left_out() -> None:
    assert paths.category_path("a/b ü") == "/catalog/a%2Fb%20%C3%BC"
    assert (
        paths.with_query("/catalog/x", {"brand": ["a", "b"], "page": "2"}, page=None, sort="")
        == "/catalog/x?brand=a&brand=b"
    )
    assert paths.search_path("кирпич & co") == "/search?q=%D0%BA%D0%B8%D1%80%D0%BF%D0%B8%D1%87+%26+co"
