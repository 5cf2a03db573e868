"""Buyer, seller and operator in real browsers: leftovers go back with a photograph, then a claim is decided."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.factories.images import from_a_phone, quarters
from tests.walk.http_client import wait_until
from tests.walk.market import Market
from tests.walk.test_browser_walk import DESK, PHONE, Person, chromium
from tools.browser import find

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]


def handed_over(shop: Market) -> tuple[str, str, int]:
    """(order, sku, units) of a line that reached the demo buyer lately and that nobody has complained of."""
    [(number, sku, units)] = shop.query(
        "SELECT o.number, l.sku, l.quantity::int FROM seller_order o JOIN order_group g ON g.id = o.group_id"
        " JOIN order_line l ON l.order_id = o.id JOIN order_event e ON e.order_id = o.id"
        " WHERE g.user_id = 1 AND o.seller_id = 1 AND o.status = 'completed' AND e.kind = 'fulfilment.delivered'"
        " AND e.created_at > now() - interval '13 days 12 hours' AND l.quantity >= 2"
        " AND NOT EXISTS (SELECT FROM return_line r WHERE r.order_line_id = l.id)"
        " AND NOT EXISTS (SELECT FROM claim c WHERE c.order_line_id = l.id) ORDER BY o.id LIMIT 1"
    )
    return str(number), str(sku), int(str(units))


def test_leftovers_go_back_and_a_claim_is_decided(chromium: Browser, shop: Market, tmp_path: Path) -> None:
    number, sku, units = handed_over(shop)
    picture = tmp_path / "bags.jpg"
    picture.write_bytes(from_a_phone(quarters()))
    buyer, seller = Person(chromium, shop, PHONE), Person(chromium, shop, DESK)
    page = buyer.sign_in("buyer@demo.example").page
    page.goto(f"/orders/{number.partition('-')[0]}")
    page.get_by_role("link", name=re.compile("Вернуть товар")).first.click()

    # Too many bags: what was typed and the photograph stay
    key = shop.value("SELECT l.public_id FROM order_line l WHERE l.sku = :s AND l.order_id ="
                     " (SELECT id FROM seller_order WHERE number = :n)", s=sku, n=number)  # fmt: skip
    page.get_by_role("radio", name=re.compile("излишек")).check()
    page.locator(f"input[name='q-{key}']").fill(str(units + 1))
    page.get_by_label("Для продавца").fill("Осталось, не вскрывали")
    page.get_by_label("Фотографии").set_input_files(picture)
    buyer.press("Отправить запрос")
    expect(page.get_by_text(f"От 0 до {units}.").first).to_be_visible()
    expect(page.get_by_text("1 фотография уже есть")).to_be_visible()
    page.locator(f"input[name='q-{key}']").fill("1")
    buyer.press("Отправить запрос")
    expect(page.get_by_text("ждёт продавца")).to_be_visible()
    case = page.url.rsplit("/", 1)[1]
    wait_until(lambda: shop.value("SELECT p.state FROM evidence_photo p JOIN return_request r ON r.id = p.return_id"
                                  " WHERE r.public_id = :c", c=case) == "ready")  # fmt: skip

    # The seller sees it with the photograph, lets it come, counts it and pays it back
    desk = seller.sign_in("seller@demo.example").page
    desk.goto("/seller/returns")
    desk.locator(f"a[href='/seller/returns/{case}']").click()
    shown = desk.get_by_alt_text("Фотография 1")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 0
    desk.get_by_label("Клиенту").fill("Привозите на склад 1")
    seller.press("Одобрить")
    page.reload()
    buyer.press("Товар отправлен")
    desk.reload()
    seller.press("Посчитано")
    seller.press(re.compile("^Вернуть [0-9]"))
    expect(desk.get_by_text("возвращено").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Возврат оплачен")).to_be_visible()
    back = shop.value("SELECT goods - fee FROM return_request WHERE public_id = :c", c=case)
    refund = "SELECT amount FROM refund WHERE id = (SELECT refund_id FROM return_request WHERE public_id = :c)"
    assert shop.value(refund, c=case) == back

    # The claim: refused, put before the operator, decided
    page.goto(f"/orders/{number}/claim")
    page.get_by_label("Товар", exact=True).select_option(str(key))
    page.get_by_role("radio", name="пришло меньше, чем подписано").check()
    page.get_by_label("На какое количество").fill("1")
    page.get_by_label("Сколько денег").fill("50")
    page.get_by_label("Что было").fill("Не хватило одной упаковки")
    buyer.press("Открыть претензию")
    claim = page.url.rsplit("/", 1)[1]
    desk.goto(f"/seller/claims/{claim}")
    desk.get_by_label("Клиенту").fill("Пересчитали вместе с водителем")
    seller.press("Отклонить")
    page.reload()
    buyer.press("Передать оператору")
    boss = Person(chromium, shop, DESK).sign_in("admin@demo.example")
    boss.page.goto("/admin/claims")
    boss.page.locator(f"a[href='/admin/claims/{claim}']").click()
    expect(boss.page.get_by_text("Пересчитали вместе с водителем").first).to_be_visible()
    boss.press("Решить")
    expect(boss.page.get_by_role("alert")).to_be_visible()  # nobody is named, no reason is given
    boss.page.get_by_role("radio", name="оба правы отчасти").check()
    boss.page.get_by_label("Вернуть покупателю").fill("25")
    boss.page.get_by_label("Почему, для обеих сторон").fill("Расхождение не отметили при приёмке")
    boss.press("Решить")
    expect(boss.page.get_by_text("решена оператором")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Расхождение не отметили при приёмке").first).to_be_visible()
    assert shop.value("SELECT settled FROM claim WHERE public_id = :c", c=claim) == 25_00
    assert [person.complaints for person in (buyer, seller, boss)] == [[], [], []]
