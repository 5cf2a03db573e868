"""What the carrier's people are told of the road."""

from __future__ import annotations

from app.accounts import company_queries
from app.core import mail
from app.core.jobs import RunningJob
from app.logistics import shift_day


def vehicle_forbidden(job: RunningJob) -> None:
    """Mail the dispatchers and owners that a truck must not drive, with what is wrong with it."""

    def effect() -> None:
        told = shift_day.told_of(job.payload["check_id"])
        if told is None:
            return
        values = {
            "truck": f"{told['name']} {told['plate']}", "driver": told["driver"], "phone": told["phone"],
            "defects": told["defects"], "remark": told["note"], "day": told["day"].isoformat(),
        }  # fmt: skip
        for person in company_queries.members(told["carrier_id"], ("owner", "dispatcher")):
            mail.queue(person.email, "vehicle_forbidden", person.locale, person=person.name, **values)

    job.complete(effect)
