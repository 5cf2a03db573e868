"""Documents of an order as PDF: what the law and banks need stands in them, and nobody else reads them."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.words import roubles_in_words, whole_number
from app.orders import fulfilments, papers, service
from app.orders.models import OrderLine
from app.payments.bank_code import bank_code
from app.payments.models import Payment
from app.payments.rules import OPERATOR
from tests.core.pdf_text import pages_of
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import qr


@pytest.mark.parametrize(
    ("kopeks", "words"),
    [
        (0, "Ноль рублей 00 копеек"),
        (101, "Один рубль 01 копейка"),
        (2_200, "Двадцать два рубля 00 копеек"),
        (1_100_000, "Одиннадцать тысяч рублей 00 копеек"),
        (123_456_792, "Один миллион двести тридцать четыре тысячи пятьсот шестьдесят семь рублей 92 копейки"),
        (2_100_100, "Двадцать одна тысяча один рубль 00 копеек"),
        (100_000_000_000, "Один миллиард рублей 00 копеек"),
    ],
)
def test_sums_in_words(kopeks: int, words: str) -> None:
    assert roubles_in_words(kopeks) == words


@given(st.integers(min_value=0, max_value=10**15 - 1), st.integers(min_value=0, max_value=10**15 - 1))
def test_two_numbers_are_never_said_alike(one: int, other: int) -> None:
    assert (whole_number(one) == whole_number(other)) == (one == other)


def test_the_invoice_says_everything_and_its_code_reads_back(app: Flask, db_session: object) -> None:
    market = make.market(sellers=2)
    buyer = make.person("Иван Петров")
    group = steps.bought(buyer, (make.offer(market), 10), (make.offer(market, 1, price=31_200), 5))
    order = steps.orders_of(group)[0]
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    service.accept(market.sellers[0], order.number, {line.public_id: Decimal(7)})
    session.refresh(group)
    browser, api = make.signed_browser(app, buyer), make.signed_api(app, buyer)
    answer = browser.get(f"/orders/{group.number}/invoice.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert api.get(f"/orders/{order.number}/invoice.pdf").data == answer.data
    text = " ".join(pages_of(answer.data)).replace("\u00a0", " ")
    total = f"{group.total / 100:,.2f}".replace(",", " ").replace(".", ",")
    needed = [
        f"№ {group.number} от", OPERATOR["name"], OPERATOR["inn"], OPERATOR["kpp"], OPERATOR["account"],
        OPERATOR["bik"], OPERATOR["correspondent_account"], steps.CONTACT.name, line.name_ru, "545,00", "22 %",
        "мешков", "3 815,00", total, f"Доставка заказа {order.number}",
    ]  # fmt: skip
    assert [word for word in needed if word not in text] == []
    assert roubles_in_words(group.total).split()[0] in text
    expected = bank_code(OPERATOR, group.total, f"Оплата счета {group.number}")
    assert f"|Sum={group.total}|" in expected
    assert qr.text_of(qr.squares_of(answer.data)) == expected
    session.execute(sa.update(Payment).values(received=100))
    part = browser.get(f"/orders/{group.number}/invoice.pdf").data
    assert f"|Sum={group.total - 100}|" in qr.text_of(qr.squares_of(part))
    stranger = make.signed_browser(app, make.person())
    assert stranger.get(f"/orders/{group.number}/invoice.pdf").status_code == 404


def test_goods_leave_with_their_documents_which_never_change(app: Flask, db_session: object) -> None:
    market = make.market()
    buyer, seller = make.person(), market.sellers[0]
    group = steps.bought(buyer, (make.offer(market), 10))
    [order] = steps.orders_of(group)
    [trip] = steps.trips_of(order)
    service.accept(seller, order.number)
    theirs, ours = make.signed_browser(app, buyer), make.signed_browser(app, seller)
    session.commit()
    slip = ours.get(f"/seller/orders/{order.number}/packing.pdf")
    text = " ".join(pages_of(slip.data))
    assert [w for w in ("250 кг", "0,2 м³", "Складская ул., 1", "Учебная ул., 1") if w not in text] == []
    stands = ours.get(f"/seller/orders/{order.number}/pallets.pdf")
    assert make.signed_api(app, seller).get(f"/seller/orders/{order.number}/pallets.pdf").data == stands.data
    text = " ".join(pages_of(stands.data))
    assert [w for w in ("Мест 1", "10 мешков", "кг 250", "м³ 0,2", "Учебная ул., 1") if w not in text] == []
    assert theirs.get(f"/orders/{order.number}/upd.pdf").status_code == 404  # nothing has left
    fulfilments.start_picking(seller, trip.public_id)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    figure = line.sku.partition("-")[2]  # a narrow column may break a long SKU at its hyphen
    fulfilments.ready(seller, trip.public_id, {line.public_id: Decimal(9)})
    fulfilments.handed_over(trip.id)
    fulfilments.handed_over(trip.id)
    first = theirs.get(f"/orders/{order.number}/upd.pdf")
    text = " ".join(pages_of(first.data)).replace("\u00a0", " ")
    company = session.execute(sa.text("SELECT name, inn FROM organisation WHERE id = :i"), {"i": order.seller_id}).one()
    needed = [
        "Счёт-фактура № 1 от", "Статус 1", company.name, company.inn, steps.CONTACT.name, line.name_ru, figure, "9",
        "4 020,49", "884,51", "4 905,00", "22 %", "без акциза", f"Заказ {order.number} от", "643", "(5а)", "225 кг",
    ]  # fmt: skip
    assert [word for word in needed if word not in text] == []
    lines = [{"line": "1", "delivered": "5", "delivered_base": "5"}]
    assert theirs.get(f"/orders/{order.number}/act.pdf").status_code == 404  # nobody has taken anything
    assert "act.pdf" not in theirs.get(f"/orders/{group.number}").text
    fulfilments.complete(trip.id, "partially_delivered", "no_access", lines, None)
    fulfilments.complete(trip.id, "partially_delivered", "no_access", lines, None)
    act = theirs.get(f"/orders/{order.number}/act.pdf")
    text = " ".join(pages_of(act.data)).replace("\u00a0", " ")
    needed = [
        "Акт приёма-передачи товаров № 1 от", company.name, company.inn, steps.CONTACT.name, "должность, Ф. И. О.",
        f"Заказ {order.number} от", "УПД № 1", "Учебная ул., 1", "передал, а покупатель принял", line.name_ru, figure,
        "мешков 9 5 22 %", "491,39 2 725,00", "2 233,61", "меньше, чем отправлено, в строках: 1", "Доставку оказал",
    ]  # fmt: skip
    assert [word for word in needed if word not in text] == []
    for browser, page in ((theirs, f"/orders/{group.number}"), (ours, f"/seller/orders/{order.number}")):
        assert f"{order.number}/act.pdf" in browser.get(page).text
    steps.check_everything_sums()
    session.execute(sa.text("UPDATE organisation SET name = 'Другое имя' WHERE id = :i"), {"i": order.seller_id})
    session.commit()
    assert ours.get(f"/seller/orders/{order.number}/upd.pdf").data == first.data
    assert ours.get(f"/seller/orders/{order.number}/act.pdf").data == act.data
    stranger = make.signed_browser(app, make.market().sellers[0])
    session.commit()
    for path in ("packing.pdf", "pallets.pdf", "upd.pdf", "act.pdf"):
        assert stranger.get(f"/seller/orders/{order.number}/{path}").status_code == 404


def test_numbers_have_no_gap_and_no_double_even_when_some_fail(committed_db: Flask) -> None:
    market = make.committed(make.market)
    seller = market.sellers[0].seller_id
    gate, taken = Barrier(20), []

    def run(index: int) -> None:
        @unit_of_work
        def take() -> None:
            number = papers.next_number(seller, "upd", 2026)
            if index % 4 == 0:
                raise NotFound()
            taken.append(number)

        with committed_db.app_context(), contextlib.suppress(NotFound):
            gate.wait()
            take()

    threads = [Thread(target=run, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 16))
    assert make.committed(lambda: papers.next_number(seller, "upd", 2027)) == 1
