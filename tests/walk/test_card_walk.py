"""Paying by card with the real processes: the market, its worker, and the bank of tests."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

import pytest

from tests.payments.test_cards import NoRedirect
from tests.walk.http_client import Client, wait_until
from tests.walk.market import Market

pytestmark = [pytest.mark.slow]


def placed(buyer: Client, offer: str) -> str:
    """The number of a purchase to be paid by card."""
    buyer.call("POST", "/cart/lines", {"offer": offer, "quantity": "2"})
    address = {"address": "Москва, улица Руставели, 1", "lat": 55.8094, "lon": 37.5960}
    quote = buyer.post("/checkout/quote", {"address": address, "payment_method": "card"})
    purchase = {
        "quote": quote["id"], "contact": {"name": "Demo", "phone": "+79000000001"}, "payment_method": "card",
    }  # fmt: skip
    return str(buyer.post("/checkout", purchase, 201, Idempotency_Key=uuid.uuid4().hex)["number"])


def decide(buyer: Client, number: str, **chosen: str) -> str:
    """Go to the bank and decide there. Returns where the bank sends the browser."""
    visit = buyer.post(f"/order-groups/{number}/payments", {}, 201, Idempotency_Key=uuid.uuid4().hex)
    address, _, query = visit["redirect_url"].partition("?")
    with urllib.request.urlopen(visit["redirect_url"]) as page:
        assert number in page.read().decode()
    form = urllib.parse.urlencode({"visit": query, **chosen}).encode()
    with pytest.raises(urllib.error.HTTPError) as gone:
        urllib.request.build_opener(NoRedirect).open(address, form)
    return str(gone.value.headers["Location"])


def test_a_purchase_is_paid_by_card_whatever_becomes_of_the_webhook(shop: Market) -> None:
    buyer = Client(shop.url)
    new = {"email": f"{uuid.uuid4().hex}@demo.example", "password": "correct horse", "name": "Demo"}
    buyer.token = buyer.post("/auth/register", new, 201)["access_token"]
    offer = str(shop.value(
        "SELECT o.public_id FROM offer o JOIN stock_level s ON s.offer_id = o.id WHERE s.on_hand > 100 ORDER BY o.id"
        " LIMIT 1"
    ))  # fmt: skip

    def status(number: str) -> Any:
        return buyer.get(f"/order-groups/{number}")["payment_status"]

    lost = placed(buyer, offer)
    assert decide(buyer, lost, do="paid", webhook="lost").startswith(f"{shop.url}/orders/{lost}?back=")
    again = placed(buyer, offer)
    decide(buyer, again, do="declined", webhook="now")
    decide(buyer, again, do="paid", webhook="twice")
    wait_until(lambda: status(again) == "paid")
    wait_until(lambda: status(lost) == "paid")
    assert shop.value("SELECT count(*) FROM payment WHERE method = 'card' AND received <> amount") == 0
