"""Pages of the account: what a browser without script sees, keeps, and can no longer do."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, g
from flask.testing import FlaskClient
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.accounts import service
from app.accounts.models import Device, LoginSession, Organisation, OrganisationMember, Site, User
from app.core.db import session
from app.orders.models import Cart, CartLine
from app.web.account.auth import safe_next
from tests.factories import accounts as make
from tests.factories import orders
from tests.web.test_cart import put, text_of

NEW = {"name": "Анна Тестовая", "phone": "8 916 123-45-67", "password": "correct horse", "agree": "y"}


def cookie(client: FlaskClient, name: str = "session") -> str:
    found = client.get_cookie(name)
    return found.value if found else ""


def sign_in(client: FlaskClient, email: str, password: str = make.PASSWORD, **more: str) -> Any:
    return client.post("/login", data={"email": email, "password": password} | more)


def test_registration_signs_in_and_goes_where_one_wanted(client: FlaskClient) -> None:
    answer = client.post("/register", data=NEW | {"email": make.email(), "next": "/checkout?step=1"})
    assert (answer.status_code, answer.location) == (303, "/checkout?step=1")
    page = client.get("/account")
    assert "Анна Тестовая" in page.text
    assert "+79161234567" in page.text
    held = answer.headers.getlist("Set-Cookie")
    assert any(c.startswith("session=") and "HttpOnly" in c and "SameSite=Lax" in c for c in held)


def test_wrong_fields_are_named_and_what_was_typed_is_kept(client: FlaskClient) -> None:
    answer = client.post("/register", data={"name": "Анна", "email": "nobody", "phone": "abc", "password": "short"})
    assert answer.status_code == 422
    assert 'value="nobody"' in answer.text
    assert 'value="Анна"' in answer.text
    assert "short" not in answer.text, "a password is never sent back"
    assert '<a href="#agree">' in answer.text
    assert re.search(r"<title>\s*Ошибка:", answer.text)
    answer = client.post("/register", data=NEW | {"email": "nobody", "phone": "abc"})
    assert answer.status_code == 422
    assert text_of(answer).count("не похоже") >= 2, "each of both wrong fields has its words"


def test_unknown_address_and_wrong_password_give_the_same_page(client: FlaskClient) -> None:
    user = make.account()
    bodies = []
    for email in (user.email, "unknown@test.example"):
        answer = sign_in(client, email, "wrong password")
        bodies.append((answer.status_code, answer.text.replace(email, "")))
    assert bodies[0] == bodies[1]
    assert bodies[0][0] == 422
    forgot = [client.post("/password/forgot", data={"email": e}) for e in (user.email, "unknown@test.example")]
    assert forgot[0].text.replace(user.email, "") == forgot[1].text.replace("unknown@test.example", "")
    assert len(make.mails("password_reset")) == 1


def test_a_session_brought_before_sign_in_is_worth_nothing(client: FlaskClient) -> None:
    user = make.account()
    client.set_cookie("session", planted := "a" * 43)
    sign_in(client, user.email)
    first = cookie(client)
    assert first != planted
    sign_in(client, user.email)
    assert cookie(client) != first, "each sign-in has a new token"
    old = client.application.test_client()
    for worthless in (planted, first):
        old.set_cookie("session", worthless)
        assert old.get("/account").status_code == 303


def test_signing_out_kills_the_session_on_the_server(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    token = cookie(client)
    assert client.post("/logout").status_code == 303
    assert cookie(client) == ""
    client.set_cookie("session", token)
    assert client.get("/account").location == "/login?next=/account"
    assert session.scalar(sa.select(sa.func.count()).where(LoginSession.revoked_at.is_(None))) == 0


@pytest.mark.parametrize("target", [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/%09/evil.example",
    "/\t/evil.example", "/%2F/evil.example", "/%5Cevil.example", "javascript:alert(1)", "", " //evil.example",
    "/x\r\nSet-Cookie: a=b", "http://[", "%2F%2Fevil.example",
])  # fmt: skip
def test_next_never_leaves_the_site(client: FlaskClient, target: str) -> None:
    if target != "/%2F/evil.example":
        assert safe_next(target) == "/"
    user = make.account()
    answer = sign_in(client, user.email, next=target)
    assert answer.status_code == 303
    assert not answer.location.replace("\\", "/").startswith("//")
    assert "evil" not in answer.location.split("/")[0]
    assert client.post("/preferences", data={"next": target}).status_code == 303
    assert client.get("/login", query_string={"next": target}).status_code == 302


def test_a_closed_page_asks_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/account/sites?x=1")
    assert answer.location == "/login?next=/account/sites%3Fx%3D1"
    page = client.get(answer.location)
    assert 'name="next" value="/account/sites?x=1"' in page.text


def test_the_guests_cart_comes_along(app: Flask, client: FlaskClient) -> None:
    market = orders.market()
    put(client, orders.offer(market), "3")
    assert cookie(client, "cart")
    user = make.account()
    sign_in(client, user.email)
    assert cookie(client, "cart") == ""
    mine = sa.select(CartLine.quantity).join(Cart, Cart.id == CartLine.cart_id).where(Cart.user_id == user.id)
    assert list(session.scalars(mine)) == [3]
    again = make.browser(app, user)
    assert again.get("/cart").text.count("/cart/lines/") == client.get("/cart").text.count("/cart/lines/") > 0


def test_a_mailed_link_sets_a_password_once(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    client.post("/password/forgot", data={"email": user.email})
    [mail] = make.mails("password_reset")
    path = mail["values"]["path"]
    assert client.get(path).status_code == 200
    assert client.post(path, data={"password": "short"}).status_code == 422
    assert client.post(path, data={"password": "another horse"}).location == "/login"
    assert client.get("/account").status_code == 303
    assert "/password/forgot" in client.get("/login").text
    dead = client.post(path, data={"password": "third horse yet"})
    assert dead.status_code == 422
    assert "Ссылка" in text_of(dead)
    assert sign_in(client, user.email).status_code == 422
    assert sign_in(client, user.email, "another horse").status_code == 303


def test_profile_and_password(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    saved = client.post("/account", data={"name": "Новое Имя", "phone": "", "marketing_consent": "y", "version": "1"})
    assert saved.status_code == 303
    stale = client.post("/account", data={"name": "Старое Имя", "phone": "", "version": "1"})
    assert stale.status_code == 422
    assert 'value="Старое Имя"' in stale.text
    session.refresh(user)
    assert (user.name, user.marketing_consent) == ("Новое Имя", True)
    wrong = client.post("/account/password", data={"old_password": "x", "new_password": "another horse"})
    assert wrong.status_code == 422
    assert "Ошибка:" in wrong.text
    other = make.browser(client.application, user)
    good = client.post("/account/password", data={"old_password": make.PASSWORD, "new_password": "another horse"})
    assert good.status_code == 303
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_closing_the_account(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    assert client.post("/account/close", data={"close_password": "wrong"}).status_code == 422
    assert client.post("/account/close", data={"close_password": make.PASSWORD}).location == "/"
    assert client.get("/account").status_code == 303
    assert sign_in(client, user.email).status_code == 422


def test_devices_are_named_and_signed_out(app: Flask, client: FlaskClient) -> None:
    user = make.account()
    phone = make.browser(app, user)
    sign_in(client, user.email)
    mine, other = cookie(client, "device"), cookie(phone, "device")
    key = session.scalars(sa.select(Device.public_id).where(Device.client_id == uuid.UUID(other))).one()
    assert client.post(f"/account/devices/{key}/name", data={"name": "Телефон прораба"}).status_code == 303
    assert "Телефон прораба" in client.get("/account/devices").text
    assert client.post(f"/account/devices/{key}/revoke").status_code == 303
    assert phone.get("/account").status_code == 303
    assert "Телефон прораба" not in client.get("/account/devices").text
    sign_in(client, user.email)
    assert cookie(client, "device") == mine, "the same browser stays the same device"


def test_sites_are_kept_changed_and_removed(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    wrong = client.post("/account/sites/new", data={"title": "Дом", "address": "", "lat": "north", "lon": "37,6"})
    assert wrong.status_code == 422
    assert 'value="north"' in wrong.text
    place = {"title": "Дом", "address": "Учебная ул., 1", "lat": "55,8142", "lon": "37.58"}
    site = place | {"unloading": "crane", "floor": "2"}
    assert client.post("/account/sites/new", data=site | {"next": "/checkout"}).location == "/checkout"
    row = session.scalars(sa.select(Site).where(Site.user_id == user.id)).one()
    assert (row.lat, row.floor, row.unloading) == (55.8142, 2, "crane")
    assert client.post(f"/account/sites/{row.public_id}", data=site | {"title": "Дача"}).status_code == 303
    assert "Дача" in client.get("/account/sites").text
    assert client.post(f"/account/sites/{row.public_id}/delete").status_code == 303
    assert "Дача" not in client.get("/account/sites", follow_redirects=True).text.split("<main")[1].split("role=")[-1]
    assert client.get(f"/account/sites/{row.public_id}").status_code == 404


def test_a_company_is_registered_returned_and_sent_again(client: FlaskClient) -> None:
    user = make.account()
    sign_in(client, user.email)
    inn, kpp = make.INNS["seller"]
    firm = {"kind": "seller", "name": "ООО «Проба»", "inn": inn[:-1] + "0", "kpp": kpp, "ogrn": "", "address": ""}
    wrong = client.post("/account/organisations", data=firm)
    assert wrong.status_code == 422
    assert "ИНН" in text_of(wrong)
    assert 'value="ООО «Проба»"' in wrong.text
    assert client.post("/account/organisations", data=firm | {"inn": inn}).status_code == 303
    row = session.scalars(sa.select(Organisation)).one()
    assert "draft" not in text_of(client.get("/account/organisations"))
    row.status, row.review_note = "returned", "Нет адреса"
    session.commit()
    address = f"/account/organisations/{row.public_id}"
    page = client.get(address)
    assert "Нет адреса" in page.text
    assert "владелец" in text_of(page)
    assert 'value="ООО «Проба»"' in client.get(f"{address}/data").text
    version = str(row.version)
    assert client.post(address, data=firm | {"inn": "1", "version": version}).status_code == 422
    mended = firm | {"inn": inn, "address": "Учебная ул., 1", "version": version}
    assert client.post(address, data=mended).status_code == 303
    session.refresh(row)
    assert (row.status, row.address) == ("returned", "Учебная ул., 1"), "the owner says when everything is mended"
    unfinished = client.post(f"{address}/submit")
    assert unfinished.status_code == 422
    for section in ("data", "bank", "documents", "agreement"):
        assert f'href="{address}/{section}"' in unfinished.text
    assert client.post(address, data=firm | {"inn": inn, "version": version}).status_code == 422, "an older form"


def test_people_of_a_company_come_and_go(client: FlaskClient) -> None:
    owner, helper = make.account(), make.account()
    firm = make.company(owner)
    sign_in(client, owner.email)
    address = f"/account/organisations/{firm.public_id}"
    for email, role, status in (
        ("no address", "manager", 422), (helper.email, "courier", 422), ("nobody@test.example", "manager", 303),
        (helper.email, "warehouse", 303), (owner.email, "manager", 422),
    ):  # fmt: skip
        assert client.post(f"{address}/invitations", data={"email": email, "role": role}).status_code == status
    page = client.get(f"{address}/team")
    assert helper.email in page.text
    assert "warehouse" not in text_of(page), "roles are said in the reader's language"
    helpers = make.browser(client.application, helper)
    assert firm.name in text_of(helpers.get("/account/organisations"))
    link = make.mails("invitation")[-1]["values"]["path"]
    assert firm.name in text_of(client.application.test_client().get(link)), "read before signing in"
    assert text_of(client.get(link)).count(helper.email) == 1
    assert client.post(link).status_code == 409, "the link is for another e-mail"
    assert helpers.post(link).location == address
    assert helpers.post(link).status_code == 409, "it works once"
    assert helpers.get(f"{address}/team").status_code == 200
    refused = helpers.post(f"{address}/invitations", data={"email": make.account().email, "role": "owner"})
    assert refused.status_code in (403, 422)
    assert helpers.get(f"{address}/documents").status_code == 403
    assert helpers.post(address, data={"name": "Моё", "inn": firm.inn, "kpp": firm.kpp}).status_code == 403
    role = f"{address}/members/{helper.public_id}/role"
    assert client.post(role, data={"role": "accountant"}).status_code == 303
    assert helpers.get(f"{address}/documents").status_code == 200
    assert helpers.post(role, data={"role": "owner"}).status_code == 403
    assert session.scalar(sa.select(sa.func.count(OrganisationMember.id))) == 2
    assert client.post(f"{address}/members/{helper.public_id}/remove").status_code == 303
    assert session.scalar(sa.select(sa.func.count(OrganisationMember.id))) == 1
    assert helpers.get(address).status_code == 404


def test_one_person_works_for_one_of_several_sellers(client: FlaskClient) -> None:
    user = make.account()
    first, second = make.company(user), make.company(user)
    sign_in(client, user.email)
    answer = client.post(f"/account/work-for/{second.public_id}", data={"next": "/seller/orders"})
    assert answer.location == "/seller/orders"
    assert session.scalars(sa.select(LoginSession.current_seller_id)).one() == second.id
    elsewhere = client.post(f"/account/work-for/{first.public_id}", data={"next": "//evil.example"})
    assert elsewhere.location == "/account/organisations"
    strange = make.company(make.account())
    assert client.post(f"/account/work-for/{strange.public_id}").status_code == 404


def _closed_to_others(owner: User) -> list[tuple[str, str]]:
    """Addresses of the owner's things, with the id marked by {}."""
    site = Site(user_id=owner.id, title="Дом", address="Учебная ул., 1", lat=55.8, lon=37.6)
    session.add(site)
    session.flush()
    firm = make.company(owner)
    signed = service.sign_in(owner.email, make.PASSWORD, make.client_of())
    device = session.get_one(Device, signed.device_id).public_id
    session.commit()
    return [
        ("GET /account/sites/{}", str(site.public_id)), ("POST /account/sites/{}", str(site.public_id)),
        ("POST /account/sites/{}/delete", str(site.public_id)), ("GET /account/organisations/{}", str(firm.public_id)),
        ("POST /account/organisations/{}", str(firm.public_id)),
        ("POST /account/organisations/{}/invitations", str(firm.public_id)),
        ("POST /account/organisations/{}/members/" + str(owner.public_id) + "/remove", str(firm.public_id)),
        ("POST /account/work-for/{}", str(firm.public_id)), ("POST /account/devices/{}/name", str(device)),
        ("POST /account/devices/{}/revoke", str(device)),
    ]  # fmt: skip


def test_what_belongs_to_others_is_as_absent(client: FlaskClient) -> None:
    things = _closed_to_others(make.account())
    sign_in(client, make.account().email)
    for where, foreign in things:
        method, path = where.split(" ")
        seen = []
        for key in (foreign, str(uuid.uuid4()), "not-an-id"):
            data = {"name": "x", "email": "a@b.ru", "role": "owner"}
            answer = client.open(path.format(key), method=method, data=data if method == "POST" else None)
            body = answer.text.replace(key, "").replace(answer.headers["X-Request-Id"], "")
            seen.append((answer.status_code, body))
        assert seen[0][0] == 404, where
        assert seen[0] == seen[1] == seen[2], where
    assert session.scalar(sa.select(sa.func.count()).where(Site.is_deleted)) == 0


def test_forms_need_the_csrf_token(app: Flask, db_session: Any) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        client = app.test_client()
        user = make.account()
        assert sign_in(client, user.email).status_code in (400, 422)
        assert cookie(client) == "" or client.get("/account").status_code == 303
        page = client.get("/login")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found
        token = found[1]
        assert sign_in(client, user.email, csrf_token=token).status_code == 303
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_guessing_is_limited_and_others_are_not_locked_out(app: Flask, client: FlaskClient) -> None:
    user, other = make.account(), make.account()
    app.config["RATELIMIT_ENABLED"] = True
    try:
        answers = [sign_in(client, user.email, f"wrong {n}").status_code for n in range(10)]
        assert answers == [422] * 10
        refused = sign_in(client, user.email)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert "Слишком много" in text_of(refused)
        assert sign_in(client, other.email).status_code == 303
        codes = [client.post("/password/forgot", data={"email": user.email}).status_code for _ in range(6)]
        assert codes == [200] * 5 + [429]
    finally:
        app.config["RATELIMIT_ENABLED"] = False


def test_guessing_is_limited_without_valkey_too(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = FixedWindowRateLimiter(storage_from_string("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(app.extensions["market_limiter"], "_limiter", dead)
    app.config["RATELIMIT_ENABLED"] = True
    user = make.account()
    try:
        assert [sign_in(client, user.email, "wrong one").status_code for _ in range(11)] == [422] * 10 + [429]
    finally:
        app.config["RATELIMIT_ENABLED"] = False


@pytest.mark.parametrize("path", [
    "/login", "/register", "/password/forgot", "/password/reset/x", "/account", "/account/devices", "/account/sites",
    "/account/sites/new", "/account/organisations",
])  # fmt: skip
def test_every_page_is_whole_in_both_languages_with_few_queries(
    app: Flask, client: FlaskClient, count_queries: Any, path: str
) -> None:
    user = make.account()
    make.company(user)
    if path.startswith("/account"):
        sign_in(client, user.email)
    client.get(path)
    with count_queries() as seen:
        page = client.get(path)
    assert page.status_code == 200
    assert len(seen) <= 5, seen
    assert page.text.count("<h1") == 1
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert not re.search(r"<script(?![^>]*src)|\sstyle=|\son\w+=", page.text)
    client.post("/preferences", data={"lang": "en"})
    g.pop("_flask_babel", None)  # requests of a test share one context, and with it the language found first
    english = re.sub(r'value="[^"]*"', "", client.get(path).text).replace(user.name, "")
    assert not re.search(r"[а-яё]{3}", re.sub(r"Компания \d+|Русский|По-русски", "", english), re.IGNORECASE), path
