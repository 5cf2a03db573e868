"""Registration, sign-in, passwords, devices: what ends, and when."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from app.accounts import passwords, queries, service
from app.accounts.models import Device, LoginSession, PasswordReset, RefreshToken, User
from app.accounts.refresh import issue
from app.accounts.service import NewUser
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, NotSignedIn, Stale
from tests.factories import accounts as make

pytestmark = pytest.mark.usefixtures("db_session")


def codes(error: Invalid) -> dict[str, str]:
    return {item.pointer: item.code for item in error.errors}


def who(token: str) -> Any:
    return queries.by_session(token, ip="", request_id="")


def test_registration_keeps_a_hash_and_sends_a_welcome() -> None:
    address = make.email()
    signed = service.register(
        NewUser(f" {address.upper()} ", "correct horse", " Анна ", "8 916 123-45-67"), make.client_of()
    )
    user = session.get_one(User, signed.user_id)
    assert user.password_hash.startswith("$argon2id$")
    assert "correct horse" not in user.password_hash
    assert (user.email_key, user.name, user.phone) == (address, "Анна", "+79161234567")
    assert [mail["to"] for mail in make.mails("welcome")] == [address.upper()]
    assert make.audited("user.registered") == 1


def test_registration_names_every_wrong_field_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        service.register(NewUser("nobody", "correct horse", " ", "abc"), make.client_of())
    assert codes(refused.value) == {"/email": "malformed_email", "/name": "required", "/phone": "malformed_phone"}


def test_an_address_has_one_account_whatever_its_letters() -> None:
    user = make.account()
    with pytest.raises(Invalid) as refused:
        service.register(NewUser(user.email.upper(), "correct horse", "Вторая"), make.client_of())
    assert codes(refused.value) == {"/email": "email_taken"}


@pytest.mark.parametrize(("password", "code"), [
    ("short", "too_short"), ("x" * 129, "too_long"), ("password123", "common_password"),
    ("QWERTY123", "common_password"),
])  # fmt: skip
def test_weak_passwords_are_refused(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check_strength(password)
    assert codes(refused.value) == {"/password": code}


def test_a_password_is_taken_as_it_is() -> None:
    signed = service.register(NewUser(address := make.email(), "  spaces count  ", "Анна"), make.client_of())
    assert service.sign_in(address, "  spaces count  ", make.client_of()).user_id == signed.user_id
    with pytest.raises(NotSignedIn):
        service.sign_in(address, "spaces count", make.client_of())


@pytest.mark.parametrize("case", ["unknown", "wrong", "blocked"])
def test_every_refused_sign_in_is_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make.account(is_active=case != "blocked")
    checks: list[str] = []
    real = passwords._hasher.verify
    monkeypatch.setattr(passwords, "_hasher", Counting(checks))
    passwords._dummy.cache_clear()
    address = "unknown@test.example" if case == "unknown" else user.email
    with pytest.raises(NotSignedIn) as refused:
        service.sign_in(address, "wrong one" if case == "wrong" else make.PASSWORD, make.client_of())
    assert refused.value.code == "wrong_credentials"
    assert len(checks) == 1, "exactly one hash is verified, so the time tells nothing"
    assert real is not None


class Counting:
    """The cheap hasher, counting verifications."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen
        self._inner = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def verify(self, stored: str, password: str) -> bool:
        self._seen.append(stored)
        return self._inner.verify(stored, password)

    def hash(self, password: str) -> str:
        return self._inner.hash(password)

    def check_needs_rehash(self, stored: str) -> bool:
        return self._inner.check_needs_rehash(stored)


def test_an_old_hash_is_renewed_at_sign_in() -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(make.PASSWORD)
    user = make.account(password_hash=old)
    service.sign_in(user.email, make.PASSWORD, make.client_of())
    assert session.get_one(User, user.id).password_hash != old
    service.sign_in(user.email, make.PASSWORD, make.client_of())


def test_the_session_is_kept_as_a_hash_and_ends_by_idleness_and_by_age() -> None:
    token = service.open_session(make.registered())
    row = session.scalars(sa.select(LoginSession).order_by(LoginSession.id.desc())).first()
    assert row is not None
    assert token.encode() not in row.token_hash
    assert who(token) is not None
    session.execute(sa.update(LoginSession).values(last_seen_at=clock.now() - timedelta(days=14, minutes=1)))
    assert who(token) is None
    session.execute(
        sa.update(LoginSession).values(last_seen_at=sa.func.now(), expires_at=clock.now() - timedelta(hours=1))
    )
    assert who(token) is None
    assert who("") is None


def test_last_seen_is_due_only_after_five_minutes() -> None:
    token = service.open_session(make.registered())
    assert who(token).touch is False
    session.execute(sa.update(LoginSession).values(last_seen_at=clock.now() - timedelta(minutes=6)))
    assert who(token).touch is True
    service.touch(who(token).actor)
    assert who(token).touch is False


@pytest.fixture
def person() -> dict[str, Any]:
    """Somebody signed in in two browsers and an app."""
    user = make.account()
    here = service.sign_in(user.email, make.PASSWORD, make.client_of())
    there = service.sign_in(user.email, make.PASSWORD, make.client_of())
    token, other = service.open_session(here), service.open_session(there)
    issue(there)
    seen = who(token)
    return {"user": user, "token": token, "other": other, "actor": seen.actor, "there": there}


def live_refresh_tokens(user: User) -> int:
    statement = sa.select(sa.func.count()).where(RefreshToken.user_id == user.id, RefreshToken.revoked_at.is_(None))
    return session.scalar(statement) or 0


def test_signing_out_ends_this_browser_on_the_server(person: dict[str, Any]) -> None:
    service.sign_out(person["actor"])
    assert who(person["token"]) is None
    assert who(person["other"]) is not None


def test_a_new_password_ends_everything_else(person: dict[str, Any]) -> None:
    epoch = person["user"].token_epoch
    service.change_password(person["actor"], make.PASSWORD, "another horse")
    assert who(person["token"]) is not None
    assert who(person["other"]) is None
    assert live_refresh_tokens(person["user"]) == 0
    session.refresh(person["user"])
    assert person["user"].token_epoch == epoch + 1
    with pytest.raises(Invalid) as refused:
        service.change_password(person["actor"], make.PASSWORD, "third horse yet")
    assert codes(refused.value) == {"/old_password": "wrong_password"}


def test_a_reset_link_works_once_and_ends_everything(person: dict[str, Any]) -> None:
    user = person["user"]
    service.ask_password_reset(user.email.upper())
    service.ask_password_reset(user.email)
    first, second = (mail["values"]["path"].rsplit("/", 1)[1] for mail in make.mails("password_reset"))
    assert first.encode() not in b"".join(session.scalars(sa.select(PasswordReset.token_hash)))
    service.reset_password(second, "another horse")
    assert who(person["token"]) is None
    assert who(person["other"]) is None
    assert live_refresh_tokens(user) == 0
    for token in (second, first, "", "unknown"):
        with pytest.raises(DomainError) as refused:
            service.reset_password(token, "a third horse")
        assert refused.value.code == "reset_link_dead"
    service.sign_in(user.email, "another horse", make.client_of())


def test_a_reset_link_is_dead_after_an_hour() -> None:
    user = make.account()
    service.ask_password_reset(user.email)
    [mail] = make.mails("password_reset")
    session.execute(sa.update(PasswordReset).values(expires_at=clock.now() - timedelta(seconds=1)))
    with pytest.raises(DomainError, match="reset_link_dead"):
        service.reset_password(mail["values"]["path"].rsplit("/", 1)[1], "another horse")


def test_nobody_is_told_whether_an_address_has_an_account() -> None:
    service.ask_password_reset("unknown@test.example")
    assert make.mails("password_reset") == []


def test_the_profile_is_changed_by_version(person: dict[str, Any]) -> None:
    actor = person["actor"]
    service.edit_profile(actor, service.ProfileChange(name="Новое Имя", phone="89161234567"), 1)
    assert queries.profile(actor.user).phone == "+79161234567"
    with pytest.raises(Stale):
        service.edit_profile(actor, service.ProfileChange(name="Старое Имя"), 1)
    assert queries.profile(actor.user).name == "Новое Имя"


def test_a_revoked_device_loses_sessions_and_refresh_tokens(person: dict[str, Any]) -> None:
    device = session.get_one(Device, person["there"].device_id)
    service.revoke_device(person["actor"], device.public_id)
    assert who(person["other"]) is None
    assert who(person["token"]) is not None
    assert live_refresh_tokens(person["user"]) == 0
    assert [d.id for d in queries.devices(person["user"].id)] == [person["actor"].device_id]


def test_another_persons_device_is_as_absent(person: dict[str, Any]) -> None:
    stranger = make.actor(make.account())
    device = session.get_one(Device, person["there"].device_id)
    for absent in (device.public_id, uuid.uuid4()):
        with pytest.raises(NotFound):
            service.revoke_device(stranger, absent)
        with pytest.raises(NotFound):
            service.rename_device(stranger, absent, "моё")
    assert who(person["other"]) is not None


def test_a_person_keeps_twenty_devices() -> None:
    user = make.account()
    first = service.sign_in(user.email, make.PASSWORD, make.client_of())
    token = service.open_session(first)
    session.execute(
        sa.update(Device).where(Device.user_id == user.id).values(last_seen_at=clock.now() - timedelta(days=1))
    )
    for _ in range(service.MAX_DEVICES + 1):
        service.sign_in(user.email, make.PASSWORD, make.client_of())
    assert len(queries.devices(user.id)) == service.MAX_DEVICES
    assert who(token) is None, "the least used device is signed out"


def test_the_operator_blocks_at_once_but_never_oneself(person: dict[str, Any]) -> None:
    operator = make.actor(make.account(is_admin=True), is_admin=True)
    service.set_active(operator, person["user"].public_id, active=False)
    assert who(person["token"]) is None
    with pytest.raises(NotSignedIn):
        service.sign_in(person["user"].email, make.PASSWORD, make.client_of())
    service.set_active(operator, person["user"].public_id, active=True)
    service.sign_in(person["user"].email, make.PASSWORD, make.client_of())
    assert (make.audited("user.blocked"), make.audited("user.unblocked")) == (1, 1)
    with pytest.raises(Forbidden):
        service.set_active(operator, operator.public_id or uuid.uuid4(), active=False)


def test_closing_the_account_needs_the_password_and_ends_it(person: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        service.close_account(person["actor"], "wrong one")
    assert codes(refused.value) == {"/close_password": "wrong_password"}
    service.close_account(person["actor"], make.PASSWORD)
    assert who(person["token"]) is None
    with pytest.raises(NotSignedIn):
        service.sign_in(person["user"].email, make.PASSWORD, make.client_of())


def test_the_only_owner_of_a_trading_company_may_not_leave(person: dict[str, Any]) -> None:
    firm = make.company(person["user"])
    with pytest.raises(Conflict, match="last_owner"):
        service.close_account(person["actor"], make.PASSWORD)
    make.seat(firm, make.account(), "owner")
    service.close_account(person["actor"], make.PASSWORD)
