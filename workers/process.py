"""What every worker process shares: the application, and a loop that ends cleanly on SIGTERM."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable

import structlog
from flask import Flask
from sqlalchemy import exc

from app import create_app
from app.core.db import db
from app.core.errors import Unavailable
from app.settings import Settings

log = structlog.get_logger(__name__)


def make_app() -> Flask:
    """The application of this process, from the environment."""
    app = create_app(Settings.from_env())
    gc.freeze()  # what the program loaded lives as long as the process; walking it doubled the time of a pricing
    return app


def repeat(app: Flask, step: Callable[[], bool], pause_seconds: float) -> None:
    """Call `step` until SIGTERM or SIGINT; pause when it found nothing to do or a server is down."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    while not stop.is_set():
        busy = False
        try:
            with app.app_context():
                busy = step()
                db.session.remove()
        except (exc.SQLAlchemyError, Unavailable, OSError) as error:
            log.warning("loop_step_failed", step=step.__name__, error=str(error))
            stop.wait(2)
        if not busy:
            stop.wait(pause_seconds)
