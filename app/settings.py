"""Settings: one frozen dataclass read from the environment, checked once at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Environment = Literal["production", "development", "demo", "test"]

MIN_SECRET_LENGTH = 32


class SettingsError(RuntimeError):
    """A setting is missing, weak or malformed; the message names it and says what to do."""


@dataclass(frozen=True)
class Settings:
    """Everything the program is told from outside. Each field names its environment variable."""

    environment: Environment
    """TUTUU_ENV. `production` refuses the demo data set and weak secrets."""
    secret_key: str = field(repr=False)
    """SECRET_KEY. Signs cookies and forms; at least 32 characters."""
    database_url: str = field(repr=False)
    """DATABASE_URL. Must start with `postgresql+psycopg2://`."""
    redis_url: str = field(repr=False)
    """REDIS_URL. Wake-up wire of the queue, rate limits, fragment cache; may be down."""
    public_url: str = "http://127.0.0.1:8000"
    """PUBLIC_URL. Absolute links in mails and tracking links."""
    jwt_seed: str = field(default="", repr=False)
    """JWT_SEED. Signs API access tokens; must differ from SECRET_KEY in production."""
    jwt_previous_seed: str = field(default="", repr=False)
    """JWT_PREVIOUS_SEED. Still accepted while the key is being rotated."""
    mail_backend: Literal["console", "smtp"] = "console"
    """MAIL_BACKEND."""
    smtp_url: str = field(default="", repr=False)
    """SMTP_URL, `smtp://user:password@host:port`; needed by the smtp backend."""
    mail_from: str = "no-reply@tutuu.example"
    """MAIL_FROM."""
    storage: str = "var/files"
    """STORAGE. A folder, or `s3://bucket/prefix`."""
    s3_endpoint: str = ""
    """S3_ENDPOINT. Empty: the provider's default."""
    tile_url: str = ""
    """TILE_URL. Optional raster tiles above our own base layer."""
    roads_provider: Literal["", "osrm", "valhalla"] = ""
    """ROADS_PROVIDER. Empty: road times come from the graph shipped with the program."""
    roads_url: str = ""
    """ROADS_URL. Where the OSRM or Valhalla server answers, for example `http://osrm:5000`."""
    cors_origins: tuple[str, ...] = ()
    """CORS_ORIGINS, separated by commas; exact origins allowed to call the API."""
    trusted_proxies: int = 0
    """TRUSTED_PROXIES. How many X-Forwarded-* hops to believe."""
    card_provider: Literal["", "test"] = ""
    """CARD_PROVIDER. Empty: cards are not taken; `test`: the local bank of tests and demonstrations."""
    card_test_url: str = ""
    """CARD_TEST_URL. Where tools/test_bank.py listens."""
    card_secret: str = field(default="", repr=False)
    """CARD_SECRET. Signs what the market and the card provider tell each other; at least 32 characters."""
    fetch_anywhere: bool = False
    """FETCH_ANYWHERE=1. Price lists may come by http and from private addresses: tests and demonstrations only."""
    geocoder_url: str = ""
    """GEOCODER_URL. A search that speaks as Nominatim does, asked beside the own gazetteer; empty: nobody is asked."""
    argon2_cheap: bool = False
    """Tests only: cheapest password hash."""
    pool_size: int = 8
    """DB_POOL_SIZE per process."""

    @property
    def secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment.

        Raises:
            SettingsError: a value is missing, weak or malformed.
        """
        env = os.environ if env is None else env
        environment = env.get("TUTUU_ENV", "production")
        if environment not in ("production", "development", "demo", "test"):
            raise SettingsError(f"TUTUU_ENV is {environment!r}: use production, development, demo or test")
        settings = cls(
            environment=environment,  # type: ignore[arg-type]  # narrowed by the check above
            secret_key=env.get("SECRET_KEY", ""),
            database_url=env.get("DATABASE_URL", ""),
            redis_url=env.get("REDIS_URL", ""),
            public_url=env.get("PUBLIC_URL", cls.public_url).rstrip("/"),
            jwt_seed=env.get("JWT_SEED", ""),
            jwt_previous_seed=env.get("JWT_PREVIOUS_SEED", ""),
            mail_backend="smtp" if env.get("MAIL_BACKEND") == "smtp" else "console",
            smtp_url=env.get("SMTP_URL", ""),
            mail_from=env.get("MAIL_FROM", cls.mail_from),
            storage=env.get("STORAGE", cls.storage),
            s3_endpoint=env.get("S3_ENDPOINT", ""),
            tile_url=env.get("TILE_URL", ""),
            cors_origins=tuple(o.strip() for o in env.get("CORS_ORIGINS", "").split(",") if o.strip()),
            roads_provider=_roads_provider(env),
            roads_url=env.get("ROADS_URL", "").rstrip("/"),
            trusted_proxies=_whole_number(env, "TRUSTED_PROXIES", 0),
            pool_size=_whole_number(env, "DB_POOL_SIZE", 8),
            card_provider=_card_provider(env),
            card_test_url=env.get("CARD_TEST_URL", ""),
            card_secret=env.get("CARD_SECRET", ""),
            fetch_anywhere=env.get("FETCH_ANYWHERE") == "1",
            geocoder_url=env.get("GEOCODER_URL", ""),
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse weak or missing values.

        Raises:
            SettingsError: names the first setting that is wrong.
        """
        if not self.database_url.startswith("postgresql+psycopg2://"):
            raise SettingsError("DATABASE_URL must start with postgresql+psycopg2://")
        if not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise SettingsError("REDIS_URL must start with redis://, rediss:// or unix://")
        if self.mail_backend == "smtp" and not self.smtp_url:
            raise SettingsError("SMTP_URL is missing although MAIL_BACKEND is smtp")
        if not self.secret_key:
            raise SettingsError("SECRET_KEY is missing")
        self._check_cards()
        if self.geocoder_url and not self.geocoder_url.startswith(("https://", "http://")):
            raise SettingsError("GEOCODER_URL must be an address that begins with https://")
        if self.roads_provider and not self.roads_url.startswith(("http://", "https://")):
            raise SettingsError("ROADS_URL must be the http address of the server that ROADS_PROVIDER names")
        if self.environment in ("demo", "test"):
            return
        for name, value in (("SECRET_KEY", self.secret_key), ("JWT_SEED", self.jwt_seed)):
            if len(value) < MIN_SECRET_LENGTH or len(set(value)) < 12:
                raise SettingsError(f"{name} is weak: use at least {MIN_SECRET_LENGTH} random characters")
        if self.fetch_anywhere:
            raise SettingsError("FETCH_ANYWHERE opens the inner network to sellers: use it in tests and demos only")
        if self.jwt_seed == self.secret_key:
            raise SettingsError("JWT_SEED must differ from SECRET_KEY")

    def _check_cards(self) -> None:
        if not self.card_provider:
            return
        if self.is_production:
            raise SettingsError("CARD_PROVIDER is test: its bank takes no money and is refused in production")
        if not self.card_test_url.startswith(("http://", "https://")):
            raise SettingsError("CARD_TEST_URL must be the address of the test bank")
        if len(self.card_secret) < MIN_SECRET_LENGTH:
            raise SettingsError(f"CARD_SECRET is weak: use at least {MIN_SECRET_LENGTH} random characters")


def _card_provider(env: Mapping[str, str]) -> Literal["", "test"]:
    name = env.get("CARD_PROVIDER", "")
    if name not in ("", "test"):
        raise SettingsError(f"CARD_PROVIDER is {name!r}: use test, or leave it empty")
    return "test" if name else ""


def _roads_provider(env: Mapping[str, str]) -> Literal["", "osrm", "valhalla"]:
    name = env.get("ROADS_PROVIDER", "")
    if name not in ("", "osrm", "valhalla"):
        raise SettingsError(f"ROADS_PROVIDER is {name!r}: use osrm, valhalla, or leave it empty")
    return name  # type: ignore[return-value]  # narrowed by the check above


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise SettingsError(f"{name} is {text!r}: a whole number is needed")
    return int(text)
