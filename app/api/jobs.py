"""Long work as its owner sees it."""

from __future__ import annotations

from app import access
from app.api.kernel import Api, given_id
from app.api.schemas import JobState
from app.core import jobs
from app.core.permissions import Permission

api = Api("jobs", tag="Jobs")


@api.get("/jobs/{job}", permission=Permission.ACCOUNT, answer=JobState, summary="State and progress of a job")
def show(job: str) -> JobState:
    """Only the person who started it may see it; anybody else gets 404."""
    return JobState.of(jobs.view(given_id(job), access.actor().user))


@api.delete("/jobs/{job}", permission=Permission.ACCOUNT, summary="Ask a job to stop", status=204)
def cancel(job: str) -> None:
    """A running solver keeps its best result."""
    jobs.request_cancel(given_id(job), access.actor().user)
