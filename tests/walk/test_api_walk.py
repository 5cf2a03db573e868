"""From an estimate to an unloaded truck through the JSON API, with every process real."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.walk.http_client import Client, wait_until
from tests.walk.market import ROOT, Market

pytestmark = [pytest.mark.slow]


def broken_invariants(market: Market) -> dict[str, Any]:
    """Statements of tools/invariants.sql that find something."""
    from tools.doctor import statements

    return {
        name: rows
        for name, sql in statements(Path(ROOT / "tools/invariants.sql")).items()
        if (rows := market.query(sql))
    }


def test_an_estimate_becomes_a_delivered_order(market: Market) -> None:
    buyer = Client(market.url).sign_in("buyer@demo.example")
    seller = Client(market.url).sign_in("seller@demo.example")
    carrier = Client(market.url).sign_in("carrier@demo.example")

    made = buyer.post(
        "/estimates",
        {"title": "Wall", "items": [{"assembly": "partition_c111", "inputs": {"length": "5", "height": "2,7"}}]},
        201,
    )
    assert {line["assembly_line"]: line["gross"] for line in made["lines"]}["partition_c111.board"] == "28.35"
    buyer.wait_for_job(made["job"])
    priced = buyer.get(f"/estimates/{made['id']}")
    assert priced["state"] == "priced"
    assert all(line["offer"] and line["packs"] >= 1 for line in priced["lines"])
    assert priced["totals"]["goods"]["amount"] == sum(line["total"]["amount"] for line in priced["lines"])

    cart = buyer.post(f"/estimates/{made['id']}/to-cart", {})
    assert len(cart["lines"]) == len({line["offer"]["id"] for line in priced["lines"]})
    assert cart["totals"]["goods"]["amount"] == priced["totals"]["goods"]["amount"]

    groups = market.value("SELECT count(*) FROM order_group")
    shipped = market.value("SELECT count(*) FROM stock_movement WHERE kind = 'shipped'")
    taken = market.value("SELECT count(*) FROM stock_movement WHERE kind = 'allocated'")
    site = buyer.get("/me/sites")["items"][0]
    quote = buyer.call("POST", "/checkout/quote", {"site": site["id"], "payment_method": "cash"}).body
    purchase = {
        "quote": quote["id"],
        "contact": {"name": "Demo", "phone": "8 (900) 000-00-00"},
        "payment_method": "cash",
    }
    without_key = buyer.call("POST", "/checkout", purchase)
    assert (without_key.status, without_key.body["code"]) == (422, "invalid_fields")
    key = uuid.uuid4().hex
    group = buyer.post("/checkout", purchase, 201, Idempotency_Key=key)
    again = buyer.call("POST", "/checkout", purchase, Idempotency_Key=key)
    assert (again.status, again.body["number"]) == (201, group["number"])
    assert again.headers["idempotency-replayed"] == "true"
    assert sum(o["totals"]["total"]["amount"] for o in group["orders"]) == group["totals"]["total"]["amount"]
    assert market.value("SELECT count(*) FROM order_group") == groups + 1
    assert market.value("SELECT count(*) FROM stock_movement WHERE kind = 'allocated'") == taken + len(cart["lines"])

    mine = next(o for o in group["orders"] if o["seller"] == "Демо-База Останкино")
    number = mine["number"]
    assert number in [o["number"] for o in seller.get("/seller/orders?status=placed")["items"]]
    foreign = next(o["number"] for o in group["orders"] if o["number"] != number)
    absent = seller.call("POST", "/seller/orders/R9999-1/accept", {})
    other = seller.call("POST", f"/seller/orders/{foreign}/accept", {})
    assert (other.status, other.body["code"]) == (absent.status, absent.body["code"]) == (404, "not_found")

    accepted = seller.post(f"/seller/orders/{number}/accept", {})
    assert accepted["status"] == "accepted"
    trip = accepted["fulfilments"][0]
    seller.post(f"/seller/fulfilments/{trip['id']}/start-picking", {})
    ready = seller.post(f"/seller/fulfilments/{trip['id']}/ready", {})
    assert ready["fulfilment_status"] == "ready"

    day = quote["slot"]["day"]
    waiting = carrier.get(f"/carrier/deliveries?date={day}")["items"]
    delivery = next(d for d in waiting if d["number"] == number)
    assert delivery["state"] == "ready"
    job = carrier.post("/carrier/route-plans", {"date": day, "time_limit_s": 1}, 202)["job"]
    result = carrier.wait_for_job(job)["result"]
    plan = carrier.get(f"/carrier/route-plans/{result['plan']}")
    assert plan["unassigned"] == []
    carrier.post(f"/carrier/route-plans/{result['plan']}/publish", {})

    courier = Client(market.url).sign_in(market.driver_of(number))
    route = courier.get(f"/courier/route?date={day}")
    assert [s["kind"] for s in route["stops"] if s["number"] == number] == ["pickup", "drop"]
    courier.post("/courier/check", {"date": day, "odometer_km": 120_000})
    courier.post("/courier/route/start", {"date": day})
    # A truck leaves a warehouse with everything it takes there, so other people's goods are loaded too.
    for stop in route["stops"]:
        if stop["kind"] == "pickup":
            courier.post(f"/courier/stops/{stop['id']}/arrive", {})
            courier.post(f"/courier/stops/{stop['id']}/complete", {})
    drop = next(s for s in route["stops"] if s["number"] == number and s["kind"] == "drop")

    order = wait_until(lambda: (o := buyer.get(f"/orders/{number}"))["fulfilment_status"] == "in_transit" and o)
    shown = order["fulfilments"][0]["delivery"]
    tracked = Client(market.url).get(f"/tracking/{shown['tracking_token']}")
    assert tracked["state"] == "in_transit"
    courier.post(f"/courier/stops/{drop['id']}/arrive", {})
    courier.post(f"/courier/stops/{drop['id']}/unloading", {})
    wrong = courier.call("POST", f"/courier/stops/{drop['id']}/complete", {"proof": {"pin": "0000"}})
    assert wrong.status == 422
    courier.post(f"/courier/stops/{drop['id']}/complete", {"proof": {"pin": shown["pin"]}})

    done = wait_until(lambda: (o := buyer.get(f"/orders/{number}"))["status"] == "completed" and o)
    assert done["fulfilment_status"] == "delivered"
    assert done["payment_status"] == "paid"
    assert Client(market.url).call("GET", f"/tracking/{shown['tracking_token']}").status == 404
    assert market.value("SELECT count(*) FROM stock_movement WHERE kind = 'shipped'") == shipped + len(mine["lines"])
    assert market.value("SELECT count(*) FROM job WHERE state = 'dead'") == 1, "the demo leaves one to be tried again"
    assert market.value("SELECT count(*) FROM audit_entry WHERE action LIKE 'order%'") > 0
    assert broken_invariants(market) == {}


def test_five_checkouts_at_once_make_one_group(market: Market) -> None:
    from concurrent.futures import ThreadPoolExecutor

    buyer = Client(market.url)
    new = {"email": f"{uuid.uuid4().hex}@demo.example", "password": "correct horse", "name": "Demo"}
    buyer.token = buyer.post("/auth/register", new, 201)["access_token"]
    offer = market.value(
        "SELECT o.public_id FROM offer o JOIN stock_level s ON s.offer_id = o.id "
        "WHERE s.on_hand > 100 ORDER BY o.id LIMIT 1"
    )
    buyer.call("POST", "/cart/lines", {"offer": str(offer), "quantity": "2"})
    address = {"address": "Москва, улица Руставели, 1", "lat": 55.8094, "lon": 37.5960}
    quote = buyer.call("POST", "/checkout/quote", {"address": address, "payment_method": "invoice"}).body
    purchase = {
        "quote": quote["id"],
        "contact": {"name": "Demo", "phone": "+79000000001"},
        "payment_method": "invoice",
    }

    def send(key: str) -> Any:
        return buyer.call("POST", "/checkout", purchase, Idempotency_Key=key)

    before = market.value("SELECT count(*) FROM order_group")
    with ThreadPoolExecutor(5) as pool:
        same_key = list(pool.map(send, ["one-key"] * 5))
        other_keys = list(pool.map(send, [f"key-{n}" for n in range(5)]))
    answers = same_key + other_keys
    assert {a.status for a in answers} == {201}
    assert len({a.body["number"] for a in answers}) == 1
    assert market.value("SELECT count(*) FROM order_group") == before + 1
