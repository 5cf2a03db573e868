"""Price lists over the API: sent, followed, answered, confirmed, mended."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core.db import session
from tests.client import ApiClient
from tests.factories import orders as people
from tests.imports import lists
from tests.imports.test_life import GOOD, Shop, offer


class Caller(Shop):
    """The shop with a client of its seller and one of another."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.api = people.signed_api(app, self.seller)
        self.others = people.signed_api(app, self.other)
        session.commit()  # a refusal rolls back what is not kept

    def send(self, content: bytes, api: ApiClient | None = None, **fields: str) -> TestResponse:
        data = {"file": (io.BytesIO(content), "price.csv")} | fields
        headers = {"Authorization": f"Bearer {(api or self.api).token}", "X-Device-Id": (api or self.api).device}
        return self.app.test_client(use_cookies=False).post(
            "/api/v1/seller/imports", data=data, headers=headers, content_type="multipart/form-data"
        )

    def worked(self, answer: TestResponse) -> str:
        import uuid

        assert answer.status_code == 202, answer.text
        lists.work(self.app, uuid.UUID(answer.json["job"]["id"]))
        return str(answer.json.get("id", ""))


@pytest.fixture
def caller(app: Flask, db_session: Any) -> Caller:
    return Caller(app)


def test_a_list_is_sent_looked_at_and_confirmed(caller: Caller) -> None:
    sent = caller.send(lists.csv_file([*GOOD, ["K-2", "Ш", "x", "1"]]), warehouse=str(caller.where))
    assert sent.headers["Location"] == f"/api/v1/jobs/{sent.json['job']['id']}"
    key = caller.worked(sent)
    job = caller.api.get(f"/jobs/{sent.json['job']['id']}").json
    assert (job["state"], job["result"]["import"], job["result"]["state"]) == ("done", key, "checked")
    seen = caller.api.get(f"/seller/imports/{key}").json
    assert (seen["state"], seen["rows_done"], seen["counts"]["changed"], seen["counts"]["error"]) == (
        "checked",
        4,
        2,
        1,
    )
    assert seen["mapping"] == {"sku": "Код", "name": "Наименование", "price": "Цена", "stock": "Остаток"}
    [changed, _same] = caller.api.get(f"/seller/imports/{key}/rows").json["items"]
    assert (changed["row"], changed["old_price"]["amount"], changed["price"]["amount"]) == (2, 50_000, 51_000)
    assert changed["stock"] == [{"warehouse": "Склад 1", "before": "100", "after": "80"}]
    [wrong] = caller.api.get(f"/seller/imports/{key}/rows?view=error").json["items"]
    assert (wrong["row"], wrong["errors"][0]["code"]) == (5, "not_a_number")
    assert offer(caller, "K-1").price == 50_000
    caller.worked(caller.api.post(f"/seller/imports/{key}/confirm", {}))
    assert offer(caller, "K-1").price == 51_000
    file = caller.api.get(f"/seller/imports/{key}/errors")
    assert file.mimetype == "text/csv"
    assert "K-2;Ш;x;1;5;" in file.data.decode("utf-8-sig")
    [listed] = caller.api.get("/seller/imports").json["items"]
    assert (listed["id"], listed["state"]) == (key, "done")


def test_without_a_dry_run_good_rows_are_written_and_jumps_wait(caller: Caller) -> None:
    rows = [GOOD[0], ["K-2", "Ш", "900", "10"]]
    key = caller.worked(caller.send(lists.csv_file(rows), dry_run="false", warehouse=str(caller.where)))
    seen = caller.api.get(f"/seller/imports/{key}").json
    assert (seen["state"], seen["counts"]["applied"], seen["counts"]["jump"]) == ("done", 1, 1)
    [jump] = caller.api.get(f"/seller/imports/{key}/rows?view=jump").json["items"]
    assert (jump["row"], jump["applied"]) == (3, False)
    caller.worked(caller.api.post(f"/seller/imports/{key}/confirm", {"jumps": [3]}))
    assert offer(caller, "K-2").price == 90_000


def test_columns_may_be_said_with_the_file_or_later(caller: Caller) -> None:
    content = lists.csv_file(GOOD, ("Ихнее", "Что", "Почём", "Сколько"))
    key = caller.worked(caller.send(content, warehouse=str(caller.where)))
    assert caller.api.get(f"/seller/imports/{key}").json["state"] == "columns"
    said = {"mapping": {"sku": "Ихнее", "price": "Почём"}}
    caller.worked(caller.api.put(f"/seller/imports/{key}/columns", said))
    assert caller.api.get(f"/seller/imports/{key}").json["counts"]["changed"] == 1
    key = caller.worked(caller.send(content, mapping=json.dumps({"sku": "Ихнее", "stock": "Сколько"})))
    assert caller.api.get(f"/seller/imports/{key}").json["state"] == "checked"


def test_questions_are_answered(caller: Caller) -> None:
    key = caller.worked(caller.send(lists.csv_file([["N-1", "Затирка 2 кг", "100", "1"]]), warehouse=str(caller.where)))
    [row] = caller.api.get(f"/seller/imports/{key}/rows?view=doubtful").json["items"]
    assert len(row["candidates"]) == 2
    path = f"/seller/imports/{key}/rows/{row['row']}"
    assert caller.api.put(path, {}).status_code == 422
    assert caller.api.put(path, {"product": row["candidates"][0]["product"]}).status_code == 204
    assert caller.api.get(f"/seller/imports/{key}").json["counts"]["new"] == 1


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"mode": "some"}, "/mode", "unknown_option"), ({"mapping": "{"}, "/mapping", "malformed"),
        ({"color": "red"}, "/color", "unknown_field"), ({"dry_run": "perhaps"}, "/dry_run", "wrong_type"),
        ({"warehouse": "01890000-0000-7000-8000-000000000000"}, "/warehouse", "unknown_warehouse"),
        ({"mapping": '{"sku": "Нет"}'}, "/mapping/sku", "unknown_column"),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(caller: Caller, fields: dict[str, str], pointer: str, code: str) -> None:
    answer = caller.send(lists.csv_file(GOOD), **fields)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [(pointer, code)]


def test_a_body_that_is_no_form_and_a_form_without_a_file(caller: Caller) -> None:
    assert caller.api.post("/seller/imports", {}).status_code == 415
    assert caller.send(b"").json["errors"][0]["pointer"] == "/file"


def test_the_same_upload_twice_is_one_import(caller: Caller) -> None:
    def send(content: bytes) -> TestResponse:
        headers = {"Authorization": f"Bearer {caller.api.token}", "Idempotency-Key": "list-1"}
        return caller.app.test_client(use_cookies=False).post(
            "/api/v1/seller/imports", data={"file": (io.BytesIO(content), "a.csv")}, headers=headers,
            content_type="multipart/form-data",
        )  # fmt: skip

    first, again = send(lists.csv_file(GOOD)), send(lists.csv_file(GOOD))
    assert first.status_code == again.status_code == 202
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = send(lists.csv_file(GOOD[:1]))
    assert other.json["errors"][0]["code"] == "key_reused"


def test_nothing_of_it_is_seen_by_another_seller(caller: Caller) -> None:
    key = caller.worked(caller.send(lists.csv_file(GOOD)))
    assert caller.others.get("/seller/imports").json["items"] == []
    path = f"/seller/imports/{key}"
    tried = [
        caller.others.get(path), caller.others.get(f"{path}/rows"), caller.others.get(f"{path}/errors"),
        caller.others.put(f"{path}/columns", {"mapping": {"sku": "Код", "price": "Цена"}}),
        caller.others.put(f"{path}/rows/2", {"choice": "new"}), caller.others.post(f"{path}/confirm", {}),
        caller.others.delete(path), caller.others.get(f"/jobs/{caller.api.get(path).json['job']}"),
    ]  # fmt: skip
    assert {answer.status_code for answer in tried} == {404}


def test_addresses(caller: Caller) -> None:
    made = caller.api.post("/seller/feeds", {"url": "https://price.example/a.yml", "hour": 6})
    assert made.status_code == 201, made.text
    path = f"/seller/feeds/{made.json['id']}"
    assert made.headers["Location"] == f"/api/v1{path}"
    assert caller.api.patch(path, {"hour": 7, "hide_gone": True}).json["hour"] == 7
    assert caller.api.get(path).json["hide_gone"] is True
    assert caller.api.post("/seller/feeds", {"url": "ftp://x", "hour": 6}).json["errors"][0]["code"] == "address_scheme"
    assert len(caller.api.get("/seller/feeds").json["items"]) == 1
    assert caller.others.get(path).status_code == caller.others.delete(path).status_code == 404
    assert caller.api.post(f"{path}/run").status_code == 202
    assert caller.api.delete(path).status_code == 204
    assert caller.api.get(path).status_code == 404
