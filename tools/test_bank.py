"""A bank of cards that takes no money, for tests and demonstrations: `python -m tools.test_bank --port 8050`.

A process of its own with its own page, webhooks and memory. On its page one chooses what a real bank does by accident:
the webhook comes late, twice, never, or with another sum. Settings: CARD_SECRET (shared with the market) and PUBLIC_URL
(where the market listens). Refuses to start in production.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import html
import json
import os
import sys
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

PAGE = """<!doctype html><html lang="ru"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Тестовый банк</title>
<style>body{{font:16px/1.5 sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem}}button,select{{font:inherit;
padding:.6rem 1rem;margin:.2rem 0;width:100%}}</style>
<h1>Тестовый банк</h1><p>Здесь не бывает настоящих денег.</p>
<p>Заказ <b>{number}</b>, к оплате <b>{roubles} ₽</b></p>
<form method="post" action="/pay"><input type="hidden" name="visit" value="{visit}">
<label>Сообщение магазину <select name="webhook"><option value="now">сразу</option>
<option value="late">через 10 с</option><option value="twice">дважды</option>
<option value="lost">теряется</option></select></label>
<label>Сумма в сообщении <select name="lie"><option value="">верная</option><option value="1">на рубль меньше</option>
</select></label>
<button name="do" value="paid">Оплатить</button> <button name="do" value="declined">Отказать</button>
<button name="do" value="abandoned">Вернуться в магазин</button></form></html>"""


@dataclass
class Payment:
    """What the bank knows of a visit."""

    reference: str
    amount: int
    number: str
    return_url: str
    expires: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: str = "open"
    told_amount: int = 0
    refunds: dict[str, int] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """The payment as the market is told of it."""
        status = "abandoned" if self.status == "open" and time.time() > self.expires else self.status
        return {"reference": self.reference, "status": status, "amount": self.told_amount or self.amount,
                "currency": "RUB", "id": self.id}  # fmt: skip


class Bank:
    """Payments in memory, and the webhooks about them."""

    def __init__(self, secret: str, market: str) -> None:
        self._secret, self._hook = secret, f"{market.rstrip('/')}/api/v1/payments/webhooks/test"
        self.payments: dict[str, Payment] = {}
        self.lock = threading.Lock()

    def signature(self, timestamp: str, body: bytes) -> str:
        """Hex of the HMAC over time and body."""
        return hmac.new(self._secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()

    def believes(self, timestamp: str, body: bytes, signed: str) -> bool:
        """Whether the market signed this a moment ago."""
        fresh = timestamp == "pay" or (timestamp.isdecimal() and abs(time.time() - int(timestamp)) < 300)
        return fresh and hmac.compare_digest(self.signature(timestamp, body), signed)

    def visited(self, query: str) -> Payment | None:
        """The payment of a signed address; None when the signature is wrong."""
        body, _, rest = query.rpartition("&signature=")
        if not self.believes("pay", body.encode(), rest):
            return None
        asked = dict(parse_qsl(body))
        with self.lock:
            return self.payments.setdefault(asked["reference"], Payment(
                asked["reference"], int(asked["amount"]), asked["number"], asked["return_url"], int(asked["expires"])
            ))  # fmt: skip

    def settle(self, payment: Payment, status: str, webhook: str, lie: bool) -> None:
        """The person at the page has decided; the webhook goes as was chosen there."""
        with self.lock:
            if payment.said()["status"] not in ("open", "declined"):
                return
            payment.status = status
            payment.told_amount = payment.amount - 100 if lie else 0
        body = json.dumps(payment.said() | {"event": uuid.uuid4().hex}).encode()
        times = {"lost": 0, "twice": 2}.get(webhook, 1)
        threading.Thread(target=self._tell, args=(body, times, 10 if webhook == "late" else 0), daemon=True).start()

    def _tell(self, body: bytes, times: int, delay: float) -> None:
        time.sleep(delay)
        for _ in range(times):
            timestamp = str(int(time.time()))
            headers = {"X-Timestamp": timestamp, "X-Signature": self.signature(timestamp, body),
                       "Content-Type": "application/json"}  # fmt: skip
            try:
                urllib.request.urlopen(urllib.request.Request(self._hook, body, headers), timeout=10).close()
            except OSError as error:
                print(f"webhook not taken: {error}", file=sys.stderr)


def make_app(bank: Bank) -> Flask:
    """The bank's pages and calls."""
    app = Flask("test_bank")

    @app.get("/pay")
    def show() -> Response:
        query = request.query_string.decode()
        payment = bank.visited(query)
        if payment is None:
            return Response("wrong signature", 400)
        if payment.said()["status"] == "abandoned":
            return Response("Время оплаты вышло. Вернитесь в магазин.", 410, mimetype="text/plain")
        roubles = f"{payment.amount // 100},{payment.amount % 100:02d}"
        page = PAGE.format(number=html.escape(payment.number), roubles=roubles, visit=html.escape(query, quote=True))
        return Response(page, mimetype="text/html")

    @app.post("/pay")
    def decide() -> Any:
        payment = bank.visited(request.form.get("visit", ""))
        chosen = request.form.get("do", "")
        if payment is None or chosen not in ("paid", "declined", "abandoned"):
            return Response("wrong signature", 400)
        bank.settle(payment, chosen, request.form.get("webhook", "now"), request.form.get("lie") == "1")
        return redirect(f"{payment.return_url}?{urlencode({'back': chosen})}", code=303)

    @app.get("/payments/<reference>")
    def status(reference: str) -> Response:
        return answer(reference, request.path.encode())

    @app.post("/payments/<reference>/refunds")
    def refund(reference: str) -> Response:
        body = request.get_data()
        refused = answer(reference, body)
        if refused.status_code != 200 or reference not in bank.payments:
            return refused if refused.status_code != 200 else Response("unknown payment", 404)
        asked, payment = json.loads(body), bank.payments[reference]
        with bank.lock:
            payment.refunds.setdefault(str(asked["key"]), int(asked["amount"]))
            if payment.status != "paid" or sum(payment.refunds.values()) > payment.amount:
                payment.refunds.pop(str(asked["key"]))
                return Response("more than was paid", 409)
        return refused

    def answer(reference: str, signed: bytes) -> Response:
        headers = request.headers
        if not bank.believes(headers.get("X-Timestamp", ""), signed, headers.get("X-Signature", "")):
            return Response("wrong signature", 403)
        nothing = {"reference": reference, "status": "unknown", "amount": 0, "currency": "RUB", "id": ""}
        known = bank.payments.get(reference)
        return Response(json.dumps(known.said() if known else nothing), mimetype="application/json")

    return app


def main() -> int:
    """Serve until the process is ended."""
    if os.environ.get("TUTUU_ENV", "production") == "production":
        print("The test bank takes no money and is refused in production (TUTUU_ENV).", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    bank = Bank(os.environ["CARD_SECRET"], os.environ["PUBLIC_URL"])
    make_server(options.host, options.port, make_app(bank), threaded=True).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
