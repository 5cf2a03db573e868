"""The dispatcher's table: what stands in the way of a delivery, filters, order, pages; places on the map."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.logistics import calendar, delivery_table, doubts, fleet, geocoding, places, queries
from app.logistics.calendar import AbsenceFacts
from app.logistics.delivery_table import Wanted
from app.logistics.geocoding import Remote
from app.logistics.models import Courier, Delivery, Vehicle
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")
DAY = 1


def day() -> Any:
    return clock.today() + timedelta(days=DAY)


def codes(w: make.World, made: Any) -> list[tuple[str, dict[str, Any]]]:
    found = delivery_table.page(w.carrier.id, Wanted(day()))
    one = next(item for item in found.items if item.row.public_id == made.public_id)
    return [(p.code, p.context) for p in one.problems]


@pytest.mark.parametrize(
    ("site", "load", "code", "figures"),
    [
        ({"lat": None}, {}, "no_coordinates", {}),
        ({}, {"longest_mm": 6001}, "too_long", {"mm": 6001, "most": 6000}),
        ({}, {"mass_kg": 20_001}, "too_heavy", {"kg": 20_001, "most": 5000, "lots": 5}),
        ({"max_vehicle_kg": 8999}, {}, "site_mass_limit", {"limit": 8999, "least": 9000}),
        ({"max_height_mm": 2999}, {}, "site_height_limit", {"limit": 2999, "least": 3000}),
        ({"unloading": "crane"}, {}, "no_crane", {}),
        ({"unloading": "tail_lift"}, {}, "no_tail_lift", {}),
    ],
)
def test_a_problem_has_a_code_and_figures(
    site: dict[str, Any], load: dict[str, Any], code: str, figures: dict[str, Any]
) -> None:
    w = make.world()
    fine = make.delivery(w)
    made = make.delivery(w, site=make.site(0, **site), **load)
    assert codes(w, made) == [(code, figures)]
    assert codes(w, fine) == []
    found = delivery_table.page(w.carrier.id, Wanted(day()))
    assert [item.row.public_id for item in found.items] == [made.public_id, fine.public_id]  # problems first
    assert (found.problems[code], found.troubled) == (1, 1)


def test_what_only_the_calendar_stands_in_the_way_of() -> None:
    w = make.world()
    made = make.delivery(w, site=make.site(0, unloading="crane"), window_from=clock.at(day(), 540))
    crane = make.vehicle(w.carrier.id, has_crane=True)
    session.commit()
    assert codes(w, made) == [("not_on_this_day", {"why": "no_crane"})]  # the truck is there, nobody drives it
    session.query(Courier).update({"vehicle_id": crane.id, "shift_from": 1100})
    session.commit()
    [(code, hours)] = codes(w, made)
    assert (code, hours["since"]) == ("window_without_shift", clock.at(day(), 1100))
    session.query(Courier).update({"shift_from": 420})
    session.commit()
    assert codes(w, made) == []
    [driver] = fleet.couriers(w.carrier.id)
    calendar.add_absence(w.dispatcher, AbsenceFacts("sick", day(), day(), courier=driver.public_id))
    assert codes(w, made) == [("nobody_drives", {})]
    session.query(Vehicle).update({"is_active": False})
    session.commit()
    assert codes(w, made) == [("no_truck", {})]


def test_a_truck_that_comes_nearest_tells_what_it_lacks() -> None:
    w = make.world()
    make.vehicle(w.carrier.id, has_crane=True, longest_mm=3000)
    made = make.delivery(w, site=make.site(0, unloading="crane"), longest_mm=5000)
    assert codes(w, made) == [("no_crane", {})]  # the long truck lacks only that


def test_every_problem_has_words_and_a_remedy(app: Any) -> None:
    from app.texts import carrier as words

    figures = {
        "too_long": {"mm": 6001, "most": 6000}, "too_heavy": {"kg": 1, "most": 1, "lots": 5},
        "site_mass_limit": {"limit": 1, "least": 2}, "site_height_limit": {"limit": 1, "least": 2},
        "not_on_this_day": {"why": "no_crane"},
        "window_without_shift": {"since": clock.now(), "until": clock.now()},
    }  # fmt: skip
    with app.test_request_context():
        said = {code: words.fix(code, figures.get(code, {})) for code in words.PROBLEMS}
    assert all(len(text) > 20 for text in said.values())
    assert len(set(said.values())) == len(said)


def test_filters_counts_and_pages_agree() -> None:
    w = make.world()
    rows = [make.delivery(w, index=n, mass_kg=1000 + n, ready=n % 2 == 0) for n in range(5)]
    other = make.delivery(make.world())
    found = delivery_table.page(w.carrier.id, Wanted(day()))
    assert (found.total, found.mass_kg, dict(found.states)) == (5, 5010, {"ready": 3, "waiting": 2})
    assert other.public_id not in [item.row.public_id for item in found.items]
    assert delivery_table.page(w.carrier.id, Wanted(day(), state="ready")).total == 3
    assert delivery_table.page(w.carrier.id, Wanted(day(), text="стройка, 2")).total == 1
    assert delivery_table.page(w.carrier.id, Wanted(day(), text="100%_")).total == 0  # signs of LIKE are plain signs
    assert delivery_table.page(w.carrier.id, Wanted(day(), warehouse=w.warehouse.public_id)).total == 5
    assert delivery_table.page(w.carrier.id, Wanted(day(), problem="any")).total == 0
    assert delivery_table.page(w.carrier.id, Wanted(None, text="Прораб")).total == 5
    assert delivery_table.page(w.carrier.id, Wanted(None)).total == 0
    seen, after = [], ""
    while True:
        page = delivery_table.page(w.carrier.id, Wanted(day(), sort="mass", after=after, limit=2))
        seen += [item.row.mass_kg for item in page.items]
        if page.after is None:
            break
        after = page.after
    assert seen == [1004, 1003, 1002, 1001, 1000]
    with pytest.raises(Invalid):
        delivery_table.page(w.carrier.id, Wanted(day(), after=str(other.public_id)))
    assert len(rows) == 5


def test_a_page_of_many_asks_as_often_as_a_page_of_one(count_queries: Any) -> None:
    w = make.world()
    counts = []
    for more in (1, 12):
        for n in range(more):
            make.delivery(w, index=n)
        with count_queries() as seen:
            delivery_table.page(w.carrier.id, Wanted(day()))
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8


def test_a_moved_pin_keeps_both_places_and_the_buyer_sees_the_new_one() -> None:
    w, other = make.world(), make.world()
    made = make.delivery(w)
    places.move_pin(w.dispatcher, made.public_id, 55.83, 37.61, why="ворота с другой стороны", version=None)
    row = session.get_one(Delivery, made.id)
    assert (row.site["lat"], row.site["lon"], row.site["is_corrected"]) == (55.83, 37.61, True)
    [moved] = [one for one in queries.history(made.id) if one.kind == "pin_moved"]
    assert moved.details["before"] == {"lat": make.SITES[0][0], "lon": make.SITES[0][1]}
    assert moved.details["after"] == {"lat": 55.83, "lon": 37.61}
    seen = queries.of_fulfilments([row.fulfilment_id])[row.fulfilment_id]
    assert (seen.is_corrected, seen.place) == (True, (55.83, 37.61))
    version = row.version
    places.move_pin(w.dispatcher, made.public_id, 55.83, 37.61)  # the same place: nothing happens
    assert session.get_one(Delivery, made.id).version == version
    with pytest.raises(NotFound):
        places.move_pin(other.dispatcher, made.public_id, 55.8, 37.6)
    with pytest.raises(Stale):
        places.move_pin(w.dispatcher, made.public_id, 55.8, 37.6, version=version - 1)
    with pytest.raises(Invalid):
        places.move_pin(w.dispatcher, made.public_id, 91, 37.6)
    row.state = "delivered"
    session.commit()
    with pytest.raises(Conflict, match="delivery_state"):
        places.move_pin(w.dispatcher, made.public_id, 55.8, 37.6)


def test_a_pin_on_a_route_moves_only_when_confirmed_and_the_plan_is_out_of_date() -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    with pytest.raises(Conflict) as refused:
        places.move_pin(w.dispatcher, made.public_id, 55.83, 37.61)
    assert (refused.value.code, refused.value.context["plans"]) == ("pin_on_route", 1)
    assert doubts.of_day(w.carrier.id, day()) == []
    places.move_pin(w.dispatcher, made.public_id, 55.83, 37.61, confirmed=True)
    [found] = doubts.of_day(w.carrier.id, day())
    assert (found.reason, found.status) == ("pin_moved", "published")
    assert doubts.of_day(make.world().carrier.id, day()) == []


def test_the_gazetteer_knows_streets_warehouses_and_where_deliveries_went() -> None:
    w, other = make.world(), make.world()
    make.delivery(w, site=make.site(0, address="Тестовая улица, 7"))
    own = geocoding.sources(w.carrier.id)
    [house] = geocoding.geocode("тестовая улица, 7", own)
    assert (house.precision, house.source, house.lat) == ("house", "delivered", make.SITES[0][0])
    assert geocoding.geocode("Тестовая улица, 7", geocoding.sources(other.carrier.id)) == []
    [yard] = [one for one in geocoding.geocode("Склад, 1", own) if one.source == "warehouse"]
    assert (yard.lat, yard.lon) == make.YARD
    from app.logistics import streets

    street = max(streets.names(), key=len)
    found = geocoding.geocode(f"{street}, 12", own)
    assert (found[0].label, found[0].precision) == (street, "street")
    assert geocoding.geocode("  ", own) == []


class _Nominatim(BaseHTTPRequestHandler):
    answer: bytes = b"[]"
    asked: str = ""

    def do_GET(self) -> None:
        type(self).asked = parse_qs(urlsplit(self.path).query)["q"][0]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(type(self).answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def nominatim() -> Iterator[tuple[type[_Nominatim], str]]:
    server = HTTPServer(("127.0.0.1", 0), _Nominatim)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield _Nominatim, f"http://127.0.0.1:{server.server_port}/search"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_remote_service_is_asked_when_it_is_set(nominatim: tuple[type[_Nominatim], str]) -> None:
    service, url = nominatim
    service.answer = json.dumps(
        [{"lat": "55.75", "lon": "37.61", "display_name": "Дом", "addresstype": "building"},
         {"lat": "95", "lon": "37.61", "display_name": "Нигде"}, {"lat": "нет"}, 7]
    ).encode()  # fmt: skip
    [found] = geocoding.geocode("Дом & улица", [Remote(url, anywhere=True)])
    assert (found.lat, found.precision, found.source, service.asked) == (55.75, "house", "remote", "Дом & улица")
    for nonsense in (b"{", b'{"a": 1}', b"\xff"):
        service.answer = nonsense
        assert geocoding.geocode("Дом", [Remote(url, anywhere=True)]) == []
    assert geocoding.geocode("Дом", [Remote(url)]) == []  # private addresses are not asked outside of tests
    assert geocoding.geocode("Дом", [Remote("http://127.0.0.1:9/search", anywhere=True)]) == []
