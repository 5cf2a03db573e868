"""A seller's edit of a card: sent, mended, approved by a person or the rule, taken back; nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalog import cards
from app.catalog.models import Product, ProductChange
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.offers import card_changes
from app.offers.models import Seller
from tests.factories import catalog as make
from tests.factories import orders as people


class Desk:
    """Two sellers of one product in a leaf with an attribute of each kind; another leaf that knows one of them."""

    def __init__(self) -> None:
        self.market = make.market(sellers=3)
        self.seller, self.other, self.stranger = self.market.sellers
        self.operator = people.person("Оператор", is_admin=True)
        self.leaf, self.second = make.category("Смеси"), make.category("Клеи")
        kinds = {"kind": "enum", "size": "number", "layer": "range", "frost": "bool", "maker": "text"}
        made = {key: make.attribute(self.leaf, key, kind) for key, kind in kinds.items()}
        make.attribute(self.second, "size", "number")
        self.product = make.product(
            self.leaf, "Шпаклёвка 25 кг", content=("kg", 1, 25), values={made["kind"]: "гипсовая", made["size"]: "25"}
        )
        for index in (0, 1):
            make.offer(self.market, self.product, index)
        session.commit()
        make.ready()

    def send(self, change: dict[str, Any], actor: Any = None, **more: Any) -> card_changes.Sent:
        return card_changes.send(actor or self.seller, self.product.public_id, change, **more)

    def card(self) -> cards.Content:
        return cards.read(self.product.id)

    def trust(self) -> None:
        session.execute(sa.update(Seller).values(is_trusted=True))
        session.commit()

    def row(self, sent: card_changes.Sent) -> ProductChange:
        return session.scalars(sa.select(ProductChange).where(ProductChange.public_id == sent.public_id)).one()


@pytest.fixture
def desk(db_session: Any) -> Desk:
    return Desk()


def fields(**said: str) -> dict[str, Any]:
    return {"fields": said}


def test_only_the_difference_is_kept_and_a_person_decides(desk: Desk) -> None:
    whole = desk.card()
    with pytest.raises(Conflict, match="nothing_changed"):
        desk.send(whole)
    with pytest.raises(NotFound):
        desk.send(fields(brand="X"), desk.stranger)
    wrong = {"fields": {"name_ru": " ", "mass_kg": "-1"}, "attributes": {"size": "x", "layer": "5", "zz": "1"}, "a": 1}
    with pytest.raises(Invalid) as refused:
        desk.send(wrong)
    assert {e.pointer: e.code for e in refused.value.errors} == {
        "/a": "unknown_field", "/fields/name_ru": "required", "/fields/mass_kg": "too_small",
        "/attributes/size": "not_a_number", "/attributes/layer": "not_a_range", "/attributes/zz": "unknown_field",
    }  # fmt: skip
    wanted = whole | {"fields": whole["fields"] | {"name_en": "Filler"}, "attributes": {"size": "20,0", "frost": "yes"}}
    sent = desk.send(wanted, comment="так на мешке")
    row = desk.row(sent)
    assert row.payload == {"fields": {"name_en": "Filler"}, "attributes": {"size": "20", "frost": "да"}}
    assert row.base["attributes"] == {"size": "25", "frost": ""}
    again = desk.send(fields(name_en="Filler 2"))
    assert (again.public_id, row.payload) == (sent.public_id, fields(name_en="Filler 2"))
    card_changes.decide(desk.operator, sent.public_id, "revise", "Нужен вес")
    desk.send(fields(name_en="Filler 3"))
    with pytest.raises(Conflict, match="card_changed"):
        card_changes.decide(desk.operator, sent.public_id, "approve", version=99)
    card_changes.decide(desk.operator, sent.public_id, "approve")
    assert (desk.card()["fields"]["name_en"], row.status, row.decided_how) == ("Filler 3", "approved", "person")
    with pytest.raises(Stale):
        desk.send(fields(brand="X"), version=1)


def test_three_values_that_disagree_are_chosen_one_by_one(desk: Desk) -> None:
    mine = desk.send({"fields": {"name_en": "A", "article": "N1"}, "attributes": {"kind": "цементная"}})
    theirs = desk.send({"fields": {"name_en": "B"}, "attributes": {"kind": "цементная"}}, desk.other)
    card_changes.decide(desk.operator, theirs.public_id, "approve")
    row = desk.row(mine)
    found = {item.name: item.state for item in card_changes.items(row.payload, row.base, desk.card())}
    assert found == {"fields/name_en": "conflict", "fields/article": "clean", "attributes/kind": "same"}
    with pytest.raises(Invalid) as refused:
        card_changes.decide(desk.operator, mine.public_id, "approve")
    assert [e.pointer for e in refused.value.errors] == ["/choices/fields/name_en"]
    card_changes.decide(desk.operator, mine.public_id, "approve", choices={"fields/name_en": "keep"})
    assert {k: desk.card()["fields"][k] for k in ("name_en", "article")} == {"name_en": "B", "article": "N1"}
    later = desk.send(fields(article="N9"))
    card_changes.decide(desk.operator, later.public_id, "approve")
    with pytest.raises(Conflict, match="card_changed"):
        card_changes.revert(desk.operator, mine.public_id)


UNTRUSTED = [
    ({"fields": {"brand": "Другой"}}, ("brand",)),
    ({"fields": {"mass_kg": "40"}}, ("mass_kg",)),
    ({"fields": {"volume_m3": "0.01"}}, ("volume_m3",)),
    ({"fields": {"hidden": "1"}}, ("hidden",)),
]


def test_a_trusted_seller_waits_only_where_a_person_must_look(desk: Desk) -> None:
    assert desk.send(fields(article="N2")).status == "pending"
    card_changes.withdraw(desk.seller, desk.send(fields(article="N2")).public_id)
    desk.trust()
    sent = desk.send({"fields": {"article": "N2", "mass_kg": "30"}, "attributes": {"kind": "полимерная"}})
    row = desk.row(sent)
    assert (sent.status, row.decided_how, row.decided_by_id) == ("approved", "rule", None)
    units = [unit | {"barcode": "2000000000015"} if unit["code"] == "bag" else unit for unit in desk.card()["units"]]
    factors = [unit | {"factor": "1/30"} if unit["code"] == "kg" else unit for unit in desk.card()["units"]]
    cases = [*UNTRUSTED, ({"units": units}, ("barcode",)), ({"units": factors}, ("units",)),
             (fields(category=desk.second.slug), ("category",))]  # fmt: skip
    for change, waits in cases:
        waiting = desk.send(change)
        assert (waiting.status, waiting.waits) == ("pending", waits)
    undone = card_changes.revert(desk.operator, sent.public_id)
    assert session.scalars(sa.select(ProductChange.status).where(ProductChange.public_id == undone)).one() == "approved"
    with pytest.raises(Conflict, match="already_reverted"):
        card_changes.revert(desk.operator, sent.public_id)


texts = st.text("абвxyz 12", min_size=1, max_size=12).map(lambda t: " ".join(t.split()) or "x")
numbers = st.integers(0, 10**6).map(lambda n: str(n / 100))
changes = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.fixed_dictionaries(
            {},
            optional={
                "name_ru": texts, "name_en": texts, "brand": texts, "description_ru": texts, "mass_kg": numbers,
                "volume_m3": numbers, "length_mm": st.integers(0, 30_000), "hidden": st.sampled_from(["", "1"]),
                "category": st.just("second"),
            },
        ),
        "attributes": st.fixed_dictionaries({}, optional={"size": numbers, "kind": st.one_of(texts, st.just(""))}),
        "units": st.lists(
            st.fixed_dictionaries(
                {"code": st.sampled_from(["kg", "pallet", "m2"]), "sold": st.booleans(), "barcode": st.just("")},
                optional={"factor": st.builds("{}/{}".format, st.integers(1, 99), st.integers(1, 99))},
            ),
            max_size=3, unique_by=lambda unit: unit["code"],
        ),
    },
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_an_edit_that_is_taken_back_leaves_the_card_as_it_was(desk: Desk, change: dict[str, Any]) -> None:
    before, version = desk.card(), desk.product.version
    if "category" in change.get("fields", {}):
        change = {**change, "fields": change["fields"] | {"category": desk.second.slug}}
        change.pop("attributes", None)
    if "units" in change:
        base = before["units"][0] | {"barcode": "2000000000015"}
        change = {**change, "units": [*change["units"], base]}
    try:
        sent = desk.send(change)
    except Conflict:
        return
    card_changes.decide(desk.operator, sent.public_id, "approve")
    assert cards.difference(before, desk.card()) == desk.row(sent).payload
    card_changes.revert(desk.operator, sent.public_id)
    assert desk.card() == before
    assert session.get_one(Product, desk.product.id).version == version + 2
