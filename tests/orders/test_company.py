"""Buying as a company: limits, approvals, an order once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import team
from app.accounts.models import Organisation, OrganisationMember
from app.core import clock
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import Timer
from app.core.permissions import Actor, Membership
from app.offers import listing
from app.offers.models import Offer, StockLevel, StockMovement
from app.orders import approvals, carts, checkout, limits, repeat, rules, service
from app.orders.approvals import Asked
from app.orders.company_models import ApprovalRequest
from app.orders.models import Order, OrderGroup
from app.orders.service import Placed
from tests.factories import accounts
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_races import all_at_once


def company(per_order: int | None = None, per_month: int | None = None) -> tuple[Actor, Actor]:
    """An owner and a member of the same buying company."""
    owner = make.member("buyer")
    return owner, seated(owner, "member", per_order, per_month)


def seated(owner: Actor, role: str, per_order: int | None = None, per_month: int | None = None) -> Actor:
    firm = session.get_one(Organisation, owner.memberships[0].organisation_id)
    person = make.person()
    session.add(
        OrganisationMember(
            organisation_id=firm.id, user_id=person.user, role=role, spending_limit=per_order, monthly_limit=per_month
        )
    )
    session.flush()
    return replace(person, memberships=(Membership(firm.id, firm.public_id, firm.name, "buyer", role),))


def firm_of(actor: Actor) -> Any:
    return actor.memberships[0].organisation_public_id


def pressed(actor: Actor, quote: Any) -> Placed | Asked:
    return approvals.place(actor, quote.public_id, steps.CONTACT, "invoice", "", firm_of(actor))


def asked(actor: Actor, *wants: tuple[Offer, int]) -> Any:
    found = pressed(actor, steps.quoted(actor, *wants))
    assert isinstance(found, Asked)
    return found.public_id


@pytest.mark.usefixtures("db_session")
def test_a_purchase_above_the_limit_waits_and_is_placed_in_the_buyers_name_at_what_the_approver_saw() -> None:
    market = make.market()
    offer = make.offer(market, price=100_000)
    owner, member = company(per_order=600_000)
    small = pressed(member, steps.quoted(member, (offer, 1)))
    assert isinstance(small, Placed)
    quote = steps.quoted(member, (offer, 5))
    first, again = pressed(member, quote), pressed(member, quote)
    assert isinstance(first, Asked)
    assert first == again
    key = first.public_id
    assert carts.find_cart(member, "") is None  # the buyer goes on with a new cart
    assert [m["to"] for m in accounts.mails("approval_asked")] == [owner.email]
    with pytest.raises(Conflict, match="quote_expired"):
        service.place(member, quote.public_id, steps.CONTACT, "invoice", "", firm_of(member))
    seen = approvals.request(owner, key)
    assert (seen.row.may_decide, seen.is_changed, seen.row.above) == (True, False, "order")
    offer.price = 110_000
    session.flush()
    with pytest.raises(Conflict, match="price_changed"):
        approvals.approve(owner, key, seen.terms)
    session.rollback()
    offer = session.get_one(Offer, offer.id)
    offer.price = 110_000
    session.flush()
    listing.refresh([offer.product_id])
    seen = approvals.request(owner, key)
    assert seen.is_changed
    assert seen.price_was(seen.lines[0]) == 100_000
    placed = approvals.approve(owner, key, seen.terms)
    assert approvals.approve(owner, key, "").number == placed.number
    group = session.get_one(OrderGroup, placed.id)
    assert (group.user_id, group.goods) == (member.user, 550_000)
    assert accounts.mails("approval_answered")[-1]["to"] == member.email
    steps.check_everything_sums()


@pytest.mark.usefixtures("db_session")
def test_the_month_counts_what_is_not_called_off_and_only_what_the_company_pays() -> None:
    market = make.market()
    offer = make.offer(market, price=100_000, stock=1000)
    _owner, member = company(per_month=2_000_000)
    steps.bought(member, (offer, 30))  # paid by the person
    one = pressed(member, steps.quoted(member, (offer, 10)))
    assert isinstance(one, Placed)
    spent = limits.spent_this_month(member.user, member.memberships[0].organisation_id)
    assert spent == session.get_one(OrderGroup, one.id).total
    assert isinstance(pressed(member, steps.quoted(member, (offer, 10))), Asked)
    order = session.scalars(sa.select(Order).where(Order.group_id == one.id)).one()
    service.cancel(member, order.number)
    assert isinstance(pressed(member, steps.quoted(member, (offer, 10))), Placed)
    session.execute(sa.update(OrderGroup).values(created_at=clock.now() - timedelta(days=32)))
    assert limits.spent_this_month(member.user, member.memberships[0].organisation_id) == 0


@pytest.mark.usefixtures("db_session")
def test_who_may_decide_and_what_becomes_of_a_request_that_is_not_approved() -> None:
    market = make.market()
    offer = make.offer(market, price=100_000)
    owner, member = company(per_order=1)
    colleague, approver = seated(owner, "member", 1), seated(owner, "approver")
    stranger = make.member("buyer")
    declined, withdrawn, late = (asked(member, (offer, 1)) for _each in range(3))
    for who in (stranger, colleague):
        with pytest.raises(NotFound):
            approvals.decline(who, declined, "нет")
        with pytest.raises(NotFound):
            approvals.request(who, declined)
    with pytest.raises(Invalid):
        approvals.decline(approver, declined, " ")
    approvals.decline(approver, declined, "дорого")
    approvals.withdraw(member, withdrawn)
    for answer in (lambda: approvals.approve(owner, declined, ""), lambda: approvals.withdraw(member, declined),
                   lambda: approvals.decline(owner, withdrawn, "нет")):  # fmt: skip
        with pytest.raises(Conflict, match="approval_state"):
            answer()
    row = session.scalars(sa.select(ApprovalRequest).where(ApprovalRequest.public_id == late)).one()
    timer = session.scalars(sa.select(Timer).where(Timer.entity == "approval", Timer.entity_id == row.id)).one()
    assert timer.due_at == row.expires_at
    approvals.expire(row.id)
    assert row.status == "waiting"  # too early
    row.expires_at = clock.now()
    approvals.expire(row.id)
    assert session.get_one(ApprovalRequest, row.id).status == "expired"
    assert approvals.to_cart(member, declined)[0].quantity == 1
    assert {r.status for r in approvals.requests_of(approver)} == {"declined", "withdrawn", "expired"}
    waits = asked(member, (offer, 1))
    team.change_role(owner, firm_of(owner), member.public_id or steps.any_id(), "approver")
    promoted = replace(member, memberships=(replace(member.memberships[0], role="approver"),))
    with pytest.raises(Conflict, match="own_request"):
        approvals.decline(promoted, waits, "нет")
    steps.check_everything_sums()


@unit_of_work
def _waiting() -> tuple[Actor, Actor, Offer]:
    market = make.market()
    owner, member = company(per_order=1)
    return owner, member, make.offer(market, stock=10)


def test_approve_twice_and_against_withdraw_and_members_at_once_have_one_outcome(committed_db: Flask) -> None:
    owner, member, offer = _waiting()
    key = asked(member, (offer, 4))
    terms = approvals.request(owner, key).terms
    db.session.remove()
    twice = all_at_once(committed_db, [lambda: approvals.approve(owner, key, terms)] * 2, 2)
    assert len({p.number for p in twice}) == 1
    second = asked(member, (offer, 4))
    terms = approvals.request(owner, second).terms
    db.session.remove()
    works = [lambda: approvals.approve(owner, second, terms), lambda: approvals.withdraw(member, second)]
    outcomes = all_at_once(committed_db, works, 2)
    assert sum(isinstance(o, Conflict) for o in outcomes) == 1
    status = session.scalars(sa.select(ApprovalRequest.status).where(ApprovalRequest.public_id == second)).one()
    assert (status == "approved") == (session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 2)
    steps.check_everything_sums()


@pytest.mark.usefixtures("db_session")
def test_an_order_once_more_tells_line_by_line(count_queries: Any) -> None:
    market = make.market(sellers=2)
    same, dearer, gone, replaced = (make.offer(market, price=10_000 * n) for n in (1, 2, 3, 4))
    second = market.sellers[1].seller_id
    other = Offer(seller_id=second, product_id=replaced.product_id, sku="o", unit="bag", price=50_000)
    session.add(other)
    session.flush()
    session.add(StockLevel(offer_id=other.id, warehouse_id=market.warehouses[1], on_hand=9))
    session.add(StockMovement(offer_id=other.id, warehouse_id=market.warehouses[1], kind="received", on_hand_delta=9))
    buyer = make.person()
    group = steps.bought(buyer, (same, 1), (dearer, 2), (gone, 3), (replaced, 4))
    dearer.price = 25_000
    gone.status = replaced.status = "hidden"
    number = group.number
    session.commit()
    with pytest.raises(NotFound):
        repeat.to_cart(make.person(), number)
    with count_queries() as seen:
        told = repeat.to_cart(buyer, number)
    assert len(seen) <= 10, "\n".join(seen)
    assert [(r.price_was, r.price_now, r.note, r.is_replaced) for r in told] == [
        (10_000, 10_000, "", False),
        (20_000, 25_000, "", False),
        (30_000, None, "not_on_sale", False),
        (40_000, 50_000, "", True),
    ]
    assert [w.quantity for w in checkout.wishes_of(carts.find_cart(buyer, "") or 0)] == [1, 2, 4]


@given(st.lists(st.sampled_from([*rules.QUOTE.table, *rules.APPROVAL.table]), max_size=8))
def test_no_walk_leaves_an_end_of_a_machine(path: list[str]) -> None:
    for machine, start in ((rules.QUOTE, "requested"), (rules.APPROVAL, "waiting")):
        state = start
        for wanted in path:
            if machine.allows(state, wanted):
                assert state not in machine.last
                state = wanted
        assert state in machine.table
