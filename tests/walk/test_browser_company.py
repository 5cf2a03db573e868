"""A company buys above a limit and pays an invoice, the seller ships a part of it and reads his statement."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app import create_app
from app.core import clock
from app.core.db import db, session, unit_of_work
from app.demo.companies import BUYING_COMPANY
from app.orders import fulfilments
from app.payments.rules import OPERATOR
from tests.conftest import _settings
from tests.core.pdf_text import pages_of
from tests.unit.payments.test_statement_file import document, statement
from tests.walk.http_client import wait_until
from tests.walk.market import Market
from tests.walk.test_api_walk import broken_invariants
from tests.walk.test_browser_walk import DESK, PHONE, Person, chromium
from tools.browser import find

__all__ = ["chromium"]  # the fixture
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no browser on this machine"),
]
WANTED = 40_000_00
"""Kopeks of goods: the member's limit is 30,000 roubles."""


def kopeks(text: str) -> int:
    """12 345,6 ₽ with a minus of either kind."""
    sign = -1 if text.strip()[0] in "-−" else 1
    whole, _, part = re.sub(r"[^\d,]", "", text).partition(",")
    return sign * (int(whole) * 100 + int(part.ljust(2, "0")))


def roubles(amount: int) -> str:
    """As documents write it."""
    return f"{amount / 100:,.2f}".replace(",", " ").replace(".", ",")


def words_of(pdf: bytes) -> str:
    assert pdf.startswith(b"%PDF")
    return " ".join(pages_of(pdf)).replace("\u00a0", " ").replace("\u202f", " ")


def from_one_shelf(shop: Market) -> list[tuple[str, int]]:
    """(SKU, how many) of two bags of the demo seller that lie in the same warehouse alone."""
    rows = shop.query(
        "SELECT o.sku, o.price FROM offer o JOIN product p ON p.id = o.product_id JOIN stock_level s"
        " ON s.offer_id = o.id WHERE o.seller_id = 1 AND o.unit = 'bag' AND o.status = 'active' AND o.price > 30000"
        " AND o.lead_time_days = 0 AND p.mass_kg <= 30 AND s.on_hand - s.allocated > 300 AND s.warehouse_id = 1"
        " AND NOT EXISTS (SELECT FROM stock_level t WHERE t.offer_id = o.id AND t.warehouse_id <> 1)"
        " ORDER BY o.id LIMIT 2"
    )
    return [(str(sku), -(-WANTED // (2 * int(str(price))))) for sku, price in rows]


@contextmanager
def services_of(shop: Market) -> Iterator[None]:
    """The services of the market under test, for what this walk does not click."""
    app = create_app(_settings(shop.database_url, shop.environment["REDIS_URL"]))
    with app.app_context():
        yield
        session.remove()
        db.engine.dispose()


def driven(shop: Market, trip: Any) -> None:
    """The truck takes the trip and everything of it is handed over."""

    @unit_of_work
    def whole() -> None:
        fulfilments.handed_over(trip)
        fulfilments.complete(trip, "delivered", "", [], None)

    with services_of(shop):
        whole()


def ask_above_the_limit(member: Person, lines: list[tuple[str, int]]) -> str:
    """Fill the cart from a list of codes, order for the company; answers the page where the purchase waits."""
    page = member.page
    page.goto("/orders")
    page.get_by_role("link", name="Быстрый заказ").first.click()
    page.get_by_label("Строк").first.fill("\n".join(f"{sku} {count}" for sku, count in lines))
    member.press("Найти товары")
    expect(page.get_by_text("подходит").or_(page.locator(".tag.ok")).first).to_be_visible()
    member.press("Годные строки в корзину")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Корзина")
    page.goto("/checkout")
    member.press("Показать цену с доставкой")
    page.get_by_label("Кто платит").select_option(label=BUYING_COMPANY)
    page.get_by_label("Водителю и складу").fill("Разгрузка с торца")
    member.press(re.compile("^Заказать за"))
    page.wait_for_url("**/approvals/*")
    expect(page.locator("main")).to_contain_text("ждёт ответа")
    return page.url.rpartition("/")[2]


def approve(approver: Person, request: str, lines: list[tuple[str, int]], shop: Market) -> int:
    """Open what waits, see what it is, agree. Answers the kopeks that were agreed to."""
    page = approver.page
    page.goto("/orders")
    page.get_by_role("link", name="Согласования").first.click()
    page.locator(f"a[href='/approvals/{request}']").click()
    main = page.locator("main")
    for sku, count in lines:
        name = str(shop.value("SELECT p.name_ru FROM offer o JOIN product p ON p.id = o.product_id"
                              " WHERE o.sku = :s AND o.seller_id = 1", s=sku))  # fmt: skip
        expect(main.get_by_role("row", name=re.compile(re.escape(name)))).to_contain_text(str(count))
    for fact in (BUYING_COMPANY, "Покупатель Демо 2", "30 000", "Разгрузка с торца"):
        expect(main).to_contain_text(fact)
    expect(main).not_to_contain_text("изменилось")  # what was asked for a moment ago is still true
    button = page.get_by_role("button", name=re.compile("^Согласовать на"))
    agreed = kopeks(button.inner_text())
    button.click()
    expect(main).to_contain_text("оформлена")
    return agreed


def read_statement(boss: Person, number: str, amount: int, inn: str) -> None:
    """The bank's file with one payment of the company for the invoice."""
    today = f"{clock.today():%d.%m.%Y}"
    paid = document(f"Оплата счета {number}", Сумма=f"{amount / 100:.2f}", ПлательщикИНН=inn, Номер=number[1:],
                    Дата=today, ДатаПоступило=today, Плательщик1=BUYING_COMPANY)  # fmt: skip
    text = statement(paid, account=OPERATOR["account"]).replace("24.11.2026", today)
    file = {"name": "kl_to_1c.txt", "mimeType": "text/plain", "buffer": text.encode("cp1251")}
    boss.page.goto("/admin/statements")
    boss.page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]  # a file as it is
    boss.press("Загрузить")
    expect(boss.page.get_by_text("платежей: 1, новых: 1").first).to_be_visible()


def ship_without(seller: Person, order: str, key: str, count: int) -> int:
    """Accept, pick one unit less of a line, be ready. Answers by how many kopeks the order became cheaper."""
    page = seller.page
    page.goto("/seller/orders")
    page.get_by_role("link", name=re.compile(order)).first.click()
    seller.press("Принять")
    seller.press("Начать сборку")
    page.locator(f"input[name='q-{key}']").fill(str(count - 1))
    seller.press("Готов к отгрузке")
    told = page.get_by_text(re.compile("Готов с недостачей: заказ дешевле на"))
    expect(told).to_be_visible()
    found = re.search(r"дешевле на ([^₽]+)₽", told.inner_text())
    assert found is not None
    return kopeks(found[1])


def told_of_money(seller: Person) -> tuple[int, int]:
    """(fee, what the seller gets) as the page of the order says. Kopeks."""
    seller.page.reload()
    found = re.search(r"Комиссия[^%]*%\s*[-−]([^₽]+)₽\s*Вам\s*([^₽]+)₽", seller.page.locator("main").inner_text())
    assert found is not None
    return kopeks(found[1]), kopeks(found[2])


def period_as(page: Page, kind: str) -> bytes:
    """Press the button of the file and keep what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind).click()
    return waiting.value.path().read_bytes()


def check_statement(seller: Person, order: str, goods: int) -> None:
    """Sale, fee and discounts of the market stand in the ledger; both files say the same as the page."""
    fee, gets = told_of_money(seller)
    page = seller.page
    page.goto("/seller/money")
    today = clock.today().isoformat()
    for label in ("Первый день", "Последний день"):
        page.get_by_label(label).fill(today)
    seller.press("Показать")
    of_order = page.get_by_role("row", name=re.compile(re.escape(order)))
    expect(of_order.first).to_be_visible()
    amounts = [
        kopeks(text)
        for text in page.get_by_role("region", name="Движение денег").locator("tbody td.num").all_inner_texts()
    ]
    own = {row.locator("td").first.inner_text(): kopeks(row.locator("td.num").inner_text()) for row in of_order.all()}
    borne = own.pop("Скидки за счёт площадки", 0)  # the first order of a person is cheaper at the market's cost
    assert own == {"Передано товаров": goods, "Комиссия площадки": -fee}
    assert goods + borne - fee == gets
    assert abs(fee - (goods + borne) * 6 / 100) < 2, "6 % of what the seller gets; each line is rounded once"

    table = list(csv.reader(io.StringIO(period_as(page, "CSV").decode("utf-8-sig")), delimiter=";"))
    _head, opening, *rows = table
    assert sorted(kopeks(row[3]) for row in rows) == sorted(amounts)
    assert kopeks(rows[-1][4]) - kopeks(opening[4]) == sum(amounts)
    assert kopeks(rows[-1][4]) == kopeks(page.locator(".panel.row").first.inner_text().rpartition("Баланс")[2])
    text = words_of(period_as(page, "PDF"))
    for said in (order, roubles(goods), roubles(fee), roubles(kopeks(opening[4])), roubles(kopeks(rows[-1][4]))):
        assert said.removesuffix(",00") in text


def test_a_company_buys_with_approval_and_invoice_and_the_seller_reads_what_came_of_it(
    chromium: Browser, shop: Market
) -> None:
    lines = from_one_shelf(shop)
    member = Person(chromium, shop, PHONE).sign_in("buyer2@demo.example")
    approver = Person(chromium, shop, PHONE).sign_in("buyer@demo.example")
    request = ask_above_the_limit(member, lines)
    agreed = approve(approver, request, lines, shop)

    # The member sees it placed and takes the invoice for the accountant
    page = member.page
    page.reload()
    page.get_by_role("link", name="Открыть заказ").click()
    number = page.url.rpartition("/")[2].partition("?")[0]
    order = f"{number}-1"
    inn = str(shop.value("SELECT inn FROM organisation WHERE name = :n", n=BUYING_COMPANY))
    link = page.get_by_role("link", name=f"Счёт {number} в PDF")
    expect(link).to_be_visible()
    bill = words_of(page.request.get(str(link.get_attribute("href"))).body())
    for said in (f"№ {number} от", roubles(agreed), BUYING_COMPANY, inn, OPERATOR["inn"]):
        assert said in bill

    boss = Person(chromium, shop, DESK).sign_in("admin@demo.example")
    read_statement(boss, number, agreed, inn)
    wait_until(lambda: shop.value("SELECT payment_status FROM seller_order WHERE number = :n", n=order) == "paid")
    page.reload()
    expect(page.locator("#order")).to_contain_text("оплачено")

    # One bag of the first line is not on the shelf: the rest goes, the difference goes back
    seller = Person(chromium, shop, DESK).sign_in("seller@demo.example")
    [(trip, key, order_id)] = shop.query(
        "SELECT f.id, l.public_id, o.id FROM seller_order o JOIN fulfilment f ON f.order_id = o.id"
        " JOIN order_line l ON l.order_id = o.id AND l.sku = :s WHERE o.number = :n", s=lines[0][0], n=order,
    )  # fmt: skip
    less = ship_without(seller, order, str(key), lines[0][1])
    refunded = "SELECT sum(r.amount) FROM refund r JOIN payment_split s ON s.id = r.split_id WHERE s.order_id = :o"
    assert shop.value(refunded, o=order_id) == less
    driven(shop, trip)
    page.reload()
    expect(page.locator("#order")).to_contain_text("выполнен")

    goods = int(str(shop.value("SELECT goods FROM seller_order WHERE id = :o", o=order_id)))
    check_statement(seller, order, goods)
    assert [person.complaints for person in (member, approver, boss, seller)] == [[], [], [], []]
    assert broken_invariants(shop) == {}
