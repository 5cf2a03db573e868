"""Pages of estimates without script: the form, its refusals, the result while priced and after, the cart."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import session
from app.core.models import Job
from app.estimates.assemblies import assemblies, bundles
from app.estimates.models import Estimate
from app.orders.models import CartLine
from tests.estimates.goods import Goods, board, run, track
from tests.factories import orders as people

FORM = "/estimates/new/partition_c111"
WALL = {"length": "5", "height": "2,7", "openings": "1,6", "step": "0.6", "profile_w": "50х50", "wool": "1"}


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\u00a0", " ").split())


def made(client: FlaskClient, form: str = FORM, **changed: str) -> str:
    """The path of a new estimate."""
    answer = client.post(form, data=WALL | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def price(app: Flask) -> None:
    job = session.scalars(sa.select(Estimate.job_id).order_by(Estimate.id.desc())).first()
    assert job is not None
    assert run(app, job) == "done"


@pytest.fixture
def goods(db_session: Any) -> Goods:
    found = Goods()
    found.sell(board(found), price=45_000)
    found.sell(track(found), price=15_000)
    found.ready()
    return found


def test_all_works_are_offered(client: FlaskClient) -> None:
    page = client.get("/estimates").text
    offered = set(re.findall(r'href="/estimates/new/(\w+)"', page))
    assert offered == set(assemblies()) | set(bundles())
    assert len(offered) == 50


@pytest.mark.parametrize("key", [*assemblies(), *bundles()])
def test_every_form_counts_with_its_own_defaults(client: FlaskClient, key: str) -> None:
    page = client.get(f"/estimates/new/{key}")
    assert page.status_code == 200
    data = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page.text))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page.text, re.S):
        chosen = re.search(r'value="([^"]*)"\s+selected', options)
        assert chosen, name
        data[name] = chosen[1]
    answer = client.post(f"/estimates/new/{key}", data=data, follow_redirects=True)
    assert answer.status_code == 200, text_of(answer)
    assert session.scalars(sa.select(Estimate.title)).one() == text_of_title(key)


def text_of_title(key: str) -> str:
    return (assemblies().get(key) or bundles()[key]).ru


def test_a_wall_is_counted_shown_while_priced_and_after(app: Flask, client: FlaskClient, goods: Goods) -> None:
    path = made(client)
    waiting = client.get(path)
    assert 'hx-trigger="every 1s"' in waiting.text
    assert f'href="{path}"' in waiting.text, "the way without script"
    assert "24,99 м²" in text_of(waiting), "materials stand before prices"
    price(app)
    done = client.get(path)
    page = text_of(done)
    assert "hx-trigger" not in done.text.split('id="estimate"')[1].split(">")[0]
    assert "9 листов" in page
    assert "4 050 ₽" in page
    assert "ceil(length / step) + 1" not in page
    assert "2*layers*area = 2 × 1 × 11,9" in page
    assert "Норма: 2,0 м²/м²" in page
    assert "Шаг стоек 0,6 м" in page
    assert "запас 5 %" in page
    assert "Источник:" in page
    assert "50х40 вместо 50х50" in page
    assert "Сейчас этого никто не продаёт" in page
    assert f'action="{path}/to-cart"' in done.text


def test_a_length_of_one_is_a_number_and_a_choice_is_a_word(client: FlaskClient) -> None:
    page = text_of(client.get(made(client, length="1", openings="0", wool="0")))
    assert "Длина 1 м" in page
    assert "Звукоизоляция нет" in page


def test_the_part_that_polls_ends_the_polling(app: Flask, client: FlaskClient, goods: Goods) -> None:
    path = made(client)
    headers = {"HX-Request": "true", "HX-Target": "estimate"}
    part = client.get(path, headers=headers)
    assert part.status_code == 200
    assert "<html" not in part.text
    price(app)
    part = client.get(path, headers=headers)
    assert part.status_code == 286
    assert "<html" not in part.text
    assert "9 листов" in text_of(part)


def test_a_job_that_died_says_so_and_can_be_tried_again(app: Flask, client: FlaskClient, goods: Goods) -> None:
    path = made(client)
    session.execute(sa.update(Job).values(state="dead", finished_at=sa.func.now()))
    session.commit()
    dead = client.get(path)
    assert 'hx-trigger="every 1s"' not in dead.text
    assert f'action="{path}/reprice"' in dead.text
    client.post(f"{path}/reprice")
    price(app)
    assert "9 листов" in text_of(client.get(path))


def test_unconfirmed_figures_are_marked(app: Flask, client: FlaskClient) -> None:
    own = next(a.id for a in assemblies().values() if any("s_own" in line.sources for line in a.lines))
    data = {i.key: i.default for i in assemblies()[own].inputs}
    answer = client.post(f"/estimates/new/{own}", data=data, follow_redirects=True)
    assert "не подтвержд" in text_of(answer)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"length": "пять"}, "length", "число"),
        ({"length": ""}, "length", ""),
        ({"length": "0"}, "length", "0,3"),
        ({"length": "-5"}, "length", "0,3"),
        ({"length": "1e9"}, "length", "число"),
        ({"length": "999999999999999999999"}, "length", ""),
        ({"length": "٣"}, "length", "число"),
        ({"height": "600"}, "height", "6"),
        ({"openings": "13,5"}, "openings", "Проемы"),
        ({"profile_w": "'; drop table estimate"}, "profile_w", ""),
    ],
)
def test_absurd_dimensions_are_refused_beside_the_field_and_kept(
    client: FlaskClient, changed: dict[str, str], field: str, words: str
) -> None:
    answer = client.post(FORM, data=WALL | changed)
    assert answer.status_code == 422
    page = answer.text
    assert "<title>Ошибка:" in page
    assert f'href="#f-{field}"' in page, "the summary leads to the field"
    control = re.search(rf'<(?:input|select)[^>]*id="f-{field}"[^>]*>', page)
    assert control
    assert 'aria-invalid="true"' in control[0]
    assert words in text_of(answer).replace("ё", "е")
    if field != "profile_w" and changed[field]:
        assert f'value="{changed[field]}"' in control[0]
    for name in {"length", "height"} - {field}:
        assert f'value="{WALL[name]}"' in page
    assert session.scalar(sa.select(sa.func.count()).select_from(Estimate)) == 0


def test_all_wrong_fields_are_named_at_once(client: FlaskClient) -> None:
    page = client.post(FORM, data=WALL | {"length": "x", "height": "y", "openings": "z"}).text
    assert {f'href="#f-{name}"' in page for name in ("length", "height", "openings")} == {True}


def test_a_bundle_with_openings_larger_than_its_walls_is_refused(client: FlaskClient) -> None:
    data = {"length": "2", "width": "2", "height": "2,5", "openings": "40"}
    answer = client.post("/estimates/new/bathroom_full", data=data)
    assert answer.status_code == 422
    assert 'value="40"' in answer.text


@pytest.mark.parametrize(("title", "status"), [("х" * 201, 422), ("ноль\x00байт", 400)])
def test_a_title_that_cannot_be_kept_is_refused(client: FlaskClient, title: str, status: int) -> None:
    assert client.post(FORM, data=WALL | {"title": title}).status_code == status
    assert session.scalar(sa.select(sa.func.count()).select_from(Estimate)) == 0


def test_markup_in_a_title_stays_text(client: FlaskClient) -> None:
    path = made(client, title="<script>alert(1)</script>")
    for page in (client.get(path).text, client.get("/estimates").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_everything_goes_into_the_cart_with_one_press(app: Flask, client: FlaskClient, goods: Goods) -> None:
    path = made(client)
    early = client.post(f"{path}/to-cart", follow_redirects=True)
    assert "цены еще" in text_of(early).lower().replace("ё", "е")
    price(app)
    answer = client.post(f"{path}/to-cart")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cart")
    assert client.get_cookie("cart") is not None
    assert sorted(session.scalars(sa.select(CartLine.quantity))) == [4, 9]
    assert "ГКЛ 12,5" in text_of(client.get("/cart"))


def test_dimensions_can_be_changed(app: Flask, client: FlaskClient, goods: Goods) -> None:
    path = made(client)
    form = client.get(f"{path}/edit")
    assert 'value="2,7"' in form.text, "as it was typed"
    refused = client.post(f"{path}/edit", data=WALL | {"length": "0"})
    assert refused.status_code == 422
    assert f'action="{path}/edit"' in refused.text
    assert client.post(f"{path}/edit", data=WALL | {"length": "10"}).status_code == 303
    price(app)
    assert "18 листов" in text_of(client.get(path))


def test_a_removed_estimate_is_gone(client: FlaskClient) -> None:
    path = made(client)
    assert client.post(f"{path}/delete").status_code == 303
    assert client.get(path).status_code == 404
    assert path not in client.get("/estimates").text


def test_a_foreign_estimate_answers_like_an_absent_one(app: Flask, client: FlaskClient) -> None:
    path = made(client)
    absent = "/estimates/01890000-0000-7000-8000-000000000000"
    other = app.test_client()
    signed = people.signed_browser(app, people.person())
    for stranger in (other, signed):
        for tail in ("", "/edit"):
            assert stranger.get(path + tail).status_code == stranger.get(absent + tail).status_code == 404
        for tail in ("/edit", "/reprice", "/to-cart", "/delete"):
            assert stranger.post(path + tail, data=WALL).status_code == 404
    assert client.get("/estimates/not-an-id").status_code == 404
    assert client.get("/estimates/new/no-such-work").status_code == 404
    assert client.get(path).status_code == 200


def test_the_guests_token_is_a_cookie_no_script_can_read_and_only_its_hash_is_kept(client: FlaskClient) -> None:
    made(client)
    cookie = client.get_cookie("estimates")
    assert cookie is not None
    assert cookie.http_only
    [kept] = session.scalars(sa.select(Estimate.token_hash))
    assert kept is not None
    assert cookie.value.encode() not in kept
    made(client)
    again = client.get_cookie("estimates")
    assert again is not None
    assert again.value == cookie.value


def test_english_readers_get_english(app: Flask, client: FlaskClient, goods: Goods) -> None:
    client.set_cookie("lang", "en")
    answer = client.get(FORM)
    assert "Gypsum partition" in answer.text
    assert 'value="2.7"' in answer.text
