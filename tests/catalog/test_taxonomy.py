"""Categories and attributes change with the products in them; what is touched is told before, what breaks refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog import attributes, categories, queries
from app.catalog.models import Attribute, Category, ProductListing, ProductValue
from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.core.models import Job
from app.estimates import taxonomy
from app.estimates.assemblies import assemblies
from app.estimates.taxonomy import Wish
from tests.client import ApiClient
from tests.factories import catalog as make
from tests.factories import orders as people
from tests.offers.test_changes_walk import form_of, text_of
from tests.offers.test_invariants import broken
from workers import worker


class Tree:
    """top / middle / leaf with two products on sale, and another top; an operator."""

    def __init__(self) -> None:
        self.operator = people.person("Оператор", is_admin=True)
        self.top, self.other = make.category("Сухие смеси"), make.category("Отделка")
        self.middle = make.category("Штукатурки", self.top)
        self.leaf = make.category("Гипсовые", self.middle)
        self.colour = make.attribute(self.leaf, "colour")
        self.grain = make.attribute(self.leaf, "grain", "text", position=1)
        market = make.market()
        for colour, grain in (("белый", "0,5"), ("Белый", "1.0"), ("серый", "0.5")):
            made = make.product(self.leaf, f"Смесь {colour}", values={self.colour: colour, self.grain: grain})
            make.offer(market, made)
        session.commit()
        make.ready()

    def wish(self, action: str, category: str = "", /, key: str = "", **given: Any) -> Wish:
        return Wish(action, category or self.leaf.slug, key, given)

    def do(self, *args: str, **given: Any) -> Any:
        return taxonomy.perform(self.operator, self.wish(*args, **given))

    def facets(self) -> list[list[str]]:
        return sorted(session.scalars(sa.select(ProductListing.facets)).all())


@pytest.fixture
def tree(db_session: Any) -> Tree:
    return Tree()


def test_a_category_moves_with_everything_below_it(app: Flask, tree: Tree) -> None:
    tree.do("category.edit", tree.middle.slug, parent=tree.other.slug)
    session.expire_all()
    assert [node.slug for node in queries.trail_of(queries.tree(), tree.leaf.id)] == [
        tree.other.slug, tree.middle.slug, tree.leaf.slug
    ]  # fmt: skip
    assert broken() == set()
    tree.do("category.edit", tree.leaf.slug, parent="")
    assert (session.get_one(Category, tree.leaf.id).depth, broken()) == (1, set())
    for slug, parent, code in (
        (tree.other.slug, tree.middle.slug, "parent_is_below"),
        (tree.top.slug, tree.leaf.slug, "parent_holds_products"),
        (tree.top.slug, "zz", "unknown_option"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            tree.do("category.edit", slug, parent=parent)
        assert refused.value.errors[0].code == code
    deep = make.category("Глубже", tree.middle)
    session.commit()
    with pytest.raises(Invalid) as refused:
        tree.do("category.edit", tree.other.slug, parent=tree.top.slug)
    assert refused.value.errors[0].code == "too_deep"
    with pytest.raises(Conflict, match="category_in_use"):
        tree.do("category.remove")
    tree.do("category.remove", deep.slug)


def test_an_address_of_before_leads_on(app: Flask, tree: Tree, api: ApiClient) -> None:
    old = tree.leaf.slug
    assert tree.do("category.edit", old, slug="gypsum-mixes") is None
    session.commit()
    make.ready()
    page = app.test_client().get(f"/catalog/{old}?colour=белый")
    assert (page.status_code, page.location.partition("?")[0]) == (301, "/catalog/gypsum-mixes")
    assert api.get(f"/categories/{old}").headers["Location"] == "/api/v1/categories/gypsum-mixes"
    assert len(api.get(f"/products?category={old}").json["items"]) == 3
    with pytest.raises(Invalid):
        tree.do("category.add", old, name_ru="Я", name_en="I")
    tree.do("category.edit", "gypsum-mixes", slug=old)
    assert categories.present_slug("gypsum-mixes") == old


def test_values_become_one_and_lists_follow_at_once_or_by_a_worker(
    app: Flask, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = tree.wish("attribute.merge", key="colour", values=["белый", "Белый"], into="белый")
    before = tree.facets()
    seen = taxonomy.preview(tree.operator, wish)
    assert (seen.products, seen.offers, seen.refused, seen.by_worker) == (2, 2, None, False)
    assert tree.facets() == before
    monkeypatch.setattr(attributes, "AT_ONCE", 0)
    monkeypatch.setattr(attributes, "BATCH", 1)
    assert taxonomy.preview(tree.operator, wish).by_worker
    assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 0
    for done in (
        wish,
        tree.wish("attribute.edit", key="grain", is_facet=False),
        tree.wish("attribute.remove", key="grain"),
    ):
        job = taxonomy.perform(tree.operator, done)
        session.commit()
        row = session.scalars(sa.select(Job).where(Job.public_id == job)).one()
        worker.run_in_context(row.id, app)
        session.expire_all()
        assert (row.state, broken()) == ("done", set())
    assert tree.facets() == [["colour:белый"], ["colour:белый"], ["colour:серый"]]
    assert session.scalars(sa.select(Attribute.key).where(Attribute.category_id == tree.leaf.id)).all() == ["colour"]


def test_another_kind_is_taken_when_every_value_can_be_one(tree: Tree) -> None:
    with pytest.raises(Invalid) as refused:
        tree.do("attribute.edit", key="colour", kind="number")
    assert (refused.value.errors[0].code, refused.value.errors[0].context["count"]) == ("values_do_not_fit", 3)
    tree.do("attribute.edit", key="grain", kind="number")
    rows = session.execute(
        sa.select(ProductValue.text, ProductValue.number).where(ProductValue.attribute_id == tree.grain.id)
    )
    assert sorted((text, str(number.normalize())) for text, number in rows) == [
        ("0.5", "0.5"),
        ("0.5", "0.5"),
        ("1", "1"),
    ]
    assert broken() == set()


def test_what_assemblies_name_stays(app: Flask, tree: Tree) -> None:
    line = next(
        line for one in assemblies().values() for line in one.lines if line.spec and not line.spec[0][1].isalpha()
    )
    key, value = line.spec[0]
    place = make.category(
        "Названный",
        tree.top,
    )
    place.slug = line.category
    named, free = make.attribute(place, key), make.attribute(place, "free_of_use")
    made = make.product(place, "Товар", values={named: value, free: "x"})
    session.commit()
    for action, more in (
        ("category.edit", {"slug": "another"}), ("category.remove", {}), ("attribute.remove", {"key": key}),
        ("attribute.edit", {"key": key, "kind": "text"}),
        ("attribute.merge", {"key": key, "values": [value], "into": "иначе"}),
    ):  # fmt: skip
        wish = tree.wish(action, line.category, **more)
        seen = taxonomy.preview(tree.operator, wish)
        assert (seen.refused and seen.refused.code, bool(seen.assemblies)) == ("assembly_depends", True), action
        with pytest.raises(Conflict, match="assembly_depends"):
            taxonomy.perform(tree.operator, wish)
    page = people.signed_browser(app, tree.operator).post(f"/admin/categories/{line.category}/attributes/{key}/remove")
    assert (page.status_code, "Сделать" in page.text) == (409, False)
    assert "Узлы, которые его называют" in page.text
    tree.do("category.edit", line.category, name_ru="Иначе", parent=tree.other.slug)
    tree.do("attribute.edit", line.category, key=key, name_ru="Иначе", is_facet=False)
    tree.do("attribute.remove", line.category, key="free_of_use")
    assert session.scalars(sa.select(ProductValue.text).where(ProductValue.product_id == made.id)).all() == [value]


def test_the_operator_looks_first_and_then_does_it(app: Flask, tree: Tree) -> None:
    operator = people.signed_browser(app, tree.operator)
    session.commit()
    assert "Сухие смеси" in operator.get("/admin/categories").text
    base = f"/admin/categories/{tree.leaf.slug}"
    assert "colour" in operator.get(base).text
    assert "built-in" not in operator.get(f"{base}/attributes/colour").text
    look = operator.post(f"{base}/attributes/colour/merge", data={"values": ["белый", "Белый"], "into": "Белый"})
    assert re.search(r"товаров 2 предложений 2", text_of(look))
    assert tree.facets()[0][0] == "colour:Белый"
    fields = {"slug": "mixes", "parent": tree.middle.slug, "name_ru": "", "name_en": "Mixes"}
    wrong = operator.post(base, data=fields)
    assert (wrong.status_code, 'value="mixes"' in wrong.text) == (422, True)
    shown = operator.post(base, data=fields | {"name_ru": "Смеси"})
    assert "Старый адрес поведёт на новый" in text_of(shown)
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', shown.text))
    assert operator.post(base, data=kept).location == "/admin/categories/mixes"
    new = {"key": "Цвет", "name_ru": "Цвет", "name_en": "C", "kind": "enum"}
    assert operator.post("/admin/categories/mixes/attributes", data=new).status_code == 422
    added = operator.post("/admin/categories/mixes/attributes", data=new | {"key": "tone", "confirmed": "1"})
    assert added.status_code == 303
    assert form_of(operator.get("/admin/categories/mixes/attributes/tone").text)["name_ru"] == "Цвет"
    api = people.signed_api(app, tree.operator)
    merged = api.post("/categories/mixes/attributes/colour/merge", {"values": ["Белый"], "into": "белый"})
    assert (merged.status_code, tree.facets()[0][0]) == (200, "colour:белый")
    assert api.patch("/categories/mixes/attributes/tone", {"kind": "bool"}).status_code == 200
    assert attributes.find("mixes", "tone").kind == "bool"
    assert api.delete("/categories/mixes/attributes/tone").status_code == 204
    assert (
        api.post(
            "/categories/mixes/attributes", {"key": "tone", "name_ru": "Т", "name_en": "T", "kind": "text"}
        ).status_code
        == 201
    )
    assert api.delete("/categories/mixes/attributes/none").status_code == 404
