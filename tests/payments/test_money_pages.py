"""Pages and calls of money, as the seller, the buyer and two people of the operator use them."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.api import openapi
from app.core.db import session
from app.payments import rules
from app.payments.models import CommissionLine, CommissionRule, Refund, SellerTransfer
from tests.core.pdf_text import pages_of
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories


def test_the_seller_sees_every_kopek_and_the_buyer_where_the_money_is(
    app: Flask, db_session: Any, monkeypatch: pytest.MonkeyPatch, count_queries: Any
) -> None:
    monkeypatch.setattr(rules, "HOLD_DAYS", 0)
    market = make.market()
    seller, buyer = market.sellers[0], make.person()
    order = stories.sold(market, (make.offer(market, price=54_500), 10), buyer=buyer)
    desk = make.signed_browser(app, seller)
    url = f"/seller/money/orders/{order.number}"
    wrong = desk.post(url, data={"goods": "9999", "reason": "=1+1"})
    assert wrong.status_code == 422
    assert "5450.00" in wrong.text
    assert 'value="9999"' in wrong.text
    assert desk.post(url, data={"goods": "545", "reason": "=1+1"}).status_code == 303
    with count_queries() as seen:
        page = desk.get("/seller/money")
    assert page.status_code == 200
    assert len(seen) <= 12
    assert re.sub(r"\s", "", "4 610,70") in re.sub(r"\s| ", "", page.text)
    assert desk.get(url).status_code == 200
    table = desk.get("/seller/money/statement.csv").data.decode("utf-8-sig")
    assert ";4610,70" in table.splitlines()[-1]
    assert not any(cell.startswith(("=", "+", "@")) for line in table.splitlines() for cell in line.split(";"))
    paper = " ".join(pages_of(desk.get("/seller/money/statement.pdf").data))
    assert order.number in paper
    assert "4 610,70" in paper.replace("\u00a0", " ")

    home = make.signed_browser(app, buyer)
    shown = home.get(f"/orders/{order.number.rsplit('-', 1)[0]}")
    link = re.search(r'href="(/orders/[^"]+/refunds/[^"]+/account)"', shown.text)
    assert link is not None
    bad = home.post(link[1], data={"name": "Иванов", "bik": "044525225", "account": "40817810238000000008"})
    assert bad.status_code == 422
    assert "40817810238000000008" in bad.text
    sent = {"name": "Иванов", "bik": "044525225", "account": "40817810238000000007"}
    assert home.post(link[1], data=sent).status_code == 303
    boss = make.signed_browser(app, stories.operator())
    for page in ("/admin/refunds", "/admin/refunds?tab=approved", "/admin/payouts", "/admin/commission"):
        assert boss.get(page).status_code == 200, page
    key = session.scalars(sa.select(Refund.public_id)).one()
    assert boss.post(f"/admin/refunds/{key}", data={"decision": "paid", "note": "7"}).status_code == 303
    assert session.scalars(sa.select(Refund.status).execution_options(populate_existing=True)).one() == "paid"
    steps.check_everything_sums()


def test_a_used_rule_ends_and_the_list_decides_by_its_order(app: Flask, db_session: Any) -> None:
    market = make.market()
    boss = make.signed_browser(app, stories.operator())
    url = "/admin/commission"
    bad = boss.post(url, data={"percent": "101", "amount_from": "x", "cap": "1"})
    assert bad.status_code == 422
    assert 'value="101"' in bad.text
    assert boss.post(url, data={"percent": "3", "amount_to": "5000", "floor": "20"}).status_code == 303
    assert boss.post(url, data={"percent": "9", "category": market.category_id}).status_code == 303
    tried = f"{url}?try_seller={market.sellers[0].seller_id}&try_category={market.category_id}&amount=6000"
    assert "540" in boss.get(tried).text
    stories.sold(market, (make.offer(market, price=100_00), 1))
    assert session.scalars(sa.select(CommissionLine.amount)).one() == 20_00
    used, other = session.scalars(sa.select(CommissionRule).order_by(CommissionRule.position)).all()
    assert boss.post(f"{url}/{other.public_id}", data={"act": "up"}).status_code == 303
    assert boss.post(f"{url}/{used.public_id}", data={"percent": "4"}).status_code == 303
    session.expire_all()
    rows = session.execute(
        sa.select(CommissionRule.percent, CommissionRule.position, CommissionRule.ended_at.is_(None)).order_by(
            CommissionRule.id
        )
    ).all()
    assert [tuple(map(float, row)) for row in rows] == [(3, 2, 0), (9, 1, 1), (4, 2, 1)]
    stories.sold(market, (make.offer(market, price=100_00), 1))
    assert session.scalars(sa.select(CommissionLine.amount).order_by(CommissionLine.id.desc())).first() == 9_00


def test_the_examples_of_the_api_are_answered(app: Flask, db_session: Any) -> None:
    market = make.market()
    buyer = make.person()
    order = stories.sold(market, (make.offer(market, price=90_000_00), 1), buyer=buyer)
    seller, home, boss, other = (
        make.signed_api(app, who) for who in (market.sellers[0], buyer, stories.operator(), stories.operator())
    )
    session.commit()
    examples = {op.path: op.example for op in openapi.operations(app) if op.name.startswith("api_money.")}

    def post(who: Any, path: str, key: str = "", **ids: str) -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return who.post(path.format(**ids), examples[path], headers=headers)

    path = "/orders/{number}/refunds"
    assert seller.post(path.format(number=order.number), examples[path]).json["errors"][0]["code"] == "required"
    made = post(seller, path, "once", number=order.number)
    assert made.status_code == 201, made.text
    assert post(seller, path, "once", number=order.number).json == made.json
    refund = made.json["id"]
    assert post(home, "/refunds/{refund}/account", refund=refund).status_code == 204
    assert post(boss, "/refunds/{refund}/paid", refund=refund).status_code == 204
    large = {"reason": "брак", "goods": {"amount": rules.REFUND_LIMIT + 1}}
    headers = {"Idempotency-Key": "large"}
    asked = boss.post(f"/orders/{order.number}/refunds", large, headers=headers).json
    assert asked["status"] == "requested"
    assert post(boss, "/refunds/{refund}/approve", refund=asked["id"]).json["code"] == "same_person"
    assert post(other, "/refunds/{refund}/decline", refund=asked["id"]).status_code == 204
    assert post(other, "/refunds/{refund}/approve", refund=asked["id"]).json["code"] == "refund_state"
    assert [r["status"] for r in home.get(f"/orders/{order.number}/refunds").json["items"]] == ["paid", "declined"]
    rows = seller.get("/seller/transfers?limit=3").json
    assert rows["next_cursor"]
    more = seller.get(f"/seller/transfers?limit=3&cursor={rows['next_cursor']}").json
    total = sum(row["amount"]["amount"] for row in rows["items"] + more["items"])
    assert total == session.scalar(sa.select(sa.func.sum(SellerTransfer.amount)))
    assert seller.get("/seller/balance").json["total"]["amount"] == total
    assert seller.get("/seller/payouts").json == {"items": [], "next_cursor": None}
