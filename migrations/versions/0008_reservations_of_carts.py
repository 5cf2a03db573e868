"""stock is held for carts

Revision ID: 0008
Revises: 0007

Nothing held stock before, so the table is empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_reservation_holder_offer_id_warehouse_id", "reservation", type_="unique")
    op.drop_column("reservation", "holder")
    op.add_column("reservation", sa.Column("cart_id", sa.BigInteger(), nullable=False))
    op.create_unique_constraint(
        "uq_reservation_cart_id_offer_id_warehouse_id", "reservation", ["cart_id", "offer_id", "warehouse_id"]
    )
    op.create_foreign_key("fk_reservation_cart_id", "reservation", "cart", ["cart_id"], ["id"])


def downgrade() -> None:
    op.execute("UPDATE stock_level SET reserved = 0 WHERE reserved > 0")
    op.execute("DELETE FROM reservation")
    op.drop_constraint("fk_reservation_cart_id", "reservation", type_="foreignkey")
    op.drop_constraint("uq_reservation_cart_id_offer_id_warehouse_id", "reservation", type_="unique")
    op.drop_column("reservation", "cart_id")
    op.add_column("reservation", sa.Column("holder", sa.Uuid(), nullable=False))
    op.create_unique_constraint(
        "uq_reservation_holder_offer_id_warehouse_id", "reservation", ["holder", "offer_id", "warehouse_id"]
    )
