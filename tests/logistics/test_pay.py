"""What drivers earn: hours, doors and kilometres by the rate of the day; the parts sum to the whole."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.logistics import fleet, pay
from app.logistics.models import Courier, Route, Shift
from app.logistics.pay import Rate, rate_on, worked
from app.logistics.tracking_models import Driven
from tests.client import ApiClient
from tests.factories import logistics as make
from tests.logistics.test_carrying_papers import driven

NOON = clock.at(date(2026, 11, 20), 720)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 200)), max_size=12))
def test_time_that_overlaps_counts_once(spans: list[tuple[int, int]]) -> None:
    minutes = {m for start, length in spans for m in range(start, start + length)}
    given_spans = [(NOON + timedelta(minutes=s), NOON + timedelta(minutes=s + n)) for s, n in spans]
    assert worked(given_spans) == len(minutes) * 60


def test_the_own_rate_that_began_last_goes_first() -> None:
    def declared(courier: int | None, day: int, per_hour: int) -> Any:
        return SimpleNamespace(
            carrier_id=1, courier_id=courier, valid_from=date(2026, 11, day), per_hour=per_hour, per_stop=0, per_km=0
        )

    known = [declared(None, 1, 10), declared(7, 5, 20), declared(7, 9, 30), declared(None, 8, 40)]
    assert [rate_on(known, 1, 7, date(2026, 11, day)).per_hour for day in (1, 5, 8, 9)] == [10, 20, 20, 30]
    assert rate_on(known, 1, 8, date(2026, 11, 8)).per_hour == 40
    assert rate_on(known, 1, 8, date(2026, 10, 8)) == Rate(0, 0, 0, date(2026, 10, 8))
    assert rate_on(known, 2, 7, date(2026, 11, 9)).per_hour == 0


def owner_of(w: make.World) -> Any:
    owner = make.user("Owner")
    make.member(w.carrier, owner, "owner")
    session.commit()
    return make.actor(owner, w.carrier, role="owner")


@pytest.mark.usefixtures("db_session")
class TestEarned:
    def test_a_day_is_paid_by_hours_doors_and_kilometres(self, client: FlaskClient, api: ApiClient) -> None:
        w = make.world()
        driven(w)
        day = clock.today()
        route = session.scalars(sa.select(Route).where(Route.courier_id == w.courier_id)).one()
        route.started_at, route.finished_at = clock.at(day, 540), clock.at(day, 900)
        session.add(
            Shift(
                carrier_id=w.carrier.id, courier_id=w.courier_id, vehicle_id=w.vehicle.id, day=day,
                starts_at=clock.at(day, 480), ends_at=clock.at(day, 1020), started_at=clock.at(day, 510),
                ended_at=clock.at(day, 910),
            )
        )  # fmt: skip
        session.commit()
        boss = owner_of(w)
        pay.set_rate(boss, None, Rate(60_000, 15_000, 500, day - timedelta(days=30)))
        [by_plan] = pay.earned(w.carrier.id, day, day)
        assert (by_plan.seconds, by_plan.stops, by_plan.distance_m, by_plan.by_gps) == (400 * 60, 2, 9000, False)
        session.add_all(
            Driven(
                courier_id=w.courier_id, day=day, route_id=key, distance_m=metres, points=9, from_at=NOON, to_at=NOON
            )
            for key, metres in ((route.id, 20_100), (None, 1_001))
        )
        session.commit()
        [found] = pay.earned(w.carrier.id, day, day)
        assert (found.distance_m, found.by_gps) == (21_101, True)
        assert (found.for_hours, found.for_stops, found.for_km) == (400_000, 30_000, 10_551)
        assert found.total == 440_551
        assert pay.earned_by(w.courier_user.id, day, day) == [found]
        assert pay.earned(make.world().carrier.id, day, day) == []
        answer = make.call_as(api, w.courier_user).get(f"/courier/earnings?first={day}&last={day}").json
        assert answer["total"]["amount"] == sum(one["total"]["amount"] for one in answer["items"]) == 440_551
        for person, path in ((w.courier_user, "/courier/earnings"), (w.dispatcher_user, "/carrier/earnings")):
            make.browse(client, person)
            assert "4 405,51" in client.get(f"{path}?first={day}&last={day}").get_data(as_text=True).replace(
                "\u00a0", " "
            )
            table = client.get(f"{path}.csv?first={day}&last={day}").data.decode("utf-8-sig")
            [row] = list(csv.reader(io.StringIO(table), delimiter=";"))[1:]
            assert row[-1] == "4405,51"
            assert sum(int(cell.replace(",", "")) for cell in row[-4:-1]) == 440_551

    def test_a_day_that_is_not_over_earns_nothing_yet(self) -> None:
        w = make.world()
        day = clock.today()
        session.add(
            Shift(
                carrier_id=w.carrier.id, courier_id=w.courier_id, vehicle_id=w.vehicle.id, day=day,
                starts_at=clock.at(day, 480), ends_at=clock.at(day, 1020), started_at=clock.at(day, 510),
            )
        )  # fmt: skip
        session.commit()
        assert pay.earned(w.carrier.id, day, day) == []

    def test_rates_are_declared_once_a_day_and_only_for_own_drivers(self) -> None:
        w, other = make.world(), make.world()
        boss = owner_of(w)
        mine = session.get_one(Courier, w.courier_id).public_id
        foreign = session.get_one(Courier, other.courier_id).public_id
        rate = Rate(1, 2, 3, clock.today())
        pay.set_rate(boss, mine, rate)
        with pytest.raises(Conflict, match="pay_known"):
            pay.set_rate(boss, mine, rate)
        with pytest.raises(NotFound):
            pay.set_rate(boss, foreign, rate)
        with pytest.raises(Invalid):
            pay.set_rate(boss, None, Rate(-1, 0, 0, clock.today()))
        assert [one.courier for one in pay.rates(w.carrier.id)] == [mine]
        assert fleet.couriers(w.carrier.id)

    def test_forms_of_the_office(self, client: FlaskClient) -> None:
        w = make.world()
        boss = owner_of(w)
        session.commit()
        from app.accounts.models import User

        make.browse(client, session.get_one(User, boss.user))
        given_rate = {"courier": "", "per_hour": "600", "per_stop": "150,50", "per_km": "5", "valid_from": "2026-12-01"}
        assert client.post("/carrier/earnings/rates", data=given_rate).status_code == 303
        assert pay.rates(w.carrier.id)[0].rate == Rate(60_000, 15_050, 500, date(2026, 12, 1))
        assert client.post("/carrier/earnings/rates", data=given_rate).status_code == 409
        bad = client.post("/carrier/invoices/terms", data={"vat_code": "general", "free_waiting_minutes": "x"})
        assert bad.status_code == 422
        terms = {
            "vat_code": "special5",
            "free_waiting_minutes": "15",
            "waiting_per_hour": "900",
            "failed_percent": "50",
        }
        assert client.post("/carrier/invoices/terms", data=terms).status_code == 303
        assert pay.terms(w.carrier.id) == pay.Terms("special5", 15, 90_000, 50)
        make.browse(client, w.dispatcher_user)
        assert client.post("/carrier/invoices/terms", data=terms).status_code == 403
