"""Tables of documents that sellers hand over with goods, numbered without gaps."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, PublicId, one_value_enum, ref

DOCUMENT_KINDS = ("upd", "act")


class DocumentCounter(Base):
    """The last number of a seller's kind of document in a year. Locked by whoever takes the next, until it commits."""

    __tablename__ = "document_counter"

    seller_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("seller.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class OrderDocument(Base):
    """Append-only: a document of one trip, everything that stands on it as it was: `upd` when the goods left, `act`
    when they were handed over at the door.
    """

    __tablename__ = "order_document"
    __table_args__ = (
        one_value_enum("kind", DOCUMENT_KINDS),
        sa.CheckConstraint("number > 0", name="number_positive"),
        sa.UniqueConstraint("seller_id", "kind", "year", "number"),
        sa.UniqueConstraint("fulfilment_id", "kind"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    kind: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    issued_on: Mapped[date]
    order_id: Mapped[int] = ref("seller_order.id")
    fulfilment_id: Mapped[int] = ref("fulfilment.id", index=False)
    payload: Mapped[Json]
    created_at: Mapped[Created]
