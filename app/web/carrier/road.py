"""What drivers reported from the road."""

from __future__ import annotations

from flask import Response

from app import access
from app.core.permissions import Permission
from app.logistics import road_reports
from app.texts import error_text
from app.texts import logistics as words
from app.web.carrier.frame import office, pages
from app.web.htmx import render_page


@pages.get("/road", permission=Permission.CARRIER_VIEW)
def road() -> Response:
    """Trucks with defects, taps that no longer fitted the plan, goods handed over without the right PIN."""
    carrier_id = access.actor().carrier_id
    return render_page(
        "carrier/road.html", None, defects=road_reports.defects(carrier_id), events=road_reports.events(carrier_id),
        texts=words, why=lambda code: error_text(code, {}), **office(),
    )  # fmt: skip
