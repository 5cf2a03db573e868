"""Synonyms: the operator's groups are found by at once, through pages and API, by the operator alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.catalog import dictionary, listing, search, synonyms
from app.catalog.listing import Filters
from app.catalog.models import Product, SearchWord
from app.core import jobs
from app.core.db import session
from app.core.errors import Invalid, NotFound
from tests.client import ApiClient
from tests.factories import accounts
from tests.factories import catalog as make
from tests.factories import orders as people
from workers import worker

HEAD, TERMS = "гипсокартон", ["ГКЛ", "КНАУФ-лист", "сухая штукатурка"]


@pytest.fixture
def board(db_session: Any) -> Product:
    market = make.market()
    thing = make.product(make.category("Листы"), "Гипсокартон Волма 12,5 мм", brand="Волма")
    other = make.product(make.category("Смеси"), "Штукатурка гипсовая", brand="Волма")
    make.offer(market, thing)
    make.offer(market, other)
    make.ready()
    return thing


def found(text: str) -> list[int]:
    match = search.match(text)
    return [i.id for i in listing.page(Filters(match=match), [], "relevance", None, 5)[0]] if match else []


def operator() -> Any:
    return people.person(is_admin=True)


def test_every_member_of_a_group_finds_all(board: Product) -> None:
    assert found("гкл") == []
    synonyms.save(operator(), HEAD, TERMS)
    for typed in ("гкл", "ГКЛ", "кнауф лист", "кнауф-лист", "сухая штукатурка", "ГКЛ волма", "uru"):
        assert board.id in found(typed), typed
    assert found("сухая штукатурка")[0] == board.id
    synonyms.save(operator(), HEAD, ["гкл"])
    assert board.id not in found("кнауф-лист"), "terms replace those that were there"
    synonyms.remove(operator(), HEAD)
    assert found("гкл") == []
    with pytest.raises(NotFound):
        synonyms.remove(operator(), HEAD)


def test_a_mistyped_synonym_is_understood(board: Product) -> None:
    synonyms.save(operator(), HEAD, ["регипс"])
    assert found("ригипс") == [board.id]


@pytest.mark.parametrize(
    ("head", "terms", "pointer"),
    [("", ["a"], "/head"), ("...", ["a"], "/head"), ("слово", [], "/terms"), ("слово", ["Слово"], "/terms"),
     ("слово", ["x" * 101], "/terms"), ("слово", [f"с{n}" for n in range(31)], "/terms")],
)  # fmt: skip
def test_what_cannot_be_a_group_is_refused(board: Product, head: str, terms: list[str], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        synonyms.save(operator(), head, terms)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert synonyms.groups() == []


def test_the_page_keeps_what_was_typed_and_the_search_page_follows_at_once(app: Flask, board: Product) -> None:
    browser = accounts.browser(app, accounts.account(is_admin=True))
    guest = app.test_client()
    assert "Гипсокартон Волма" not in guest.get("/search?q=гкл").text
    wrong = browser.post("/admin/synonyms", data={"head": "", "terms": "гкл"})
    assert wrong.status_code == 422
    assert ">гкл</textarea>" in wrong.text
    assert browser.post("/admin/synonyms", data={"head": HEAD, "terms": "ГКЛ, КНАУФ-лист"}).status_code == 303
    assert "кнауф-лист" in browser.get("/admin/synonyms").text
    assert "Гипсокартон Волма" in guest.get("/search?q=гкл").text
    browser.post("/admin/synonyms/delete", data={"head": HEAD})
    assert "Гипсокартон Волма" not in guest.get("/search?q=гкл").text
    assert accounts.audited("synonyms.saved") == 1


def test_clients_of_the_operator_keep_groups_too(app: Flask, api: ApiClient, board: Product) -> None:
    client = people.signed_api(app, operator())
    made = client.put("/synonyms", {"head": "Гипсокартон", "terms": ["ГКЛ"]})
    assert (made.status_code, made.json) == (200, {"head": "гипсокартон", "terms": ["гкл"]})
    assert client.get("/synonyms").json["items"] == [made.json]
    assert api.get("/products?q=гкл").json["items"][0]["id"] == str(board.public_id)
    assert client.delete("/synonyms/гипсокартон").status_code == 204
    assert client.delete("/synonyms/гипсокартон").status_code == 404
    assert api.get("/synonyms").status_code == 401


def test_the_index_is_rebuilt_on_a_worker(app: Flask, board: Product) -> None:
    board.name_ru = "Пазогребневая плита"
    session.query(SearchWord).delete()
    session.commit()
    key = synonyms.order_rebuild(operator())
    number = session.scalar(jobs.sa.select(jobs.Job.id).where(jobs.Job.public_id == key))
    worker.run_in_context(int(number), app)
    view = jobs.view(key, any_user=True)
    assert (view.state, view.done, view.result) == ("done", view.total, {"products": view.total})
    assert found("пазогребневая") == [board.id]
    assert dictionary.rebuild() == view.total, "safe to repeat"


def test_new_words_of_a_section_come_by_a_job(app: Flask, board: Product) -> None:
    from app.catalog import categories
    from app.catalog.models import Category

    slug = session.get_one(Category, board.category_id).slug
    categories.edit(operator(), slug, {"synonyms": ["обшивка стен"]})
    number = session.scalar(jobs.sa.select(jobs.Job.id).where(jobs.Job.kind == "search.rebuild"))
    worker.run_in_context(int(number), app)
    assert found("обшивка") == [board.id]
