"""Decisions of discounts that need no database: which promotions take how much off which goods, and of a part of them.

Money is kopeks of gross prices. A line keeps one kopek at least: a gift is another thing for taxes than a sale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.core import money
from app.orders.rules import LineMoney, line_money

MOST_COMPARED = 12
"""Promotions that exclude one another are compared in every combination; beyond so many only the largest are."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a promotion says of one cart: `offers` are those of the cart that it speaks of."""

    id: int
    version: int
    name_ru: str
    name_en: str
    code: str
    percent: Decimal | None
    amount: int | None
    minimum: int
    cap: int | None
    is_stackable: bool
    operator_share: Decimal
    offers: frozenset[int]

    def missing(self, goods: Mapping[int, int]) -> int:
        """Kopeks of its goods, at list prices, that are missing to its minimum."""
        return max(0, self.minimum - sum(goods[offer] for offer in self.offers if offer in goods))

    def off(self, left: Mapping[int, int]) -> dict[int, int]:
        """What it takes off, by offer: shared in proportion to what can be taken, by the largest remainder.

        Args:
            left: offer -> kopeks that its line costs now.
        """
        room = {offer: left[offer] - 1 for offer in left if offer in self.offers and left[offer] > 1}
        if not room:
            return {}
        if self.percent is not None:
            wanted = money.percent_of(sum(left[offer] for offer in room), self.percent)
            wanted = wanted if self.cap is None else min(wanted, self.cap)
        else:
            wanted = self.amount or 0
        parts = money.split(min(wanted, sum(room.values())), list(room.values()))
        return {offer: part for offer, part in zip(room, parts, strict=True) if part}


@dataclass(frozen=True, slots=True)
class Part:
    """Kopeks off one line; `operator` of them are borne by the operator, the rest by the seller."""

    amount: int
    operator: int


@dataclass(frozen=True, slots=True)
class Discount:
    """A promotion as it works on a cart: offer -> what it takes off."""

    promotion_id: int
    version: int
    name_ru: str
    name_en: str
    code: str
    parts: Mapping[int, Part]

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts.values())

    def as_json(self) -> dict[str, Any]:
        """As a checkout's quote keeps it."""
        parts = {str(offer): [part.amount, part.operator] for offer, part in self.parts.items()}
        return {"promotion": self.promotion_id, "version": self.version, "name_ru": self.name_ru,
                "name_en": self.name_en, "code": self.code, "parts": parts}  # fmt: skip

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Discount:
        """What a checkout's quote kept."""
        parts = {int(offer): Part(*part) for offer, part in kept["parts"].items()}
        return cls(kept["promotion"], kept["version"], kept["name_ru"], kept["name_en"], kept["code"], parts)


def promised(payload: Mapping[str, Any]) -> tuple[Discount, ...]:
    """The discounts of a checkout's quote."""
    return tuple(Discount.of(kept) for kept in payload.get("discounts", ()))


def choose(terms: Sequence[Terms], goods: Mapping[int, int]) -> tuple[Discount, ...]:
    """The discounts of a cart.

    Of promotions that do not stack no two may touch one line; the set that takes most off list prices wins. Stackable
    ones follow in their order, each on what is left.

    Args:
        terms: promotions that hold for this buyer now, in the declared order.
        goods: offer -> gross of its line at list price.
    """
    fit = [one for one in terms if one.offers & goods.keys() and not one.missing(goods)]
    left = dict(goods)
    found = []
    alone = [one for one in fit if not one.is_stackable]
    for one in [*_best(alone, goods), *(one for one in fit if one.is_stackable)]:
        off = one.off(left)
        if off:
            found.append(_discount(one, off))
            left |= {offer: left[offer] - part for offer, part in off.items()}
    return tuple(found)


def _best(alone: Sequence[Terms], goods: Mapping[int, int]) -> tuple[Terms, ...]:
    """The promotions, no two on one line, that together take most off; among equal sets the earlier declared."""
    worth = {one.id: sum(one.off(goods).values()) for one in alone}
    largest = sorted((one for one in alone if worth[one.id]), key=lambda one: -worth[one.id])[:MOST_COMPARED]

    def best(rest: tuple[Terms, ...]) -> tuple[int, tuple[Terms, ...]]:
        if not rest:
            return 0, ()
        first, others = rest[0], rest[1:]
        touched = first.offers & goods.keys()
        sum_with, chosen = best(tuple(one for one in others if not one.offers & touched))
        without = best(others)
        taken = sum_with + worth[first.id], (first, *chosen)
        return taken if taken[0] >= without[0] else without

    return best(tuple(one for one in alone if one in largest))[1]


def _discount(one: Terms, off: Mapping[int, int]) -> Discount:
    """Who bears it is split exactly: the operator's part of the whole, shared among the lines."""
    operator = money.percent_of(sum(off.values()), one.operator_share)
    shares = money.split(operator, list(off.values()))
    parts = {offer: Part(amount, share) for (offer, amount), share in zip(off.items(), shares, strict=True)}
    return Discount(one.id, one.version, one.name_ru, one.name_en, one.code, parts)


def off_by_offer(discounts: Sequence[Discount]) -> dict[int, int]:
    """Offer -> kopeks off its line, by all discounts together."""
    found: dict[int, int] = {}
    for one in discounts:
        for offer, part in one.parts.items():
            found[offer] = found.get(offer, 0) + part.amount
    return found


def sold_for(price: int, quantity: Decimal, discount: int) -> int:
    """Gross of a whole line after its discount, as it was ordered."""
    return money.line_total(price, quantity) - discount


def worth_of(price: int, quantity: Decimal, discount: int, units: Fraction, vat_percent: Decimal) -> LineMoney:
    """Money of so many units of an ordered line: its discounted sum in proportion, rounded once, half up.

    Of parts handed over one after another the differences sum to the whole.
    """
    if not discount:
        return line_money(price, units, vat_percent)
    gross = money.round_half_up(sold_for(price, quantity, discount) * units / Fraction(quantity))
    return LineMoney(gross, money.vat_included(gross, vat_percent) if vat_percent else 0)
