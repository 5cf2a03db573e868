"""Tables of what people keep: favourites and named lists of products."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import QUANTITY, Base, Created, Id, PublicId, ref


class ProductList(Base):
    """A list of one person. The favourites are a list without a name, at most one each."""

    __tablename__ = "product_list"
    __table_args__ = (
        sa.CheckConstraint("is_favourites = (name = '')", name="named_unless_favourites"),
        sa.Index("ix_product_list_user_id", "user_id"),
        sa.Index(
            "uq_product_list_favourites", "user_id", unique=True, postgresql_where=sa.text("is_favourites")
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id", index=False)
    name: Mapped[str] = mapped_column(server_default="")
    is_favourites: Mapped[bool] = mapped_column(server_default=sa.false())
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class ProductListItem(Base):
    """A product in a list, with how much of it is wanted when the person said so.

    The unit is not tied to the product's units: what people keep must not stop a card from being mended.
    """

    __tablename__ = "product_list_item"
    __table_args__ = (
        sa.CheckConstraint("(quantity IS NULL) = (unit IS NULL)", name="quantity_has_unit"),
        sa.CheckConstraint("quantity IS NULL OR quantity > 0", name="quantity_positive"),
        sa.Index("ix_product_list_item_product_id", "product_id"),
    )

    list_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("product_list.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    quantity: Mapped[Decimal | None] = mapped_column(QUANTITY)
    unit: Mapped[str | None]
    created_at: Mapped[Created]
