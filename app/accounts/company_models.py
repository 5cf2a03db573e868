"""Tables of what a company brings before it may trade: documents, bank changes, agreements, invitations."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.models import MEMBER_ROLES
from app.core.db import Base, Created, Id, Json, Moment, PublicId, one_value_enum, ref

DOCUMENT_KINDS = ("charter", "registration", "tax_registration", "head", "power_of_attorney", "other")
DOCUMENT_STATES = ("pending", "accepted", "refused")
BANK_CHANGE_STATES = ("pending", "confirmed", "refused", "withdrawn")


class OrganisationDocument(Base):
    """A paper of a company. The file lies in the storage under a name of ours; `file_name` is only shown."""

    __tablename__ = "organisation_document"
    __table_args__ = (
        one_value_enum("kind", DOCUMENT_KINDS),
        one_value_enum("state", DOCUMENT_STATES),
        one_value_enum("content_kind", ("pdf", "jpeg", "png")),
        sa.CheckConstraint("size > 0", name="size_positive"),
        sa.CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided_is_dated"),
        sa.CheckConstraint("state <> 'refused' OR note <> ''", name="refused_says_why"),
        sa.Index("ix_organisation_document_waiting", "organisation_id", postgresql_where=sa.text("state = 'pending'")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    organisation_id: Mapped[int] = ref("organisation.id")
    kind: Mapped[str]
    file_name: Mapped[str]
    stored_name: Mapped[str] = mapped_column(unique=True)
    content_kind: Mapped[str]
    size: Mapped[int]
    valid_until: Mapped[date | None]
    state: Mapped[str] = mapped_column(server_default="pending")
    note: Mapped[str] = mapped_column(server_default="")
    user_id: Mapped[int | None] = ref("user_account.id")
    decided_by_id: Mapped[int | None] = ref("user_account.id")
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class BankChange(Base):
    """Other bank details of a company that trades: they pay nobody until the operator has confirmed them."""

    __tablename__ = "bank_change"
    __table_args__ = (
        one_value_enum("state", BANK_CHANGE_STATES),
        sa.CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided_is_dated"),
        sa.Index(
            "uq_bank_change_waiting", "organisation_id", unique=True, postgresql_where=sa.text("state = 'pending'")
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    organisation_id: Mapped[int] = ref("organisation.id")
    before: Mapped[Json]
    after: Mapped[Json]
    state: Mapped[str] = mapped_column(server_default="pending")
    note: Mapped[str] = mapped_column(server_default="")
    user_id: Mapped[int] = ref("user_account.id")
    decided_by_id: Mapped[int | None] = ref("user_account.id")
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class AgreementAcceptance(Base):
    """Who agreed to which version, when and from where; append-only (a trigger refuses UPDATE and DELETE)."""

    __tablename__ = "agreement_acceptance"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "version"),)

    id: Mapped[Id]
    organisation_id: Mapped[int] = ref("organisation.id", index=False)
    version: Mapped[str]
    user_id: Mapped[int] = ref("user_account.id")
    ip: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class Invitation(Base):
    """A place in a company offered to an address. Only the hash of the mailed token is kept; it works once."""

    __tablename__ = "invitation"
    __table_args__ = (
        one_value_enum("role", MEMBER_ROLES),
        sa.CheckConstraint("num_nonnulls(accepted_at, revoked_at, declined_at) <= 1", name="ended_once"),
        sa.Index(
            "uq_invitation_open", "organisation_id", "email_key", unique=True,
            postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL"),
        ),
        sa.Index("ix_invitation_email_key", "email_key"),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    organisation_id: Mapped[int] = ref("organisation.id")
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    invited_by_id: Mapped[int] = ref("user_account.id")
    user_id: Mapped[int | None] = ref("user_account.id")
    """Who took the place."""
    sent_at: Mapped[Created]
    expires_at: Mapped[Moment]
    accepted_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    declined_at: Mapped[Moment | None]
    created_at: Mapped[Created]
