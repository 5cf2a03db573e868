"""A price list in a real browser: from the file through the difference to the mended file of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect, sync_playwright

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


def roubles(kopeks: object, factor: float = 1) -> str:
    return f"{int(str(kopeks)) * factor / 100:.2f}".replace(".", ",")


def test_from_a_file_to_the_corrected_file(chromium: Browser, shop: Market, tmp_path: Path) -> None:
    seller = Person(chromium, shop).sign_in("seller@demo.example")
    page = seller.page
    owner = shop.value(
        "SELECT m.organisation_id FROM organisation_member m JOIN user_account u ON u.id = m.user_id"
        " JOIN seller s ON s.id = m.organisation_id WHERE u.email = 'seller@demo.example' LIMIT 1"
    )
    offers = shop.query(
        "SELECT o.sku, o.price FROM offer o WHERE o.seller_id = :s AND o.status = 'active'"
        " AND NOT EXISTS (SELECT FROM offer_step t WHERE t.offer_id = o.id) ORDER BY o.id LIMIT 4",
        s=owner,
    )
    (first, cheap), (second, middle), (third, dear), (fourth, same) = offers
    rows = [
        "Прайс на ноябрь;;;", "Код;Наименование;Цена, руб.;Остаток", f"{first};а;{roubles(cheap, 1.1)};77",
        f"{second};б;{roubles(middle, 2)};5", f"{third};в;по запросу;9", f"{fourth};г;{roubles(same)};",
        "НОВ-1;Неведомая смесь особая 17 кг;350;2",
    ]  # fmt: skip
    file = tmp_path / "прайс.csv"
    file.write_bytes("\r\n".join(rows).encode("cp1251"))

    page.goto("/seller/imports")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("прайс.csv")).to_be_visible()
    seller.press("Проверить файл")
    page.wait_for_url(re.compile(r"/seller/imports/[0-9a-f-]{36}$"))
    write = page.get_by_role("button", name=re.compile("^Записать"))
    expect(write).to_be_visible(timeout=90_000)
    expect(page.get_by_role("heading", name="1 строка с ошибками")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(str(second)))).to_contain_text("+100 %")
    assert Axe().run(page).violations_count == 0
    price = "SELECT price FROM offer WHERE seller_id = :s AND sku = :k"
    assert shop.value(price, s=owner, k=first) == cheap, "a dry run changes nothing"

    page.get_by_role("row", name=re.compile(str(second))).get_by_role("checkbox").check()
    write.click()
    expect(page.get_by_text("Записаны 3 строки").or_(page.get_by_text("Записано 3 строки"))).to_be_visible(
        timeout=90_000
    )
    assert shop.value(price, s=owner, k=first) == round(int(str(cheap)) * 1.1)
    assert shop.value(price, s=owner, k=second) == int(str(middle)) * 2
    assert shop.value("SELECT count(*) FROM product_change WHERE payload ->> 'sku' = 'НОВ-1'") == 1

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Скачать эти строки").click()
    wrong = tmp_path / "errors.csv"
    waiting.value.save_as(wrong)
    text = wrong.read_bytes().decode("cp1251")
    assert text.splitlines()[1].startswith(f"{third};в;по запросу;9;5;")
    wrong.write_bytes(text.replace("по запросу", roubles(dear, 0.9)).encode("cp1251"))
    page.goto("/seller/imports")
    page.locator("input[type=file]").set_input_files(wrong)
    seller.press("Проверить файл")
    expect(write).to_be_visible(timeout=90_000)
    expect(page.get_by_text("которых нет в файле")).to_have_count(0)
    write.click()
    expect(page.get_by_text("Записана 1 строка")).to_be_visible(timeout=90_000)
    assert shop.value(price, s=owner, k=third) == round(int(str(dear)) * 0.9)
    assert seller.complaints == []
    assert broken_invariants(shop) == {}


def test_on_a_phone_nothing_sticks_out(chromium: Browser, shop: Market) -> None:
    seller = Person(chromium, shop, PHONE).sign_in("seller@demo.example")
    page = seller.page
    for address in ("/seller/imports", "/seller/feeds"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert Axe().run(page).violations_count == 0
    page.goto("/seller/imports")
    page.get_by_role("link", name="прайс.csv").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("прайс.csv")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page).violations_count == 0
    assert seller.complaints == []
