"""From dimensions to offers: exact packs, the cheapest that has enough, substitutes named, everything into the cart."""

from __future__ import annotations

import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.models import Job
from app.core.permissions import ANONYMOUS, Actor
from app.estimates import queries, service
from app.estimates.models import Estimate
from app.estimates.queries import EstimateView, LineView
from app.estimates.service import Item, Made
from app.offers.models import OfferStep
from app.orders.models import CartLine
from tests.estimates.goods import Goods, board, run, stud, track
from tests.factories import orders as people

WALL = {"length": "5", "height": "2,7", "openings": "1.6"}
"""Area 11.9: 24.99 m² of board with waste, 9 sheets of 3 m²."""


def wall(actor: Actor = ANONYMOUS, token: str = "", **changed: str) -> Made:
    return service.create(actor, token, "Перегородка", [Item("partition_c111", WALL | changed)])


def priced(app: Flask, made: Made, actor: Actor = ANONYMOUS) -> EstimateView:
    assert run(app, made.job) == "done"
    return queries.estimate(actor, made.token, made.public_id)


def line_of(view: EstimateView, category: str) -> LineView:
    [found] = [line for line in view.lines if line.category == category]
    return found


@pytest.fixture
def goods(db_session: Any) -> Goods:
    return Goods(sellers=2)


def test_materials_stand_at_once_and_prices_come_by_the_job(app: Flask, goods: Goods) -> None:
    sheet = board(goods)
    goods.sell(sheet, price=45_000)
    goods.ready()
    made = wall()
    waiting = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert waiting.state == "pricing"
    assert line_of(waiting, "gypsum_board").gross == Fraction("24.99")
    assert line_of(waiting, "gypsum_board").packs is None
    view = priced(app, made)
    line = line_of(view, "gypsum_board")
    assert (view.state, line.packs, line.pack_unit, line.price, line.total) == ("priced", 9, "sheet", 45_000, 405_000)
    assert line.bought == 27
    assert line.relaxed == []
    assert view.goods == sum(found.total or 0 for found in view.lines)
    assert view.mass_kg == sum((found.mass_kg or Decimal(0) for found in view.lines), Decimal(0)) == 9 * 25
    shown = session.execute(sa.select(Job.done, Job.total).where(Job.public_id == made.job)).one()
    assert shown.done == shown.total == len(view.lines)


def test_what_nobody_sells_is_said_and_the_rest_is_priced(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods))
    goods.sell(stud(goods), stock=0)
    goods.sell(goods.product("track_profile", "Профиль на развес", "kg", size="50х50"))
    goods.ready()
    view = priced(app, wall())
    problems = {line.category: line.problem for line in view.lines}
    assert problems["gypsum_board"] == ""
    assert problems["stud_profile"] == "no_stock"
    assert problems["track_profile"] == "unit_mismatch"
    assert problems["screw_drywall"] == "no_product"


def test_the_least_sum_wins_among_offers_that_have_enough(app: Flask, goods: Goods) -> None:
    sheet = board(goods)
    goods.sell(sheet, price=40_000, stock=8)
    dear = goods.sell(sheet, price=50_000, stock=100, seller=1)
    goods.ready()
    line = line_of(priced(app, wall()), "gypsum_board")
    assert (line.offer_public_id, line.packs, line.problem) == (dear.public_id, 9, "")


def test_a_ladder_is_applied_to_the_quantity_that_is_bought(app: Flask, goods: Goods) -> None:
    sheet = board(goods)
    offer = goods.sell(sheet, price=50_000)
    session.add(OfferStep(offer_id=offer.id, from_quantity=9, price=44_000))
    goods.sell(sheet, price=45_000, seller=1)
    goods.ready()
    line = line_of(priced(app, wall()), "gypsum_board")
    assert (line.offer_public_id, line.price, line.total) == (offer.public_id, 44_000, 396_000)


def test_when_nobody_has_enough_the_most_is_taken_and_said(app: Flask, goods: Goods) -> None:
    sheet = board(goods)
    goods.sell(sheet, price=40_000, stock=3)
    most = goods.sell(sheet, price=50_000, stock=8, seller=1)
    goods.ready()
    line = line_of(priced(app, wall()), "gypsum_board")
    assert (line.offer_public_id, line.problem) == (most.public_id, "short_stock")


def test_a_dearer_product_with_enough_comes_before_a_cheaper_one_without(app: Flask, goods: Goods) -> None:
    """Ten cheap products with two sheets each must not hide the one that can be bought."""
    for number in range(10):
        goods.sell(board(goods, f"Остаток {number}"), price=10_000, stock=2)
    enough = board(goods, "Есть всё")
    goods.sell(enough, price=60_000)
    goods.ready()
    line = line_of(priced(app, wall()), "gypsum_board")
    assert (line.product_public_id, line.problem) == (enough.public_id, "")


def test_constraints_choose_the_product_and_the_nearest_is_named_when_none_meets_them(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods, "ГКЛ 9,5", thick="9.5"), price=1_000)
    exact = board(goods)
    goods.sell(exact, price=45_000)
    goods.sell(stud(goods, "75х50"), price=1_000)
    meant = stud(goods, "50х50")
    goods.sell(meant, price=20_000)
    near = track(goods, "50х40")
    goods.sell(near, price=15_000)
    goods.sell(track(goods, "75х40"), price=1_000)
    goods.ready()
    view = priced(app, wall())
    assert line_of(view, "gypsum_board").product_public_id == exact.public_id
    assert line_of(view, "stud_profile").product_public_id == meant.public_id
    relaxed = line_of(view, "track_profile")
    assert (relaxed.product_public_id, relaxed.relaxed) == (near.public_id, ["size"])
    [unmet] = relaxed.unmet
    assert (unmet.name_ru, unmet.wanted, unmet.actual) == ("Size", "50х50", "50х40")
    assert [c.key for c in line_of(view, "gypsum_board").met] == ["thick_mm", "type"]


def test_a_choice_of_profile_reaches_the_constraint(app: Flask, goods: Goods) -> None:
    goods.sell(stud(goods, "50х50"))
    wide = stud(goods, "100х50")
    goods.sell(wide)
    goods.ready()
    view = priced(app, wall(profile_w="100х50"))
    assert line_of(view, "stud_profile").product_public_id == wide.public_id


def test_equal_materials_of_several_rooms_are_pooled_before_packs(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods))
    goods.ready()
    rooms = [Item("partition_c111", WALL | {"length": length}) for length in ("3.1", "4.3", "2.7")]
    made = service.create(ANONYMOUS, "", "Три комнаты", rooms)
    line = line_of(priced(app, made), "gypsum_board")
    assert len(line.details) == 3
    assert line.gross == sum(Fraction(part["gross"]) for part in line.details)
    assert line.packs == -(-line.gross // 3)


def test_the_job_done_twice_has_the_effect_of_once(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods), price=45_000)
    goods.ready()
    made = wall()
    first = priced(app, made)
    session.execute(sa.update(Job).where(Job.public_id == made.job).values(state="queued"))
    assert priced(app, made).lines == first.lines


def test_a_late_job_does_not_write_over_newer_dimensions(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods), price=45_000)
    goods.ready()
    made = wall()
    service.change(ANONYMOUS, made.token, made.public_id, items=[Item("partition_c111", WALL | {"length": "10"})])
    newest = session.scalars(sa.select(Estimate.job_id)).one()
    assert newest is not None
    assert run(app, made.job) == "done"
    assert queries.estimate(ANONYMOUS, made.token, made.public_id).state == "pricing"
    assert run(app, newest) == "done"
    view = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert (view.state, line_of(view, "gypsum_board").packs) == ("priced", 18)


def test_a_removed_estimate_is_priced_by_nobody(app: Flask, goods: Goods) -> None:
    made = wall()
    service.remove(ANONYMOUS, made.token, made.public_id)
    assert run(app, made.job) == "done"
    with pytest.raises(NotFound):
        queries.estimate(ANONYMOUS, made.token, made.public_id)


def test_reprice_sees_the_present_prices(app: Flask, goods: Goods) -> None:
    offer = goods.sell(board(goods), price=45_000)
    goods.ready()
    made = wall()
    priced(app, made)
    offer.price = 46_000
    session.flush()
    assert run(app, service.reprice(ANONYMOUS, made.token, made.public_id)) == "done"
    view = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert line_of(view, "gypsum_board").price == 46_000


def test_a_product_chosen_by_hand_stays_through_repricing(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods), price=45_000)
    wanted = board(goods, "Дороже, но свой")
    goods.sell(wanted, price=70_000)
    goods.ready()
    made = wall()
    line = line_of(priced(app, made), "gypsum_board")
    service.choose(ANONYMOUS, made.token, made.public_id, line.public_id, product=wanted.public_id)
    job = session.scalars(sa.select(Estimate.job_id)).one()
    assert job is not None
    run(app, job)
    view = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert line_of(view, "gypsum_board").product_public_id == wanted.public_id
    run(app, service.reprice(ANONYMOUS, made.token, made.public_id))
    view = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert line_of(view, "gypsum_board").product_public_id == wanted.public_id


def test_a_product_of_another_kind_or_measure_is_refused(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods))
    other = stud(goods)
    goods.sell(other)
    weighed = goods.product("gypsum_board", "Лом ГКЛ", "kg")
    goods.sell(weighed)
    goods.ready()
    made = wall()
    line = line_of(priced(app, made), "gypsum_board")
    for wrong in (other.public_id, weighed.public_id, uuid.uuid4()):
        with pytest.raises(Invalid) as refused:
            service.choose(ANONYMOUS, made.token, made.public_id, line.public_id, product=wrong)
        assert [(e.pointer, e.code) for e in refused.value.errors] == [("/product", "not_for_this_line")]
    assert queries.estimate(ANONYMOUS, made.token, made.public_id).state == "priced"


def test_waste_set_by_hand_changes_the_gross_exactly(app: Flask, goods: Goods) -> None:
    goods.sell(board(goods))
    goods.ready()
    made = wall()
    line = line_of(priced(app, made), "gypsum_board")
    service.choose(ANONYMOUS, made.token, made.public_id, line.public_id, waste_pct="13,5")
    view = queries.estimate(ANONYMOUS, made.token, made.public_id)
    assert line_of(view, "gypsum_board").gross == Fraction("23.8") * Fraction("1.135")
    for wrong in ("-1", "101", "NaN", ""):
        with pytest.raises(Invalid):
            service.choose(
                ANONYMOUS, made.token, made.public_id, line_of(view, "gypsum_board").public_id, waste_pct=wrong
            )


def test_everything_found_goes_into_the_cart_in_packs(app: Flask, goods: Goods) -> None:
    sheet = goods.sell(board(goods), price=45_000)
    bar = goods.sell(stud(goods), price=20_000, seller=1)
    goods.ready()
    buyer = people.person()
    made = wall(buyer)
    with pytest.raises(Conflict) as early:
        service.to_cart(buyer, "", "", made.public_id)
    assert early.value.code == "not_priced_yet"
    priced(app, made, buyer)
    service.to_cart(buyer, "", "", made.public_id)
    inside = {(row.offer_id, row.quantity) for row in session.scalars(sa.select(CartLine))}
    assert inside == {(sheet.id, Decimal(9)), (bar.id, Decimal(10))}


def test_nothing_found_puts_nothing_into_the_cart(app: Flask, goods: Goods) -> None:
    made = wall()
    priced(app, made)
    with pytest.raises(Conflict) as refused:
        service.to_cart(ANONYMOUS, made.token, "", made.public_id)
    assert refused.value.code == "nothing_to_buy"


def test_estimates_of_others_do_not_exist(goods: Goods) -> None:
    owner, stranger = people.person(), people.person()
    own, guest = wall(owner), wall()
    for actor, token, public_id in (
        (stranger, "", own.public_id),
        (ANONYMOUS, guest.token, own.public_id),
        (ANONYMOUS, "", guest.public_id),
        (stranger, guest.token, guest.public_id),
        (owner, "", guest.public_id),
    ):
        for command in (service.reprice, service.remove, queries.estimate):
            with pytest.raises(NotFound):
                command(actor, token, public_id)
        with pytest.raises(NotFound):
            service.to_cart(actor, token, "", public_id)
        with pytest.raises(NotFound):
            service.change(actor, token, public_id, title="чужой")


def test_a_guest_keeps_one_token_and_signing_in_adopts_everything(goods: Goods) -> None:
    first = wall()
    second = wall(token=first.token)
    assert second.token == first.token
    buyer = people.person()
    service.adopt(buyer, first.token)
    assert {row.public_id for row in queries.estimates(buyer, "")} == {first.public_id, second.public_id}
    assert queries.estimates(ANONYMOUS, first.token) == []


def test_a_stale_version_is_refused(goods: Goods) -> None:
    buyer = people.person()
    made = wall(buyer)
    service.change(buyer, "", made.public_id, title="Второй", version=1)
    with pytest.raises(Stale):
        service.change(buyer, "", made.public_id, title="Третий", version=1)


def test_wrong_dimensions_write_nothing(goods: Goods) -> None:
    items = [
        Item("partition_c111", WALL),
        Item("partition_c111", {"length": "abc", "openings": "-1"}),
        Item("none", {}),
    ]
    with pytest.raises(Invalid) as refused:
        service.create(ANONYMOUS, "", "", items)
    assert {(e.pointer, e.code) for e in refused.value.errors} == {
        ("/items/1/inputs/length", "not_a_number"),
        ("/items/1/inputs/openings", "too_small"),
        ("/items/2/assembly", "unknown_assembly"),
    }
    assert session.scalar(sa.select(sa.func.count()).select_from(Estimate)) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 0


def test_reads_do_not_grow_with_the_materials(app: Flask, goods: Goods, count_queries: Any) -> None:
    goods.sell(board(goods))
    goods.ready()
    small, large = wall(), service.create(ANONYMOUS, "", "", [Item("room_renovation", {}), Item("bathroom_full", {})])
    seen = []
    for made in (small, large):
        priced(app, made)
        with count_queries() as sent:
            queries.estimate(ANONYMOUS, made.token, made.public_id)
        seen.append(len(sent))
    assert seen[0] == seen[1] <= 3
