"""State machines of all domains: what is not declared is refused."""

from __future__ import annotations

import pytest

from app.core.errors import Conflict
from app.core.machine import Machine
from tools.docs import machines


@pytest.mark.parametrize("one", machines(), ids=lambda one: one.name)
def test_only_declared_transitions_are_let_through(one: Machine) -> None:
    states = set(one.table)
    assert states == states.union(*one.table.values()), "every state that is led to is declared"
    for old in states:
        for new in states:
            if new in one.table[old]:
                one.check(old, new)
                continue
            with pytest.raises(Conflict) as refused:
                one.check(old, new)
            assert refused.value.code == f"{one.name}_state"
            assert refused.value.context == {"state": old, "wanted": new}
    first = next(iter(one.table))
    reached = {first}
    for _step in states:
        reached |= {new for old in reached for new in one.table[old]}
    assert reached == states, "every state can be come to"
    assert one.last, "it ends somewhere"
