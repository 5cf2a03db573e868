"""whether a search finds anything, asked of the index

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Products of a word lie together, so reading the table until one turns up reads most of it: 11 ms instead of 0.3
    at 200,000 products. The planner, who believes that they are spread evenly, is not asked.
    """
    op.execute(
        "CREATE FUNCTION is_listing_found(query tsquery) RETURNS boolean LANGUAGE sql STABLE SET enable_seqscan = off"
        " AS 'SELECT EXISTS (SELECT FROM product_listing WHERE search @@ query)'"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION is_listing_found(tsquery)")
