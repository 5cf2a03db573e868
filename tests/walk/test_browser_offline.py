"""A driver where there is no signal: a real browser, a real service worker, a server that does not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.factories import images
from tests.walk.http_client import Client, wait_until
from tests.walk.market import Market
from tests.walk.test_browser_walk import PHONE, Person
from tools.browser import find

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]
READY = "SELECT number, day FROM delivery WHERE state = 'ready' AND carrier_id = :c ORDER BY day, id"
JPEG = images.from_a_phone(images.quarters(800, 600), 6)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def plan(market: Market) -> dict[str, Any]:
    """A published plan of a day of the demo carrier: {day, route, email, stops} of its longest route."""
    carrier = Client(market.url).sign_in("carrier@demo.example")
    carrier_id = market.value(
        "SELECT m.organisation_id FROM organisation_member m JOIN user_account u ON u.id = m.user_id"
        " WHERE u.email = 'carrier@demo.example' AND m.role <> 'courier' LIMIT 1"
    )
    day = str(market.query(READY, c=carrier_id)[0][1])
    job = carrier.post("/carrier/route-plans", {"date": day, "time_limit_s": 1}, 202)["job"]
    made = carrier.wait_for_job(job)["result"]["plan"]
    carrier.post(f"/carrier/route-plans/{made}/publish", {})
    route = market.query(
        "SELECT r.id, u.email, r.public_id FROM route r JOIN route_plan p ON p.id = r.plan_id"
        " JOIN courier c ON c.id = r.courier_id JOIN user_account u ON u.id = c.user_id"
        " JOIN stop s ON s.route_id = r.id WHERE p.status = 'published' AND p.day = :d AND p.carrier_id = :c"
        " GROUP BY r.id, u.email, r.public_id ORDER BY count(*) DESC LIMIT 1",
        d=day, c=carrier_id,
    )[0]  # fmt: skip
    market.change(  # the demo has this driver on the road already: that day is over
        "UPDATE route SET state = 'finished' WHERE state = 'started' AND id <> :r"
        " AND courier_id = (SELECT courier_id FROM route WHERE id = :r)",
        r=route[0],
    )
    return {"day": day, "route_id": route[0], "email": str(route[1]), "route": str(route[2])}


def loaded(market: Market, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Check the truck, start the route and load everything over the API; the drops ahead in order."""
    courier = Client(market.url).sign_in(plan["email"])
    courier.post("/courier/check", {"date": plan["day"], "odometer_km": 120_000})
    route = courier.post("/courier/route/start", {"date": plan["day"]})
    for stop in route["stops"]:
        if stop["kind"] == "pickup" and stop["state"] in ("planned", "arrived"):
            courier.post(f"/courier/stops/{stop['id']}/complete", {})
    fresh = courier.get(f"/courier/route?date={plan['day']}")
    return [s for s in fresh["stops"] if s["kind"] == "drop" and s["state"] == "planned" and s["lots"] == 1]


def pin_and_cash(market: Market, stop: str) -> tuple[str, int]:
    found = market.query(
        "SELECT d.pin, d.cash_due FROM stop s JOIN delivery d ON d.id = s.delivery_id WHERE s.public_id = :s", s=stop
    )[0]
    return str(found[0]), int(str(found[1]))


def kept(page: Page) -> None:
    """Wait until the service worker has the pages of the route."""
    ask = "Number(document.documentElement.dataset.kept) > 2 && !!navigator.serviceWorker.controller"
    wait_until(lambda: page.evaluate(ask))


def waiting(page: Page) -> int:
    return int(page.evaluate("courierQueue.all('taps').then(taps => taps.length)"))


def sent(page: Page) -> None:
    """Wait until nothing waits any more; the page may be asked for anew meanwhile."""

    def none() -> bool:
        try:
            return waiting(page) == 0
        except Error:
            return False

    wait_until(none)
    page.wait_for_load_state("load")


def hand_over(page: Page, stop: str, pin: str, cash: int) -> None:
    """Arrive, unload, photograph, sign, PIN, handed over."""
    page.goto(f"/courier/stops/{stop}")
    page.locator("form[data-tap=arrive] button").click()
    page.locator("form[data-tap=unloading] button").click()
    form = page.locator("form[data-tap=complete]")
    expect(form).to_be_visible()
    form.locator("input[name=photos]").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": JPEG})
    expect(form.locator("[data-previews=photos] img")).to_have_count(1)
    canvas = form.locator("canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 20, place["y"] + 20)
    page.mouse.down()
    page.mouse.move(place["x"] + 120, place["y"] + 60, steps=5)
    page.mouse.up()
    form.locator("[name=pin]").fill(pin)
    if cash:
        form.locator("[name=cash]").fill(f"{cash / 100:.2f}")
    page.locator("button[form=done]").first.click()
    page.wait_for_url(re.compile(r"/courier$"))


class Lost:
    """A place without signal: the browser is offline and the server does not answer its workers either."""

    def __init__(self, context: BrowserContext, market: Market) -> None:
        self.context, self.market = context, market

    def __enter__(self) -> None:
        self.context.set_offline(True)
        self.market.stop("web")

    def __exit__(self, *_: object) -> None:
        self.market.start_web()
        self.context.set_offline(False)


def test_a_delivery_without_signal_is_delivered_once(chromium: Browser, market: Market, plan: dict[str, Any]) -> None:
    drops = loaded(market, plan)
    stop = drops[0]["id"]
    pin, cash = pin_and_cash(market, stop)
    courier = Person(chromium, market, PHONE).sign_in(plan["email"])
    page = courier.page
    page.goto("/courier")
    kept(page)
    first = page.locator("[data-part=ahead] .tag").first.inner_text()
    with Lost(courier.context, market):
        hand_over(page, stop, pin, cash)
        expect(page.locator("courier-outbox [data-part=list] li")).to_have_count(3)
        expect(page.locator("[data-part=bar]")).to_be_visible()
        expect(page.locator("[data-part=ahead] .tag").first).not_to_have_text(first)
        page.close()
        page = courier.context.new_page()
        page.goto("/courier")
        expect(page.locator("courier-outbox [data-part=list] li")).to_have_count(3)
        assert waiting(page) == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.goto(f"/courier/stops/{stop}")
        expect(page.locator("[data-progress=complete] .tag.ok")).to_be_visible()
        taps = page.evaluate("courierQueue.all('taps').then(taps => taps.map(tap => [tap.kind, tap.at, tap.key]))")
        assert [tap[0] for tap in taps] == ["arrive", "unloading", "complete"]
        assert market.value("SELECT state FROM stop WHERE public_id = :s", s=stop) == "planned"
    page.goto("/courier")
    sent(page)
    found = market.query(
        "SELECT s.state, to_char(s.arrived_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
        " to_char(s.completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), d.state, d.id"
        " FROM stop s JOIN delivery d ON d.id = s.delivery_id WHERE s.public_id = :s",
        s=stop,
    )[0]
    assert found[0] == "done"
    assert (found[1], found[2]) == (taps[0][1], taps[2][1]), "the times of the taps, not of their sending"
    assert found[3] == "delivered"
    attempts = market.query("SELECT proof FROM delivery_attempt WHERE delivery_id = :d", d=found[4])
    assert len(attempts) == 1
    proof: Any = attempts[0][0]
    assert (proof["pin_ok"], len(proof["photos"])) == (True, 1)
    roles = market.query("SELECT role FROM proof_photo WHERE delivery_id = :d ORDER BY role", d=found[4])
    assert [row[0] for row in roles] == ["photo", "signature"]
    wait_until(
        lambda: (
            market.value("SELECT count(*) FROM proof_photo WHERE delivery_id = :d AND state = 'ready'", d=found[4]) == 2
        )
    )
    picture = page.request.get(f"/proof/{proof['photos'][0]}")
    assert picture.headers["content-type"] == "image/webp"
    assert b"Exif" not in picture.body()
    assert market.value("SELECT count(*) FROM courier_action WHERE outcome = 'done'") == 3
    # the same taps once more, as if the answer had been lost: nothing happens twice
    page.evaluate(
        "([taps, stop]) => Promise.all(taps.map(([kind, at, key]) => courierQueue.put('taps', {key, kind, at, stop,"
        " person: document.querySelector('courier-outbox').dataset.person, payload: {}, files: [], offline: true})))",
        [taps, stop],
    )
    page.reload()
    sent(page)
    assert market.value("SELECT count(*) FROM delivery_attempt WHERE delivery_id = :d", d=found[4]) == 1
    courier.context.close()


def test_what_the_dispatcher_changed_meanwhile_is_shown_and_nothing_is_lost(
    chromium: Browser, market: Market, plan: dict[str, Any]
) -> None:
    drops = loaded(market, plan)
    stop = drops[0]["id"]
    pin, cash = pin_and_cash(market, stop)
    courier = Person(chromium, market, PHONE).sign_in(plan["email"])
    page = courier.page
    page.goto("/courier")
    kept(page)
    with Lost(courier.context, market):
        hand_over(page, stop, pin, cash)
    page.close()  # nothing is sent before the dispatcher has changed the stop
    other = market.value(
        "SELECT c.id FROM courier c JOIN route r ON r.id = :r JOIN courier mine ON mine.id = r.courier_id"
        " WHERE c.carrier_id = mine.carrier_id AND c.id <> mine.id LIMIT 1",
        r=plan["route_id"],
    )
    before = market.value("SELECT courier_id FROM route WHERE id = :r", r=plan["route_id"])
    market.change("UPDATE route SET courier_id = :c WHERE id = :r", c=other, r=plan["route_id"])
    page = courier.context.new_page()
    page.goto("/courier")
    sent(page)
    cards = page.locator("[data-told]")
    expect(cards).to_have_count(3)
    expect(cards.last).to_contain_text(re.compile("Вы: "))
    expect(cards.last).to_contain_text(re.compile("Сейчас: "))
    delivery = market.value("SELECT delivery_id FROM stop WHERE public_id = :s", s=stop)
    notes = market.query(
        "SELECT details FROM delivery_event WHERE kind = 'tap_conflict' AND delivery_id = :d ORDER BY id", d=delivery
    )
    told: list[Any] = [row[0] for row in notes]
    assert [one["action"] for one in told] == ["arrive", "unloading", "complete"]
    assert told[2]["pin_given"] is True
    assert len(told[2]["photos"]) == 1
    assert told[2]["signature"]
    assert market.value("SELECT count(*) FROM proof_photo WHERE delivery_id = :d", d=delivery) == 2
    assert market.value("SELECT state FROM delivery WHERE id = :d", d=delivery) == "in_transit"
    cards.first.locator("[data-part=seen]").click()
    expect(cards).to_have_count(2)
    page.reload()
    expect(cards).to_have_count(2)
    market.change("UPDATE route SET courier_id = :c WHERE id = :r", c=before, r=plan["route_id"])
    courier.context.close()


def test_taps_of_one_driver_do_not_go_under_the_name_of_the_next(
    chromium: Browser, market: Market, plan: dict[str, Any]
) -> None:
    drops = loaded(market, plan)
    stop = drops[0]["id"]
    courier = Person(chromium, market, PHONE).sign_in(plan["email"])
    page = courier.page
    page.goto("/courier")
    kept(page)
    with Lost(courier.context, market):
        page.goto(f"/courier/stops/{stop}")
        page.locator("form[data-tap=arrive] button").click()
        page.locator("form[data-tap=unloading] button").wait_for()
        page.close()
        courier.context.clear_cookies()  # signed out before there is signal again
    other = market.value(
        "SELECT u.email FROM courier c JOIN user_account u ON u.id = c.user_id JOIN route r ON r.id = :r"
        " WHERE c.id <> r.courier_id AND c.is_active ORDER BY c.id LIMIT 1",
        r=plan["route_id"],
    )
    page = courier.context.new_page()
    courier.page = page
    courier.sign_in(str(other))
    page.goto("/courier")
    expect(page.locator("[data-part=foreign]")).to_be_visible()
    assert waiting(page) == 1
    assert market.value("SELECT state FROM stop WHERE public_id = :s", s=stop) == "planned"
    courier.context.clear_cookies()
    courier.sign_in(plan["email"])
    page.goto("/courier")
    sent(page)
    assert market.value("SELECT state FROM stop WHERE public_id = :s", s=stop) == "arrived"
    courier.context.close()
