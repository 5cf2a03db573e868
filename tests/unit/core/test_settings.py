"""Settings: a weak or missing value stops the start and is named."""

from __future__ import annotations

from typing import Any

import pytest

from app.settings import Settings, SettingsError

STRONG = "q7Zt0xLw9Ks3Vb5Nm1Rc8Yf2Hd6Jg4Pe"
OTHER = "m4Xc8Vb2Nz6Lk0Jh5Gf9Ds3Aq7Wp1Er_"
GOOD = {
    "TUTUU_ENV": "production",
    "SECRET_KEY": STRONG,
    "JWT_SEED": OTHER,
    "DATABASE_URL": "postgresql+psycopg2://market@/market",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


def read(**changes: str | None) -> Settings:
    env = GOOD | {k: v for k, v in changes.items() if v is not None}
    return Settings.from_env({k: v for k, v in env.items() if not (k in changes and changes[k] is None)})


def test_good_settings_are_read() -> None:
    found = read(PUBLIC_URL="https://market.example/", CORS_ORIGINS="https://a.example, https://b.example,")
    assert (found.is_production, found.secure_cookies) == (True, True)
    assert found.public_url == "https://market.example"
    assert found.cors_origins == ("https://a.example", "https://b.example")


def test_nothing_said_means_production() -> None:
    assert read(TUTUU_ENV=None).is_production


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SEED"])
@pytest.mark.parametrize("value", [None, "", "short", "a" * 64, "abcabcabc" * 8, STRONG[:31]])
def test_weak_secrets_are_refused(environment: str, name: str, value: str | None) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{"TUTUU_ENV": environment, name: value})


def test_one_secret_for_two_purposes_is_refused() -> None:
    with pytest.raises(SettingsError, match="JWT_SEED must differ"):
        read(JWT_SEED=STRONG)


@pytest.mark.parametrize("environment", ["demo", "test"])
def test_demo_and_tests_may_have_a_weak_secret_but_not_none(environment: str) -> None:
    assert read(TUTUU_ENV=environment, SECRET_KEY="dev", JWT_SEED=None).secret_key == "dev"
    with pytest.raises(SettingsError, match="SECRET_KEY is missing"):
        read(TUTUU_ENV=environment, SECRET_KEY=None)


@pytest.mark.parametrize(("name", "value"), [
    ("TUTUU_ENV", "prod"), ("DATABASE_URL", None), ("DATABASE_URL", "sqlite:///x.db"), ("REDIS_URL", None),
    ("REDIS_URL", "http://127.0.0.1"), ("TRUSTED_PROXIES", "two"), ("TRUSTED_PROXIES", "-1"), ("DB_POOL_SIZE", "8.5"),
])  # fmt: skip
def test_a_malformed_value_is_named(name: str, value: str | None) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})


def test_mail_by_smtp_needs_a_relay() -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        read(MAIL_BACKEND="smtp")


def test_secrets_do_not_show_in_a_log() -> None:
    shown = repr(read(SMTP_URL="smtp://me:hush@relay", JWT_PREVIOUS_SEED="previous-hush"))
    hidden: tuple[Any, ...] = (STRONG, OTHER, "hush", "postgresql", "redis://")
    assert [secret for secret in hidden if secret in shown] == []


def test_the_bank_of_tests_is_refused_in_production_and_needs_a_secret() -> None:
    cards = {"CARD_PROVIDER": "test", "CARD_TEST_URL": "http://127.0.0.1:8050", "CARD_SECRET": STRONG}
    assert read(TUTUU_ENV="demo", **cards).card_provider == "test"
    for wrong in ({}, {"TUTUU_ENV": "demo", "CARD_SECRET": "short"}, {"TUTUU_ENV": "demo", "CARD_PROVIDER": "other"}):
        with pytest.raises(SettingsError, match="CARD_"):
            read(**(cards | wrong))
