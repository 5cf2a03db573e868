"""Photographs in a real browser with the real worker: several files at once, a crop by mouse and keys, approval."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect, sync_playwright

from tests.factories import images
from tests.walk.market import Market
from tests.walk.test_api_walk import broken_invariants
from tests.walk.test_browser_walk import PHONE, Person
from tools.browser import find

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def test_from_the_sellers_files_to_the_buyers_page(chromium: Browser, shop: Market, tmp_path: Path) -> None:
    seller = Person(chromium, shop).sign_in("seller@demo.example")
    page = seller.page
    offer = shop.value(
        "SELECT o.public_id FROM offer o JOIN organisation_member m ON m.organisation_id = o.seller_id"
        " JOIN user_account u ON u.id = m.user_id WHERE u.email = 'seller@demo.example' AND o.status = 'active'"
        " ORDER BY o.id LIMIT 1"
    )
    sent = {
        "спереди.jpg": images.from_a_phone(images.stored_as(images.quarters(800, 600), 6), 6),
        "сзади.png": images.encoded(images.quarters(600, 800), "PNG"),
        "не снимок.jpg": b"GIF89a" + b"\0" * 64,
    }
    for name, content in sent.items():
        (tmp_path / name).write_bytes(content)
    page.goto(f"/seller/offers/{offer}")
    page.get_by_role("link", name="Фотографии и документы").click()
    page.locator("input[type=file]").set_input_files([tmp_path / name for name in sent])
    seller.press("Отправить")
    expect(page.get_by_role("heading", name="Предложено для карточки")).to_be_visible(timeout=90_000)
    expect(page.locator("#photographs[data-live]")).to_have_count(0, timeout=90_000)
    expect(page.locator("ol.pictures li")).to_have_count(2)
    expect(page.get_by_text("Это не JPEG, PNG и не WebP")).to_be_visible()
    assert Axe().run(page).violations_count == 0

    # the frame: 1:1 by its button, moved by the mouse, made smaller by the keys
    page.get_by_role("link", name=re.compile("^Кадр и подпись: фотография 1")).click()
    page.get_by_role("radio", name="1:1").check()
    expect(page.get_by_label("Слева", exact=True)).to_have_value("100")
    frame = page.locator(".crop-box")
    place = frame.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 50, place["y"] + 50)
    page.mouse.down()
    page.mouse.move(place["x"] + 2_000, place["y"] + 50, steps=4)
    page.mouse.up()
    expect(page.get_by_label("Слева", exact=True)).to_have_value("200")
    for _ in range(3):
        frame.press("Shift+ArrowUp")
    expect(page.get_by_label("Высота")).to_have_value("576")
    page.get_by_label("Что на снимке, по-русски").fill("Мешок спереди")
    assert Axe().run(page).violations_count == 0
    seller.press("Сохранить")
    expect(page.locator("#photographs[data-live]")).to_have_count(0, timeout=90_000)
    crop = shop.query("SELECT crop, width, height FROM product_image WHERE file_name = 'спереди.jpg'")
    assert crop == [([200, 0, 600, 576], 600, 576)]
    product = page.get_by_role("link", name="Страница товара").get_attribute("href")
    assert product is not None

    operator = Person(chromium, shop).sign_in("admin@demo.example")
    operator.page.goto("/admin/changes")
    expect(operator.page.locator(".thumbs img")).to_have_count(2)
    assert Axe().run(operator.page).violations_count == 0
    operator.press("Одобрить")
    expect(operator.page.get_by_text("Решение принято").or_(operator.page.get_by_role("status"))).not_to_have_count(0)

    buyer = Person(chromium, shop, PHONE)
    page = buyer.page
    page.goto(product)
    main = page.get_by_role("img", name="Мешок спереди")
    expect(main).to_be_visible()
    assert str(main.evaluate("image => image.currentSrc")).endswith(".avif")
    page.get_by_role("link", name="Фотография 2").click()
    expect(main).to_be_hidden()
    expect(page.locator("#photo-2 img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page).violations_count == 0
    assert [*seller.complaints, *operator.complaints, *buyer.complaints] == []
    assert broken_invariants(shop) == {}
