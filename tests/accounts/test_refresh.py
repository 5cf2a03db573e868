"""Tokens of the API: signatures, rotation, theft."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from app.accounts import refresh, service
from app.accounts.models import Device, RefreshToken, User
from app.accounts.tokens import AUDIENCE, ISSUER, Signer
from app.core import clock
from app.core.db import session
from app.core.errors import NotSignedIn
from app.settings import Settings
from tests.factories import accounts as make

SECRET = "only-for-tests-0123456789-abcdefghij"


def signer(**seeds: str) -> Signer:
    return Signer(Settings(environment="test", secret_key=SECRET, database_url="", redis_url="", **seeds))


def good() -> tuple[Signer, str]:
    made = signer(jwt_seed="one")
    return made, made.sign(uuid.uuid4(), 1, uuid.uuid4())


def test_a_token_says_who_epoch_and_device_for_ten_minutes() -> None:
    made, user, device = signer(jwt_seed="one"), uuid.uuid4(), uuid.uuid4()
    token = made.sign(user, 7, device)
    claims = made.read(token)
    assert (claims.user, claims.epoch, claims.device) == (user, 7, device)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=10)), pytest.raises(NotSignedIn):
        made.read(token)


def test_the_previous_key_is_still_accepted_and_an_older_one_is_not() -> None:
    _, token = good()
    assert signer(jwt_seed="two", jwt_previous_seed="one").read(token)
    with pytest.raises(NotSignedIn):
        signer(jwt_seed="three", jwt_previous_seed="two").read(token)


def _forged(token: str, header: dict[str, Any], claims: dict[str, Any], key: Any, algorithm: str) -> str:
    known_header = {k: v for k, v in jwt.get_unverified_header(token).items() if k != "alg"}
    known = jwt.decode(token, options={"verify_signature": False})
    kept = {k: v for k, v in (known | claims).items() if v is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers=known_header | header)


@pytest.mark.parametrize("case", [
    "garbage", "empty", "unsigned", "hmac", "foreign key", "issuer", "audience", "type", "kid", "no exp", "no jti",
    "body",
])  # fmt: skip
def test_every_forgery_is_refused(case: str) -> None:
    made, token = good()
    own = made._key
    stranger = Ed25519PrivateKey.generate()
    head, body, tail = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"epoch": 99}).encode()).rstrip(b"=").decode()
    forged = {
        "garbage": lambda: "a.b.c",
        "empty": lambda: "",
        "unsigned": lambda: _forged(token, {}, {}, None, "none"),
        "hmac": lambda: _forged(token, {}, {}, next(iter(made._public.values())).public_bytes_raw() * 2, "HS256"),
        "foreign key": lambda: _forged(token, {}, {}, stranger, "EdDSA"),
        "issuer": lambda: _forged(token, {}, {"iss": "somebody"}, own, "EdDSA"),
        "audience": lambda: _forged(token, {}, {"aud": "elsewhere"}, own, "EdDSA"),
        "type": lambda: _forged(token, {"typ": "JWT"}, {}, own, "EdDSA"),
        "kid": lambda: _forged(token, {"kid": "../../etc/passwd"}, {}, own, "EdDSA"),
        "no exp": lambda: _forged(token, {}, {"exp": None}, own, "EdDSA"),
        "no jti": lambda: _forged(token, {}, {"jti": None}, own, "EdDSA"),
        "body": lambda: f"{head}.{changed}.{tail}",
    }[case]()
    assert made.read(token)
    with pytest.raises(NotSignedIn):
        made.read(forged)


def test_a_hand_made_token_like_ours_is_read() -> None:
    """Guards the table above: its forgeries fail for their fault, not for how they are made."""
    made, token = good()
    claims = made.read(_forged(token, {}, {"iss": ISSUER, "aud": AUDIENCE}, made._key, "EdDSA"))
    assert claims.epoch == 1


@pytest.fixture
def family(db_session: Any) -> tuple[str, uuid.UUID, User]:
    """A first refresh token, its device, its person."""
    user = make.account()
    signed = service.sign_in(user.email, make.PASSWORD, make.client_of())
    return refresh.issue(signed), session.get_one(Device, signed.device_id).client_id, user


def test_rotation_gives_a_new_token_and_keeps_only_hashes(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, _ = family
    rotated = refresh.rotate(token, device, "")
    assert rotated.token != token
    rows = session.execute(sa.select(RefreshToken.token_hash, RefreshToken.sealed_successor))
    kept = b"".join(bytes(value) for row in rows for value in row if value)
    assert token.encode() not in kept
    assert rotated.token.encode() not in kept


def test_within_the_grace_a_retry_gets_the_same_successor(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, _ = family
    first = refresh.rotate(token, device, "")
    assert refresh.rotate(token, device, "").token == first.token
    assert refresh.rotate(first.token, device, "").token != first.token


def test_reuse_after_the_grace_ends_the_family_and_tells_the_person(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, user = family
    successor = refresh.rotate(token, device, "").token
    session.execute(
        sa.update(RefreshToken)
        .values(used_at=clock.now() - timedelta(seconds=21))
        .where(RefreshToken.used_at.is_not(None))
    )
    for dead in (token, successor, token):
        with pytest.raises(NotSignedIn):
            refresh.rotate(dead, device, "192.0.2.9")
    assert make.audited("token.reused") == 1
    assert [mail["to"] for mail in make.mails("token_reuse")] == [user.email]


def test_another_device_with_the_token_ends_the_family(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, _ = family
    with pytest.raises(NotSignedIn):
        refresh.rotate(token, uuid.uuid4(), "")
    with pytest.raises(NotSignedIn):
        refresh.rotate(token, device, "")


def test_rotation_does_not_prolong_thirty_days(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, _ = family
    successor = refresh.rotate(token, device, "").token
    assert len(set(session.scalars(sa.select(RefreshToken.expires_at)))) == 1
    session.execute(sa.update(RefreshToken).values(expires_at=clock.now()))
    with pytest.raises(NotSignedIn):
        refresh.rotate(successor, device, "")


def test_the_token_of_a_blocked_person_or_after_sign_out_is_dead(family: tuple[str, uuid.UUID, User]) -> None:
    token, device, user = family
    session.execute(sa.update(User).where(User.id == user.id).values(is_active=False))
    with pytest.raises(NotSignedIn):
        refresh.rotate(token, device, "")
    session.execute(sa.update(User).where(User.id == user.id).values(is_active=True))
    refresh.revoke("unknown")
    refresh.revoke(token)
    with pytest.raises(NotSignedIn):
        refresh.rotate(token, device, "")


def test_a_token_sent_twice_at_once_has_one_successor(committed_db: Flask) -> None:
    user = make.account()
    signed = service.sign_in(user.email, make.PASSWORD, make.client_of())
    token, device = refresh.issue(signed), session.get_one(Device, signed.device_id).client_id
    session.remove()
    got: list[str] = []
    gate = threading.Barrier(6)

    def turn() -> None:
        with committed_db.app_context():
            gate.wait()
            got.append(refresh.rotate(token, device, "").token)

    threads = [threading.Thread(target=turn) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 6
    assert len(set(got)) == 1
