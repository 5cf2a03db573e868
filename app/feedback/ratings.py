"""What sellers are rated: out of the reviews of what they delivered, once a day."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.offers import listing
from app.offers.models import Offer

AT_ONCE = 2_000
"""Offers whose lists are reckoned in one transaction: nobody waits long for their products."""

# A mean drawn towards 4 by five reviews that nobody wrote, so that one happy buyer makes no best seller of the market
# ("Bayesian average"). 0: nobody has said anything yet.
_SETTLE = sa.text(
    """
    UPDATE seller s SET rating = x.rating FROM (
        SELECT o.id, coalesce(round((4.0 * 5 + sum(r.stars)) / (5 + count(r.id)), 2), 0) AS rating
        FROM seller o LEFT JOIN review r ON r.seller_id = o.id AND r.hidden_at IS NULL GROUP BY o.id
    ) x WHERE x.id = s.id AND s.rating <> x.rating RETURNING s.id
    """
)


def settle() -> int:
    """Rate every seller anew, and show it in lists. Safe to repeat. Returns how many ratings changed."""
    changed = _rate()
    offers = list(session.scalars(sa.select(Offer.id).where(Offer.seller_id.in_(changed)).order_by(Offer.id)))
    session.rollback()
    for first in range(0, len(offers), AT_ONCE):
        listing.refresh_stock(offers[first : first + AT_ONCE])
    return len(changed)


@unit_of_work
def _rate() -> list[int]:
    return [row.id for row in session.execute(_SETTLE)]
