"""The last place of a window in a browser: one buyer chooses and orders it, the next sees that it is taken."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from app.core import clock
from tests.walk.market import Market
from tests.walk.test_browser_walk import PHONE, Person, chromium
from tools.browser import find

__all__ = ["chromium"]  # the fixture
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]


def checkout_of(buyer: Person, product: object) -> None:
    """Put the product in the cart and come to the list of windows of its carrier."""
    page = buyer.page
    page.goto(f"/product/{product}")
    page.locator("form[action='/cart/lines'] button.main").first.click()
    expect(page.locator(".count").first).to_have_text(re.compile("1"))
    page.goto("/checkout")
    buyer.press("Показать цену с доставкой")
    page.get_by_role("link", name=re.compile("Изменить доставку")).first.click()
    expect(page.get_by_role("heading", name="Когда", exact=True)).to_be_visible()


def test_the_last_place_is_taken_before_the_eyes_of_the_next(chromium: Browser, shop: Market) -> None:
    free = clock.today() + timedelta(days=2)  # of the market's zone: tomorrow's places are taken by the demo's orders
    day = next(d for d in (free + timedelta(days=n) for n in range(4)) if d.isoweekday() < 6)
    boss = Person(chromium, shop).sign_in("carrier@demo.example")
    boss.page.goto("/carrier/slots")
    dates = boss.page.locator("form[action='/carrier/slots/exceptions']")
    for label, text in (("Дата", day.isoformat()), ("Начало окна", "9:00"), ("Конец окна", "12:00"), ("Доставки", "1")):
        dates.get_by_label(label).fill(text)
    boss.press("Сохранить дату")
    expect(boss.page.get_by_text("Дата изменена.")).to_be_visible()

    product = shop.value(
        "SELECT p.slug FROM offer o JOIN product p ON p.id = o.product_id JOIN stock_level s ON s.offer_id = o.id"
        " WHERE o.seller_id = 1 AND o.lead_time_days = 0 AND s.on_hand > 50 AND p.mass_kg BETWEEN 0.1 AND 60"
        " AND p.length_mm < 3000 ORDER BY o.id LIMIT 1"
    )
    first = Person(chromium, shop, PHONE).sign_in("buyer2@demo.example")
    second = Person(chromium, shop).sign_in("buyer3@demo.example")
    slot = f"input[name='slot'][value='{day.isoformat()}/9-12']"
    for buyer in (first, second):
        checkout_of(buyer, product)
        buyer.page.locator("label.choice", has_text="Демо-Перевозчик 1").click()
        expect(buyer.page.locator(slot)).to_be_visible()
    first.page.locator(slot).check()
    first.press("Выбрать")
    expect(first.page.get_by_text("9:00–12:00").first).to_be_visible()
    first.press(re.compile("Заказать за"))
    expect(first.page.get_by_role("heading", level=1)).to_contain_text("Заказ R")

    second.page.locator(slot).check()  # the page is from before
    second.press("Выбрать")
    expect(second.page.get_by_role("group", name=re.compile("Проверьте"))).to_contain_text("заняли")
    expect(second.page.locator(slot)).to_have_count(0)
    assert not [one for person in (boss, first, second) for one in person.complaints if "409" not in one]
