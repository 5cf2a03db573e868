"""Layouts, components and error pages: whole markup, nothing inline, names for every control."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from flask.testing import FlaskClient
from flask_wtf import FlaskForm  # type: ignore[import-untyped]  # the package ships no types
from jinja2 import Environment
from wtforms import DecimalField, SelectField, StringField  # type: ignore[import-untyped]  # the package ships no types
from wtforms.fields.choices import SelectChoice  # type: ignore[import-untyped]  # the package ships no types
from wtforms.validators import InputRequired, NumberRange  # type: ignore[import-untyped]  # the package ships no types

from app.core import clock
from app.web import charts, draw
from app.web.drawings import DRAWINGS
from tests.web.sample_app import ROOT, SampleActor, make_sample_app

CARD = {
    "url": "/product/block", "name": "Block", "name_2": "D500", "image": "/static/img/block.svg", "price": 173300,
    "unit_name": "m²", "old": 188900, "other": ["312 ₽"], "specs": [("Strength", "B3.5")], "sellers": "3 sellers",
    "need": "672 pcs", "need_sum": 20966400, "promise": "tomorrow", "best": True, "offer_id": "1", "quantity": 672,
    "step": 48, "min": 48,
}  # fmt: skip
NAV = [
    {"url": "/office", "label": "Orders", "icon": "package", "count": 7},
    {"url": "/o", "label": "Goods", "icon": "tags"},
]
VOID = {"meta", "link", "img", "input", "br", "hr", "source"}
ERRORS = ("403", "404", "405", "429", "500", "503", "refused")


class Page(HTMLParser):
    """What the checks below need to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.inline: list[str] = []
        self.open: list[str] = []
        self.forms_without_token = 0
        self.post_forms = 0
        self.tokens = 0
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if len(values) != len(attrs):
            self.inline.append(f"repeated attribute in <{tag}>")
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.references += values.get(name, "").split()
        self.inline += [f"<{tag} {name}>" for name in values if name == "style" or name.startswith("on")]
        if tag == "script" and "src" not in values:
            self.inline.append("<script> without src")
        self.post_forms += tag == "form" and values.get("method") == "post"
        self.tokens += values.get("name") == "csrf_token"
        self.addresses += [values[name] for name in ("src", "href", "action") if name in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    everybody = SampleActor(True, "Demo", True, object(), object(), True)
    app = make_sample_app(tmp_path_factory.mktemp("var"), everybody)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/")
    def sheet() -> str:
        day = clock.today() + timedelta(days=1)
        return render_template("sheet.html", card=CARD, day=day, drawings=sorted(DRAWINGS))

    @app.get("/office")
    def office() -> str:
        return render_template("office_sheet.html", nav=NAV, office_name="Demo", office_role="seller")

    @app.get("/courier")
    def courier() -> str:
        return render_template("courier_sheet.html")

    @app.get("/error/<name>")
    def error(name: str) -> str:
        return render_template(f"errors/{name}.html", request_id="abc", message="No", retry_after=90)

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/office", "/courier", *(f"/error/{name}" for name in ERRORS)])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_markup_is_whole(client: FlaskClient, path: str, language: str) -> None:
    client.set_cookie("lang", language)
    client.set_cookie("theme", "dark")
    html = client.get(path).get_data(as_text=True)
    page = Page(html)
    assert f'<html lang="{language}" data-theme="dark">' in html
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), sorted(i for i in set(page.ids) if page.ids.count(i) > 1)
    assert set(page.references) <= set(page.ids), set(page.references) - set(page.ids)
    assert page.inline == []
    assert page.tokens == page.post_forms, "a form that posts without its token"
    assert html.count("<h1") == 1
    assert not [address for address in page.addresses if "//" in address], "something from elsewhere"
    assert "None" not in html


def test_static_addresses_of_pages_exist(client: FlaskClient) -> None:
    for address in set(Page(client.get("/").get_data(as_text=True)).addresses):
        if address.startswith("/static/"):
            assert client.get(address.partition("#")[0]).status_code == 200, address


@pytest.mark.parametrize("name", ERRORS)
def test_error_pages_need_no_session(client: FlaskClient, name: str) -> None:
    """They are shown when the database is down: they neither read nor set a session."""
    answer = client.get(f"/error/{name}")
    assert "Set-Cookie" not in answer.headers
    assert "csrf" not in answer.get_data(as_text=True)


def test_each_cabinet_of_a_person_has_a_door(client: FlaskClient) -> None:
    html = client.get("/").get_data(as_text=True)
    for door in ("/seller/orders", "/carrier/deliveries", "/courier", "/admin/organisations", "/account", "/cart"):
        assert f'href="{door}"' in html
    assert 'href="/login"' not in html


def test_only_couriers_may_be_located_and_photograph(client: FlaskClient) -> None:
    assert "geolocation=(self)" in client.get("/courier").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/office").headers["Permissions-Policy"]


def test_the_present_section_of_a_cabinet_is_marked(client: FlaskClient) -> None:
    html = client.get("/office").get_data(as_text=True)
    assert html.count('aria-current="page"') == 1
    assert '<a href="/office" aria-current="page">' in html


def test_typed_text_is_escaped(app: Flask) -> None:
    with app.test_request_context("/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        html = render_template("office_sheet.html", nav=[], office_name="<script>x</script>")
        shop = render_template(
            "sheet.html", card={**CARD, "name": "<script>y</script>"}, day=clock.today(), drawings=[]
        )
    assert "<script>x" not in html
    assert "<script>y" not in shop
    assert "<script>alert" not in shop


def test_every_template_compiles(app: Flask) -> None:
    env: Environment = app.jinja_env
    for path in (ROOT / "templates").rglob("*.html"):
        env.get_template(str(path.relative_to(ROOT / "templates")))


def test_the_sprite_and_sheets_are_committed_files() -> None:
    for path in ("static/vendor/icons.svg", "static/img/blank.gif", "static/fonts/OFL.txt"):
        assert Path(ROOT / path).is_file()


class Dimensions(FlaskForm):  # type: ignore[misc]  # the package ships no types
    """A form as pages use it."""

    length = DecimalField("Length", [InputRequired("Type the length"), NumberRange(max=200, message="At most 200 m")])
    kind = SelectField("Kind", choices=[SelectChoice("wall", "Wall"), SelectChoice("floor", "Floor")])
    note = StringField("Note", description="for the seller")


def test_a_refused_form_says_what_is_wrong_twice_and_keeps_what_was_typed(app: Flask) -> None:
    source = (
        '{% from "components/form.html" import wtf, wtf_summary %}'
        '{{ wtf_summary(form) }}{{ wtf(form.length, unit="m") }}{{ wtf(form.kind) }}{{ wtf(form.note) }}'
    )
    with app.test_request_context("/", method="POST", data={"length": "900", "kind": "floor", "note": "<b>gate</b>"}):
        form = Dimensions(meta={"csrf": False})
        assert not form.validate()
        html = render_template_string(source, form=form)
    page = Page(html)
    assert '<a href="#length">Length: At most 200 m</a>' in html
    assert html.count("At most 200 m") == 2
    assert 'value="900"' in html
    assert 'aria-invalid="true"' in html
    assert '<option value="floor" selected>' in html
    assert "&lt;b&gt;gate" in html
    assert set(page.references) <= set(page.ids)


def test_a_finished_job_is_not_asked_about_again(app: Flask) -> None:
    source = '{% from "components/jobs.html" import job_progress %}{{ job_progress(job, "Plan", "/job") }}'
    with app.test_request_context("/"):
        running = render_template_string(source, job={"status": "running", "done": 3, "total": 9})
        done = render_template_string(source, job={"status": "done", "done": 9, "total": 9})
    assert 'hx-trigger="every 2s"' in running
    assert 'max="9"' in running
    assert "hx-get" not in done
    assert "<progress" not in done


@pytest.mark.parametrize(
    ("length", "height", "openings", "block"),
    [
        (5, 2.7, [(1.4, 1.4), (0.9, 2.1)], (0.6, 0.2)),
        (200, 0.5, [], (0.25, 0.065)),
        (0.5, 12, [(0.4, 2)], None),
        (2, 3, [(3, 1)], None),
    ],
)
def test_a_wall_of_any_shape_stays_on_the_sheet(
    length: float, height: float, openings: list[tuple[float, float]], block: tuple[float, float] | None
) -> None:
    drawing = draw.wall(length, height, openings, block)
    assert drawing.body.x >= draw.LEFT - 1
    assert drawing.body.x + drawing.body.width <= draw.WIDTH - draw.RIGHT + 1
    assert len(drawing.joints) < 40_000
    for opening in drawing.openings:
        assert drawing.body.x <= opening.box.x
        assert opening.box.x + opening.box.width <= drawing.body.x + drawing.body.width + 1
        assert opening.box.y + opening.box.height <= drawing.body.y + drawing.body.height + 1


def test_charts_put_values_in_order() -> None:
    chart = charts.line_chart([1, 3, 2], ["a", "b", "c", "d"], ["1", "3", "2", "4"], [(4, 3, 5)])
    ys = [dot.y for dot in chart.dots]
    assert ys[3] < ys[1] < ys[2] < ys[0]
    bars = charts.bar_chart([10, 20], ["a", "b"], ["a", "b"]).bars
    assert bars[1].height == pytest.approx(2 * bars[0].height, abs=0.2)
    level = charts.line_chart([5, 5], ["", ""], ["", ""])
    assert level.dots[0].y == level.dots[1].y
    assert charts.sparkline([]) == ""
