"""Decisions of ordering, for any numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import Conflict
from app.orders import models, rules

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Slow machines are no failure."""

MACHINES = [
    (rules.ORDER, models.ORDER_STATES),
    (rules.FULFILMENT, models.FULFILMENT_STATES),
    (rules.PAYMENT, models.PAYMENT_STATES),
]
quantities = st.decimals(min_value=Decimal("0.001"), max_value=Decimal(100_000), places=3)
steps = st.sampled_from([Decimal(s) for s in ("1", "0.1", "0.5", "2", "48", "0.25")])


@pytest.mark.parametrize(("machine", "states"), MACHINES, ids=lambda x: getattr(x, "name", ""))
def test_every_transition_that_is_not_declared_is_refused(machine: rules.Machine, states: tuple[str, ...]) -> None:
    assert set(machine.table) == set(states)
    for old in states:
        for new in states:
            if new in machine.table[old]:
                machine.check(old, new)
            else:
                with pytest.raises(Conflict) as refused:
                    machine.check(old, new)
                assert refused.value.code == f"{machine.name}_state"


@pytest.mark.parametrize(("machine", "states"), MACHINES, ids=lambda x: getattr(x, "name", ""))
def test_nothing_leads_out_of_a_last_state_and_every_state_is_reached(
    machine: rules.Machine, states: tuple[str, ...]
) -> None:
    assert machine.last
    reached, waiting = set(), [states[0]]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting.extend(machine.table[state])
    assert reached == set(states)


@CALM
@given(wanted=quantities, step=steps, minimum=quantities, most=st.decimals(0, 100_000, places=3))
def test_a_fitted_quantity_is_whole_steps_within_what_there_is(
    wanted: Decimal, step: Decimal, minimum: Decimal, most: Decimal
) -> None:
    fit = rules.fit_quantity(wanted, step, minimum, most)
    if fit is None:
        return
    assert fit.quantity % step == 0
    assert minimum <= fit.quantity <= most
    if not fit.note:
        assert fit.quantity == wanted
    if fit.note == "stock":
        assert most - fit.quantity < step


@CALM
@given(quantity=quantities, numerator=st.integers(1, 10_000), denominator=st.integers(1, 10_000))
def test_units_to_base_and_back(quantity: Decimal, numerator: int, denominator: int) -> None:
    factor = Fraction(numerator, denominator)
    base = rules.to_base(quantity, factor)
    assert abs(Fraction(base) - Fraction(quantity) * factor) <= Fraction(1, 2_000_000)
    if factor >= Fraction(1, 100):
        assert abs(rules.per_unit(base, factor) - quantity) <= Decimal("0.002")


@CALM
@given(price=st.integers(1, 10**9), quantity=quantities, vat=st.sampled_from([0, 5, 7, 10, 22]))
def test_net_and_vat_sum_to_gross(price: int, quantity: Decimal, vat: int) -> None:
    worth = rules.line_money(price, quantity, Decimal(vat))
    assert worth.net + worth.vat == worth.gross
    assert 0 <= worth.vat <= worth.gross
    assert abs(Fraction(worth.gross) - price * Fraction(quantity)) <= Fraction(1, 2)


@CALM
@given(parts=st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=5), share=st.integers(0, 100))
def test_what_trips_give_up_sums_and_the_last_gives_first(parts: list[Decimal], share: int) -> None:
    less = (sum(parts, Decimal(0)) * share / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
    given_up = rules.taken_back(parts, less)
    assert sum(given_up) == less
    assert all(0 <= g <= p for g, p in zip(given_up, parts, strict=True))
    for index, gives in enumerate(given_up):
        if gives:
            assert given_up[index + 1 :] == parts[index + 1 :]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["delivered"], "completed"),
        (["delivered", "in_transit"], None),
        (["delivered", "cancelled"], "completed"),
        (["partially_delivered", "returned"], "completed"),
        (["failed"], None),
        (["returning"], None),
        (["returned"], "cancelled"),
        (["cancelled", "cancelled"], "cancelled"),
    ],
)
def test_what_an_order_becomes(states: list[str], outcome: str | None) -> None:
    assert rules.order_outcome(states) == outcome


@CALM
@given(st.lists(st.sampled_from(models.FULFILMENT_STATES), min_size=1, max_size=5))
def test_the_derived_state_is_a_known_one_and_ignores_cancelled_trips(states: list[str]) -> None:
    derived = rules.derived_fulfilment(states)
    assert derived in models.FULFILMENT_STATES
    assert (derived == "cancelled") == all(s == "cancelled" for s in states)
    assert rules.derived_fulfilment([*states, "cancelled"]) == derived


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([("awaiting", 5), ("voided", 0)], "awaiting"),
        ([("paid", 5), ("awaiting", 1)], "awaiting"),
        ([("paid", 5), ("paid", 1)], "paid"),
        ([("voided", 0), ("voided", 0)], "voided"),
        ([("overdue", 5), ("awaiting", 5)], "overdue"),
    ],
)
def test_the_payment_of_a_purchase(parts: list[tuple[str, int]], status: str) -> None:
    assert rules.derived_payment(parts) == status
