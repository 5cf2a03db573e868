"""Versions of a tariff by dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.core import clock
from app.core.errors import Conflict, NotFound, Stale
from app.logistics import tariff_book
from app.logistics.fleet_facts import TariffFacts
from app.logistics.tariff_book import Load
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")
FACTS = TariffFacts("City", 100_000, 5_000, 20_000, 5000, date(2026, 1, 1))


def days(w: make.World) -> list[tuple[date, date | None]]:
    return [(row.valid_from, row.valid_to) for row in reversed(tariff_book.tariffs(w.carrier.id))]


def test_the_next_version_begins_where_the_present_one_ends() -> None:
    w, starts = make.world(), clock.today() + timedelta(days=10)
    key = tariff_book.add_tariff(w.dispatcher, FACTS)
    newer = tariff_book.next_tariff(w.dispatcher, key, replace(FACTS, base=200_000, valid_from=starts), 1)
    assert days(w) == [(FACTS.valid_from, starts - timedelta(days=1)), (starts, None)]
    with pytest.raises(Conflict, match="version_not_later"):
        tariff_book.next_tariff(w.dispatcher, key, replace(FACTS, valid_from=starts + timedelta(days=5)), None)
    with pytest.raises(Conflict, match="version_not_later"):
        tariff_book.next_tariff(w.dispatcher, newer, replace(FACTS, valid_from=starts), None)
    with pytest.raises(Stale):
        tariff_book.next_tariff(w.dispatcher, newer, replace(FACTS, valid_from=starts + timedelta(days=5)), 9)
    tariff_book.remove_tariff(w.dispatcher, newer)  # it has not begun: one day of it stays, its orders keep it
    assert days(w)[1] == (starts, starts)


def test_two_tariffs_of_a_name_are_never_valid_at_once() -> None:
    w = make.world()
    key = tariff_book.add_tariff(w.dispatcher, FACTS)
    with pytest.raises(Conflict) as refused:
        tariff_book.add_tariff(w.dispatcher, replace(FACTS, valid_from=date(2027, 1, 1)))
    assert refused.value.code == "tariff_overlaps"
    tariff_book.add_tariff(w.dispatcher, replace(FACTS, name="Region"))
    tariff_book.change_tariff(w.dispatcher, key, replace(FACTS, valid_to=date(2026, 12, 31)), None)
    tariff_book.add_tariff(w.dispatcher, replace(FACTS, valid_from=date(2027, 1, 1)))
    assert len(days(w)) == 3


def test_a_tariff_is_tried_by_its_carrier_only() -> None:
    w, other = make.world(), make.world()
    zone = {"name": "Centre", "price": 70_000, "lat": 55.82, "lon": 37.6, "radius_m": 3000}
    key = tariff_book.add_tariff(w.dispatcher, replace(FACTS, zones=[zone]))
    inside = tariff_book.try_out(w.carrier.id, key, Load(9_000, 0, point=(55.82, 37.6)))
    assert [(line.code, line.amount) for line in inside.lines] == [("zone", 70_000)]
    assert tariff_book.try_out(w.carrier.id, key, Load(9_000, 0)).total == 100_000 + 9 * 5_000
    with pytest.raises(NotFound):
        tariff_book.try_out(other.carrier.id, key, Load())
