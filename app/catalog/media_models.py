"""Tables of what belongs to a card besides words: photographs and documents."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Moment, PublicId, one_value_enum, ref

IMAGE_STATES = ("waiting", "ready", "refused")
DOCUMENT_STATES = ("waiting", "pending", "approved", "declined", "refused")
DOCUMENT_KINDS = ("certificate", "declaration", "fire", "passport", "instruction")


class ProductImage(Base):
    """An upload and the photograph made of it. One with a `position` is shown on the card, 0 first.

    `name` is the beginning of the names of its files; while they are made anew, `next_name` is that of the new ones.
    A name never gets other pixels, so browsers may keep files for ever. Those of refused uploads are empty.
    """

    __tablename__ = "product_image"
    __table_args__ = (
        one_value_enum("state", IMAGE_STATES),
        sa.CheckConstraint("(state = 'ready') = (name <> '')", name="ready_has_files"),
        sa.CheckConstraint("position IS NULL OR (position >= 0 AND state = 'ready')", name="shown_is_ready"),
        sa.CheckConstraint("(state = 'refused') = (error <> '')", name="refused_has_reason"),
        sa.UniqueConstraint("product_id", "position"),
        sa.Index("ix_product_image_open", "created_at", postgresql_where=sa.text("position IS NULL")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    product_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    seller_id: Mapped[int | None] = ref("organisation.id")
    """The seller who proposes it; none for the operator's own."""
    user_id: Mapped[int] = ref("user_account.id")
    file_name: Mapped[str]
    """As the sender called it; shown, never opened."""
    kind: Mapped[str] = mapped_column(server_default="")
    original: Mapped[str] = mapped_column(server_default="")
    """Storage name of the file as it came; never served."""
    state: Mapped[str] = mapped_column(server_default="waiting")
    error: Mapped[str] = mapped_column(server_default="")
    name: Mapped[str] = mapped_column(server_default="")
    next_name: Mapped[str] = mapped_column(server_default="")
    whole: Mapped[str] = mapped_column(server_default="")
    """Name of the uncropped picture that the frame of the crop is drawn on."""
    width: Mapped[int] = mapped_column(server_default="0")
    height: Mapped[int] = mapped_column(server_default="0")
    """Pixels of the largest file."""
    source_width: Mapped[int] = mapped_column(server_default="0")
    source_height: Mapped[int] = mapped_column(server_default="0")
    """Pixels of the original, upright."""
    crop: Mapped[list[int] | None] = mapped_column(JSONB(none_as_null=True))
    """Left, top, width, height in pixels of the upright original; NULL takes all of it."""
    alt_ru: Mapped[str] = mapped_column(server_default="")
    alt_en: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int | None]
    created_at: Mapped[Created]


class ProductDocument(Base):
    """A certificate or paper of a product. Buyers see approved ones until their last day."""

    __tablename__ = "product_document"
    __table_args__ = (
        one_value_enum("state", DOCUMENT_STATES),
        one_value_enum("kind", DOCUMENT_KINDS),
        sa.CheckConstraint("issued_on IS NULL OR valid_until IS NULL OR issued_on <= valid_until", name="days_order"),
        sa.CheckConstraint("state IN ('waiting', 'refused') OR stored <> ''", name="has_file"),
        sa.Index("ix_product_document_state_id", "state", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    product_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    seller_id: Mapped[int | None] = ref("organisation.id")
    """The seller who proposes it; none for the operator's own."""
    user_id: Mapped[int] = ref("user_account.id")
    kind: Mapped[str]
    number: Mapped[str]
    issuer: Mapped[str] = mapped_column(server_default="")
    issued_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    """The last day; none when it does not expire."""
    file_name: Mapped[str]
    content_type: Mapped[str] = mapped_column(server_default="")
    original: Mapped[str] = mapped_column(server_default="")
    """Storage name of a picture as it came, until a worker has made `stored` of it."""
    stored: Mapped[str] = mapped_column(server_default="")
    size: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str] = mapped_column(server_default="pending")
    note: Mapped[str] = mapped_column(server_default="")
    """The operator's words to the seller, or the code of a refusal."""
    decided_by_id: Mapped[int | None] = ref("user_account.id")
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]
