"""From a file to offers: checked first, written on a word, the same twice, errors left out."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.factories import catalog as make
from tests.imports import lists


def test_smoke(app: Flask, db_session: Any) -> None:
    market = make.market()
    seller = market.sellers[0]
    what = make.product(make.category(), "Клей Winter 25 кг", barcode="4600000000015", brand="Зима")
    own = make.offer(market, what, price=50_000, stock=10, sku="K-1")
    other = make.product(make.category(), "Штукатурка гипсовая 30 кг", brand="Фасад")
    make.ready()
    content = lists.csv_file(
        [["K-1", "Клей", "600,50", "12"], ["K-2", "Штукатурка гипсовая 30 кг", "410", "7"], ["K-3", "Нечто", "10", "x"]]
    )
    made = lists.send(app, seller, content)
    head = lists.look(seller, made)
    print(head)
    assert head.state == "checked", head
    assert lists.kinds(seller, made) == {2: "changed", 3: "new", 4: "error"}
    head = lists.confirm(app, seller, made)
    print(head.counts)
    print(lists.state_of(seller.seller_id), own.id, other.id)
    again = lists.send(app, seller, content)
    print(lists.look(seller, again).counts)
