"""Photographs and signatures that couriers took at the door: where their clean files lie."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.ids import parse_uuid
from app.logistics.courier_models import ProofPhoto


def named(proof: Mapping[str, Any]) -> tuple[list[uuid.UUID], uuid.UUID | None]:
    """Ids of the photographs and of the signature that a proof names; anything else in it is no id."""
    photos = [key for text in proof.get("photos") or [] if (key := parse_uuid(str(text))) is not None]
    return photos, parse_uuid(str(proof.get("signature") or ""))


def stored(ids: Iterable[uuid.UUID], user_id: int) -> dict[uuid.UUID, str]:
    """Names of the clean files by id; only of what this person took, so that nobody names another's photograph."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.execute(
        sa.select(ProofPhoto.public_id, ProofPhoto.stored).where(
            ProofPhoto.public_id.in_(wanted), ProofPhoto.user_id == user_id, ProofPhoto.state == "ready"
        )
    )
    return {row.public_id: row.stored for row in rows}
