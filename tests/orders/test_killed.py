"""The web process killed with SIGKILL in the middle of a checkout: whatever the moment, the same request ends in one
purchase, and nothing is left of the first try but what belongs to it.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import db, session, unit_of_work
from app.offers.models import StockLevel
from app.orders.models import OrderGroup
from tests.api.test_orders import CONTACT
from tests.client import ApiClient
from tests.factories import orders as make
from tests.orders import steps

MOMENTS = {
    "before it looks at the cart": "FROM checkout_quote",
    "with the purchase begun": "INSERT INTO seller_order",
    "with everything written but the stock": "INSERT INTO audit_entry",
    "with the stock taken": "INSERT INTO stock_movement",
    "just before the commit": "COMMIT",
    "placed, and the answer not kept": "UPDATE idempotency_key SET status",
}


def killed_at(app: Flask, statement: str, work: Any) -> int:
    """The signal that ended a process of its own which did the work until it was about to send the statement."""
    db.session.remove()
    child = os.fork()
    if child == 0:
        db.engine.dispose(close=False)  # the connections are the parent's

        def die(*_: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        def listen(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
            if statement in text:
                die()

        if statement == "COMMIT":
            sa.event.listen(db.engine, "commit", lambda c: die() if c.info.get("placed") else None)
            sa.event.listen(
                db.engine, "before_cursor_execute",
                lambda c, _cursor, text, *_: c.info.update(placed=True) if "INTO stock_movement" in text else None,
            )  # fmt: skip
        sa.event.listen(db.engine, "before_cursor_execute", listen)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_checkout_sent_again_makes_one_purchase(committed_db: Flask, moment: str) -> None:
    with committed_db.app_context():
        quote, api = begun(committed_db)

    def send() -> Any:
        body = {"quote": quote, "contact": CONTACT, "payment_method": "invoice", "comment": ""}
        return api.post("/checkout", body, headers={"Idempotency-Key": "one"})

    assert killed_at(committed_db, MOMENTS[moment], send) == -signal.SIGKILL
    left = session.scalar(sa.select(sa.func.count()).select_from(OrderGroup))
    assert left == (1 if moment.startswith("placed") else 0)
    steps.check_everything_sums()
    an_hour_passes()
    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["number"] == again.json["number"] == session.scalars(sa.select(OrderGroup.number)).one()
    assert session.scalars(sa.select(StockLevel.allocated)).one() == 3
    assert session.scalars(sa.select(StockLevel.reserved)).one() == 0
    steps.check_everything_sums()


@unit_of_work
def begun(app: Flask) -> tuple[str, ApiClient]:
    """A quote of a buyer, and his client."""
    buyer = make.person()
    quote = steps.quoted(buyer, (make.offer(make.market()), 3))
    return str(quote.public_id), make.signed_api(app, buyer)


@unit_of_work
def an_hour_passes() -> None:
    """For the key of the dead process: another may take it over after half a minute."""
    session.execute(sa.text("UPDATE idempotency_key SET created_at = created_at - interval '1 minute'"))
