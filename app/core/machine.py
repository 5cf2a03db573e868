"""State machines as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine as data: from each state the states that may follow."""

    name: str
    table: Mapping[str, frozenset[str]]

    def allows(self, old: str, new: str) -> bool:
        """Whether the transition is declared."""
        return new in self.table.get(old, frozenset())

    def check(self, old: str, new: str) -> None:
        """Let a declared transition through.

        Raises:
            Conflict: `<name>_state` with the present state and the one that was wanted.
        """
        if not self.allows(old, new):
            raise Conflict(f"{self.name}_state", state=old, wanted=new)

    @property
    def last(self) -> frozenset[str]:
        """States that nothing follows."""
        return frozenset(state for state, following in self.table.items() if not following)


def machine(name: str, arrows: Mapping[str, str]) -> Machine:
    """From {state: "the states that may follow"}."""
    return Machine(name, {old: frozenset(new.split()) for old, new in arrows.items()})
