"""Returns and claims by JSON, as buyer, seller and operator: the whole way of each, and the codes clients rely on."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import Flask

from app.core.db import session
from tests.client import ApiClient
from tests.factories import orders as make
from tests.factories.images import encoded, quarters
from tests.orders import steps
from tests.orders.test_returns import run_jobs
from tests.payments import stories


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def photo_of(app: Flask, client: ApiClient) -> str:
    sent = {"Authorization": f"Bearer {client.token}", "X-Device-Id": client.device}
    form = {"file": (io.BytesIO(encoded(quarters())), "bags.jpg")}
    answer = app.test_client(use_cookies=False).post("/api/v1/evidence", data=form, headers=sent)
    return str(ok(answer, 201)["id"])


def test_a_return_and_a_claim_go_their_whole_way(app: Flask, db_session: Any) -> None:
    market = make.market()
    buyer, seller, boss = make.person(), market.sellers[0], stories.operator()
    buys, sells, decides = (make.signed_api(app, one) for one in (buyer, seller, boss))
    stranger = make.signed_api(app, make.member("seller"))
    terms = {"accepts": True, "days": 30, "fee_percent": "10", "carried_by": "seller"}
    session.commit()
    assert ok(sells.put("/seller/return-terms", terms))["fee_percent"] == "10"
    assert sells.put("/seller/return-terms", terms | {"days": 0}).json["errors"][0]["pointer"] == "/days"
    order = stories.sold(market, (make.offer(market, price=33_333), 7), buyer=buyer)
    session.commit()
    assert ok(buys.get(f"/sellers/s{seller.seller_id}/return-terms"))["days"] == 30
    options = ok(buys.get(f"/orders/{order.number}/returns"))
    [line] = options["lines"]
    assert (line["returnable"], line["worth"]["amount"], line["leftover_refusal"]) == ("7", 233_331, "")
    asked = {"reason": "leftover", "lines": [{"line": line["line"], "quantity": "2"}]}
    assert buys.post(f"/orders/{order.number}/returns", asked).status_code == 422  # spends stock: needs a key
    too_many = {**asked, "lines": [{"line": line["line"], "quantity": "8"}]}
    refused = buys.post(f"/orders/{order.number}/returns", too_many, headers=keyed())
    assert [one["code"] for one in refused.json["errors"]] == ["counted_range"]
    key = keyed()
    made = ok(buys.post(f"/orders/{order.number}/returns", asked, headers=key), 201)
    assert ok(buys.post(f"/orders/{order.number}/returns", asked, headers=key), 201)["id"] == made["id"]
    case = f"/returns/{made['id']}"
    assert stranger.post(f"{case}/approve", {"answer": ""}).status_code == 404
    ok(sells.post(f"{case}/approve", {"answer": "Заберём завтра"}))
    ok(buys.post(f"{case}/send"))
    assert buys.post(f"{case}/cancel").json["code"] == "return_state"
    ok(sells.post(f"{case}/receive", {"lines": [{"line": line["line"], "received": "2"}]}))
    paid = ok(sells.post(f"{case}/refund", headers=keyed()))
    assert (paid["goods"]["amount"], paid["fee"]["amount"], paid["back"]["amount"]) == (66_666, 6_667, 59_999)
    assert [one["id"] for one in ok(sells.get("/seller/returns?tab=over"))["items"]] == [made["id"]]
    assert ok(decides.get("/admin/returns?tab=stuck"))["items"] == []

    photo = photo_of(app, buys)
    run_jobs(app)
    wanted = {
        "line": line["line"], "kind": "damaged", "quantity": "1", "wish": "money", "amount": {"amount": 20_000},
        "note": "Мешок порван",
    }  # fmt: skip
    bare = buys.post(f"/orders/{order.number}/claims", wanted, headers=keyed())
    assert [one["code"] for one in bare.json["errors"]] == ["photos_required"]
    claim = ok(buys.post(f"/orders/{order.number}/claims", wanted | {"photos": [photo]}, headers=keyed()), 201)
    own = f"/claims/{claim['id']}"
    assert [c.get(f"/evidence/{photo}").status_code for c in (buys, sells, decides, stranger)] == [200, 200, 200, 404]
    offer = {"amount": {"amount": 20_000}, "answer": "Скидка"}
    assert sells.post(f"/seller{own}/offer", offer).json["errors"][0]["code"] == "claim_sum"
    ok(sells.post(f"/seller{own}/refuse", {"answer": "Принято без замечаний"}))
    assert buys.post(f"{own}/accept").json["code"] == "claim_state"
    ok(buys.post(f"{own}/escalate"))
    decision = {"in_favour": "buyer", "amount": {"amount": 15_000}, "decision": "На фотографии видно"}
    done = ok(decides.post(f"/admin{own}/settle", decision, headers=keyed()))
    assert (done["status"], done["settled"]["amount"], done["refund"]) == ("settled", 15_000, "approved")
    assert ok(buys.get(own))["decision"] == "На фотографии видно"
    assert stranger.get(f"/seller{own}").status_code == 404
    assert decides.post(f"/admin{own}/settle", decision, headers=keyed()).json["code"] == "claim_state"
    steps.check_everything_sums()
