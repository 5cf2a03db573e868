"""Promotions from the cart to the seller's ledger: chosen, promised, frozen, counted, given back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.db import db, session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import ANONYMOUS, Actor
from app.orders import approvals, carts, checkout, promotion_queries, promotions, queries, refunds, service
from app.orders.models import Order, OrderGroup, OrderLine
from app.orders.promotion_models import AppliedPromotion, Promotion, PromotionUse
from app.orders.promotions import PromotionData
from app.payments.models import CommissionLine, PaymentSplit, SellerTransfer
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_company import asked, company
from tests.orders.test_races import all_at_once, buyer, market_with
from tests.payments import stories


def promoted(actor: Actor | None = None, seller_id: int | None = None, **more: Any) -> Any:
    """A promotion: 10 percent unless said otherwise."""
    terms: dict[str, Any] = {"percent": None if "amount" in more else Decimal(10)} | more
    return promotions.make(actor or stories.operator(), PromotionData("Осень", "Autumn", **terms), seller_id)


def in_cart(who: Actor, *wants: tuple[Any, int]) -> Any:
    for offer, quantity in wants:
        carts.add(who, "", offer.public_id, Decimal(quantity))
    return queries.cart_plan(who, "")


def gone_because(refused: Any) -> list[tuple[str, str, int]]:
    assert refused.value.code == "discount_changed"
    return [(d["kind"], d["why"], d["was"]) for d in refused.value.context["differences"]]


def test_a_discount_is_explained_from_the_cart_to_the_ledger(db_session: Any) -> None:
    market = make.market(sellers=2)
    glue, nail, board = make.offer(market, 0, price=333_33), make.offer(market, 0, price=7), make.offer(market, 1)
    one = market.sellers[0]
    stories.with_bank(one)
    promoted(percent=Decimal(10), operator_share=Decimal(40), is_stackable=True)
    promoted(one, one.seller_id, amount=1_000_01)
    who = make.person()
    plan = in_cart(who, (glue, 7), (nail, 3), (board, 1))
    # own 1000.01 of the seller's 2333.52, then 10 % of what is left of everything: 1333.51 + 545.00
    listed = 7 * 333_33 + 21 + 545_00
    ten = round((listed - 1_000_01) / 10)
    assert [d.amount for d in plan.discounts] == [1_000_01, ten]
    assert plan.goods == listed - 1_000_01 - ten == sum(t.goods for t in plan.trips)

    group = steps.bought(who)
    lines = session.scalars(sa.select(OrderLine).order_by(OrderLine.id)).all()
    assert (group.goods, sum(line.discount for line in lines)) == (plan.goods, plan.discount)
    assert sum(session.scalars(sa.select(PaymentSplit.amount))) == group.total
    rows = session.scalars(sa.select(AppliedPromotion)).all()
    by_operator = {line.id: sum(r.by_operator for r in rows if r.order_line_id == line.id) for line in lines}
    assert sum(by_operator.values()) == round(ten * 0.4)
    bases = dict(session.execute(sa.select(CommissionLine.order_line_id, CommissionLine.base)).tuples().all())
    assert bases == {line.id: line.gross + by_operator[line.id] for line in lines}
    steps.check_everything_sums()

    first, _second = steps.orders_of(group)
    glue_line = lines[0]
    was = glue_line.gross
    service.accept(one, first.number, {glue_line.public_id: Decimal(3)})
    session.expire_all()
    now = session.get_one(OrderLine, glue_line.id)
    assert now.net + now.vat == now.gross == round(was * 3 / 7)
    steps.check_everything_sums()
    for trip in steps.trips_of(first):
        stories.fulfilments.start_picking(one, trip.public_id)
        stories.fulfilments.ready(one, trip.public_id)
        stories.fulfilments.handed_over(trip.id)
        stories.fulfilments.complete(trip.id, "delivered", "", [], None)
    stories.paid_by_bank(group.id)
    order = session.get_one(Order, first.id, populate_existing=True)
    kept = round(by_operator[glue_line.id] * now.gross / was) + by_operator[lines[1].id]
    ledger = dict(session.execute(sa.select(SellerTransfer.kind, SellerTransfer.amount)).tuples().all())
    assert (ledger["sale"], ledger["promotion"]) == (order.goods, kept)
    steps.check_everything_sums()

    refunds.request(one, order.number, refunds.Wanted("бой", order.goods))  # all of it: nothing is left of anything
    sums = dict(
        session.execute(
            sa.select(SellerTransfer.kind, sa.func.sum(SellerTransfer.amount)).group_by(SellerTransfer.kind)
        )
        .tuples()
        .all()
    )
    assert sums["promotion"] == sums["commission"] == 0 == sums["sale"] + sums["refund"]
    steps.check_everything_sums()


def test_a_code_answers_what_it_comes_to(db_session: Any) -> None:
    market = make.market(sellers=2)
    glue, board = make.offer(market, 0), make.offer(market, 1)
    day = clock.today()
    one = market.sellers[0]
    promoted(code="осень-10", minimum=1_000_00, seller_id=None, limit_per_buyer=1)
    promoted(code="LATER", valid_from=day + timedelta(days=3))
    promoted(code="OVER", valid_from=day - timedelta(days=9), valid_to=day - timedelta(days=1))
    promoted(one, one.seller_id, code="GLUE")
    promoted(code="FIRST", first_order=True, percent=Decimal(1))
    who = make.person()
    plan = in_cart(who, (board, 1))

    def refused(code: str) -> str:
        with pytest.raises(Invalid) as wrong:
            promotions.use_code(who, "", code)
        return wrong.value.errors[0].code

    assert [refused(c) for c in ("NONE", "later", "OVER")] == ["code_unknown", "code_not_yet", "code_ended"]
    promotions.use_code(who, "", "glue")
    assert queries.cart_plan(who, "").code.problem == "other_goods"
    promotions.use_code(who, "", " осень-10 ")
    state = queries.cart_plan(who, "").code
    assert (state.code, state.problem, state.missing) == ("ОСЕНЬ-10", "too_small", 1_000_00 - 545_00)
    assert refused("NONE") == "code_unknown"  # and the cart keeps what it had
    plan = in_cart(who, (board, 1))
    assert (plan.code.problem, plan.discount) == ("", 109_00)
    better = promoted(percent=Decimal(30))
    assert queries.cart_plan(who, "").code.problem == "not_best"
    promotions.stop(stories.operator(), better)
    steps.bought(who)
    in_cart(who, (glue, 9))
    assert [refused(c) for c in ("Осень-10", "FIRST")] == ["code_used_by_you", "code_first_order"]
    promotions.use_code(who, "", "")
    assert queries.cart_plan(who, "").code is None
    steps.check_everything_sums()


def test_a_promised_discount_that_is_gone_is_shown_and_the_cart_is_kept(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market)
    operator = stories.operator()
    ended = promoted(operator)
    who = make.person()
    quote = steps.quoted(who, (offer, 2))
    assert quote.payload["totals"]["discount"] == 109_00
    promotions.make(operator, PromotionData("Больше", "More", percent=Decimal(50)))  # the promise is kept nevertheless
    promotions.stop(operator, ended)
    with pytest.raises(Conflict) as refused:
        service.place(who, quote.public_id, steps.CONTACT, "invoice")
    assert gone_because(refused) == [("discount", "ended", 109_00)]
    again = checkout.make_quote(who, make.site(), None, "", "invoice")
    assert again.payload["totals"]["discount"] == 545_00
    placed = service.place(who, again.public_id, steps.CONTACT, "invoice")
    assert session.get_one(OrderGroup, placed.id).goods == 545_00
    steps.check_everything_sums()


def test_a_use_comes_back_when_nothing_of_the_purchase_is_left(db_session: Any) -> None:
    market = make.market(sellers=2)
    one, two = make.offer(market, 0), make.offer(market, 1)
    made = promoted(limit_total=1, code="ONCE")
    who = make.person()
    in_cart(who, (one, 1), (two, 1))
    promotions.use_code(who, "", "once")
    group = steps.bought(who)
    first, second = steps.orders_of(group)

    def left() -> Any:
        return session.scalar(sa.select(Promotion.uses_left).where(Promotion.public_id == made))

    assert left() == 0
    service.reject(market.sellers[0], first.number, "нет")
    assert left() == 0  # the other seller's order lives on it
    assert promotion_queries.one(made)[0].given == session.scalar(
        sa.select(OrderLine.discount).where(OrderLine.order_id == second.id)
    )
    service.cancel(who, second.number)
    assert left() == 1
    assert promotion_queries.one(made)[0].state == "running"
    other = make.person()
    in_cart(other, (one, 1))
    promotions.use_code(other, "", "ONCE")
    steps.bought(other)
    assert (left(), promotion_queries.one(made)[0].state) == (0, "used_up")
    steps.check_everything_sums()


def test_the_first_order_of_a_company_is_not_that_of_its_member(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market)
    promoted(first_order=True)
    member = make.member("buyer")
    company = member.memberships[0]
    steps.bought(member, (offer, 1))  # for himself
    assert in_cart(member, (offer, 1)).discount == 0
    quote = checkout.make_quote(member, make.site(), None, "", "invoice", organisation=company.organisation_public_id)
    assert quote.payload["totals"]["discount"] == 54_50
    with pytest.raises(Conflict) as refused:  # promised to the company, paid by the person
        service.place(member, quote.public_id, steps.CONTACT, "invoice")
    assert gone_because(refused) == [("discount", "first_order", 54_50)]


def test_sellers_promote_own_goods_at_own_cost_and_edit_what_nobody_used(db_session: Any) -> None:
    market = make.market(sellers=2)
    mine, others = make.offer(market, 0), make.offer(market, 1)
    one, two = market.sellers
    with pytest.raises(Invalid) as wrong:
        promotions.make(one, PromotionData("", "A", percent=Decimal(100), cap=0, scope="offers", skus=(others.sku,),
                                           operator_share=Decimal(50), limit_total=0, code="a b!",
                                           valid_to=clock.today() - timedelta(days=1)), one.seller_id)  # fmt: skip
    assert {e.pointer for e in wrong.value.errors} == {
        "/name_ru", "/percent", "/cap", "/skus", "/operator_share", "/limit_total", "/code", "/valid_to",
    }  # fmt: skip
    made = promoted(one, one.seller_id, scope="offers", skus=(mine.sku,))
    with pytest.raises(NotFound):
        promotions.stop(two, made, two.seller_id)
    with pytest.raises(NotFound):
        promotions.edit(two, made, PromotionData("Б", "B", percent=Decimal(1)), two.seller_id)
    who = make.person()
    assert [line.discount for line in in_cart(who, (mine, 1), (others, 1)).lines] == [54_50, 0]
    quote = checkout.make_quote(who, make.site(), None, "", "invoice")
    promotions.edit(one, made, PromotionData("Б", "B", percent=Decimal(20)), one.seller_id, 1)
    with pytest.raises(Conflict) as refused:  # other terms than were promised
        service.place(who, quote.public_id, steps.CONTACT, "invoice")
    assert gone_because(refused) == [("discount", "changed", 54_50)]
    steps.bought(who)
    with pytest.raises(Conflict, match="promotion_used"):
        promotions.edit(one, made, PromotionData("В", "C", percent=Decimal(30)), one.seller_id)
    [row] = promotion_queries.listed(one.seller_id)
    assert (row.uses, row.given, row.given_by_operator, row.state) == (1, 109_00, 0, "running")


def test_a_section_speaks_of_all_below_it_and_a_price_asked_for_is_not_discounted(db_session: Any) -> None:
    market = make.market()
    inner = make.market()
    session.execute(
        sa.text("UPDATE category SET parent_id = :up, path = ARRAY[CAST(:up AS bigint), id], depth = 2 WHERE id = :id"),
        {"up": market.category_id, "id": inner.category_id},
    )
    slug = session.scalar(sa.text("SELECT slug FROM category WHERE id = :id"), {"id": market.category_id})
    promoted(scope="categories", categories=(slug,))
    who = make.person()
    other = make.market()
    plan = in_cart(who, (make.offer(inner), 1), (make.offer(market), 1), (make.offer(other), 1))
    assert [line.discount for line in plan.lines] == [54_50, 54_50, 0]


def test_the_last_use_goes_to_one_of_many_at_once(committed_db: Flask) -> None:
    _market, offer = market_with(60)
    made = make.committed(lambda: promoted(limit_total=3, code="LAST"))
    works = []
    for _each in range(12):
        who = buyer()
        carts.add(who, "", offer.public_id, Decimal(1))
        promotions.use_code(who, "", "LAST")
        quote = checkout.make_quote(who, make.site(), None, "", "invoice")
        works.append((who, quote.public_id))
    db.session.remove()

    def placing(who: Any, quote: Any) -> Any:
        return lambda: service.place(who, quote, steps.CONTACT, "invoice")

    results = all_at_once(committed_db, [placing(*work) for work in works], 12)
    refused = [r for r in results if isinstance(r, Conflict)]
    assert len(refused) == 9
    assert {(r.code, r.context["differences"][0]["why"]) for r in refused} == {("discount_changed", "used_up")}
    assert session.scalar(sa.select(sa.func.count()).select_from(PromotionUse)) == 3
    assert session.scalars(sa.select(Promotion.uses_left).where(Promotion.public_id == made)).one() == 0
    loser = next(who for (who, _quote), result in zip(works, results, strict=True) if isinstance(result, Conflict))
    plan = queries.cart_plan(loser, "")
    assert (len(plan.lines), plan.code.problem, plan.discount) == (1, "used_up", 0)
    steps.check_everything_sums()


def test_two_first_orders_of_one_company_at_once_are_one(committed_db: Flask) -> None:
    _market, offer = market_with(60)
    make.committed(lambda: promoted(first_order=True))
    chief = make.committed(lambda: make.member("buyer"))
    place = chief.memberships[0]

    def colleague() -> Actor:
        person = make.person()
        session.execute(
            sa.text("INSERT INTO organisation_member (organisation_id, user_id, role) VALUES (:o, :u, 'owner')"),
            {"o": place.organisation_id, "u": person.user},
        )
        return person

    people = [chief, make.committed(colleague)]
    quotes = []
    for who in people:
        carts.add(who, "", offer.public_id, Decimal(1))
        quote = checkout.make_quote(who, make.site(), None, "", "invoice", organisation=place.organisation_public_id)
        quotes.append(quote.public_id)
    db.session.remove()

    def placing(who: Any, quote: Any) -> Any:
        return lambda: service.place(who, quote, steps.CONTACT, "invoice", "", place.organisation_public_id)

    results = all_at_once(committed_db, [placing(*pair) for pair in zip(people, quotes, strict=True)], 2)
    assert sorted(isinstance(r, Conflict) for r in results) == [False, True]
    steps.check_everything_sums()


def test_a_guests_code_is_kept_when_the_guest_signs_in(db_session: Any) -> None:
    offer = make.offer(make.market())
    promoted(code="GUEST")
    token = carts.add(ANONYMOUS, "", offer.public_id, Decimal(2)).token
    promotions.use_code(ANONYMOUS, token, "guest")
    assert queries.cart_plan(ANONYMOUS, token).discount == 109_00
    who = make.person()
    carts.merge_guest_cart(who, token)
    assert queries.cart_plan(who, "").discount == 109_00


def test_an_approver_sees_the_discount_that_is_true_and_the_use_is_of_the_company(db_session: Any) -> None:
    offer = make.offer(make.market(), price=100_000)
    chief, member = company(per_order=300_000)
    made = promoted(code="TEAM", limit_per_buyer=1)
    in_cart(member, (offer, 5))
    promotions.use_code(member, "", "team", member.memberships[0].organisation_id)
    key = asked(member)
    assert session.scalar(sa.select(sa.func.count()).select_from(PromotionUse)) == 0  # what waits uses nothing up
    shown = approvals.request(chief, key)
    assert shown.payload["totals"]["discount"] == 50_000
    promotions.stop(stories.operator(), made)
    with pytest.raises(Conflict, match="price_changed"):
        approvals.approve(chief, key, shown.terms)
    now = approvals.request(chief, key)
    assert (now.is_changed, now.now["totals"]["discount"]) == (True, 0)
    approvals.decline(chief, key, "дорого")
    promoted(code="TEAM", limit_per_buyer=1)
    approvals.to_cart(member, key)
    again = asked(member)
    placed = approvals.approve(chief, again, approvals.request(chief, again).terms)
    assert session.get_one(OrderGroup, placed.id).goods == 450_000
    in_cart(chief, (offer, 1))
    with pytest.raises(Invalid, match="invalid_fields"):
        promotions.use_code(chief, "", "TEAM", chief.memberships[0].organisation_id)
    promotions.use_code(chief, "", "TEAM")  # for himself he has not
    steps.check_everything_sums()
