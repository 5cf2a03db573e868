"""Golden signals, by route template and never by raw path."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("tutuu_requests_total", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "tutuu_request_seconds",
    "Seconds to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOBS = Counter("tutuu_jobs_total", "Jobs that ended, by how", ["kind", "state"])
