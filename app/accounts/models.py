"""Tables of people and organisations."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, Moment, PublicId, one_value_enum, ref

ORGANISATION_KINDS = ("buyer", "seller", "carrier")
ORGANISATION_STATES = ("draft", "submitted", "in_review", "approved", "returned", "suspended")
MEMBER_ROLES = ("owner", "manager", "warehouse", "accountant", "dispatcher", "courier", "approver", "member")


class User(Base):
    """A person. `email` is kept as typed, `email_key` is what must be unique."""

    __tablename__ = "user_account"
    __table_args__ = (
        sa.CheckConstraint("length(email) <= 254 AND position('@' in email) > 1", name="email_shape"),
        one_value_enum("locale", ("ru", "en")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    locale: Mapped[str] = mapped_column(server_default="ru")
    is_admin: Mapped[bool] = mapped_column(server_default=sa.false())
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    marketing_consent: Mapped[bool] = mapped_column(server_default=sa.false())
    token_epoch: Mapped[int] = mapped_column(server_default="1")
    """Raised on ban, role or password change: every older access token dies at once."""
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class Device(Base):
    """A browser or app of a person, named by the id it brings (a label, never a proof)."""

    __tablename__ = "device"
    __table_args__ = (sa.UniqueConstraint("user_id", "client_id"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id", index=False)
    client_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(server_default="")
    user_agent: Mapped[str] = mapped_column(server_default="")
    last_ip: Mapped[str] = mapped_column(server_default="")
    last_seen_at: Mapped[Created]
    revoked_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class LoginSession(Base):
    """A signed-in browser. The cookie holds a random token, the row its hash."""

    __tablename__ = "login_session"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = ref("user_account.id")
    device_id: Mapped[int] = ref("device.id")
    current_seller_id: Mapped[int | None] = ref("organisation.id", index=False)
    current_carrier_id: Mapped[int | None] = ref("organisation.id", index=False)
    created_at: Mapped[Created]
    last_seen_at: Mapped[Created]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]


class RefreshToken(Base):
    """One link of a rotation chain; using a used one kills the family (RFC 9700 section 4.14)."""

    __tablename__ = "refresh_token"
    __table_args__ = (sa.Index("ix_refresh_token_family", "family"),)

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    family: Mapped[uuid.UUID]
    user_id: Mapped[int] = ref("user_account.id")
    device_id: Mapped[int] = ref("device.id")
    sealed_successor: Mapped[bytes | None]
    """The next token, sealed with a key that only the holder of this one can make; answers a parallel retry."""
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class PasswordReset(Base):
    """A single-use link to set a new password."""

    __tablename__ = "password_reset"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = ref("user_account.id")
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ApiKey(Base):
    """A key for machines of an organisation."""

    __tablename__ = "api_key"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    organisation_id: Mapped[int] = ref("organisation.id")
    created_by_id: Mapped[int] = ref("user_account.id")
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class Organisation(Base):
    """A company that buys, sells or carries. Its id is also the id of the seller or carrier profile."""

    __tablename__ = "organisation"
    __table_args__ = (
        one_value_enum("kind", ORGANISATION_KINDS),
        one_value_enum("status", ORGANISATION_STATES),
        sa.CheckConstraint("inn ~ '^([0-9]{10}|[0-9]{12})$'", name="inn_digits"),
        sa.CheckConstraint("kpp = '' OR kpp ~ '^[0-9]{4}[0-9A-Z]{2}[0-9]{3}$'", name="kpp_shape"),
        sa.CheckConstraint("ogrn = '' OR ogrn ~ '^([0-9]{13}|[0-9]{15})$'", name="ogrn_digits"),
        sa.CheckConstraint("(status = 'in_review') = (reviewer_id IS NOT NULL)", name="review_has_a_reviewer"),
        sa.UniqueConstraint("kind", "inn", "kpp"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[str]
    name: Mapped[str]
    inn: Mapped[str]
    kpp: Mapped[str] = mapped_column(server_default="")
    ogrn: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    bank: Mapped[Json]
    """bik, account, correspondent_account, name; what payouts go to. A change after approval waits as `BankChange`."""
    status: Mapped[str] = mapped_column(server_default="draft", index=True)
    review_note: Mapped[str] = mapped_column(server_default="")
    section_notes: Mapped[Json]
    """Section (data, bank, documents, agreement) -> what the operator wrote beside it when returning the company."""
    reviewer_id: Mapped[int | None] = ref("user_account.id")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class OrganisationMember(Base):
    """A person's place in an organisation."""

    __tablename__ = "organisation_member"
    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "user_id"),
        one_value_enum("role", MEMBER_ROLES),
        sa.CheckConstraint("spending_limit IS NULL OR spending_limit >= 0", name="limit_positive"),
        sa.CheckConstraint("monthly_limit IS NULL OR monthly_limit >= 0", name="monthly_limit_positive"),
        sa.CheckConstraint(
            "role = 'member' OR (spending_limit IS NULL AND monthly_limit IS NULL)", name="limits_are_of_members"
        ),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = ref("organisation.id", index=False)
    user_id: Mapped[int] = ref("user_account.id")
    role: Mapped[str]
    spending_limit: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Kopeks that one purchase paid by the company may cost; None: as much as it takes."""
    monthly_limit: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Kopeks of the person's purchases paid by the company in a calendar month of the market's zone."""
    created_at: Mapped[Created]


class Site(Base):
    """A building site of a person, or of a company for all its members: where trucks go, and what they meet there."""

    __tablename__ = "site"
    __table_args__ = (
        sa.CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="point_on_earth"),
        sa.CheckConstraint("floor BETWEEN -5 AND 200", name="floor_range"),
        sa.CheckConstraint("max_vehicle_kg IS NULL OR max_vehicle_kg > 0", name="vehicle_positive"),
        one_value_enum("unloading", ("self", "hands", "crane", "tail_lift")),
        sa.CheckConstraint("organisation_id IS NULL OR NOT is_chosen", name="a_shared_site_is_nobodys_choice"),
        sa.Index("uq_site_chosen", "user_id", unique=True, postgresql_where=sa.text("is_chosen")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id")
    organisation_id: Mapped[int | None] = ref("organisation.id")
    title: Mapped[str]
    address: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    access: Mapped[str] = mapped_column(server_default="")
    max_vehicle_kg: Mapped[int | None]
    max_height_mm: Mapped[int | None]
    floor: Mapped[int] = mapped_column(server_default="1")
    lift: Mapped[bool] = mapped_column(server_default=sa.false())
    unloading: Mapped[str] = mapped_column(server_default="self")
    contact_name: Mapped[str] = mapped_column(server_default="")
    contact_phone: Mapped[str] = mapped_column(server_default="")
    is_chosen: Mapped[bool] = mapped_column(server_default=sa.false())
    """The site that prices in lists are delivered to; at most one of a person."""
    is_deleted: Mapped[bool] = mapped_column(server_default=sa.false())
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]

    def snapshot(self) -> dict[str, Any]:
        """What an order keeps of the site."""
        keys = (
            "title", "address", "lat", "lon", "access", "max_vehicle_kg", "max_height_mm", "floor", "lift",
            "unloading", "contact_name", "contact_phone",
        )  # fmt: skip
        return {key: getattr(self, key) for key in keys}
