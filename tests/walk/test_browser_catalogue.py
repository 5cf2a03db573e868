"""Filtering in a real browser: counts and chips follow, Back comes back, a copied address shows the same list."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.walk.market import Market
from tests.walk.test_browser_walk import DESK, PHONE, Person, chromium
from tools.browser import find

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]


def names(page: Page) -> list[str]:
    return page.locator("article.card h2").all_inner_texts()


def found(page: Page) -> int:
    return int(re.sub(r"\D", "", page.locator("#found").inner_text()))


@pytest.fixture
def leaf(shop: Market) -> str:
    """The address of a section whose products have values to filter by."""
    [(slug,)] = shop.query(
        "SELECT c.slug FROM category c JOIN attribute a ON a.category_id = c.id AND a.is_facet"
        " JOIN product_value v ON v.attribute_id = a.id GROUP BY c.id, c.slug"
        " ORDER BY count(DISTINCT a.id) DESC, c.id LIMIT 1"
    )
    return f"/catalog/{slug}"


def test_filtering_with_back_and_a_shared_address(chromium: Browser, shop: Market, leaf: str) -> None:
    person = Person(chromium, shop)
    page = person.page
    page.goto(leaf)
    everything, all_names = found(page), names(page)
    boxes = page.locator(".facets input[type=checkbox]:not([disabled]):not([name=in_stock])")
    first = boxes.first
    key = str(first.get_attribute("id"))
    first.check()
    expect(page.locator(".chip.is-on")).to_have_count(1)
    one = found(page)
    assert 0 < one < everything
    assert page.evaluate("document.activeElement.id") == key, "the focus stays where it was pressed"
    assert page.locator(f"#{key}").is_checked(), "a chip and a checked box"
    told = int(re.sub(r"\D", "", page.locator(f"label:has(#{key}) .n").inner_text()))
    assert told == one, "the count beside the value is what it leaves"

    page.locator("#f-stock").check()
    expect(page.locator(".chip.is-on")).to_have_count(2)
    both, address, shown = found(page), page.url, names(page)
    assert both <= one

    other = Person(chromium, shop)
    other.page.goto(address)
    assert (found(other.page), names(other.page)) == (both, shown), "the address holds the whole state"
    assert other.page.locator("#f-stock").is_checked()

    page.locator("article.card h2 a").first.click()
    page.wait_for_url("**/product/**")
    page.go_back()
    expect(page.locator(".chip.is-on")).to_have_count(2)
    assert names(page) == shown
    page.go_back()
    expect(page.locator(".chip.is-on")).to_have_count(1)
    assert found(page) == one
    page.go_back()
    expect(page.locator(".chip.is-on")).to_have_count(0)
    assert (found(page), names(page)) == (everything, all_names)

    page.goto(address)
    page.get_by_role("link", name="Сбросить всё").click()
    expect(page.locator("#found")).to_contain_text(str(everything))
    assert not person.complaints + other.complaints


def test_an_empty_list_says_what_to_drop(chromium: Browser, shop: Market, leaf: str) -> None:
    person = Person(chromium, shop)
    person.page.goto(f"{leaf}?price_max=1")
    drop = person.page.get_by_role("link", name=re.compile("^без"))
    expect(drop).to_have_count(1)
    drop.click()
    expect(person.page.locator("article.card").first).to_be_visible()
    assert not person.complaints


def test_suggestions_by_keyboard_and_a_corrected_search(chromium: Browser, shop: Market) -> None:
    person = Person(chromium, shop)
    page = person.page
    page.goto("/")
    asked = page.locator("#q")
    asked.press_sequentially("wtvty", delay=30)
    expect(page.locator("#suggest [role=option]").first).to_be_visible()
    assert page.locator("#suggest [role=option]").count() <= 8
    asked.press("ArrowDown")
    expect(page.locator("#suggest .is-on")).to_have_count(1)
    asked.press("Escape")
    expect(page.locator("#suggest [role=option]")).to_have_count(0)
    asked.fill("цеменнт м500")
    asked.press("Enter")
    page.wait_for_url("**/search?**")
    expect(page.locator("#meant")).to_contain_text("Возможно, вы имели в виду «цемент м500»")
    assert all("цемент" in name.lower() for name in names(page))
    assert not person.complaints


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_site_is_chosen_once(chromium: Browser, shop: Market, leaf: str, viewport: dict[str, int]) -> None:
    person = Person(chromium, shop, viewport)
    page = person.page
    page.goto(leaf)
    assert "с доставкой" not in page.locator("main").inner_text()
    page.goto(f"/site?next={leaf}")
    page.get_by_label("Адрес").fill("улица Руставели, 12")
    person.press("Доставлять сюда")
    page.wait_for_url(f"**{leaf}")
    expect(page.locator("article.card").first).to_contain_text("с доставкой")
    page.locator("#sort").select_option("delivered")
    page.wait_for_url("**sort=delivered**")
    prices = [
        int(re.sub(r"\D", "", re.split("с доставкой", text)[1].split("₽")[0].split(",")[0]))
        for text in page.locator("article.card .price").all_inner_texts()
        if "с доставкой" in text
    ]
    assert len(prices) > 3
    assert prices == sorted(prices)
    assert not person.complaints


def test_lists_work_without_script(chromium: Browser, shop: Market, leaf: str) -> None:
    context = chromium.new_context(base_url=shop.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(leaf)
    everything = found(page)
    page.locator(".facets input[type=checkbox]:not([disabled]):not([name=in_stock])").first.check()
    page.locator(".facets button[type=submit]").last.click()
    assert 0 < found(page) < everything
    assert page.locator(".chip.is-on").count() == 1
