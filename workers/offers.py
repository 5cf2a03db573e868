"""Jobs of sellers' offers."""

from __future__ import annotations

import uuid
from decimal import Decimal

from app.core.jobs import RunningJob
from app.offers import bulk
from app.offers.bulk import Change
from app.offers.table import TableFilter


def change_many(job: RunningJob) -> None:
    """Change every offer of a filter, all or none of them."""
    facts = job.payload
    wanted = TableFilter(**facts["filter"] | {"ids": tuple(uuid.UUID(key) for key in facts["filter"]["ids"])})
    change = Change(**facts["change"] | {"value": Decimal(facts["change"]["value"])})
    job.complete(lambda: bulk.apply(facts["seller_id"], facts["user_id"], wanted, change))
