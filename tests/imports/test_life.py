"""From a file to offers: checked first, written on a word, the same twice, errors left out and sent back."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog.models import Product, ProductChange, ProductListing
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import OutboxEvent
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import stock
from app.offers.imports import queries, service
from app.offers.imports.service import Confirmation, Upload
from app.offers.levels import StockLine
from app.offers.models import Offer, Seller, Warehouse
from app.offers.stock import Cause
from tests.factories import catalog as make
from tests.imports import lists


class Shop:
    """A seller with three offers and two warehouses; another seller beside; products nobody sells yet."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2, warehouses=2)
        self.seller, self.other = self.market.sellers
        place = make.category("Смеси")
        self.glue = make.product(place, "Клей плиточный Winter 25 кг", barcode="4600000000015", brand="Зима")
        self.plaster = make.product(place, "Штукатурка гипсовая 30 кг", brand="Фасад")
        self.primer = make.product(place, "Грунт глубокий 10 л", brand="База", unit="can", article="GR-10")
        self.paint = make.product(place, "Краска белая 9 л", brand="База", unit="bucket", barcode="4600000000022")
        self.twins = [make.product(place, "Затирка 2 кг", brand=b) for b in ("Ян", "Юн")]
        self.a = make.offer(self.market, self.glue, price=50_000, stock=100, sku="K-1")
        self.b = make.offer(self.market, self.plaster, price=40_000, stock=10, sku="K-2")
        self.c = make.offer(self.market, self.primer, price=90_000, stock=5, sku="K-3")
        self.foreign = make.offer(self.market, self.primer, seller=1, price=90_000, stock=5, sku="K-1")
        make.ready()
        places = [session.get_one(Warehouse, place) for place in self.market.warehouses[:2]]
        self.first, self.second = (place.id for place in places)
        self.where = places[0].public_id


@pytest.fixture
def shop(app: Flask, db_session: Any) -> Shop:
    return Shop()


def offer(shop: Shop, sku: str, actor: Actor | None = None) -> Offer:
    seller = (actor or shop.seller).seller_id
    return session.scalars(
        sa.select(Offer).where(Offer.seller_id == seller, Offer.sku == sku).execution_options(populate_existing=True)
    ).one()


def on_hand(row: Offer, place: int) -> Decimal:
    found = session.execute(
        sa.text("SELECT on_hand FROM stock_level WHERE offer_id = :o AND warehouse_id = :w"),
        {"o": row.id, "w": place},
    ).scalar()
    return Decimal(found if found is not None else -1)


GOOD = [["K-1", "Клей", "510,00", "80"], ["K-2", "Штукатурка", "400", "10"], ["K-3", "Грунт", "900", "6"]]


def test_the_dry_run_changes_nothing_and_says_what_would(app: Flask, shop: Shop) -> None:
    before = lists.state_of(shop.seller.seller_id)
    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    head = lists.look(shop.seller, made)
    assert (head.state, head.rows_done, head.rows_total) == ("checked", 3, 3)
    assert lists.kinds(shop.seller, made) == {2: "changed", 3: "same", 4: "changed"}
    assert lists.state_of(shop.seller.seller_id) == before
    [glue, primer], _ = queries.rows(shop.seller.seller_id, head, "changed")
    assert (glue.old_price, glue.price, glue.stock) == (50_000, 51_000, [("Склад 1", "100", "80")])
    assert primer.percent == 0


def test_what_is_confirmed_is_written_by_the_rules_of_offers(app: Flask, shop: Shop) -> None:
    events = session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent))
    head = lists.load(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    assert (head.state, head.counts["applied"], head.finished_at is not None) == ("done", 2, True)
    glue = offer(shop, "K-1")
    assert (glue.price, glue.version, on_hand(glue, shop.first)) == (51_000, 2, 80)
    state = lists.state_of(shop.seller.seller_id)
    assert state["K-1"][-1] == (51_000,), "one row of history for the price that changed"
    assert state["K-3"][2:3] + state["K-3"][-1:] == (90_000, ()), "none where it did not"
    assert offers.stock_drift() == []
    listed = session.get_one(ProductListing, shop.glue.id, populate_existing=True)
    assert (listed.price_from, listed.available) == (51_000, 80)
    assert (session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) or 0) - (events or 0) == 1
    assert offer(shop, "K-1", shop.other).price == 90_000, "the same SKU of another seller is another offer"


def test_the_same_file_twice_changes_nothing(app: Flask, shop: Shop) -> None:
    rows = [*GOOD, ["K-9", "Краска белая 9 л", "1500", "4"], ["K-8", "Невиданная смесь 7 кг", "700", "1"]]
    lists.load(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    before = lists.state_of(shop.seller.seller_id)
    waiting = session.execute(sa.select(ProductChange.id, ProductChange.payload)).all()
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    assert set(lists.kinds(shop.seller, made).values()) == {"same", "waiting"}
    lists.confirm(app, shop.seller, made)
    assert lists.state_of(shop.seller.seller_id) == before
    assert session.execute(sa.select(ProductChange.id, ProductChange.payload)).all() == waiting


def test_seeded_errors_are_reported_exactly_and_the_good_rows_written(app: Flask, shop: Shop) -> None:
    bad = {
        "price": ("K-1", "Клей", "по запросу", "80"), "zero": ("K-1", "Клей", "0", "80"),
        "stock": ("K-2", "Ш", "400", "мало"), "sku": ("", "Ш", "400", "1"), "formula": ("=1+1", "Ш", "400", "1"),
        "negative": ("K-2", "Ш", "400", "-4"), "ambiguous": ("K-2", "Ш", "1,240", "4"),
        "nameless": ("K-77", "", "400", "4"), "priceless": ("K-78", "Краска белая 9 л", "", "4"),
    }  # fmt: skip
    rows, wanted = [], {}
    for number in range(2, 302):
        kinds = list(bad)
        if number % 29 == 0:
            kind = kinds[number // 29 % len(kinds)]
            wanted[number] = kind
            rows.append(list(bad[kind]))
        else:
            rows.append([f"N-{number}", "Краска белая 9 л", str(number), "3"])
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    assert set(lists.errors(shop.seller, made)) == set(wanted)
    assert lists.look(shop.seller, made).counts["new"] == 300 - len(wanted)
    lists.confirm(app, shop.seller, made)
    made_offers = [sku for sku in lists.state_of(shop.seller.seller_id) if sku.startswith("N-")]
    assert len(made_offers) == 300 - len(wanted)


def test_all_or_nothing_writes_nothing_while_anything_is_wrong(app: Flask, shop: Shop) -> None:
    before = lists.state_of(shop.seller.seller_id)
    rows = [*GOOD, ["K-5", "Клей", "x", "1"]]
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where, mode="all_or_nothing")
    with pytest.raises(Conflict, match="import_has_errors"):
        service.confirm(shop.seller, made, Confirmation())
    made = lists.send(
        app, shop.seller, lists.csv_file(rows), warehouse=shop.where, mode="all_or_nothing", auto_apply=True
    )
    assert lists.look(shop.seller, made).state == "checked"
    jump = lists.csv_file([["K-1", "К", "900", "80"], GOOD[2]])
    made = lists.send(app, shop.seller, jump, warehouse=shop.where, mode="all_or_nothing", auto_apply=True)
    assert lists.look(shop.seller, made).state == "checked", "a jump that waits is not nothing"
    assert lists.state_of(shop.seller.seller_id) == before
    head = lists.load(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where, mode="all_or_nothing")
    assert (head.state, head.counts["applied"]) == ("done", 2)


def test_all_or_nothing_looks_again_right_before_writing(app: Flask, shop: Shop) -> None:
    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where, mode="all_or_nothing")
    stock.take([StockLine(shop.a.id, shop.first, Decimal(90))], Cause("test", None, shop.seller))
    before = lists.state_of(shop.seller.seller_id)
    head = lists.confirm(app, shop.seller, made)
    assert head.state == "checked"
    assert lists.errors(shop.seller, made) == {2: {("stock", "below_allocated")}}
    assert lists.state_of(shop.seller.seller_id) == before


def test_price_jumps_wait_for_a_word(app: Flask, shop: Shop) -> None:
    rows = [["K-1", "К", "650", "1"], ["K-2", "Ш", "521", "1"], ["K-3", "Г", "629", "1"]]
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    head = lists.look(shop.seller, made)
    jumps, _ = queries.rows(shop.seller.seller_id, head, "jump")
    assert [row.number for row in jumps] == [3, 4], "30 % is no jump, more is, down as up"
    head = lists.confirm(app, shop.seller, made, jumps=[4])
    assert [offer(shop, sku).price for sku in ("K-1", "K-2", "K-3")] == [65_000, 40_000, 62_900]
    assert lists.errors(shop.seller, made) == {3: {("price", "price_jump")}}
    lists.confirm(app, shop.seller, made, jumps=True)
    assert offer(shop, "K-2").price == 52_100, "what waited may be agreed to later"


def test_a_price_that_somebody_changed_meanwhile_is_left(app: Flask, shop: Shop) -> None:
    from app.offers import service as offer_service

    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    offer_service.edit_offer(shop.seller, shop.a.public_id, {"price": 70_000})
    lists.confirm(app, shop.seller, made)
    assert offer(shop, "K-1").price == 70_000
    assert lists.errors(shop.seller, made) == {2: {("sku", "changed_meanwhile")}}


def test_gone_offers_are_shown_and_hidden_only_on_a_word(app: Flask, shop: Shop) -> None:
    content = lists.csv_file([GOOD[0], ["K-3", "Грунт", "нет", "6"]])
    made = lists.send(app, shop.seller, content, warehouse=shop.where)
    head = lists.look(shop.seller, made)
    missing, _ = queries.gone_offers(shop.seller.seller_id, head)
    assert [one.sku for one in missing] == ["K-2"], "a wrong row still names its offer"
    lists.confirm(app, shop.seller, made)
    assert offer(shop, "K-2").status == "active"
    made = lists.send(app, shop.seller, content, warehouse=shop.where)
    head = lists.confirm(app, shop.seller, made, hide_gone=True)
    assert (offer(shop, "K-2").status, offer(shop, "K-2").version, head.counts["hidden"]) == ("hidden", 2, 1)
    assert offer(shop, "K-1", shop.other).status == "active"
    assert session.get(ProductListing, shop.plaster.id, populate_existing=True) is None
    lists.load(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    assert offer(shop, "K-2").status == "active", "it comes back by being named"


def test_an_offer_hidden_by_hand_stays_hidden(app: Flask, shop: Shop) -> None:
    from app.offers import service as offer_service

    offer_service.withdraw_offer(shop.seller, shop.b.public_id)
    lists.load(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    assert offer(shop, "K-2").status == "hidden"
    headings = (*lists.HEADINGS, "На продаже")
    lists.load(app, shop.seller, lists.csv_file([["K-2", "Ш", "400", "10", "да"]], headings), warehouse=shop.where)
    assert offer(shop, "K-2").status == "active"


MATCHING = ("Код", "Наименование", "Бренд", "Артикул производителя", "Штрихкод", "Цена")


def test_rows_find_products_by_barcode_then_article_then_name(app: Flask, shop: Shop) -> None:
    rows = [
        ["N-1", "что угодно", "", "", "4600000000022", "100"],
        ["N-2", "какой-то грунт", "база", "gr 10", "", "100"],
        ["N-3", "штукатурка ГИПСОВАЯ, 30 кг", "", "", "", "100"],
        ["N-4", "Краска белая 9 л", "Другая", "", "", "100"],
        ["N-5", "Затирка 2 кг", "", "", "", "100"],
        ["N-6", "Совсем другое изделие", "", "", "", "100"],
        ["N-7", "Краска белая 3 л", "База", "", "", "100"],
    ]
    made = lists.send(app, shop.seller, lists.csv_file(rows, MATCHING))
    kinds = lists.kinds(shop.seller, made)
    assert [kinds[n] for n in range(2, 9)] == [
        "new", "new", "new", "doubtful", "doubtful", "unknown", "unknown"
    ]  # fmt: skip
    found, _ = queries.rows(shop.seller.seller_id, lists.look(shop.seller, made), "new")
    assert [(row.matched, row.product.public_id if row.product else None) for row in found] == [
        ("barcode", shop.paint.public_id), ("article", shop.primer.public_id), ("name", shop.plaster.public_id),
    ]  # fmt: skip


def test_doubtful_rows_are_answered_one_by_one(app: Flask, shop: Shop) -> None:
    rows = [[f"N-{i}", "Затирка 2 кг", "", "", "", "100"] for i in range(1, 5)]
    made = lists.send(app, shop.seller, lists.csv_file(rows, MATCHING))
    head = lists.look(shop.seller, made)
    asked, _ = queries.rows(shop.seller.seller_id, head, "doubtful")
    choice = asked[0].candidates[0].public_id
    assert {one.public_id for one in asked[0].candidates} == {twin.public_id for twin in shop.twins}
    service.decide(shop.seller, made, 2, choice)
    service.decide(shop.seller, made, 3, "new")
    service.decide(shop.seller, made, 4, "skip")
    with pytest.raises(NotFound):
        service.decide(shop.seller, made, 5, shop.paint.public_id)
    lists.confirm(app, shop.seller, made)
    product = session.scalars(sa.select(Product).where(Product.public_id == choice)).one()
    assert offer(shop, "N-1").product_id == product.id
    assert [c.payload["sku"] for c in session.scalars(sa.select(ProductChange))] == ["N-2"]
    assert set(lists.state_of(shop.seller.seller_id)) == {"K-1", "K-2", "K-3", "N-1"}
    with pytest.raises(Conflict, match="row_closed"):
        service.decide(shop.seller, made, 2, "new")


def test_new_products_wait_for_the_operator(app: Flask, shop: Shop) -> None:
    row = ["N-1", "Панель Х-7", "Завод", "P7", "4600000000039", "100"]
    lists.load(app, shop.seller, lists.csv_file([row], MATCHING))
    [change] = session.scalars(sa.select(ProductChange)).all()
    assert (change.status, change.seller_id, change.product_id) == ("pending", shop.seller.seller_id, None)
    assert change.payload["name_ru"] == "Панель Х-7"
    assert (change.payload["barcode"], change.payload["price"]) == ("4600000000039", 10_000)
    lists.load(app, shop.seller, lists.csv_file([[*row[:5], "120"]], MATCHING))
    [change] = session.scalars(sa.select(ProductChange).execution_options(populate_existing=True)).all()
    assert change.payload["price"] == 12_000, "what still waits is replaced"
    change.status, change.note = "declined", "Уже есть"
    session.commit()
    made = lists.send(app, shop.seller, lists.csv_file([row], MATCHING))
    assert lists.errors(shop.seller, made) == {2: {("name", "declined_before")}}


def test_what_contradicts_the_offer_is_an_error_of_the_row(app: Flask, shop: Shop) -> None:
    headings = ("Код", "Наименование", "Цена", "Остаток", "Ед", "Штрихкод", "НДС")
    rows = [
        ["K-1", "К", "510", "1", "шт", "", ""], ["K-2", "Ш", "400", "1", "", "4600000000022", ""],
        ["K-3", "Г", "900", "1", "", "", "20"], ["K-1", "К", "510", "1", "", "", "10"],
        ["K-1", "К", "510", "1", "", "", "10"],
    ]  # fmt: skip
    made = lists.send(app, shop.seller, lists.csv_file(rows, headings), warehouse=shop.where)
    assert lists.errors(shop.seller, made) == {
        2: {("unit", "unit_differs")}, 3: {("barcode", "barcode_of_another")}, 4: {("vat", "unknown_vat")},
        6: {("sku", "repeated_in_file")},
    }  # fmt: skip
    lists.confirm(app, shop.seller, made)
    assert offer(shop, "K-1").vat_code == "reduced10"


def test_stock_below_promises_is_refused_in_the_dry_run(app: Flask, shop: Shop) -> None:
    stock.take([StockLine(shop.a.id, shop.first, Decimal(90))], Cause("test", None, shop.seller))
    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    assert lists.errors(shop.seller, made) == {2: {("stock", "below_allocated")}}


def test_stock_by_warehouse_in_columns_or_rows(app: Flask, shop: Shop) -> None:
    headings = ("Код", "Цена", "Остаток Склад 1", "Остаток Склад 2")
    lists.load(app, shop.seller, lists.csv_file([["K-1", "500", "7", "9"]], headings))
    assert [on_hand(offer(shop, "K-1"), p) for p in (shop.first, shop.second)] == [7, 9]
    headings = ("Код", "Цена", "Остаток", "Склад", "Наименование")
    rows = [["K-1", "500", "3", "Склад 1", ""], ["K-1", "500", "4", "Склад 2", ""],
            ["N-1", "500", "1", "Склад 1", "Краска белая 9 л"], ["N-1", "500", "2", "Склад 2", "Краска белая 9 л"],
            ["K-1", "501", "4", "Склад 3", ""], ["N-1", "400", "2", "Склад 1", "Краска белая 9 л"]]  # fmt: skip
    made = lists.send(app, shop.seller, lists.csv_file(rows, headings))
    assert set(lists.errors(shop.seller, made)) == {6, 7}
    lists.confirm(app, shop.seller, made)
    assert [on_hand(offer(shop, "K-1"), p) for p in (shop.first, shop.second)] == [3, 4]
    assert [on_hand(offer(shop, "N-1"), p) for p in (shop.first, shop.second)] == [1, 2]
    assert offers.stock_drift() == []


def test_a_mapping_is_asked_for_remembered_and_used_again(app: Flask, shop: Shop) -> None:
    headings = ("Ихнее", "Что", "Почём", "Сколько")
    made = lists.send(app, shop.seller, lists.csv_file(GOOD, headings), warehouse=shop.where)
    head = lists.look(shop.seller, made)
    assert (head.state, head.headers) == ("columns", list(headings))
    with pytest.raises(Invalid):
        service.set_columns(shop.seller, made, {"0": "sku", "1": "sku"})
    with pytest.raises(Invalid):
        service.set_columns(shop.seller, made, {"0": "sku", "9": "price"})
    lists.work(app, service.set_columns(shop.seller, made, {"0": "sku", "2": "price", "3": "stock", "1": ""}))
    assert lists.look(shop.seller, made).state == "checked"
    again = lists.send(app, shop.seller, lists.csv_file(GOOD, headings), warehouse=shop.where)
    assert lists.look(shop.seller, again).state == "checked"
    foreign = lists.send(app, shop.other, lists.csv_file(GOOD, headings))
    assert lists.look(shop.other, foreign).state == "columns", "what one seller said says nothing of another"


def test_a_client_names_columns_by_their_headings(app: Flask, shop: Shop) -> None:
    content = lists.csv_file(GOOD, ("Ихнее", "Что", "Почём", "Сколько"))
    mapping = {"sku": "Ихнее", "price": "почём"}
    made = lists.send(app, shop.seller, content, mapping=mapping)
    assert lists.look(shop.seller, made).counts["changed"] == 1
    with pytest.raises(Invalid):
        service.receive(shop.seller, app.extensions["storage"], Upload("x.csv", content, mapping={"sku": "Нет такого"}))


def test_a_file_that_cannot_be_taken_fails_with_its_reason(app: Flask, shop: Shop) -> None:
    made = lists.send(app, shop.seller, b"\xd0\xcf\x11\xe0" + bytes(100), name="../../старый.xls")
    head = lists.look(shop.seller, made)
    assert (head.state, head.error, head.file_name) == ("failed", "xls_old", "старый.xls")


def mended(content: bytes, change: dict[str, str]) -> bytes:
    """The errors file with wrong values replaced."""
    text = content.decode("utf-8-sig")
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    return text.encode("utf-8-sig")


def test_errors_come_back_as_the_same_file_and_mended_are_taken(app: Flask, shop: Shop) -> None:
    from app.web.import_texts import errors_file

    rows = [GOOD[0], ["K-2", '=cmd|"/C calc"', "четыреста", "11"], ["K-3", "Грунт", "950", "много"]]
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    lists.confirm(app, shop.seller, made)
    with app.test_request_context():
        answer = errors_file(shop.seller, lists.look(shop.seller, made))
    text = answer.data.decode("utf-8-sig").splitlines()
    assert text[0] == "Код;Наименование;Цена;Остаток;Строка файла;Ошибка"
    assert [line.split(";")[0] for line in text[1:]] == ["K-2", "K-3"]
    assert "'=cmd" in text[1]
    assert ";4;" in text[2]
    fixed = mended(answer.data, {"четыреста": "410", "много": "9", "'=cmd|": "кмд "})
    again = lists.send(app, shop.seller, fixed, warehouse=shop.where)
    head = lists.look(shop.seller, again)
    assert (head.is_correction, head.counts["gone"], head.counts["error"]) == (True, 0, 0)
    lists.confirm(app, shop.seller, again, hide_gone=True)
    assert (offer(shop, "K-2").price, offer(shop, "K-3").price, offer(shop, "K-1").status) == (
        41_000, 95_000, "active",
    )  # fmt: skip


def test_the_file_of_errors_of_a_workbook_is_a_workbook_without_formulas(app: Flask, shop: Shop) -> None:
    from app.web.import_texts import errors_file

    made = lists.send(app, shop.seller, lists.xlsx_file([["K-1", "'=1+1", 500.5, "мало"], *GOOD[1:]]))
    with app.test_request_context():
        answer = errors_file(shop.seller, lists.look(shop.seller, made))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values[0][-2:] == ["Строка файла", "Ошибка"]
    assert values[1][:5] == ["K-1", "'=1+1", 500.5, "мало", 2]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_the_file_of_errors_of_a_feed_is_a_feed(app: Flask, shop: Shop) -> None:
    from app.web.import_texts import errors_file

    feed = (
        '<offer id="K-1"><name>К</name><price>x</price><count>1</count></offer>'
        '<offer id="K-2"><name>Ш</name><price>410</price></offer>'
    )
    made = lists.send(app, shop.seller, lists.yml_file(feed), warehouse=shop.where)
    with app.test_request_context():
        answer = errors_file(shop.seller, lists.look(shop.seller, made))
    fixed = answer.data.replace(b"<price>x</price>", b"<price>505</price>")
    again = lists.send(app, shop.seller, fixed, warehouse=shop.where)
    assert lists.kinds(shop.seller, again) == {2: "changed"}
    assert lists.look(shop.seller, again).is_correction


def test_an_import_can_be_stopped(app: Flask, shop: Shop) -> None:
    begun = service.receive(shop.seller, app.extensions["storage"], Upload("a.csv", lists.csv_file(GOOD)))
    service.cancel(shop.seller, begun.public_id)
    lists.work(app, begun.job_id)
    assert lists.look(shop.seller, begun.public_id).state == "cancelled"
    with pytest.raises(Conflict, match="import_state"):
        service.confirm(shop.seller, begun.public_id, Confirmation())


def test_an_import_whose_job_is_called_off_is_stopped(app: Flask, shop: Shop) -> None:
    from app.core import jobs
    from workers import imports

    begun = service.receive(shop.seller, app.extensions["storage"], Upload("a.csv", lists.csv_file(GOOD)))
    job = jobs.claim(lists.number_of(begun.job_id))
    assert job is not None
    jobs.request_cancel(begun.job_id, shop.seller.user_id)
    imports.run(job)
    assert lists.look(shop.seller, begun.public_id).state == "cancelled"


def test_a_price_list_is_nobody_elses(app: Flask, shop: Shop) -> None:
    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    for act in (
        lambda: queries.head(shop.other.seller_id, made),
        lambda: service.confirm(shop.other, made, Confirmation()),
        lambda: service.set_columns(shop.other, made, {"0": "sku", "2": "price"}),
        lambda: service.decide(shop.other, made, 2, "new"),
        lambda: service.cancel(shop.other, made),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):
        service.receive(
            shop.other, app.extensions["storage"], Upload("a.csv", lists.csv_file(GOOD), warehouse=shop.where)
        )


def test_a_blocked_offer_and_a_ladder_are_respected(app: Flask, shop: Shop) -> None:
    from app.offers import service as offer_service
    from app.offers.rules import Step

    offer_service.edit_offer(shop.seller, shop.a.public_id, {"ladder": (Step(Decimal(10), 49_000),)})
    session.execute(sa.update(Offer).where(Offer.id == shop.b.id).values(status="blocked"))
    session.commit()
    rows = [["K-1", "К", "490", "1"], ["K-2", "Ш", "400", "1"], ["K-3", "Г", "900", "1"]]
    made = lists.send(app, shop.seller, lists.csv_file(rows), warehouse=shop.where)
    assert lists.errors(shop.seller, made) == {2: {("price", "below_ladder")}, 3: {("sku", "offer_blocked")}}


def test_old_files_and_rows_go(app: Flask, shop: Shop) -> None:
    from datetime import timedelta

    from app.offers.import_models import PriceImport

    made = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)
    assert service.forget_old() == []
    session.execute(sa.update(PriceImport).values(created_at=sa.func.now() - timedelta(days=15)))
    session.commit()
    [name] = service.forget_old()
    assert name.startswith("imports/")
    head = lists.look(shop.seller, made)
    assert (head.state, head.has_rows) == ("cancelled", False)
    assert session.get_one(Seller, shop.seller.seller_id)
