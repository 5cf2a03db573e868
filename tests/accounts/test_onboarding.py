"""The way of a company to the first sale: sections, the operator's word, papers, money, people."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.accounts import agreements, bank, documents, invitations, queries, review, service, team
from app.accounts.agreements import Agreement
from app.accounts.bank import BankDetails
from app.accounts.company_models import Invitation, OrganisationDocument
from app.accounts.documents import Upload
from app.accounts.models import Organisation, User
from app.accounts.organisations import Requisites
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.core.filetypes import kind_of
from app.core.models import AuditEntry, OutboxEvent
from app.core.permissions import GRANTS, Actor, Membership, Permission, Role, may
from app.offers import desk, selling
from tests.client import ApiClient
from tests.factories import accounts as make
from tests.factories import orders
from tests.factories.accounts import run_jobs
from tests.factories.orders import number

pytestmark = pytest.mark.usefixtures("db_session")
OTHER = BankDetails("049900999", "40702810299990000001", "30101810500000000999", "Банк Другой")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def firm() -> Requisites:
    return Requisites("ООО «Проба»", make.INNS["seller"][0], f"{number() % 10**9:09d}", ogrn="1027700132195")


def operator_of() -> Actor:
    return make.actor(make.account(is_admin=True), is_admin=True)


def row_of(key: Any) -> Organisation:
    return session.scalars(
        sa.select(Organisation).where(Organisation.public_id == key).execution_options(populate_existing=True)
    ).one()


WAYS: dict[str, tuple[set[str], str]] = {
    "submit": ({"draft", "returned"}, "submitted"),
    "take": ({"submitted"}, "in_review"),
    "put_back": ({"in_review"}, "submitted"),
    "approve": ({"submitted", "in_review", "returned", "suspended"}, "approved"),
    "return": ({"submitted", "in_review"}, "returned"),
    "suspend": ({"approved"}, "suspended"),
}
ACTS = ("submit", "take", "take_by_another", "put_back", "approve", "return", "suspend", "edit_bank", "spoil", "mend")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ACTS), max_size=14))
def test_a_company_moves_only_on_declared_ways(acts: list[str]) -> None:
    """A small model beside the real thing: the same states, an audit entry and an event for each move."""
    owner, first, second = make.actor(make.account()), operator_of(), operator_of()
    key = make.ready(owner, "seller", firm())
    make.accept_documents(first, key)
    state, reviewer, whole, moves, paid = "draft", None, True, 0, make.BANK
    for act in acts:
        allowed, target = WAYS.get(act.removesuffix("_by_another"), (set(), ""))
        who = second if act == "take_by_another" else first
        again = act.startswith("take") and state == "in_review" and reviewer == who.user_id
        possible = state in allowed and (act != "submit" or whole)
        try:
            if act == "submit":
                review.submit(owner, key)
            elif act.startswith("take"):
                review.take(who, key)
            elif act == "edit_bank":
                bank.save(owner, key, OTHER)
                paid = paid if state in bank.TRADES else OTHER
                possible = state != "in_review"
            elif act in ("spoil", "mend"):
                address = "" if act == "spoil" else "Учебная ул., 1"
                session.execute(sa.update(Organisation).where(Organisation.public_id == key).values(address=address))
                session.commit()
                whole, possible = act == "mend", True
            else:
                review.decide(who, key, act, "потому что")
        except (Conflict, Invalid) as refusal:
            code = refusal.code
        else:
            code = ""
        assert (code == "") is (possible or again), (act, state, code)
        assert code in ("", "decision_not_possible", "onboarding_incomplete", "company_in_review")
        if target and not code and not again:
            state, reviewer, moves = target, who.user_id if target == "in_review" else None, moves + 1
        kept = row_of(key)
        assert (kept.status, kept.reviewer_id, BankDetails.of(kept.bank)) == (state, reviewer, paid)
    happened = sa.select(sa.func.count()).where(OutboxEvent.entity_id == row_of(key).id)
    assert session.scalar(happened.where(OutboxEvent.name.like("Organisation%"))) == moves
    told = sa.select(sa.func.count()).where(AuditEntry.entity_id == row_of(key).id)
    assert session.scalar(told.where(AuditEntry.after["status"].astext != "")) == moves


def test_the_whole_way_through_the_api_and_the_operators_pages(app: Flask) -> None:
    user, admin = make.account(), make.account(is_admin=True)
    api, desk_pages = ApiClient(app).as_user(user.email), make.browser(app, admin)
    made = api.post(
        "/organisations", {"kind": "seller", "name": "Проба", "inn": make.INNS["seller"][0], "kpp": "773601001"}
    )
    where = f"/organisations/{made.json['id']}"
    refused = api.post(f"{where}/submit")
    assert (refused.status_code, refused.json["code"]) == (422, "onboarding_incomplete")
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [
        ("/data", "missing_ogrn"), ("/data", "missing_address"), ("/bank", "missing_bank"),
        ("/documents", "missing_charter"), ("/documents", "missing_registration"), ("/agreement", "missing_agreement"),
    ]  # fmt: skip
    api.patch(where, {"ogrn": "1027700132195", "address": "Учебная ул., 1"})
    wrong = api.put(f"{where}/bank", asdict(make.BANK) | {"account": "40702810600000000002", "bik": "049900998"})
    assert {e["code"] for e in wrong.json["errors"]} == {"wrong_account", "wrong_correspondent_account"}
    assert api.put(f"{where}/bank", asdict(make.BANK)).json["account"] == make.BANK.account
    sent = []
    for kind, content, status in (
        ("charter", make.PDF, 201), ("registration", PNG, 201), ("other", b"<svg onload=alert(1)>", 422),
        ("other", b"", 422), ("other", make.PDF + bytes(documents.MAX_BYTES), 422), ("poem", make.PDF, 422),
    ):  # fmt: skip
        data = {"kind": kind, "file": (io.BytesIO(content), "../<b>Устав</b>.html")}
        answer = app.test_client().post(
            f"/api/v1{where}/documents", data=data, headers={"Authorization": f"Bearer {api.token}"}
        )
        assert answer.status_code == status, (kind, answer.text)
        sent.append(answer.json)
    assert {sent[2]["errors"][0]["code"], sent[4]["errors"][0]["code"]} == {"wrong_file_type", "file_too_large"}
    version = api.get(f"{where}/onboarding").json["agreement"]
    assert api.post(f"{where}/agreement", {"version": "1999"}).json["code"] == "agreement_outdated"
    assert api.post(f"{where}/agreement", {"version": version}).json["agreement_accepted"] is True
    assert api.post(f"{where}/submit").json["status"] == "submitted"
    file = api.get(f"{where}/documents/{sent[0]['id']}")
    assert file.data == make.PDF
    told = {name: file.headers[name] for name in ("Content-Security-Policy", "X-Content-Type-Options")}
    assert told == {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Cache-Control"] == "no-store"
    assert ApiClient(app).as_user(make.account().email).get(f"{where}/documents/{sent[0]['id']}").status_code == 404

    admin_url = f"/admin/organisations/{made.json['id']}"
    assert made.json["id"] in desk_pages.get("/admin/organisations?q=7736").text
    desk_pages.post(f"{admin_url}/take")
    assert api.patch(where, {"name": "Другое"}).json["code"] == "company_in_review"
    desk_pages.post(admin_url, data={"decision": "approve"})
    assert api.get(where).json["status"] == "in_review", "documents are looked at first"
    desk_pages.post(f"{admin_url}/documents/{sent[0]['id']}", data={"decision": "refuse", "note": ""})
    desk_pages.post(f"{admin_url}/documents/{sent[0]['id']}", data={"decision": "refuse", "note": "Не видно печати"})
    desk_pages.post(f"{admin_url}/documents/{sent[1]['id']}", data={"decision": "accept"})
    desk_pages.post(admin_url, data={"decision": "return", "note": "", "note_documents": "Пришлите устав ещё раз"})
    steps = {s["key"]: s for s in api.get(f"{where}/onboarding").json["steps"]}
    assert (steps["documents"]["note"], steps["documents"]["done"]) == ("Пришлите устав ещё раз", False)
    pages = make.browser(app, user)
    assert "Пришлите устав ещё раз" in pages.get(f"/account{where}").text
    assert "Не видно печати" in pages.get(f"/account{where}/documents").text
    paper = {"kind": "charter", "file": (io.BytesIO(make.PDF), "charter.pdf"), "valid_until": ""}
    assert pages.post(f"/account{where}/documents", data=paper).status_code == 303
    assert api.delete(f"{where}/documents/{sent[0]['id']}").status_code == 204
    assert api.delete(f"{where}/documents/{sent[1]['id']}").json["code"] == "document_accepted"
    assert pages.post(f"/account{where}/submit").status_code == 303
    last = api.get(f"{where}/documents").json["items"][0]["id"]
    assert desk_pages.get(f"{admin_url}/documents/{last}").data == make.PDF
    desk_pages.post(f"{admin_url}/documents/{last}", data={"decision": "accept"})
    desk_pages.post(admin_url, data={"decision": "approve"})
    assert api.get(where).json["status"] == "approved"
    run_jobs("organisations.approved")
    run_jobs("company.tell_state")
    assert [m["values"]["company_status"] for m in make.mails("company_state")] == ["returned", "approved"]
    assert api.get("/seller/holiday").json == {"pause": "", "first": None, "last": None}
    assert "organisation.approved" in desk_pages.get(admin_url).text
    assert pages.get("/seller/holiday").status_code == pages.get("/seller/overview").status_code == 200


def test_other_bank_details_pay_nobody_until_the_operator_confirms() -> None:
    user, accountant, manager = make.account(), make.account(), make.account()
    owner, operator = make.actor(user), operator_of()
    company = make.company(user, bank=asdict(make.BANK))
    make.seat(company, accountant, "accountant")
    make.seat(company, manager, "manager")
    key = company.public_id

    def paid() -> BankDetails:
        return BankDetails.of(row_of(key).bank)

    assert bank.save(owner, key, OTHER) is False
    assert paid() == make.BANK
    run_jobs("company.tell_bank")
    (letter,) = make.mails("company_bank")
    assert (letter["to"], letter["values"]["company_account"]) == (user.email, "•••• 0001")
    for other in (accountant, manager):
        with pytest.raises(Forbidden):
            bank.save(make.actor(other), key, OTHER)
    waits = bank.waiting(company.id)
    assert waits is not None
    assert waits.after.seen_by("accountant") == OTHER
    assert OTHER.account not in str(waits.after.seen_by("manager"))
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.after.cast(sa.Text).contains(OTHER.account))) == 0
    with pytest.raises(Invalid):
        bank.decide(operator, waits.public_id, "refuse", " ")
    bank.decide(operator, waits.public_id, "refuse", "Не дозвонились")
    with pytest.raises(Conflict, match="decided_already"):
        bank.decide(operator, waits.public_id, "confirm")
    assert paid() == make.BANK
    bank.save(owner, key, OTHER)
    bank.save(owner, key, replace(OTHER, name="Банк Третий"))
    bank.withdraw(owner, key)
    assert bank.waiting(company.id) is None
    bank.save(owner, key, OTHER)
    again = bank.waiting(company.id)
    assert again is not None
    bank.decide(operator, again.public_id, "confirm")
    assert paid() == OTHER
    assert make.audited("bank.change_asked") == 4
    assert make.audited("bank.change_confirmed") == 1


def test_papers_expire_and_are_for_those_who_answer_for_the_company(app: Flask) -> None:
    user, keeper = make.account(), make.account()
    owner, company = make.actor(user), make.company(user, status="draft")
    make.seat(company, keeper, "warehouse")
    soon = clock.today() + timedelta(days=10)
    paper = documents.add(owner, make.storage(), company.public_id, Upload("charter", "a.pdf", make.PDF, soon))
    with pytest.raises(Invalid):
        documents.add(owner, make.storage(), company.public_id, Upload("charter", "a.pdf", make.PDF, date(2020, 1, 1)))
    pages, theirs = make.browser(app, user), make.browser(app, keeper)
    address = f"/account/organisations/{company.public_id}"
    assert "действует до" in pages.get(address).text.lower()
    assert theirs.get(f"{address}/documents/{paper}").status_code == 403
    assert theirs.get(address).status_code == 200
    foreign = make.company(make.account())
    assert pages.get(f"/account/organisations/{foreign.public_id}/documents/{paper}").status_code == 404
    stored = session.scalars(sa.select(OrganisationDocument.stored_name)).one()
    (one,) = documents.of(company.id)
    assert one.expires_soon
    with time_machine.travel(clock.at(soon + timedelta(days=1), 60)):
        assert (one.is_expired, one.counts) == (True, False)
        step = next(s for s in review.steps(queries.organisation(user.id, company.public_id)) if s.key == "documents")
        assert "missing_charter" in step.missing
    documents.remove(owner, make.storage(), company.public_id, paper)
    with pytest.raises(NotFound):
        make.storage().get(stored)


@pytest.mark.parametrize(("content", "kind"), [
    (make.PDF, "pdf"), (b"\xff\xd8\xff\xe0", "jpeg"), (PNG, "png"), (b"RIFF\0\0\0\0WEBP", "webp"),
    (b"RIFF\0\0\0\0WAVE", None), (b"<html>%PDF-", None), (b"", None),
])  # fmt: skip
def test_a_file_is_what_its_first_bytes_say(content: bytes, kind: str | None) -> None:
    assert kind_of(content) == kind


def test_a_mailed_link_gives_a_place_once_to_the_right_person() -> None:
    user, helper, stranger = make.account(), make.account(), make.account()
    owner, company = make.actor(user), make.company(user)

    def token() -> str:
        return str(make.mails("invitation")[-1]["values"]["path"].rpartition("/")[2])

    unknown = invitations.invite(owner, company.public_id, "nobody@test.example", "manager")
    offer = invitations.invite(owner, company.public_id, helper.email.upper(), "warehouse")
    assert {type(unknown), type(offer)} == {type(offer)}
    assert len(make.mails("invitation")) == 2, "known and unknown addresses get the same"
    assert [one.public_id for one in invitations.for_person(helper.email)] == [offer]
    first = token()
    assert first.encode() not in session.scalars(sa.select(Invitation.token_hash)).all()
    invitations.resend(owner, company.public_id, offer)
    for dead in (first, "x"):
        with pytest.raises(Conflict, match="invitation_dead"):
            invitations.accept(make.actor(helper), dead)
    with pytest.raises(Forbidden, match="invitation_for_another"):
        invitations.accept(make.actor(stranger), token())
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)), pytest.raises(Conflict):
        invitations.accept(make.actor(helper), token())
    invitations.accept(make.actor(helper), token())
    with pytest.raises(Conflict, match="invitation_dead"):
        invitations.accept(make.actor(helper), token())
    assert {m.email: m.role for m in queries.members(company.id)} == {user.email: "owner", helper.email: "warehouse"}
    with pytest.raises(Invalid):
        invitations.invite(owner, company.public_id, helper.email, "manager")
    taken_back = invitations.invite(owner, company.public_id, stranger.email, "manager")
    with pytest.raises(NotFound):
        invitations.decline(make.actor(helper), taken_back)
    invitations.revoke(owner, company.public_id, taken_back)
    with pytest.raises(Conflict, match="invitation_dead"):
        invitations.accept(make.actor(stranger), token())
    assert [one.email for one in invitations.of_company(company.id)] == ["nobody@test.example"]


def test_nobody_gives_more_than_the_own_role() -> None:
    user, manager, keeper, accountant = (make.account() for _ in range(4))
    owner, company = make.actor(user), make.company(user)
    key = company.public_id
    for person, role in ((manager, "manager"), (keeper, "warehouse"), (accountant, "accountant")):
        make.seat(company, person, role)
    assert team.may_give("seller", "manager") == ("warehouse",)
    assert team.may_give("seller", "warehouse") == team.may_give("buyer", "member") == ()
    low = make.actor(manager)
    for act in (
        lambda: invitations.invite(low, key, "a@test.example", "accountant"),
        lambda: team.change_role(low, key, keeper.public_id, "manager"),
        lambda: team.change_role(low, key, accountant.public_id, "warehouse"),
        lambda: team.remove_member(low, key, user.public_id),
        lambda: invitations.invite(make.actor(keeper), key, "a@test.example", "warehouse"),
    ):
        with pytest.raises(Forbidden):
            act()
    open_one = invitations.invite(owner, key, "b@test.example", "accountant")
    for change in (invitations.revoke, invitations.resend):
        with pytest.raises(Forbidden):
            change(low, key, open_one)
    invitations.invite(low, key, "a@test.example", "warehouse")
    epoch = session.scalar(sa.select(User.token_epoch).where(User.id == keeper.id))
    team.change_role(owner, key, keeper.public_id, "manager")
    assert session.scalar(sa.select(User.token_epoch).where(User.id == keeper.id)) == (epoch or 0) + 1
    with pytest.raises(Conflict, match="last_owner"):
        team.change_role(owner, key, user.public_id, "manager")


def test_a_suspended_seller_finishes_its_orders_and_nothing_else(app: Flask) -> None:
    user = make.account()
    company = make.company(user)
    review.decide(operator_of(), company.public_id, "suspend", "Жалобы")
    run_jobs("organisations.suspended")
    seen = queries.by_session(
        service.open_session(service.sign_in(user.email, make.PASSWORD, make.client_of())), ip="", request_id=""
    )
    assert seen is not None
    open_to_it = {p for p in Permission if p.startswith("seller") and may(seen.actor, p)}
    assert open_to_it == {Permission.SELLER_VIEW, Permission.SELLER_ORDERS, Permission.SELLER_PICK}
    assert {p for p, roles in GRANTS.items() if Role.SELLER_SUSPENDED in roles} == open_to_it
    keeper = Membership(1, company.public_id, "", "seller", "warehouse", "suspended")
    assert keeper.own_role is Role.SELLER_WAREHOUSE
    pages = make.browser(app, user)
    desk_page = pages.get("/seller/orders")
    assert desk_page.status_code == 200
    assert "приостановил" in desk_page.text
    assert "Жалобы" in pages.get(f"/account/organisations/{company.public_id}").text


def test_an_agreement_left_unsigned_pauses_the_selling_until_it_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    market = orders.market()
    offer, seller = orders.offer(market), market.sellers[0]
    company = seller.memberships[0].organisation_public_id
    newer = Agreement("seller", "test", clock.today(), clock.today() + timedelta(days=3))
    monkeypatch.setattr(agreements, "AGREEMENTS", [*agreements.AGREEMENTS, newer])
    selling.settle_all()
    assert desk.offer(seller.seller_id, offer.public_id).why_not_sold == ""
    with time_machine.travel(clock.now() + timedelta(days=4)):
        selling.settle_all()
        assert desk.offer(seller.seller_id, offer.public_id).why_not_sold == "seller_agreement"
        with pytest.raises(Conflict, match="agreement_outdated"):
            agreements.accept(seller, company, "2026_11")
        agreements.accept(seller, company, "test")
        agreements.accept(seller, company, "test")
        assert make.audited("agreement.accepted") == 1
        selling.settle(seller.seller_id)
        assert desk.offer(seller.seller_id, offer.public_id).why_not_sold == ""


def test_a_person_of_several_sellers_says_for_whom(app: Flask) -> None:
    user = make.account()
    first, second = make.company(user), make.company(user)
    for company in (first, second):
        selling.open_seller(company.id, company.name)
    api = ApiClient(app).as_user(user.email)
    until = (clock.today() + timedelta(days=1)).isoformat()
    chosen = {"X-Organisation-Id": str(second.public_id)}
    answer = api.put("/seller/holiday", {"first": clock.today().isoformat(), "last": until}, headers=chosen)
    assert answer.json["pause"] == "holiday"
    assert api.get("/seller/holiday").json["pause"] == ""
    assert api.get("/seller/holiday", headers=chosen).json["pause"] == "holiday"
    strange = {"X-Organisation-Id": str(make.company(make.account()).public_id)}
    assert api.get("/seller/holiday", headers=strange).status_code == 404
    pages = make.browser(app, user)
    page = pages.get("/seller/orders")
    assert f"/account/work-for/{second.public_id}" in page.text
    pages.post(f"/account/work-for/{second.public_id}", data={"next": "/seller/orders"})
    assert f"/account/work-for/{first.public_id}" in pages.get("/seller/orders").text


def test_an_unknown_decision_is_refused() -> None:
    company = make.company(make.account(), status="submitted")
    for act in (
        lambda: review.decide(operator_of(), company.public_id, "burn"),
        lambda: documents.decide(operator_of(), company.public_id, company.public_id, "burn"),
        lambda: bank.decide(operator_of(), company.public_id, "burn"),
    ):
        with pytest.raises(DomainError):
            act()
