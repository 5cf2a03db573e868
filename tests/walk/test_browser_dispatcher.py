"""A dispatcher moves stops by keys and by drag, sees the broken rule, undoes, publishes and looks at the board."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from tests.walk.http_client import wait_until
from tests.walk.market import Market
from tests.walk.test_browser_walk import PHONE, Person, chromium
from tools.browser import find

__all__ = ["chromium"]  # the fixture
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]


def heavy_day(market: Market) -> tuple[str, str]:
    """(day, number) of a delivery made too heavy for a light truck, on a day with several that are ready."""
    engine = sa.create_engine(market.database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        day = connection.execute(
            sa.text(
                "SELECT day FROM delivery d JOIN courier c ON c.carrier_id = d.carrier_id WHERE d.state = 'ready'"
                " AND day > current_date AND c.vehicle_id IS NOT NULL GROUP BY day"
                " HAVING count(DISTINCT d.id) >= 3 ORDER BY day LIMIT 1"
            )
        ).scalar_one()
        number = connection.execute(
            sa.text(
                "UPDATE delivery SET mass_kg = 4200, volume_l = 3000, needs = '[]' WHERE id = (SELECT max(id) FROM"
                " delivery WHERE day = :d AND state = 'ready') RETURNING number"
            ),
            {"d": day},
        ).scalar_one()
    return day.isoformat(), str(number)


def stops_of(page: Page) -> dict[str, list[str]]:
    """Truck -> its stops as "kind number" in order, as the page shows them."""
    found: dict[str, list[str]] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('ol.stops')].map(list => [list.dataset.truck,"
        " [...list.querySelectorAll('li.stop')].map(row => row.dataset.stop)]))"
    )
    return found


def becomes(page: Page, wanted: dict[str, list[str]]) -> None:
    """The page comes to show these stops; a button is disabled while its answer is awaited, so it says nothing."""
    assert wait_until(lambda: stops_of(page) == wanted)


def drag(page: Page, handle: Locator, target: Locator) -> None:
    """As a hand does it: press, move in steps, let go."""
    target.scroll_into_view_if_needed()
    handle.scroll_into_view_if_needed()
    start = handle.bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + 12, start["y"] + 12)
    page.mouse.down()
    end = target.bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] / 2, steps=15)
    page.mouse.up()


def test_a_plan_is_changed_by_keys_and_by_drag_and_published(chromium: Browser, market: Market) -> None:
    day, number = heavy_day(market)
    dispatcher = Person(chromium, market, {"width": 1280, "height": 1600}).sign_in("carrier@demo.example")
    page = dispatcher.page
    page.goto(f"/carrier/plans?date={day}")
    page.get_by_text("5 с", exact=True).click()
    dispatcher.press("Построить маршруты")
    page.wait_for_url(re.compile(r"/carrier/plans/[0-9a-f-]{36}$"), timeout=90_000)
    publish = page.get_by_role("button", name=re.compile("^Опубликовать план"))
    expect(publish).to_be_visible()
    expect(page.locator("live-map .map-frame")).to_be_visible()
    first = stops_of(page)

    # By keys: the last unloading of the longest route goes one place earlier; the focus stays on it
    truck = max(first, key=lambda name: len(first[name]))
    last = first[truck][-1]
    handle = page.locator(f"#grab-{last}")
    handle.focus()
    page.keyboard.press("Enter")
    expect(handle).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#say")).to_contain_text("место")
    page.keyboard.press("Escape")
    assert stops_of(page) == first, "Escape lets go"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#desk-steps")).to_contain_text("переставлена")
    by_keys = stops_of(page)
    assert by_keys[truck] != first[truck]
    assert sorted(by_keys[truck]) == sorted(first[truck])
    expect(page.locator(f"#grab-{last}")).to_be_focused()
    page.reload()
    assert stops_of(page) == by_keys, "it is the server that keeps it"

    # By drag onto a truck that is too small: the broken rule stands beside the stop, nothing can be published
    small = str(market.value("SELECT name FROM vehicle WHERE payload_kg < 4200 AND name = ANY(:n) ORDER BY id LIMIT 1",
                             n=list(first)))  # fmt: skip
    heavy = page.locator("li.stop", has=page.get_by_role("link", name=number, exact=True)).last
    uid = heavy.get_attribute("data-stop")
    assert uid not in by_keys[small]
    drag(page, heavy.locator(".grab"), page.locator(f"ol.stops[data-truck='{small}']"))
    broken = page.locator(f"ol.stops[data-truck='{small}'] li.is-bad")
    expect(broken.first).to_contain_text("перегруз")
    expect(page.locator("#desk-top")).to_contain_text("план нельзя опубликовать")
    expect(publish).to_have_count(0)
    assert uid in stops_of(page)[small]

    # Undone by Ctrl+Z and by the button, redone, undone: the first plan again
    page.keyboard.press("Control+z")
    becomes(page, by_keys)
    dispatcher.press("Отменить")
    becomes(page, first)
    dispatcher.press("Повторить")
    becomes(page, by_keys)
    dispatcher.press("Отменить")
    becomes(page, first)
    expect(page.locator("#undo")).to_be_disabled()

    publish.click()
    expect(page.locator("main")).to_contain_text("Маршруты опубликованы")
    expect(page.locator(".grab")).to_have_count(0)
    assert market.value("SELECT count(*) FROM route_plan WHERE status = 'published' AND day = :d", d=day) == 1

    # The board of that day, on a phone too
    page.goto(f"/carrier/board?date={day}")
    expect(page.locator(f"#board h2:has-text('{truck}')")).to_be_visible()
    phone = Person(chromium, market, PHONE).sign_in("carrier@demo.example")
    phone.page.goto(f"/carrier/board?date={day}")
    expect(phone.page.locator("#board section").first).to_be_visible()
    size: Any = phone.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    assert not dispatcher.complaints + phone.complaints
