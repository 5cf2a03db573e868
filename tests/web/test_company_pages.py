"""A company buys above a limit through the pages, without script."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.accounts import queries
from app.orders import approvals
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_company import company, firm_of

pytestmark = pytest.mark.usefixtures("db_session")


def test_an_owner_limits_a_member_shares_a_site_and_approves_what_is_above(app: Flask) -> None:
    offer = make.offer(make.market(), price=100_000)
    owner, member = company()
    firm, mine = str(firm_of(owner)), make.signed_browser(app, owner)
    team = f"/account/organisations/{firm}"
    wrong = mine.post(f"{team}/team", data={})
    assert wrong.status_code == 405
    limits = f"{team}/members/{member.public_id}/limits"
    assert mine.post(limits, data={"per_order": "сто", "per_month": ""}).status_code == 422
    assert mine.post(limits, data={"per_order": "500,50", "per_month": ""}).status_code == 303
    assert 'value="500,50"' in mine.get(f"{team}/team").text
    site = {"title": "Общий склад", "address": "Учебная ул., 1", "lat": "55,8", "lon": "37,72", "unloading": "self"}
    assert mine.post("/account/sites/new", data=site | {"organisation": firm}).status_code == 303
    theirs = make.signed_browser(app, member)
    assert theirs.post(limits, data={}).status_code == 403
    shared = queries.sites(member.user)[0]
    assert theirs.get(f"/account/sites/{shared.public_id}").status_code == 404  # to use, not to change
    quote = steps.quoted(member, (offer, 2))
    assert "Общий склад" in theirs.get("/checkout").text
    form = {"quote": quote.public_id, "name": "Имя", "phone": "+79161234567", "payment_method": "invoice"}
    asked = theirs.post("/checkout", data=form | {"organisation": firm})
    assert asked.location.startswith("/approvals/")
    said = mine.get(asked.location).text
    assert "Согласовать на" in said or "Approve for" in said
    assert mine.post(f"{asked.location}/approve", data={"terms": "другие"}).status_code == 409
    terms = re.search(r'name="terms" value="(\w+)"', mine.get(asked.location).text)
    assert terms is not None
    assert mine.post(f"{asked.location}/approve", data={"terms": terms[1]}).status_code == 303
    number = approvals.requests_of(owner)[0].number
    assert theirs.post(f"/orders/{number}/repeat").status_code == 303
    assert theirs.get("/cart").status_code == 200
    steps.check_everything_sums()
