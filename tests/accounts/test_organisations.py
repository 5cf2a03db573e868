"""Companies: requisites, people, the operator's word, and what each of them ends."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import organisations, queries, refresh, review, service, sites, team
from app.accounts.models import LoginSession, Organisation, OrganisationMember, PasswordReset, RefreshToken, User
from app.accounts.organisations import Requisites
from app.core import clock, jobs
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from app.core.models import Job
from app.core.permissions import Actor, Permission, may
from app.logistics.models import Carrier
from app.offers.models import Seller
from tests.factories import accounts as make
from tests.factories.accounts import run_jobs

pytestmark = pytest.mark.usefixtures("db_session")
FIRM = Requisites("ООО «Проба»", *make.INNS["seller"], ogrn="1027700132195")


def codes(error: Invalid) -> dict[str, str]:
    return {item.pointer: item.code for item in error.errors}


def owner_and_firm(kind: str = "seller", status: str = "approved") -> tuple[Actor, Organisation]:
    user = make.account()
    return make.actor(user), make.company(user, kind, status)


def seen(user: User) -> Actor:
    """The person as the next request sees them."""
    token = service.open_session(service.sign_in(user.email, make.PASSWORD, make.client_of()))
    found = queries.by_session(token, ip="", request_id="")
    assert found is not None
    return found.actor


def test_every_wrong_requisite_is_named() -> None:
    actor = make.actor(make.account())
    with pytest.raises(Invalid) as refused:
        organisations.create(actor, "shop", Requisites("x", "7707083890", "77", "1027700132190", "у" * 301))
    assert codes(refused.value) == {
        "/kind": "unknown_option", "/name": "too_short", "/inn": "wrong_inn", "/kpp": "wrong_kpp",
        "/ogrn": "wrong_ogrn", "/address": "too_long",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), [("buyer", "approved"), ("seller", "draft"), ("carrier", "draft")])
def test_sellers_and_carriers_wait_for_the_operator(kind: str, status: str) -> None:
    user = make.account()
    key = organisations.create(make.actor(user), kind, FIRM)
    row = queries.organisation(user.id, key)
    assert (row.status, row.role) == (status, "owner")
    assert not may(seen(user), Permission.SELLER_VIEW)
    assert not may(seen(user), Permission.CARRIER_VIEW)


def test_a_company_is_registered_once_for_a_kind() -> None:
    first, second = make.actor(make.account()), make.actor(make.account())
    organisations.create(first, "seller", FIRM)
    organisations.create(second, "carrier", FIRM)
    with pytest.raises(Invalid) as refused:
        organisations.create(second, "seller", FIRM)
    assert codes(refused.value) == {"/inn": "organisation_exists"}


def test_only_the_owner_edits_and_others_do_not_even_see_it() -> None:
    actor, firm = owner_and_firm()
    manager = make.account()
    make.seat(firm, manager, "manager")
    with pytest.raises(Forbidden):
        organisations.edit(make.actor(manager), firm.public_id, FIRM)
    with pytest.raises(NotFound):
        organisations.edit(make.actor(make.account()), firm.public_id, FIRM)
    with pytest.raises(NotFound):
        queries.organisation(make.account().id, firm.public_id)
    with pytest.raises(Stale):
        organisations.edit(actor, firm.public_id, FIRM, version=firm.version + 1)


def test_an_approved_company_keeps_its_inn() -> None:
    actor, firm = owner_and_firm()
    other = make.INNS["carrier"][0]
    with pytest.raises(Invalid) as refused:
        organisations.edit(actor, firm.public_id, Requisites(firm.name, other, firm.kpp))
    assert codes(refused.value) == {"/inn": "inn_fixed"}
    organisations.edit(actor, firm.public_id, Requisites("Новое имя", firm.inn, firm.kpp))
    session.refresh(firm)
    assert (firm.name, firm.status, firm.inn) == ("Новое имя", "approved", make.INNS["seller"][0])


def test_two_companies_cannot_take_one_number_by_editing() -> None:
    actor, firm = owner_and_firm(status="submitted")
    taken = make.company(make.account())
    with pytest.raises(Invalid) as refused:
        organisations.edit(actor, firm.public_id, Requisites("Имя", taken.inn, taken.kpp))
    assert codes(refused.value) == {"/inn": "organisation_exists"}


def test_a_returned_company_is_mended_and_approved_and_its_desk_opens() -> None:
    operator = make.actor(make.account(is_admin=True), is_admin=True)
    user = make.account()
    key = make.ready(make.actor(user), "seller", FIRM)
    review.submit(make.actor(user), key)
    with pytest.raises(Invalid):
        review.decide(operator, key, "return", " ")
    review.decide(operator, key, "return", "Нет адреса")
    assert queries.organisation(user.id, key).review_note == "Нет адреса"
    organisations.edit(make.actor(user), key, Requisites(FIRM.name, FIRM.inn, FIRM.kpp, FIRM.ogrn, "Учебная ул., 1"))
    assert queries.organisation(user.id, key).status == "returned", "the owner says when everything is mended"
    review.submit(make.actor(user), key)
    make.accept_documents(operator, key)
    review.decide(operator, key, "approve")
    assert may(seen(user), Permission.SELLER_OFFERS)
    run_jobs("organisations.approved")
    assert session.get_one(Seller, queries.organisation(user.id, key).id).is_active
    assert make.audited("organisation.approved") == 1
    with pytest.raises(DomainError, match="decision_not_possible"):
        review.decide(operator, key, "approve")


@pytest.mark.parametrize(("kind", "table", "door"), [
    ("seller", Seller, Permission.SELLER_OFFERS), ("carrier", Carrier, Permission.CARRIER_VIEW),
])  # fmt: skip
def test_a_suspended_company_stops_at_once_and_may_come_back(kind: str, table: Any, door: Permission) -> None:
    operator = make.actor(make.account(is_admin=True), is_admin=True)
    user = make.account()
    firm = make.company(user, kind, "submitted")
    review.decide(operator, firm.public_id, "approve")
    run_jobs("organisations.approved")
    review.decide(operator, firm.public_id, "suspend")
    assert not may(seen(user), door)
    run_jobs("organisations.suspended")
    session.expire_all()
    assert not session.get_one(table, firm.id).is_active
    review.decide(operator, firm.public_id, "approve")
    run_jobs("organisations.approved")
    session.expire_all()
    assert session.get_one(table, firm.id).is_active


def test_a_job_run_twice_opens_one_seller() -> None:
    operator = make.actor(make.account(is_admin=True), is_admin=True)
    firm = make.company(make.account(), "seller", "submitted")
    review.decide(operator, firm.public_id, "approve")
    run_jobs("organisations.approved")
    session.execute(sa.update(Job).where(Job.kind == "organisations.approved").values(state="queued"))
    session.commit()
    run_jobs("organisations.approved")
    assert session.scalar(sa.select(sa.func.count()).where(Seller.id == firm.id)) == 1


def test_a_member_is_added_by_address_and_loses_rights_with_the_next_request() -> None:
    actor, firm = owner_and_firm()
    helper = make.account()
    team.add_member(actor, firm.public_id, helper.email.upper(), "warehouse")
    assert may(seen(helper), Permission.SELLER_PICK)
    assert not may(seen(helper), Permission.SELLER_OFFERS)
    epoch = helper.token_epoch
    team.remove_member(actor, firm.public_id, helper.public_id)
    session.refresh(helper)
    assert helper.token_epoch == epoch + 1
    assert not may(seen(helper), Permission.SELLER_PICK)


def test_who_cannot_become_a_member() -> None:
    actor, firm = owner_and_firm()
    helper = make.account()
    team.add_member(actor, firm.public_id, helper.email, "manager")
    wrong = {
        ("unknown@test.example", "manager"): {"/email": "no_such_person"},
        (helper.email, "manager"): {"/email": "member_already"},
        (make.account().email, "courier"): {"/role": "unknown_option"},
        (make.account().email, "admin"): {"/role": "unknown_option"},
    }
    for (email, role), expected in wrong.items():
        with pytest.raises(Invalid) as refused:
            team.add_member(actor, firm.public_id, email, role)
        assert codes(refused.value) == expected
    with pytest.raises(Forbidden):
        team.add_member(make.actor(helper), firm.public_id, make.account().email, "owner")


def test_a_company_never_loses_its_last_owner() -> None:
    actor, firm = owner_and_firm()
    with pytest.raises(Conflict, match="last_owner"):
        team.remove_member(actor, firm.public_id, actor.public_id or uuid.uuid4())
    second = make.account()
    team.add_member(actor, firm.public_id, second.email, "owner")
    team.remove_member(make.actor(second), firm.public_id, actor.public_id or uuid.uuid4())
    owners = sa.select(OrganisationMember.user_id).where(OrganisationMember.organisation_id == firm.id)
    assert list(session.scalars(owners)) == [second.id]


SITE = {"title": "Дом", "address": "Учебная ул., 1", "lat": 55.8, "lon": 37.6}


def test_a_site_is_checked_kept_and_hidden() -> None:
    actor, stranger = make.actor(make.account()), make.actor(make.account())
    with pytest.raises(Invalid) as refused:
        sites.add(actor, {"title": " ", "lat": 91, "lon": float("nan"), "floor": 500, "contact_phone": "x",
                          "unloading": "magic", "max_vehicle_kg": 0})  # fmt: skip
    assert set(codes(refused.value)) == {
        "/title", "/address", "/lat", "/lon", "/floor", "/contact_phone", "/unloading", "/max_vehicle_kg",
    }  # fmt: skip
    kept = sites.add(actor, SITE)
    for call in (
        lambda: sites.edit(stranger, kept.public_id, {"title": "Мой"}),
        lambda: sites.remove(stranger, kept.public_id),
    ):
        with pytest.raises(NotFound):
            call()
    sites.edit(actor, kept.public_id, {"floor": 3}, kept.version)
    with pytest.raises(Stale):
        sites.edit(actor, kept.public_id, {"floor": 4}, 1)
    sites.remove(actor, kept.public_id)
    assert list(queries.sites(actor.user)) == []
    with pytest.raises(NotFound):
        queries.site(actor.user, kept.public_id)


def test_housekeeping_drops_what_expired_long_ago_and_keeps_the_rest() -> None:
    signed = make.registered()
    service.open_session(signed)
    token = service.open_session(signed)
    refresh.issue(signed)
    address = session.get_one(User, signed.user_id).email
    service.ask_password_reset(address)
    service.ask_password_reset(address)
    old = clock.now() - timedelta(days=31)
    for table in (LoginSession, PasswordReset):
        first = session.scalar(sa.select(sa.func.min(table.id)))
        session.execute(sa.update(table).where(table.id == first).values(expires_at=old))
    session.execute(sa.update(RefreshToken).values(expires_at=old))
    unit_of_work(lambda: jobs.enqueue("housekeeping.daily", {}))()
    run_jobs("housekeeping.daily")
    left = {
        t.__tablename__: session.scalar(sa.select(sa.func.count(t.id)))
        for t in (LoginSession, PasswordReset, RefreshToken)
    }
    assert left == {"login_session": 1, "password_reset": 1, "refresh_token": 0}
    assert queries.by_session(token, ip="", request_id="") is not None
