"""Whether the process lives, whether it can serve, and its figures. Kept inside by the reverse proxy."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Response, current_app, jsonify, make_response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.access import Guarded
from app.core.db import session
from app.core.permissions import Permission

pages = Guarded("health", __name__)


@pages.get("/healthz", permission=Permission.INTERNAL)
def alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/readyz", permission=Permission.INTERNAL)
def ready() -> Response:
    """The database answers and is migrated; Valkey may be down (degraded)."""
    degraded = [] if current_app.extensions["cache"].ping() else ["valkey"]
    try:
        session.execute(sa.text("SELECT version_num FROM alembic_version"))
    except sa.exc.SQLAlchemyError:
        session.rollback()
        return make_response(jsonify(status="unavailable", down=["database"], degraded=degraded), 503)
    return jsonify(status="ok", degraded=degraded)


@pages.get("/metrics", permission=Permission.INTERNAL)
def figures() -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
