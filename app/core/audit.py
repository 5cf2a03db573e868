"""The audit log: one row for each thing a person did that someone may ask about later."""

from __future__ import annotations

from typing import Any

from app.core.db import session
from app.core.models import AuditEntry
from app.core.permissions import Actor


def record(
    actor: Actor,
    action: str,
    entity: str,
    entity_id: int | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an entry into the present transaction. `action` is a dotted past fact, e.g. `order.accepted`."""
    session.add(
        AuditEntry(
            user_id=actor.user_id,
            action=action,
            entity=entity,
            entity_id=entity_id,
            before=before,
            after=after,
            ip=actor.ip,
            device_id=actor.device_id,
            request_id=actor.request_id,
        )
    )
