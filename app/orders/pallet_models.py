"""The table of pallets that came back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, ref


class PalletReturn(Base):
    """Append-only: so many pallets of an order line came back; `refund_id` gives the deposit for them back.

    Those of a refund that was declined do not count.
    """

    __tablename__ = "pallet_return"
    __table_args__ = (
        sa.CheckConstraint("pallets > 0", name="pallets_positive"),
        sa.UniqueConstraint("refund_id", "order_line_id"),
    )

    id: Mapped[Id]
    refund_id: Mapped[int] = ref("refund.id", index=False)
    order_line_id: Mapped[int] = ref("order_line.id")
    pallets: Mapped[int] = mapped_column()
    user_id: Mapped[int] = ref("user_account.id", index=False)
    created_at: Mapped[Created]
