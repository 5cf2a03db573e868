"""Assemblies and estimates by JSON: the names and shapes that clients rely on, and the refusals."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.estimates.models import Estimate
from tests.client import ApiClient
from tests.estimates.goods import Goods, board, run
from tests.factories import orders as people

WALL = {"assembly": "partition_c111", "inputs": {"length": "5", "height": "2.7", "openings": "1.6"}}


@pytest.fixture
def goods(db_session: Any) -> Goods:
    found = Goods()
    found.sell(board(found), price=45_000)
    found.ready()
    return found


@pytest.fixture
def buyer(app: Flask, goods: Goods) -> ApiClient:
    return people.signed_api(app, people.person())


def made(buyer: ApiClient, *items: dict[str, Any]) -> Any:
    answer = buyer.post("/estimates", {"title": "Стена", "items": list(items or [WALL])})
    assert answer.status_code == 201, answer.text
    return answer.json


def priced(app: Flask, buyer: ApiClient, *items: dict[str, Any]) -> Any:
    body = made(buyer, *items)
    assert run(app, uuid.UUID(body["job"]["id"])) == "done"
    return buyer.get(f"/estimates/{body['id']}").json


def line_of(body: Any, category: str) -> Any:
    [found] = [line for line in body["lines"] if line["category"] == category]
    return found


def test_the_works_are_public_with_bounds_formulas_and_sources(api: ApiClient) -> None:
    rows = api.get("/assemblies").json["items"]
    assert [sum(r["kind"] == kind for r in rows) for kind in ("assembly", "bundle")] == [45, 5]
    one = api.get("/assemblies/partition_c111").json
    length = next(i for i in one["inputs"] if i["key"] == "length")
    assert (length["min"], length["max"], length["default"], length["unit"]) == ("0.3", "200", "5", "m")
    line = one["lines"][0]
    assert (line["id"], line["formula"], line["waste_pct"]) == ("board", "2*layers*area", "5")
    assert [s["id"] for s in line["sources"]] == ["s_ruce", "s_kit"]
    assert api.get("/assemblies/bathroom_full").json["uses"][0] == "cement_plaster"
    assert api.get("/assemblies/none").status_code == 404


def test_materials_come_at_once_with_the_job_that_prices_them(app: Flask, buyer: ApiClient) -> None:
    answer = buyer.post("/estimates", {"title": "Стена", "items": [WALL]})
    body = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/estimates/{body['id']}"
    line = line_of(body, "gypsum_board")
    assert (line["assembly_line"], line["base"], line["gross"], line["unit"]) == (
        "partition_c111.board", "23.8", "24.99", "m2",
    )  # fmt: skip
    assert (body["state"], line["packs"], line["product"], body["totals"]["goods"]) == ("pricing", None, None, None)
    assert body["job"]["state"] == "queued"
    assert buyer.get(f"/jobs/{body['job']['id']}").json["state"] == "queued"


def test_prices_arrive_with_product_offer_and_totals(app: Flask, buyer: ApiClient) -> None:
    body = priced(app, buyer)
    line = line_of(body, "gypsum_board")
    assert body["state"] == "priced"
    assert line["packs"] == 9
    assert line["pack"] == {"unit": "sheet", "content": "3", "content_unit": "m2"}
    assert line["price"] == {"amount": 45_000, "currency": "RUB"}
    assert line["total"] == body["totals"]["goods"] == {"amount": 405_000, "currency": "RUB"}
    assert line["product"]["name_ru"] == "ГКЛ 12,5"
    assert line["offer"]["seller"]
    assert (body["totals"]["mass_kg"], line["formula"]) == ("225", "2*layers*area")
    assert line["sources"][0]["unconfirmed"] is False
    assert line_of(body, "screw_drywall")["problem"] == "no_product"


def test_numbers_and_truths_are_taken_as_texts_are(buyer: ApiClient) -> None:
    inputs = {"length": 5, "height": 2.7, "openings": "1,6", "wool": False}
    body = made(buyer, {"assembly": "partition_c111", "inputs": inputs})
    assert line_of(body, "gypsum_board")["gross"] == "24.99"
    assert all(line["assembly_line"] != "partition_c111.wool" for line in body["lines"])


def test_everything_goes_into_the_cart(app: Flask, buyer: ApiClient) -> None:
    waiting = made(buyer)
    refused = buyer.post(f"/estimates/{waiting['id']}/to-cart")
    assert (refused.status_code, refused.json["code"]) == (409, "not_priced_yet")
    body = priced(app, buyer)
    cart = buyer.post(f"/estimates/{body['id']}/to-cart")
    assert cart.status_code == 200
    assert [(line["quantity"], line["unit"]) for line in cart.json["lines"]] == [("9", "sheet")]
    assert cart.json["totals"]["goods"] == body["totals"]["goods"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"items": []}, "/items", ""),
        ({}, "/items", "required"),
        ({"items": [{"inputs": {}}]}, "/items/0/assembly", "required"),
        ({"items": [{"assembly": "a", "bundle": "b"}]}, "/items/0/assembly", "required"),
        ({"items": [{"assembly": "none"}]}, "/items/0/assembly", "unknown_assembly"),
        ({"items": [{"bundle": "none"}]}, "", "unknown_assembly"),
        ({"items": [WALL, WALL | {"inputs": {"length": "-1"}}]}, "/items/1/inputs/length", "too_small"),
        ({"items": [WALL | {"inputs": {"length": 1e300}}]}, "/items/0/inputs/length", "not_a_number"),
        ({"items": [WALL | {"inputs": {"openings": "13.5"}}]}, "/items/0/inputs/openings", "openings_exceed_area"),
        ({"items": [WALL | {"inputs": {"colour": "red"}}]}, "/items/0/inputs/colour", "unknown_input"),
        ({"items": [WALL], "discount": 100}, "/discount", "unknown_field"),
        ({"items": [WALL] * 51}, "/items", ""),
        ({"items": [WALL], "title": "x" * 201}, "/title", ""),
        ({"items": [WALL | {"inputs": {"length": None}}]}, "/items/0/inputs/length", ""),
        ({"items": [WALL | {"inputs": {"length": ["5"]}}]}, "/items/0/inputs/length", ""),
    ],
)
def test_wrong_bodies_are_refused_by_pointer(buyer: ApiClient, body: Any, pointer: str, code: str) -> None:
    answer = buyer.post("/estimates", body)
    assert answer.status_code == 422, answer.text
    assert any(e["pointer"].startswith(pointer) and e["code"].startswith(code) for e in answer.json["errors"])
    assert session.scalar(sa.select(sa.func.count()).select_from(Estimate)) == 0


@pytest.mark.parametrize("where", ["title", "inputs"])
def test_a_nul_character_is_no_readable_body(buyer: ApiClient, where: str) -> None:
    wrong = {"length": "5\x00"} if where == "inputs" else {}
    body = {"title": "ноль\x00байт" if where == "title" else "", "items": [WALL | {"inputs": wrong}]}
    assert buyer.post("/estimates", body).status_code == 400


def test_dimensions_change_under_a_version(app: Flask, buyer: ApiClient) -> None:
    body = priced(app, buyer)
    path = f"/estimates/{body['id']}"
    etag = buyer.get(path).headers["ETag"]
    wider = {"items": [WALL | {"inputs": WALL["inputs"] | {"length": "10"}}]}  # type: ignore[operator]
    changed = buyer.patch(path, json=wider, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert (changed.json["state"], changed.json["version"]) == ("pricing", body["version"] + 1)
    stale = buyer.patch(path, json={"title": "Поздно"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert run(app, uuid.UUID(changed.json["job"]["id"])) == "done"
    assert line_of(buyer.get(path).json, "gypsum_board")["packs"] == 18


def test_waste_and_product_are_chosen_by_hand(app: Flask, goods: Goods, buyer: ApiClient) -> None:
    other = board(goods, "ГКЛ другой")
    goods.sell(other, price=90_000)
    goods.ready()
    body = priced(app, buyer)
    path = f"/estimates/{body['id']}/lines/{line_of(body, 'gypsum_board')['id']}"
    refused = buyer.patch(path, json={"waste_pct": "101"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/waste_pct")
    refused = buyer.patch(path, json={"product": str(uuid.uuid4())})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "not_for_this_line")
    changed = buyer.patch(path, json={"product": str(other.public_id), "waste_pct": "30"})
    assert changed.status_code == 200, changed.text
    assert run(app, uuid.UUID(changed.json["job"]["id"])) == "done"
    line = line_of(buyer.get(f"/estimates/{body['id']}").json, "gypsum_board")
    assert (line["product"]["id"], line["gross"], line["packs"]) == (str(other.public_id), "30.94", 11)


def test_a_list_goes_on_by_cursor(buyer: ApiClient) -> None:
    ids = [made(buyer)["id"] for _ in range(3)]
    first = buyer.get("/estimates?limit=2").json
    rest = buyer.get(f"/estimates?limit=2&cursor={first['next_cursor']}").json
    assert [row["id"] for row in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["abc", "-1", "9" * 40, "٣"])
def test_a_broken_cursor_breaks_nothing(buyer: ApiClient, cursor: str) -> None:
    assert buyer.get(f"/estimates?cursor={cursor}").status_code in (200, 400, 422)


def test_foreign_and_absent_are_the_same_and_strangers_are_asked_to_sign_in(
    app: Flask, api: ApiClient, buyer: ApiClient
) -> None:
    body = made(buyer)
    stranger = people.signed_api(app, people.person())
    session.commit()
    line = body["lines"][0]["id"]
    for own, absent in ((body["id"], str(uuid.uuid4())),):
        calls = [
            ("GET", f"/estimates/{own}", f"/estimates/{absent}", None),
            ("PATCH", f"/estimates/{own}", f"/estimates/{absent}", {"title": "x"}),
            ("PATCH", f"/estimates/{own}/lines/{line}", f"/estimates/{absent}/lines/{line}", {"waste_pct": "1"}),
            ("POST", f"/estimates/{own}/to-cart", f"/estimates/{absent}/to-cart", {}),
            ("POST", f"/estimates/{own}/reprice", f"/estimates/{absent}/reprice", {}),
            ("DELETE", f"/estimates/{own}", f"/estimates/{absent}", None),
        ]
        for method, foreign, nothing, sent in calls:
            one, two = (stranger.call(method, path, json=sent) for path in (foreign, nothing))
            assert one.status_code == two.status_code == 404, (method, foreign)
            ignored = ("request_id",)
            assert {k: v for k, v in one.json.items() if k not in ignored} == {
                k: v for k, v in two.json.items() if k not in ignored
            }
            assert api.call(method, foreign, json=sent).status_code == 401, (method, foreign)
    assert buyer.get(f"/estimates/{body['id']}").status_code == 200


def test_a_removed_estimate_is_gone(buyer: ApiClient) -> None:
    body = made(buyer)
    assert buyer.delete(f"/estimates/{body['id']}").status_code == 204
    assert buyer.get(f"/estimates/{body['id']}").status_code == 404
    assert buyer.get("/estimates").json["items"] == []
