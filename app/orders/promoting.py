"""Promotions at work: on a cart, on what a quote promised, on a placed purchase, on orders that come to nothing.

Uses are counted under a lock: whoever places with a limited promotion holds its row until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from app.core import clock, money
from app.core.db import lock_rows, session
from app.core.errors import Conflict, Invalid
from app.orders import discounts, rules
from app.orders.discounts import Discount, Part, Terms
from app.orders.models import Cart, Order, OrderGroup, OrderLine
from app.orders.plan import Plan, PlannedLine, PlannedPiece
from app.orders.promotion_models import AppliedPromotion, Promotion, PromotionUse
from app.payments.rules import Borne

OVER = ("rejected", "expired", "cancelled")
"""An order that ends so has used nothing."""
MOST_CODE = 32
REFUSING = ("unknown", "ended", "not_yet", "used_up", "used_by_you", "first_order")
"""Why a code is not kept in the cart; what depends on the goods is only told."""

BUYER = "CASE WHEN CAST(:company AS bigint) IS NULL THEN g.user_id = {who} ELSE g.organisation_id = :company END"
BOUGHT = f"""
EXISTS (SELECT FROM order_group g JOIN seller_order s ON s.group_id = g.id
    WHERE {BUYER} AND g.id <> :but AND s.status NOT IN ('rejected', 'expired', 'cancelled'))"""
USED = f"""
(SELECT count(*) FROM promotion_use u JOIN order_group g ON g.id = u.group_id
    WHERE u.promotion_id = p.id AND u.given_back_at IS NULL AND {BUYER}
        AND (CAST(:company AS bigint) IS NOT NULL OR g.organisation_id IS NULL))"""
ON_CART = sa.text(f"""
WITH goods AS MATERIALIZED (
    SELECT o.id, o.seller_id, k.path FROM offer o JOIN product t ON t.id = o.product_id
    JOIN category k ON k.id = t.category_id WHERE o.id = ANY(:offers))
SELECT c.code AS cart_code, p.*,
    p.first_order AND {BOUGHT.format(who="c.user_id")} AS has_bought,
    CASE WHEN p.limit_per_buyer IS NULL THEN 0 ELSE {USED.format(who="c.user_id")} END AS used,
    ARRAY(
        SELECT o.id FROM goods o
        WHERE (p.seller_id IS NULL OR o.seller_id = p.seller_id)
            AND (p.scope <> 'categories' OR EXISTS (SELECT FROM promotion_category pc
                WHERE pc.promotion_id = p.id AND pc.category_id = ANY(o.path)))
            AND (p.scope <> 'offers' OR EXISTS (SELECT FROM promotion_offer po
                WHERE po.promotion_id = p.id AND po.offer_id = o.id))) AS offers
FROM cart c
LEFT JOIN promotion p ON p.code = c.code AND c.code <> ''
    OR p.code = '' AND p.stopped_at IS NULL AND :day BETWEEN p.valid_from AND coalesce(p.valid_to, :day)
WHERE c.id = :cart ORDER BY p.priority, p.id
""")
ON_PURCHASE = sa.text(f"""
SELECT p.*, p.first_order AND {BOUGHT.format(who=":user")} AS has_bought,
    CASE WHEN p.limit_per_buyer IS NULL THEN 0 ELSE {USED.format(who=":user")} END AS used
FROM promotion p WHERE p.id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class CodeState:
    """What the code in the cart comes to. `problem`: empty when it works, else why not; `missing`: kopeks of goods."""

    code: str
    problem: str = ""
    missing: int = 0
    valid_from: date | None = None


def normal(code: str) -> str:
    """A code as it is kept: upper case, without blanks."""
    return "".join(code.split()).upper()[: MOST_CODE + 1]


def on_cart(plan: Plan, cart_id: int, company_id: int | None = None) -> Plan:
    """The plan of a cart with the discounts that hold for its buyer today.

    Args:
        company_id: the organisation that will pay; None: the person.
    """
    goods = {line.offer.id: line.price_sum for line in plan.lines if line.problem != "gone"}
    facts = {"cart": cart_id, "company": company_id, "offers": list(goods), "day": clock.today(), "but": 0}
    rows = session.execute(ON_CART, facts).all()
    known = [row for row in rows if row.id is not None]
    open_to = [_terms(row) for row in known if not _refusal(row)]
    chosen = discounts.choose(open_to, goods)
    return replace(less(plan, chosen), code=_code_state(rows, goods, chosen))


def _terms(row: Any) -> Terms:
    return Terms(
        row.id, row.version, row.name_ru, row.name_en, row.code, row.percent, row.amount, row.minimum, row.cap,
        row.is_stackable, row.operator_share, frozenset(row.offers),
    )  # fmt: skip


def _refusal(row: Any) -> str:
    """Why a promotion does not hold for the buyer today, whatever the goods."""
    day = clock.today()
    if row.stopped_at is not None or (row.valid_to is not None and row.valid_to < day):
        return "ended"
    if row.valid_from > day:
        return "not_yet"
    if row.uses_left == 0:
        return "used_up"
    if row.has_bought:
        return "first_order"
    if row.limit_per_buyer is not None and row.used >= row.limit_per_buyer:
        return "used_by_you"
    return ""


def _code_state(rows: Sequence[Any], goods: Mapping[int, int], chosen: Sequence[Discount]) -> CodeState | None:
    code = rows[0].cart_code if rows else ""
    if not code:
        return None
    mine = sorted((r for r in rows if r.id is not None and r.code == code), key=lambda r: (r.stopped_at is None, r.id))
    if not mine:
        return CodeState(code, "unknown")
    row = mine[-1]
    problem, terms = _refusal(row), _terms(row)
    if not problem and any(one.promotion_id == row.id for one in chosen):
        return CodeState(code)
    if not problem:
        problem = "other_goods" if not terms.offers else "too_small" if terms.missing(goods) else "not_best"
    return CodeState(code, problem, terms.missing(goods) if problem == "too_small" else 0, row.valid_from)


@dataclass(frozen=True, slots=True)
class OfSeller:
    """What a promotion takes off the goods of one seller."""

    seller_id: int
    seller_name: str
    name_ru: str
    name_en: str
    code: str
    amount: int


def by_seller(plan: Plan) -> list[OfSeller]:
    """The discounts of a plan, seller by seller in the order of the cart."""
    sellers = {line.offer.id: line.offer for line in plan.lines}
    found = []
    for seller in dict.fromkeys(offer.seller_id for offer in sellers.values()):
        for one in plan.discounts:
            mine = {offer: part for offer, part in one.parts.items() if sellers[offer].seller_id == seller}
            if mine:
                name = sellers[next(iter(mine))].seller_name
                amount = sum(part.amount for part in mine.values())
                found.append(OfSeller(seller, name, one.name_ru, one.name_en, one.code, amount))
    return found


def less(plan: Plan, chosen: Sequence[Discount]) -> Plan:
    """A plan at list prices or with other discounts, with these discounts: lines, their parts on trips, sums."""
    off = discounts.off_by_offer(chosen)
    lines = {line.id: _less(line, off.get(line.offer.id, 0)) for line in plan.lines}
    pieces = [piece for trip in plan.trips for piece in trip.pieces]
    worth: dict[int, int] = {}  # place of a piece among all -> kopeks
    for line in lines.values():
        places = [n for n, piece in enumerate(pieces) if piece.line.id == line.id]
        if places:
            worth |= zip(places, rules.shares(line.gross, [pieces[n].quantity for n in places]), strict=True)
    trips, first = [], 0
    for trip in plan.trips:
        mine = range(first, first + len(trip.pieces))
        first = mine.stop
        parts = tuple(PlannedPiece(lines[pieces[n].line.id], pieces[n].quantity, worth[n]) for n in mine)
        trips.append(replace(trip, pieces=parts))
    return replace(plan, lines=tuple(lines.values()), trips=tuple(trips), discounts=tuple(chosen))


def _less(line: PlannedLine, off: int) -> PlannedLine:
    if off == line.discount:
        return line
    gross = line.price_sum - off
    vat = money.vat_included(gross, line.offer.vat_percent) if line.offer.vat_percent else 0
    return replace(line, gross=gross, vat=vat, discount=off)


def as_promised(plan: Plan, payload: Mapping[str, Any]) -> Plan:
    """A plan with the discounts that a checkout's quote promised, whatever holds now."""
    kept = discounts.promised(payload)
    return less(plan, kept) if kept or plan.discounts else plan


def set_code(cart_id: int, code: str, company_id: int | None, plan: Plan) -> None:
    """Keep a code in a locked cart; an empty one takes it out.

    Args:
        plan: of the cart, to say what the code comes to.

    Raises:
        Invalid: `/code` with `code_` and one of `REFUSING`; the cart keeps what it had.
    """
    cart = session.get_one(Cart, cart_id, populate_existing=True)
    before, cart.code = cart.code, normal(code)
    session.flush()
    if not cart.code:
        return
    state = on_cart(plan, cart_id, company_id).code
    if state is not None and state.problem in REFUSING:
        cart.code = before
        session.flush()
        raise Invalid.one("/code", f"code_{state.problem}", day=f"{state.valid_from:%d.%m.%Y}" if state.valid_from
                          else "")  # fmt: skip


def carry_code(source: int, target: int) -> None:
    """Keep the code of one cart in another that has none."""
    code = session.scalar(sa.select(Cart.code).where(Cart.id == source))
    if code:
        row = session.get_one(Cart, target)
        row.code = row.code or code
        session.flush()


def freeze(group: OrderGroup, payload: Mapping[str, Any], lines: Sequence[OrderLine]) -> dict[int, Part]:
    """Write the promised discounts of a purchase just written, and count its uses.

    Returns:
        Order line -> what was taken off it, by all promotions together.

    Raises:
        Conflict: `discount_changed` with the differences: a promotion ended, was used up meanwhile, or never was for
            whoever pays. The caller's transaction is rolled back.
    """
    kept = discounts.promised(payload)
    if not kept:
        return {}
    _check_hold(group, kept)
    by_offer = {line.offer_id: line.id for line in lines}
    session.add_all(PromotionUse(promotion_id=one.promotion_id, group_id=group.id) for one in kept)
    found: dict[int, Part] = {}
    for one in kept:
        for offer, part in one.parts.items():
            line, rest = by_offer[offer], part.amount - part.operator
            session.add(AppliedPromotion(order_line_id=line, promotion_id=one.promotion_id, amount=part.amount,
                                         by_seller=rest, by_operator=part.operator))  # fmt: skip
            so_far = found.get(line, Part(0, 0))
            found[line] = Part(so_far.amount + part.amount, so_far.operator + part.operator)
    _count([one.promotion_id for one in kept], -1)
    session.flush()
    return found


def _check_hold(group: OrderGroup, kept: Sequence[Discount]) -> None:
    ids = [one.promotion_id for one in kept]
    counted = sa.or_(Promotion.limit_total.is_not(None), Promotion.limit_per_buyer.is_not(None), Promotion.first_order)
    lock_rows(Promotion, session.scalars(sa.select(Promotion.id).where(Promotion.id.in_(ids), counted)))
    nobody_edits = sa.select(Promotion.id).where(Promotion.id.in_(ids)).order_by(Promotion.id)
    session.execute(nobody_edits.with_for_update(read=True, key_share=True))
    facts = {"ids": ids, "user": group.user_id, "company": group.organisation_id, "but": group.id}
    now = {row.id: row for row in session.execute(ON_PURCHASE, facts)}
    lost = [_difference(one, why) for one in kept if (why := _why(one, now.get(one.promotion_id)))]
    if lost:
        raise Conflict("discount_changed", differences=lost)


def _why(one: Discount, row: Any) -> str:
    if row is None:
        return "ended"
    return _refusal(row) or ("changed" if row.version != one.version else "")


def _difference(one: Discount, why: str) -> dict[str, Any]:
    """A discount that does not hold any more; kopeks."""
    return {"kind": "discount", "name_ru": one.name_ru, "name_en": one.name_en, "why": why, "was": one.amount, "now": 0}


def _count(ids: Iterable[int], by: int) -> None:
    session.execute(
        sa.update(Promotion)
        .where(Promotion.id.in_(list(ids)), Promotion.uses_left.is_not(None))
        .values(uses_left=Promotion.uses_left + by)
        .execution_options(synchronize_session=False)
    )


def give_back(order: Order) -> None:
    """An order came to nothing: promotions that no living order of the purchase used have a use more.

    The caller holds the purchase; safe to call again.
    """
    session.flush()
    alive = (
        sa.exists()
        .where(
            AppliedPromotion.promotion_id == PromotionUse.promotion_id, OrderLine.id == AppliedPromotion.order_line_id
        )
        .where(Order.id == OrderLine.order_id, Order.group_id == PromotionUse.group_id, Order.status.not_in(OVER))
    )
    mine = sa.select(PromotionUse).where(PromotionUse.group_id == order.group_id, PromotionUse.given_back_at.is_(None))
    uses = session.scalars(mine.where(~alive)).all()
    ids = [use.promotion_id for use in uses]
    if not ids:
        return
    lock_rows(
        Promotion,
        session.scalars(sa.select(Promotion.id).where(Promotion.id.in_(ids), Promotion.uses_left.is_not(None))),
    )
    for use in uses:
        use.given_back_at = clock.now()
    session.flush()
    _count(ids, 1)


def borne_by_operator(lines: Sequence[Any]) -> dict[int, Borne]:
    """Order line -> the operator's part of its discount, for every line that has one.

    Args:
        lines: `OrderLine` or `queries.LineRow`.
    """
    with_discount = {line.id: line for line in lines if line.discount}
    rows = session.execute(
        sa.select(AppliedPromotion.order_line_id, sa.func.sum(AppliedPromotion.by_operator))
        .where(AppliedPromotion.order_line_id.in_(list(with_discount)))
        .group_by(AppliedPromotion.order_line_id)
    )
    found = {}
    for line_id, amount in rows if with_discount else ():
        line = with_discount[line_id]
        found[line_id] = Borne(int(amount), discounts.sold_for(line.price, line.quantity, line.discount))
    return found


@dataclass(frozen=True, slots=True)
class TakenOff:
    """What a promotion takes off an order now, in kopeks."""

    order_id: int
    name_ru: str
    name_en: str
    amount: int


def taken_off(lines: Sequence[Any]) -> list[TakenOff]:
    """Discounts of orders by promotion, out of all their lines; what was not delivered has no discount any more.

    Args:
        lines: `queries.LineRow`.
    """
    off = {line.id: line for line in lines if line.discount}
    if not off:
        return []
    rows = session.execute(
        sa.select(AppliedPromotion.order_line_id, AppliedPromotion.promotion_id, Promotion.name_ru, Promotion.name_en,
                  AppliedPromotion.amount)
        .join(Promotion, Promotion.id == AppliedPromotion.promotion_id)
        .where(AppliedPromotion.order_line_id.in_(list(off)))
        .order_by(AppliedPromotion.id)
    ).all()  # fmt: skip
    found: dict[tuple[int, int], TakenOff] = {}
    for line in off.values():
        mine = [row for row in rows if row.order_line_id == line.id]
        for row, now in zip(mine, money.split(line.discount_now, [row.amount for row in mine]), strict=True):
            key = line.order_id, row.promotion_id
            so_far = found.get(key)
            sum_ = now + (so_far.amount if so_far else 0)
            found[key] = TakenOff(line.order_id, row.name_ru, row.name_en, sum_)
    return [row for row in found.values() if row.amount]
