"""The operator opens, changes and hides categories and master cards; nobody else may."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.core.models import AuditEntry, Job
from tests.client import ApiClient
from tests.factories import catalog as make
from tests.factories import orders as people
from workers import worker

CATEGORY = {"slug": "new_things", "name_ru": "Новинки", "name_en": "New things"}


@pytest.fixture
def admin(app: Flask, db_session: Any) -> ApiClient:
    client = people.signed_api(app, people.person(is_admin=True))
    session.commit()
    make.ready()
    return client


def pointers(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["code"] for error in answer.json["errors"]}


def a_card(**more: Any) -> dict[str, Any]:
    return {
        "category": "new_things", "unit": "sheet", "name_ru": "Лист новый", "name_en": "New sheet",
        "units": [{"code": "m2", "factor": "1/3", "sold": False, "content": True}], "mass_kg": "28.5",
    } | more  # fmt: skip


def test_a_category_and_a_card_live_their_life(admin: ApiClient, api: ApiClient) -> None:
    assert admin.post("/categories", CATEGORY).status_code == 201
    assert pointers(admin.post("/categories", CATEGORY)) == {"/slug": "slug_taken"}
    made = admin.post("/products", a_card())
    assert made.status_code == 201, made.text
    assert {u["code"]: u["factor"] for u in made.json["units"]} == {"sheet": "1/1", "m2": "1/3"}
    path = f"/products/{made.json['id']}"
    changed = admin.patch(path, {"name_ru": "Лист новейший"}, headers={"If-Match": made.headers["ETag"]})
    assert changed.json["name"] == "Лист новейший"
    assert admin.patch(path, {"brand": "X"}, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert admin.delete("/categories/new_things").json["code"] == "category_in_use"
    assert admin.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["category.added", "product.added", "product.edited", "product.edited"]


def test_categories_go_three_levels_deep(admin: ApiClient) -> None:
    assert admin.post("/categories", CATEGORY).status_code == 201
    assert admin.post("/categories", CATEGORY | {"slug": "b", "parent": "new_things"}).status_code == 201
    third = admin.post("/categories", CATEGORY | {"slug": "c", "parent": "b"})
    assert third.json["path"] == ["new_things", "b", "c"]
    assert pointers(admin.post("/categories", CATEGORY | {"slug": "d", "parent": "c"})) == {"/parent": "too_deep"}
    nowhere = admin.post("/categories", CATEGORY | {"slug": "d", "parent": "zz"})
    assert pointers(nowhere) == {"/parent": "unknown_option"}
    assert admin.delete("/categories/c").status_code == 204
    assert admin.delete("/categories/c").status_code == 404


def test_new_words_of_a_category_find_its_products_once_a_worker_wrote_them(
    app: Flask, admin: ApiClient, api: ApiClient
) -> None:
    market = make.market()
    place = make.category("Листы")
    thing = make.product(place, "Лист обычный")
    make.offer(market, thing)
    make.ready()
    assert api.get("/products?q=сухая штукатурка").json["items"] == []
    assert admin.patch(f"/categories/{place.slug}", {"synonyms": ["сухая штукатурка"]}).status_code == 200
    for job in session.scalars(sa.select(Job.id).where(Job.kind == "search.rebuild")).all():
        worker.run_in_context(job, app)
    assert [i["slug"] for i in api.get("/products?q=сухая штукатурка").json["items"]] == [thing.slug]


def test_everything_wrong_with_a_card_is_said_at_once(admin: ApiClient) -> None:
    admin.post("/categories", CATEGORY)
    units = [{"code": "m2", "factor": "1/3", "content": True}, {"code": "kg", "factor": "1/28", "content": True},
             {"code": "sheet", "factor": "2/1"}]  # fmt: skip
    answer = admin.post("/products", a_card(units=units, attributes={"odd": "1"}))
    assert pointers(answer) == {
        "/units": "one_content_unit", "/units/2/factor": "malformed", "/attributes/odd": "unknown_field"
    }  # fmt: skip
    assert "/units/0/factor" in pointers(admin.post("/products", a_card(units=[{"code": "m2", "factor": "0/1"}])))


def test_others_may_not(app: Flask, admin: ApiClient, api: ApiClient) -> None:
    seller = people.signed_api(app, make.market().sellers[0])
    session.commit()
    for client, status in ((seller, 403), (api, 401)):
        assert client.post("/categories", CATEGORY).status_code == status
        assert client.delete("/categories/x").status_code == status
    assert api.post("/products", a_card()).status_code == 401


def test_what_a_seller_sends_waits_for_the_operator(app: Flask, admin: ApiClient) -> None:
    market = make.market(sellers=2)
    seller, other = (people.signed_api(app, actor) for actor in market.sellers)
    thing = make.product(make.category("Листы"), "Лист")
    make.offer(market, thing)
    session.commit()
    assert admin.post("/categories", CATEGORY).status_code == 201
    made = seller.post("/products", a_card(sku="L-1", price={"amount": 90_000}))
    change = made.json["change"]
    assert (made.status_code, change["status"], change["product"]) == (202, "pending", None)
    path = f"/products/{thing.public_id}"
    assert pointers(seller.post("/products", a_card(mass_kg="2000000"))) == {"/mass_kg": "too_large"}
    assert pointers(seller.patch(path, {"attributes": {"odd": "1"}})) == {"/attributes/odd": "unknown_field"}
    edit = seller.patch(path, {"brand": "Knauf", "comment": "на мешке"})
    assert (edit.status_code, edit.json["change"]["content"]) == (202, {"fields": {"brand": "Knauf"}})
    assert seller.patch(path, {"brand": "Бренд"}).json["code"] == "nothing_changed"
    assert seller.patch(path, {"brand": "X"}, headers={"If-Match": '"9"'}).status_code == 412
    assert other.patch(path, {"brand": "X"}).status_code == 404
    first = seller.get("/seller/changes?limit=1").json
    second = seller.get(f"/seller/changes?limit=1&cursor={first['next_cursor']}").json
    found = [page["items"][0]["id"] for page in (first, second)]
    assert (found, second["next_cursor"]) == ([edit.json["change"]["id"], change["id"]], None)
    assert other.get("/seller/changes").json["items"] == []
    hide = seller.delete(path)
    assert (hide.status_code, hide.json["change"]["content"]) == (202, {"fields": {"hidden": "1"}})
    own = f"/seller/changes/{hide.json['change']['id']}"
    assert seller.delete(own).status_code == 204
    assert seller.get(own).json["status"] == "withdrawn"
    assert seller.delete(own).json["code"] == "already_decided"
