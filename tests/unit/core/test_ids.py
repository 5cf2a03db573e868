"""Outward ids sort by time; tokens are kept as hashes only."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from app.core.ids import new_token, parse_uuid, token_hash, uuid7


def test_a_later_id_sorts_later() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    found = []
    for step in range(20):
        with time_machine.travel(start + timedelta(milliseconds=step), tick=False):
            found.append(uuid7())
    assert found == sorted(found)
    assert [str(one) for one in found] == sorted(str(one) for one in found)


def test_an_id_is_a_version_seven_with_the_time_in_it() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with time_machine.travel(moment, tick=False):
        found = uuid7()
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == int(moment.timestamp() * 1000)


def test_ids_of_one_moment_differ() -> None:
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        assert len({uuid7() for _ in range(2000)}) == 2000


def test_tokens_have_256_bits_and_their_hash_does_not_tell_them() -> None:
    token = new_token()
    assert len(token) == 43
    assert len({new_token() for _ in range(100)}) == 100
    assert len(token_hash(token)) == 32
    assert token.encode() not in token_hash(token)
    assert token_hash(token) == token_hash(token) != token_hash(token + "a")


@pytest.mark.parametrize("text", ["", "1", "not-a-uuid", "0" * 33, "../../etc/passwd", None])
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_uuid(text) is None


def test_an_id_is_read_back() -> None:
    one = uuid7()
    assert parse_uuid(str(one)) == one
