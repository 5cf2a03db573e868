"""What a seller proposes instead of the whole of a placed order: less of a line, or another product in its place.

A substitute stands in the same category, says the same in every attribute one filters by, is the seller's own, lies in
the warehouse that serves the line, and costs no more than what it replaces: the buyer never pays more than agreed.
Nothing of the order changes before the buyer accepts; then the order is accepted with the change in one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import audit, clock, mail, money, timers
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.core.units import ceil_to_step
from app.offers import queries as offers
from app.offers import stock
from app.offers.levels import StockLine
from app.offers.queries import OfferForSale
from app.orders import cuts, numbers, pallets, rules, service
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderGroup, OrderLine
from app.orders.proposal_models import OrderProposal, OrderProposalLine
from app.orders.queries import OrderView
from app.orders.totals import Load, factor_of, load_of, worth_of
from app.orders.transitions import SYSTEM, locked_order, move_order, note
from app.payments import service as payments
from app.payments.service import FeeLine

ANSWER_WITHIN = timedelta(hours=24)
"""How long the buyer may think."""
AFTER = timedelta(hours=4)
"""What the seller has left to answer the order after the buyer has answered, or has not."""
MOST_CANDIDATES = 20
HEAVIER = Fraction(11, 10)
"""A substitute may weigh this much of what it replaces: the truck was chosen for the first load."""
PRICE_RULE = "substitute"


@dataclass(frozen=True, slots=True)
class Wish:
    """What would become of a line: `kept` units of it, and `quantity` units of the offer `substitute` at `price`.

    Without a quantity it is as much as is taken off, without a price the offer's own, or less so that nobody pays more.
    """

    line: uuid.UUID
    kept: Decimal
    substitute: uuid.UUID | None = None
    quantity: Decimal | None = None
    price: int | None = None


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """A line of an open proposal as both sides see it. `offer` None: only less of it. Kopeks; `off`: taken off the
    goods, `deposit`: for pallets that are not needed any more. What stands in comes without returnable pallets.
    """

    line_id: int
    kept: Decimal
    off: int
    offer: OfferForSale | None
    quantity: Decimal
    price: int
    gross: int
    deposit: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open proposal. `less`: by how many kopeks the order becomes cheaper."""

    order_id: int
    public_id: uuid.UUID
    note: str
    answer_by: datetime
    lines: tuple[ProposedLine, ...]

    @property
    def less(self) -> int:
        return sum(line.off + line.deposit - line.gross for line in self.lines)


def open_of(order_ids: Sequence[int]) -> dict[int, Proposal]:
    """The open proposals of these orders, by order: three queries at most, one when there is none."""
    rows = session.execute(
        sa.select(OrderProposal, OrderProposalLine, OrderLine)
        .join(OrderProposalLine, OrderProposalLine.proposal_id == OrderProposal.id)
        .join(OrderLine, OrderLine.id == OrderProposalLine.order_line_id)
        .where(OrderProposal.order_id.in_(order_ids), OrderProposal.status == "offered")
        .order_by(OrderLine.position)
    ).all()
    known = offers.offer_rows(change.offer_id for _row, change, _line in rows if change.offer_id) if rows else {}
    carried = Load([], _pieces([line.id for _row, _change, line in rows if line.pallet_deposit]))
    found: dict[int, Proposal] = {}
    for row, change, line in rows:
        proposed = _proposed(change, line, known.get(change.offer_id or 0), carried.of_line(line.id))
        before = found.get(row.order_id)
        lines = (*before.lines, proposed) if before else (proposed,)
        found[row.order_id] = Proposal(row.order_id, row.public_id, row.note, row.answer_by, lines)
    return found


def _pieces(line_ids: Sequence[int]) -> list[FulfilmentLine]:
    if not line_ids:
        return []
    return list(session.scalars(sa.select(FulfilmentLine).where(FulfilmentLine.order_line_id.in_(line_ids))))


def _proposed(
    change: OrderProposalLine, line: OrderLine, offer: OfferForSale | None, pieces: Sequence[FulfilmentLine]
) -> ProposedLine:
    quantity, price = change.quantity or Decimal(0), change.price or 0
    gross = rules.line_money(price, quantity, offer.vat_percent).gross if offer else 0
    return ProposedLine(
        line.id, change.kept, _off(line, change.kept), offer, quantity, price, gross,
        pallets.freed(line, pieces, cuts.given_up(line, change.kept, pieces)),
    )  # fmt: skip


def shown(orders: Sequence[OrderView]) -> dict[int, Proposal]:
    """The open proposals of orders with their history; nothing is asked when the history names none."""
    told = [o.row.id for o in orders if o.row.status == "placed" and o.reached("order.change_proposed")]
    return open_of(told) if told else {}


def _off(line: OrderLine, kept: Decimal) -> int:
    """Kopeks of a line that go with what is not kept, as the order will be recounted."""
    return line.gross - worth_of(line, rules.to_base(kept, factor_of(line))).gross


_SAME = sa.text(
    """
    WITH wanted AS (
        SELECT id, category_id FROM product WHERE id = ANY(:products)
    ), own AS (
        SELECT o.id, o.product_id, p.category_id FROM offer o JOIN product p ON p.id = o.product_id
        WHERE o.seller_id = :seller AND o.status = 'active' AND p.status = 'active'
            AND p.category_id IN (SELECT category_id FROM wanted)
    ), said AS (
        SELECT v.product_id, array_agg(v.attribute_id || '=' || v.text ORDER BY v.attribute_id, v.text) AS facts
        FROM product_value v JOIN attribute a ON a.id = v.attribute_id AND a.is_facet
        WHERE v.product_id IN (SELECT id FROM wanted UNION SELECT product_id FROM own)
        GROUP BY v.product_id
    )
    SELECT w.id, own.id FROM wanted w
    JOIN own ON own.category_id = w.category_id AND own.product_id <> w.id
    LEFT JOIN said a ON a.product_id = w.id
    LEFT JOIN said b ON b.product_id = own.product_id
    WHERE a.facts IS NOT DISTINCT FROM b.facts
    """
)


def candidates(seller_id: int, product_ids: Sequence[int]) -> dict[int, list[OfferForSale]]:
    """Product -> offers of the seller that may stand in for it, cheapest first: same category, same attributes."""
    pairs = session.execute(_SAME, {"products": sorted(set(product_ids)), "seller": seller_id}).all()
    known = offers.offer_rows(offer for _product, offer in pairs)
    found: dict[int, list[OfferForSale]] = {}
    for product, offer in pairs:
        if known[offer].is_active and known[offer].available > 0:
            found.setdefault(product, []).append(known[offer])
    return {p: sorted(rows, key=lambda o: (o.price, o.id))[:MOST_CANDIDATES] for p, rows in found.items()}


@unit_of_work
def propose(actor: Actor, number: str, wishes: Sequence[Wish], words: str = "") -> None:
    """Offer the buyer less of some lines or something else instead. The order waits for the answer.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: an unknown line or offer, a quantity, price or weight that cannot be, nothing changed, nothing left.
        Conflict: `order_state`, `accept_deadline_passed`, `proposal_open`.
    """
    _group, order, trips = service.of_seller(actor, number)
    if order.status != "placed":
        raise Conflict("order_state", state=order.status, wanted="placed")
    if order.accept_by <= clock.now():
        raise Conflict("accept_deadline_passed")
    if open_of([order.id]):
        raise Conflict("proposal_open")
    if len(words) > service.REASON_LENGTH:
        raise Invalid.one("/note", "too_long", maximum=service.REASON_LENGTH)
    load = load_of(order.id)
    rows = _checked(actor.seller_id, load, trips, wishes)
    row = OrderProposal(
        order_id=order.id, note=words.strip(), user_id=actor.user, answer_by=clock.now() + ANSWER_WITHIN
    )
    session.add(row)
    session.flush()
    for line in rows:
        line.proposal_id = row.id
    session.add_all(rows)
    order.accept_by = max(order.accept_by, row.answer_by + AFTER)
    timers.set_timer("order", order.id, "expire", order.accept_by)
    timers.set_timer("proposal", row.id, "expire", row.answer_by)
    note(actor, order, "order.change_proposed", reason=row.note)
    audit.record(actor, "order.change_proposed", "order", order.id, after={"proposal": str(row.public_id)})
    session.flush()
    buyer = accounts.profile(_buyer_of(order))
    mail.queue(buyer.email, "order_change", buyer.locale, name=buyer.name, number=order.number,
               seller=order.seller_name, hours=ANSWER_WITHIN // timedelta(hours=1),
               path=f"/orders/{numbers.group_of(order.number)}")  # fmt: skip


def _buyer_of(order: Order) -> int:
    found: int = session.scalars(sa.select(OrderGroup.user_id).where(OrderGroup.id == order.group_id)).one()
    return found


def _checked(
    seller_id: int, load: Load, trips: Sequence[Fulfilment], wishes: Sequence[Wish]
) -> list[OrderProposalLine]:
    """The lines that change, as rows without their proposal."""
    by_public = {line.public_id: line for line in load.lines}
    same = candidates(seller_id, [line.product_id for line in load.lines])
    errors: list[FieldError] = []
    rows: dict[int, OrderProposalLine] = {}
    for wish in wishes:
        line = by_public.get(wish.line)
        if line is None or line.id in rows:
            errors.append(FieldError(f"/lines/{wish.line}", "unknown_order_line" if line is None else "line_twice"))
            continue
        wanted = cuts.wanted(line)
        if not wish.kept.is_finite() or not 0 <= wish.kept <= wanted:
            errors.append(FieldError(f"/lines/{wish.line}", "counted_range", {"maximum": f"{wanted.normalize():f}"}))
        elif wish.substitute is not None:
            offer = next((o for o in same.get(line.product_id, []) if o.public_id == wish.substitute), None)
            try:
                rows[line.id] = _replaced(line, wish, offer, _place_of(line, load, trips))
            except Invalid as refusal:
                errors += refusal.errors
        elif wish.kept < wanted:
            rows[line.id] = OrderProposalLine(order_line_id=line.id, kept=wish.kept)
    left = [rows[li.id].kept if li.id in rows else cuts.wanted(li) for li in load.lines]
    if not errors and not rows:
        errors.append(FieldError("/lines", "proposal_empty"))
    elif not errors and not any(left) and not any(r.offer_id for r in rows.values()):
        errors.append(FieldError("/lines", "accept_nothing"))
    if errors:
        raise Invalid(errors)
    return list(rows.values())


def _place_of(line: OrderLine, load: Load, trips: Sequence[Fulfilment]) -> Fulfilment:
    """The trip that a line's substitute goes with: the first that carries the line."""
    carried = {piece.fulfilment_id for piece in load.of_line(line.id) if piece.quantity}
    return next((t for t in trips if t.id in carried), trips[0])


def _replaced(line: OrderLine, wish: Wish, offer: OfferForSale | None, trip: Fulfilment) -> OrderProposalLine:
    """A line with something in place of what is not kept of it.

    Raises:
        Invalid: why the offer cannot stand in.
    """
    at = f"/lines/{line.public_id}"
    gone = cuts.wanted(line) - wish.kept
    if offer is None:
        raise Invalid.one(f"{at}/substitute", "not_a_substitute")
    if gone <= 0:
        raise Invalid.one(at, "nothing_to_replace")
    off = _off(line, wish.kept)
    quantity = wish.quantity
    if quantity is None:
        base = Fraction(gone) * factor_of(line)
        quantity = ceil_to_step(base / offer.factor, offer.step, offer.minimum)
    if not quantity.is_finite() or quantity < offer.minimum or quantity % offer.step:
        raise Invalid.one(f"{at}/quantity", "quantity_step", step=f"{offer.step.normalize():f}")
    there = offer.available_at(trip.warehouse_id)
    if quantity > there:
        raise Invalid.one(f"{at}/quantity", "counted_range", maximum=f"{there.normalize():f}")
    price = (
        min(offer.price_for(quantity).price, int(Fraction(off) / Fraction(quantity)))
        if wish.price is None
        else wish.price
    )
    if price <= 0 or rules.line_money(price, quantity, offer.vat_percent).gross > off:
        raise Invalid.one(f"{at}/price", "substitute_dearer", maximum=f"{money.as_decimal(off):f}")
    mass = Fraction(offer.mass_kg * rules.to_base(quantity, offer.factor))
    replaced = Fraction(line.mass_kg) * Fraction(gone) / Fraction(line.quantity)
    if mass > replaced * HEAVIER or offer.length_mm > max(trip.length_mm, line.length_mm):
        raise Invalid.one(f"{at}/quantity", "substitute_heavier")
    return OrderProposalLine(order_line_id=line.id, kept=wish.kept, offer_id=offer.id, quantity=quantity, price=price)


@unit_of_work
def accept(actor: Actor, number: str) -> int:
    """The buyer agrees: the order is accepted with the change.

    Returns:
        By how many kopeks the order became cheaper.

    Raises:
        NotFound: absent, another person's, or nothing is proposed.
        Conflict: `order_state`, `proposal_over`, or `substitute_gone` when others bought it meanwhile.
    """
    group, order, trips, row = _of_buyer(actor, number)
    proposed = open_of([order.id])[order.id]
    load = load_of(order.id)
    by_id = {line.id: line for line in load.lines}
    needed: list[StockLine] = []
    added: list[tuple[OrderLine, Fulfilment]] = []
    for line in load.lines:
        line.accepted = cuts.wanted(line)
    for change in proposed.lines:
        line = by_id[change.line_id]
        trip = _place_of(line, load, trips)
        line.accepted = change.kept
        cuts.give_up(actor, line, change.kept, trips, load, "accepted_less")
        if change.offer is not None:
            new = _substitute(order, line, change, change.offer, len(load.lines) + len(added) + 1)
            added.append((new, trip))
            needed.append(StockLine(change.offer.id, trip.warehouse_id, new.quantity_base))
    _take(actor, order, needed)
    _write(order, added)
    _close(row, "accepted")
    order.accepted_at = clock.now()
    move_order(actor, order, "accepted", details={"proposal": str(row.public_id)})
    timers.clear("order", order.id, "expire")
    less = cuts.settle(actor, group, order, trips, load_of(order.id), "change_accepted")
    session.flush()
    return less


def _substitute(order: Order, line: OrderLine, change: ProposedLine, offer: OfferForSale, position: int) -> OrderLine:
    worth = rules.line_money(change.price, change.quantity, offer.vat_percent)
    base = rules.to_base(change.quantity, offer.factor)
    return OrderLine(
        order_id=order.id, position=position, offer_id=offer.id, product_id=offer.product_id, name_ru=offer.name_ru,
        name_en=offer.name_en, sku=offer.sku, unit=offer.unit, factor_numerator=offer.factor.numerator,
        factor_denominator=offer.factor.denominator, quantity=change.quantity, quantity_base=base,
        accepted=change.quantity, price=change.price, price_rule=PRICE_RULE, vat_percent=offer.vat_percent,
        net=worth.net, vat=worth.vat, gross=worth.gross, length_mm=offer.length_mm, replaces_id=line.id,
        mass_kg=(offer.mass_kg * base).quantize(Decimal("0.0001")),
        volume_m3=(offer.volume_m3 * base).quantize(Decimal("0.000001")),
    )  # fmt: skip


def _take(actor: Actor, order: Order, needed: Sequence[StockLine]) -> None:
    try:
        stock.take(needed, stock.Cause("order", order.id, actor, "substitute"))
    except Conflict as refusal:
        raise Conflict("substitute_gone") from refusal


def _write(order: Order, added: Sequence[tuple[OrderLine, Fulfilment]]) -> None:
    """Lines, what the trips carry of them, and the fees of the market."""
    session.add_all(line for line, _trip in added)
    session.flush()
    session.add_all(
        FulfilmentLine(fulfilment_id=trip.id, order_line_id=line.id, quantity=line.quantity_base)
        for line, trip in added
    )
    session.flush()
    rows = offers.offer_rows(line.offer_id for line, _trip in added)
    paths = service.paths_of({row.category_id for row in rows.values()})
    payments.freeze_fees(
        [FeeLine(line.id, order.seller_id, paths[rows[line.offer_id].category_id], line.gross) for line, _ in added]
    )


@unit_of_work
def decline(actor: Actor, number: str) -> None:
    """The buyer wants what was ordered, or nothing: the seller answers the order as it stands.

    Raises:
        NotFound: absent, another person's, or nothing is proposed.
        Conflict: `order_state`, `proposal_over`.
    """
    _group, order, _trips, row = _of_buyer(actor, number)
    _close(row, "declined")
    note(actor, order, "order.change_declined")
    audit.record(actor, "order.change_declined", "order", order.id, after={"proposal": str(row.public_id)})


@unit_of_work
def withdraw(actor: Actor, number: str) -> None:
    """The seller takes the proposal back.

    Raises:
        NotFound: absent, another seller's, or nothing is proposed.
    """
    _group, order, _trips = service.of_seller(actor, number)
    _close(_open_row(order.id), "withdrawn")
    note(actor, order, "order.change_withdrawn")
    audit.record(actor, "order.change_withdrawn", "order", order.id)


@unit_of_work
def expire(proposal_id: int) -> None:
    """The buyer did not answer. Called by the timer; what was answered stays as it is."""
    row = session.get(OrderProposal, proposal_id)
    if row is None:
        return
    _group, order, _trips = locked_order(row.order_id)
    session.refresh(row)
    if row.status == "offered":
        _close(row, "expired")
        note(SYSTEM, order, "order.change_expired")


def _of_buyer(actor: Actor, number: str) -> tuple[OrderGroup, Order, list[Fulfilment], OrderProposal]:
    """The order and its open proposal, locked."""
    group, order, trips = service.of_buyer(actor, number)
    rules.ORDER.check(order.status, "accepted")
    row = _open_row(order.id)
    if row.answer_by <= clock.now():
        raise Conflict("proposal_over")
    return group, order, trips, row


def _open_row(order_id: int) -> OrderProposal:
    row = session.scalars(
        sa.select(OrderProposal)
        .where(OrderProposal.order_id == order_id, OrderProposal.status == "offered")
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _close(row: OrderProposal, new: str) -> None:
    """Make a declared transition of a locked proposal.

    Raises:
        Conflict: `proposal_state`.
    """
    rules.PROPOSAL.check(row.status, new)
    row.status, row.answered_at = new, clock.now()
    timers.clear("proposal", row.id, "expire")
    session.flush()
