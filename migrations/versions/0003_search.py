"""search words, what lists need in one row, the chosen site

Revision ID: 0003
Revises: 0002

Afterwards `flask rebuild-listing` and `flask rebuild-search` fill what old rows lack.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIGINTS = postgresql.ARRAY(sa.BigInteger())
NO_BIGINTS = sa.text("'{}'::bigint[]")


def upgrade() -> None:
    op.create_table(
        "search_word",
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("stem", sa.String(), nullable=False),
        sa.Column("products", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_index(op.f("ix_search_word_stem"), "search_word", ["stem"])
    op.create_index("ix_search_word_begins", "search_word", ["word"], postgresql_ops={"word": "text_pattern_ops"})
    op.create_index(
        "ix_search_word_trgm", "search_word", ["word"], postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}
    )
    op.create_index(
        "ix_product_upper_article", "product", [sa.text("upper(article)")], postgresql_where=sa.text("article <> ''")
    )
    op.create_index("ix_offer_upper_sku", "offer", [sa.text("upper(sku)")])
    widen_listing()
    op.add_column("site", sa.Column("is_chosen", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("uq_site_chosen", "site", ["user_id"], unique=True, postgresql_where=sa.text("is_chosen"))


def widen_listing() -> None:
    op.drop_index("ix_product_listing_price_from", "product_listing")
    op.drop_index("ix_product_listing_seller_ids", "product_listing")
    op.add_column("product_listing", sa.Column("category_id", sa.BigInteger(), nullable=True))
    op.add_column("product_listing", sa.Column("brand", sa.String(), server_default="", nullable=False))
    op.add_column(
        "product_listing",
        sa.Column("facets", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    )
    op.add_column("product_listing", sa.Column("truck_kg", sa.Numeric(14, 4), server_default="0", nullable=False))
    op.add_column("product_listing", sa.Column("rating", sa.Numeric(3, 2), server_default="0", nullable=False))
    for name in ("seller_prices", "stocked_ids"):
        op.add_column("product_listing", sa.Column(name, BIGINTS, server_default=NO_BIGINTS, nullable=False))
    op.add_column("product_listing", sa.Column("search", postgresql.TSVECTOR(), nullable=True))
    op.execute(
        """
        UPDATE product_listing l SET category_id = p.category_id, brand = p.brand, search = p.search,
            truck_kg = greatest(p.mass_kg, p.volume_m3 * 250),
            seller_prices = array_fill(l.price_from, ARRAY[cardinality(l.seller_ids)])
        FROM product p WHERE p.id = l.product_id
        """
    )
    op.alter_column("product_listing", "category_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_product_listing_category_id"), "product_listing", "category", ["category_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_product_listing_price_of_each_seller"),
        "product_listing",
        "cardinality(seller_ids) = cardinality(seller_prices)",
    )
    op.create_index("ix_product_listing_category_id", "product_listing", ["category_id"])
    op.create_index("ix_product_listing_search", "product_listing", ["search"], postgresql_using="gin")
    op.drop_index("ix_product_search", "product")
    op.execute("ALTER TABLE product_listing SET (fillfactor = 80)")


def downgrade() -> None:
    op.drop_index("uq_site_chosen", "site")
    op.drop_column("site", "is_chosen")
    op.execute("ALTER TABLE product_listing RESET (fillfactor)")
    op.create_index("ix_product_search", "product", ["search"], postgresql_using="gin")
    op.drop_index("ix_product_listing_search", "product_listing")
    op.drop_index("ix_product_listing_category_id", "product_listing")
    op.drop_constraint(op.f("ck_product_listing_price_of_each_seller"), "product_listing")
    for name in ("search", "stocked_ids", "seller_prices", "rating", "truck_kg", "facets", "brand", "category_id"):
        op.drop_column("product_listing", name)
    op.create_index("ix_product_listing_seller_ids", "product_listing", ["seller_ids"], postgresql_using="gin")
    op.create_index("ix_product_listing_price_from", "product_listing", ["price_from", "product_id"])
    op.drop_index("ix_offer_upper_sku", "offer")
    op.drop_index("ix_product_upper_article", "product")
    op.drop_table("search_word")
