"""New products and edits of cards that sellers propose; the operator decides on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.catalog.models import ProductChange
from app.core.db import session, unit_of_work


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new product that a seller proposed under an own SKU."""

    id: int
    status: str
    note: str
    payload: Mapping[str, Any]


_SKU = ProductChange.payload["sku"].astext


def proposed(seller_id: int, skus: Sequence[str]) -> dict[str, Proposal]:
    """SKU -> the newest proposal of a new product by this seller."""
    if not skus:
        return {}
    rows = session.execute(
        sa.select(_SKU.label("sku"), ProductChange.id, ProductChange.status, ProductChange.note, ProductChange.payload)
        .where(
            ProductChange.seller_id == seller_id, ProductChange.product_id.is_(None),
            _SKU.in_(sorted(set(skus))),
        )
        .order_by(ProductChange.id)
    )  # fmt: skip
    return {row.sku: Proposal(row.id, row.status, row.note, row.payload) for row in rows}


@unit_of_work
def propose(seller_id: int, user_id: int, payloads: Sequence[Mapping[str, Any]]) -> None:
    """Put new products before the operator; each payload holds the seller's `sku`.

    What still waits for a decision is replaced, so that the same list sent twice waits once.
    """
    known = proposed(seller_id, [payload["sku"] for payload in payloads])
    fresh = []
    for payload in payloads:
        before = known.get(payload["sku"])
        if before is not None and before.status in ("pending", "revision_requested"):
            session.execute(
                sa.update(ProductChange)
                .where(ProductChange.id == before.id)
                .values(payload=dict(payload), status="pending")
            )
        else:
            fresh.append({"seller_id": seller_id, "user_id": user_id, "payload": dict(payload)})
    if fresh:
        session.execute(sa.insert(ProductChange), fresh)
