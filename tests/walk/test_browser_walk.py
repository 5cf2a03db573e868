"""The whole job in a real browser, as five people, from "a wall 5 by 2.7" to materials on the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.walk.http_client import wait_until
from tests.walk.market import Market
from tests.walk.test_api_walk import broken_invariants
from tools.browser import find

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SELLER = "Демо-База Останкино"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Person:
    """Somebody with a browser; collects what the console and the server complain about."""

    def __init__(self, browser: Browser, market: Market, viewport: Any = None) -> None:
        self.context = browser.new_context(base_url=market.url, viewport=viewport or DESK, locale="ru-RU")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(45_000)
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("response", lambda r: self.complaints.append(f"{r.status} {r.url}") if r.status >= 500 else None)

    def _hear(self, message: Any) -> None:
        refused_form = "status of 422" in message.text  # the browser notes every refused form as an error
        if message.type == "error" and not refused_form:
            self.complaints.append(f"{message.text} {message.location.get('url', '')}".strip())

    def sign_in(self, email: str) -> Person:
        self.page.goto("/login")
        self.page.get_by_label("Почта").fill(email)
        self.page.get_by_label("Пароль", exact=True).fill("tutuu-demo")
        self.page.get_by_role("button", name="Войти").click()
        self.page.wait_for_url(re.compile(r"/$"))
        return self

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()


def test_from_a_wall_to_materials_on_the_site(chromium: Browser, market: Market) -> None:
    buyer = Person(chromium, market)
    page = buyer.page

    # Anyone: home, the work, its dimensions
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Что строим?")
    page.get_by_role("link", name=re.compile("Перегородка ГКЛ однослойная")).first.click()
    page.get_by_label("Длина").fill("5")
    page.get_by_label("Высота").fill("-2,7")
    page.get_by_label("Название расчёта").fill("Стена 5 на 2,7")
    buyer.press("Посчитать материалы")
    expect(page.get_by_role("group", name=re.compile("Проверьте"))).to_contain_text("Высота")
    assert page.get_by_label("Длина").input_value() == "5"
    page.get_by_label("Высота").fill("2,7")
    buyer.press("Посчитать материалы")

    # The estimate is priced by a worker and swapped in without reloading
    everything = page.get_by_role("button", name="Всё в корзину")
    expect(everything).to_be_visible(timeout=90_000)
    board = page.get_by_role("row", name=re.compile("Гипсокартон 12,5 мм"))
    expect(board).to_contain_text("28,35 м²")
    board.get_by_text("Как посчитано").click()
    expect(board).to_contain_text("Норма: 2,0 м²/м²")
    assert market.value("SELECT state FROM estimate WHERE title = 'Стена 5 на 2,7'") == "priced"
    estimated = market.value("SELECT goods FROM estimate WHERE title = 'Стена 5 на 2,7'")

    # The guest's cart survives signing in
    everything.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Корзина")
    buyer.sign_in("buyer@demo.example")
    page.goto("/cart")
    assert (
        market.value(
            "SELECT count(*) FROM cart_line l JOIN cart c ON c.id = l.cart_id WHERE c.user_id = 1 AND c.status = 'open'"
        )
        == 11
    )
    assert market.value("SELECT user_id FROM estimate WHERE title = 'Стена 5 на 2,7'") == 1

    # Checkout: site, day, payment; one group with one order a seller, in one transaction
    page.goto("/checkout")
    buyer.press("Показать цену с доставкой")
    page.get_by_label(re.compile("Водителю при получении")).check()
    buyer.press(re.compile("^Заказать за"))
    page.wait_for_url(re.compile(r"/orders/R\d+"))
    number = page.url.rsplit("/", 1)[1].split("?")[0]
    group = market.query(
        "SELECT goods, delivery, total, (SELECT sum(total) FROM seller_order o WHERE o.group_id = g.id),"
        " (SELECT count(*) FROM seller_order o WHERE o.group_id = g.id), payment_method"
        " FROM order_group g WHERE number = :n",
        n=number,
    )[0]
    off = market.value(
        "SELECT sum(l.discount) FROM order_line l JOIN seller_order o ON o.id = l.order_id"
        " JOIN order_group g ON g.id = o.group_id WHERE g.number = :n",
        n=number,
    )
    assert group[0] + off == estimated, "the company's first order is cheaper by what its lines say"
    assert group[2] == group[0] + group[1] == group[3]
    assert group[5] == "cash"
    mine = market.query(
        "SELECT o.number, o.id, f.day FROM seller_order o JOIN order_group g ON g.id = o.group_id"
        " JOIN fulfilment f ON f.order_id = o.id WHERE g.number = :n AND o.seller_name = :s",
        n=number, s=SELLER,
    )  # fmt: skip
    order, order_id, day = mine[0]
    allocated = market.value("SELECT sum(quantity_base) FROM order_line WHERE order_id = :o", o=order_id)
    assert allocated == market.value(
        "SELECT sum(m.allocated_delta) FROM stock_movement m JOIN seller_order o ON o.group_id = m.entity_id"
        " JOIN order_line l ON l.order_id = o.id AND l.offer_id = m.offer_id"
        " WHERE m.entity = 'order_group' AND m.kind = 'allocated' AND o.id = :o",
        o=order_id,
    )
    expect(page.locator("#order")).to_contain_text(str(order))

    # The seller accepts, picks and is ready
    seller = Person(chromium, market).sign_in("seller@demo.example")
    seller.page.goto("/seller/orders")
    seller.page.get_by_role("link", name=re.compile(str(order))).first.click()
    seller.press("Принять")
    expect(seller.page.get_by_role("button", name="Начать сборку")).to_be_visible()
    expect(page.locator("#order")).to_contain_text("Принят", timeout=90_000)
    seller.press("Начать сборку")
    seller.press("Готов к отгрузке")
    assert market.value("SELECT fulfilment_status FROM seller_order WHERE id = :o", o=order_id) == "ready"

    # The carrier plans and publishes
    carrier = Person(chromium, market).sign_in("carrier@demo.example")
    carrier.page.goto(f"/carrier/deliveries?date={day}")
    expect(carrier.page.locator("main")).to_contain_text(str(order))
    carrier.page.goto(f"/carrier/plans?date={day}")
    carrier.press("Построить маршруты")
    publish = carrier.page.get_by_role("button", name=re.compile("Опубликовать план"))
    expect(publish).to_be_visible(timeout=120_000)
    expect(carrier.page.locator("main")).to_contain_text(str(order))
    publish.click()
    expect(carrier.page.locator("main")).to_contain_text("опубликован")
    assert market.value("SELECT count(*) FROM route_plan WHERE status = 'published' AND day = :d", d=day) == 1

    # The courier, on a phone
    courier = Person(chromium, market, PHONE).sign_in(market.driver_of(str(order)))
    pin = market.value("SELECT pin FROM delivery WHERE number = :n", n=order)
    drive(courier, market, str(order), str(day), str(pin))

    # The buyer's page follows without a reload; the link of the truck dies with the delivery
    wait_until(lambda: market.value("SELECT status FROM seller_order WHERE id = :o", o=order_id) == "completed")
    expect(page.locator("#order section.flat", has_text=str(order)).locator(".tag.ok").first).to_be_visible(
        timeout=90_000
    )
    shipped = market.value(
        "SELECT -coalesce(sum(on_hand_delta), 0) FROM stock_movement m JOIN fulfilment f"
        " ON m.entity = 'fulfilment' AND m.entity_id = f.id WHERE f.order_id = :o AND m.kind = 'shipped'",
        o=order_id,
    )
    assert shipped == allocated
    token = market.value("SELECT tracking_token FROM delivery WHERE number = :n", n=order)
    stranger = Person(chromium, market)
    answer = stranger.page.goto(f"/t/{token}")
    assert answer is not None
    assert answer.status == 404

    # The operator sees it all
    admin = Person(chromium, market).sign_in("admin@demo.example")
    for path, word in (
        ("/admin/organisations", "Демо-Новый продавец"),
        ("/admin/users", "buyer@demo.example"),
        ("/admin/jobs", "estimate.price"),
        ("/admin/audit?action=order", "order"),
    ):
        admin.page.goto(path)
        expect(admin.page.locator("main")).to_contain_text(word)

    for person in (buyer, seller, carrier, courier, admin):
        assert person.complaints == []
    assert market.value("SELECT count(*) FROM job WHERE state = 'dead' AND payload <> '{\"estimate\": 0}'") == 0
    assert broken_invariants(market) == {}


def _started(market: Market, day: str) -> bool:
    """Whether a route of the day is under way."""
    return bool(
        market.value(
            "SELECT count(*) FROM route r JOIN route_plan p ON p.id = r.plan_id"
            " WHERE p.day = :d AND r.state = 'started'",
            d=day,
        )
    )


def count_by_code(courier: Person) -> None:
    """Count the first line from zero by typing its code; then the page is opened anew, with everything whole."""
    page = courier.page
    line = page.locator("[data-line]").first
    courier.press("Считать с нуля")
    expect(line.locator("qty-box input")).to_have_value("0")
    page.get_by_label("Код товара, считаем по одному").fill(str(line.get_attribute("data-code")))
    courier.press("Посчитать один")
    expect(line.locator("qty-box input")).to_have_value("1")
    page.get_by_label("Код товара, считаем по одному").fill("нет такого")
    courier.press("Посчитать один")
    expect(page.get_by_text("Этого кода нет в накладной")).to_be_visible()
    page.reload()


def drive(courier: Person, market: Market, order: str, day: str, pin: str) -> None:
    """Drive the route of the day until the order is handed over."""
    page = courier.page
    page.goto(f"/courier?date={day}")
    page.get_by_role("link", name="Проверить машину").click()
    page.get_by_label("Километры на одометре").fill("120 000")
    courier.press("Машина проверена")
    page.wait_for_url(re.compile("/courier($|\\?)"))
    page.goto(f"/courier?date={day}")
    courier.press("Начать маршрут")
    wait_until(lambda: _started(market, day))
    seen_tracking = False
    for _step in range(60):
        state = market.value("SELECT state FROM delivery WHERE number = :n", n=order)
        if state == "delivered":
            return
        if state == "in_transit" and not seen_tracking:
            token = market.value("SELECT tracking_token FROM delivery WHERE number = :n", n=order)
            answer = page.request.get(f"/t/{token}")
            assert answer.status == 200
            seen_tracking = True
        stop = market.query(
            "SELECT s.public_id, s.kind, s.state, d.pin, d.cash_due FROM stop s JOIN route r ON r.id = s.route_id"
            " JOIN delivery d ON d.id = s.delivery_id JOIN route_plan p ON p.id = r.plan_id"
            " WHERE p.status = 'published' AND p.day = :d"
            " AND r.id IN (SELECT m.route_id FROM stop m JOIN delivery n ON n.id = m.delivery_id WHERE n.number = :n)"
            " AND s.state NOT IN ('done', 'failed', 'skipped') ORDER BY s.sequence LIMIT 1",
            d=day, n=order,
        )  # fmt: skip
        assert stop, "the courier has no stop left and the order is not delivered"
        key, kind, stop_state, stop_pin, cash = stop[0]
        page.goto(f"/courier/stops/{key}")
        stand = ("SELECT state FROM stop WHERE public_id = :k", key)
        if stop_state == "planned":
            courier.press("Я на месте")
        elif kind == "pickup":
            count_by_code(courier)
            courier.press("Загружено")
        elif stop_state == "arrived":
            courier.press("Выгружаю")
        else:
            if cash:
                page.get_by_label(re.compile("наличными", re.I)).first.fill(f"{int(cash) / 100:.2f}")
            page.get_by_label(re.compile("PIN")).fill("0000" if stop_pin != "0000" else "1111")
            courier.press("Вручено")
            expect(page.locator("main .errors")).to_contain_text("PIN")
            page.get_by_label(re.compile("PIN")).fill(str(stop_pin))
            courier.press("Вручено")
        wait_until(lambda old=stop_state, s=stand: market.value(s[0], k=s[1]) != old)
    raise AssertionError("the route did not end")
