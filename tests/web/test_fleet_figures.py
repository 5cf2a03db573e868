"""How often the pages of a carrier's desk ask the database, and that it does not grow with what they show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import clock
from tests.factories import logistics as make

MOST = {"calendar": 11, "deliveries": 16, "depots": 7, "hand-overs": 8, "vehicles": 8, "couriers": 7, "tariffs": 7}


@pytest.mark.parametrize("page", sorted(MOST))
def test_a_page_asks_as_often_for_many_as_for_one(client: FlaskClient, count_queries: Any, page: str) -> None:
    w = make.world()
    make.browse(client, w.dispatcher_user)
    day = clock.today() + timedelta(days=1)
    counts = []
    for more in (1, 6):
        for n in range(more):
            make.delivery(w, index=n)
            make.driver(w.carrier, make.vehicle(w.carrier.id))
        make.tariff(w.carrier.id, name=f"T{more}")
        client.get(f"/carrier/{page}?date={day.isoformat()}")
        with count_queries() as seen:
            assert client.get(f"/carrier/{page}?date={day.isoformat()}").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= MOST[page]
