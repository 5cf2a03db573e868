"""A seller proposes less or something else; the buyer answers; what is missing is taken from others."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalog.models import Attribute, ProductValue
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.offers import listing
from app.offers.models import Offer, StockLevel
from app.orders import carts, checkout, fulfilments, proposals, queries, repeat, service
from app.orders.models import Order, OrderLine
from app.orders.proposal_models import OrderProposal
from app.orders.proposals import Wish
from tests.factories import accounts
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")


class Case:
    """10 bags of glue and 5 of plaster ordered; another glue with the same grade is on the shelf of the same seller."""

    def __init__(self, payment: str = "invoice", sellers: int = 1) -> None:
        self.market = make.market(sellers=sellers)
        self.seller = self.market.sellers[0]
        self.buyer = make.person()
        self.glue = make.offer(self.market, price=50_000)
        self.plaster = make.offer(self.market, price=30_000)
        self.other = make.offer(self.market, price=60_000, stock=40)
        grade = Attribute(
            category_id=self.market.category_id,
            key="grade",
            name_ru="Марка",
            name_en="Grade",
            kind="enum",
            is_facet=True,
        )
        session.add(grade)
        session.flush()
        self.grade = grade.id
        for offer, said in ((self.glue, "C1"), (self.other, "C1"), (self.plaster, "C2")):
            session.add(ProductValue(product_id=offer.product_id, attribute_id=grade.id, text=said))
        listing.refresh([self.glue.product_id, self.other.product_id, self.plaster.product_id])
        self.group = steps.bought(self.buyer, (self.glue, 10), (self.plaster, 5), payment=payment)
        [self.order] = steps.orders_of(self.group)
        self.lines = self.fresh_lines()

    def refreshed(self) -> Order:
        session.expire_all()
        return session.get_one(Order, self.order.id)

    def fresh_lines(self) -> list[OrderLine]:
        own = sa.select(OrderLine).where(OrderLine.order_id == self.order.id)
        return list(session.scalars(own.order_by(OrderLine.position)))

    def instead(self, kept: int = 4, **more: Any) -> Wish:
        return Wish(self.lines[0].public_id, Decimal(kept), self.other.public_id, **more)


def allocated(offer: Offer) -> int:
    return int(session.scalar(sa.select(StockLevel.allocated).where(StockLevel.offer_id == offer.id)) or 0)


def test_a_substitute_comes_at_no_higher_price_and_everything_sums() -> None:
    case = Case()
    proposals.propose(case.seller, case.order.number, [case.instead()], "осталось четыре мешка")
    assert accounts.mails("order_change")[-1]["to"] == case.buyer.email
    before = case.refreshed().total
    seen = proposals.open_of([case.order.id])[case.order.id]
    [line] = seen.lines
    assert (line.kept, line.quantity, line.price, line.off, seen.less) == (4, 6, 50_000, 300_000, 0)
    assert allocated(case.other) == 0
    assert proposals.accept(case.buyer, case.order.number) == 0
    order = case.refreshed()
    assert (order.status, order.total) == ("accepted", before)
    lines = case.fresh_lines()
    assert [(li.gross, li.accepted) for li in lines] == [(200_000, 4), (150_000, 5), (300_000, 6)]
    assert (lines[2].replaces_id, lines[2].price_rule) == (lines[0].id, "substitute")
    assert (allocated(case.glue), allocated(case.other)) == (4, 6)
    assert repeat.missing(queries.order_view(case.buyer.user, order.number)[1]) == {}  # something came instead
    steps.check_everything_sums()
    [trip] = steps.trips_of(order)
    fulfilments.start_picking(case.seller, trip.public_id)
    fulfilments.ready(case.seller, trip.public_id)
    fulfilments.handed_over(trip.id)
    fulfilments.on_the_way(trip.id)
    counts = [{"line": str(n), "delivered": str(q), "delivered_base": str(q)} for n, q in ((1, 4), (2, 5), (3, 6))]
    fulfilments.complete(trip.id, "delivered", "", counts, None)
    assert case.refreshed().status == "completed"
    steps.check_everything_sums()


def test_what_cannot_stand_in_is_refused_and_nothing_is_written() -> None:
    case = Case(sellers=2)
    number, line = case.order.number, case.lines[0].public_id
    heavy, foreign = make.offer(case.market, price=10_000, mass="80"), make.offer(case.market, 1, price=10_000)
    for offer in (heavy, foreign):
        session.add(ProductValue(product_id=offer.product_id, attribute_id=case.grade, text="C1"))
    session.commit()
    wrong = {
        "not_a_substitute": Wish(line, Decimal(4), case.plaster.public_id),
        "nothing_to_replace": Wish(line, Decimal(10), case.other.public_id),
        "substitute_dearer": case.instead(price=50_001, quantity=Decimal(6)),
        "counted_range": case.instead(quantity=Decimal(41)),
        "quantity_step": case.instead(quantity=Decimal("1.5")),
        "substitute_heavier": Wish(line, Decimal(4), heavy.public_id),
        "proposal_empty": Wish(line, Decimal(10)),
        "unknown_order_line": Wish(steps.any_id(), Decimal(1)),
    }
    for code, wish in wrong.items():
        with pytest.raises(Invalid) as refused:
            proposals.propose(case.seller, number, [wish])
        assert [e.code for e in refused.value.errors] == [code], code
    with pytest.raises(Invalid) as refused:
        proposals.propose(case.seller, number, [Wish(line, Decimal(4), foreign.public_id)])
    assert [e.code for e in refused.value.errors] == ["not_a_substitute"]
    with pytest.raises(Invalid) as refused:
        proposals.propose(case.seller, number, [Wish(li.public_id, Decimal(0)) for li in case.lines])
    assert [e.code for e in refused.value.errors] == ["accept_nothing"]
    with pytest.raises(NotFound):
        proposals.propose(make.market().sellers[0], number, [case.instead()])
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderProposal)) == 0
    proposals.propose(case.seller, number, [case.instead()])
    with pytest.raises(Conflict, match="proposal_open"):
        proposals.propose(case.seller, number, [case.instead()])
    stranger = make.person()
    for act in (proposals.accept, proposals.decline):
        with pytest.raises(NotFound):
            act(stranger, number)


def test_without_an_agreement_the_order_stays_as_it_was_placed() -> None:
    case = Case()
    number, before = case.order.number, case.order.total
    proposals.propose(case.seller, number, [case.instead()])
    proposals.decline(case.buyer, number)
    proposals.expire(session.scalars(sa.select(OrderProposal.id)).one())  # a late timer changes no answer
    with pytest.raises(NotFound):
        proposals.accept(case.buyer, number)
    proposals.propose(case.seller, number, [Wish(case.lines[1].public_id, Decimal(1))])
    proposals.withdraw(case.seller, number)
    proposals.propose(case.seller, number, [case.instead()])
    with time_machine.travel(clock.now() + proposals.ANSWER_WITHIN + timedelta(minutes=1), tick=False):
        with pytest.raises(Conflict, match="proposal_over"):
            proposals.accept(case.buyer, number)
        proposals.expire(session.scalars(sa.select(sa.func.max(OrderProposal.id))).one())
        order = case.refreshed()
        assert (order.status, order.total) == ("placed", before)
        assert order.accept_by > clock.now()
        proposals.propose(case.seller, number, [case.instead()])
        service.accept(case.seller, number)
        with pytest.raises(Conflict, match="order_state"):
            proposals.propose(case.seller, number, [case.instead()])
    late = Case()
    with (
        time_machine.travel(late.order.accept_by + timedelta(seconds=1), tick=False),
        pytest.raises(Conflict, match="accept_deadline_passed"),
    ):
        proposals.propose(late.seller, late.order.number, [late.instead()])
    states = session.scalars(sa.select(OrderProposal.status).order_by(OrderProposal.id)).all()
    assert states == ["declined", "withdrawn", "expired", "withdrawn"]
    assert case.refreshed().total == before
    steps.check_everything_sums()


def test_a_substitute_sold_to_others_is_refused_and_the_order_stays() -> None:
    case = Case()
    proposals.propose(case.seller, case.order.number, [case.instead()])
    session.execute(sa.update(StockLevel).where(StockLevel.offer_id == case.other.id).values(safety=0, allocated=38))
    session.flush()
    with pytest.raises(Conflict, match="substitute_gone"):
        proposals.accept(case.buyer, case.order.number)
    session.rollback()
    assert case.refreshed().status == "placed"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, 9), quantity=st.integers(1, 10), price=st.integers(1, 60_000), plaster=st.integers(0, 5))
def test_a_change_never_makes_an_order_dearer(kept: int, quantity: int, price: int, plaster: int) -> None:
    case = Case()
    wishes = [
        case.instead(kept, quantity=Decimal(quantity), price=price),
        Wish(case.lines[1].public_id, Decimal(plaster)),
    ]
    before = case.order.total
    try:
        proposals.propose(case.seller, case.order.number, wishes)
    except Invalid:
        assert price * quantity > 50_000 * (10 - kept) or quantity > Decimal("1.1") * (10 - kept)
        return
    promised = proposals.open_of([case.order.id])[case.order.id].less
    less = proposals.accept(case.buyer, case.order.number)
    assert less == promised == before - case.refreshed().total >= 0
    steps.check_everything_sums()


def test_what_does_not_come_is_taken_from_another_seller() -> None:
    case = Case(sellers=2)
    place = case.market.warehouses[1]
    twin = Offer(
        seller_id=case.market.sellers[1].seller_id,
        product_id=case.glue.product_id,
        sku="TWIN",
        unit="bag",
        price=51_000,
    )
    session.add(twin)
    session.flush()
    session.add(StockLevel(offer_id=twin.id, warehouse_id=place, on_hand=100))
    session.commit()
    with pytest.raises(NotFound):
        repeat.missing_to_cart(case.buyer, case.order.number)
    service.cancel(case.buyer, case.order.number, "", {case.lines[1].public_id: Decimal(2)})
    service.accept(case.seller, case.order.number, {case.lines[0].public_id: Decimal(7)})
    view = queries.order_view(case.buyer.user, case.order.number)[1]
    assert repeat.missing(view) == {case.lines[0].id: 3}
    [told] = repeat.missing_to_cart(case.buyer, case.order.number)
    assert (told.quantity, told.price_was, told.price_now, told.is_replaced) == (3, 50_000, 51_000, True)
    cart = carts.find_cart(case.buyer, "")
    assert [(w.offer_id, w.quantity) for w in checkout.wishes_of(cart or 0)] == [(twin.id, 3)]
    with pytest.raises(NotFound):
        repeat.missing_to_cart(make.person(), case.order.number)
    service.cancel(case.buyer, case.order.number)
    with pytest.raises(NotFound):
        repeat.missing_to_cart(case.buyer, case.order.number)  # he does not want it any more


def test_both_sides_agree_in_their_pages_and_by_json(app: Flask) -> None:
    case = Case()
    number, line = case.order.number, case.lines[0].public_id
    sells, buys = make.signed_browser(app, case.seller), make.signed_browser(app, case.buyer)
    api = make.signed_api(app, case.buyer)
    session.commit()
    own = f"/seller/orders/{number}"
    form = {
        f"q-{line}": "4",
        f"s-{line}": str(case.other.public_id),
        f"n-{line}": "6",
        f"p-{line}": "999",
        "note": "Мало",
    }
    assert str(case.other.public_id) in sells.get(f"{own}/proposal").text
    refused = sells.post(f"{own}/proposal", data=form)
    assert refused.status_code == 422
    assert 'value="999"' in refused.text
    assert "3000" in refused.text
    assert sells.post(f"{own}/proposal", data=form | {f"p-{line}": ""}).status_code == 303
    assert "Вы предложили изменение" in sells.get(own).text
    page = buys.get(f"/orders/{case.group.number}").text
    assert "предлагает изменение" in page
    shown = api.get(f"/orders/{number}/proposal").json
    assert (shown["lines"][0]["kept"], shown["lines"][0]["substitute"]["total"]["amount"]) == ("4", 300_000)
    assert buys.post(f"/orders/{number}/proposal/accept").status_code == 303
    page = buys.get(f"/orders/{case.group.number}").text
    assert "предлагает изменение" not in page
    assert "вместо:" in page
    assert api.get(f"/orders/{number}/proposal").status_code == 404
    assert api.post(f"/orders/{number}/proposal/accept").status_code == 409
