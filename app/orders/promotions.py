"""Commands on promotions: make, edit while nobody has used it, stop; and the code in a buyer's cart.

A seller's promotion speaks of own offers only and is borne by the seller; the operator's may speak of anything.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog import queries as catalog
from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.offers import sellers
from app.orders import promoting
from app.orders.carts import find_cart
from app.orders.checkout import wishes_of
from app.orders.plan import make_plan
from app.orders.promotion_models import (
    SCOPES,
    Promotion,
    PromotionCategory,
    PromotionOffer,
    PromotionUse,
)

MOST_KOPEKS = 10**12
MOST_USES = 1_000_000
NAME_LENGTH = 120
MOST_SKUS = 500
CODE = re.compile(r"[0-9A-ZА-ЯЁ][0-9A-ZА-ЯЁ-]{2,31}")


@dataclass(frozen=True, slots=True)
class PromotionData:
    """What a promotion says; kopeks. `percent` or `amount`; `seller_id` None: any seller; `valid_from` None: today.

    `categories` by slug and `skus` of the seller's offers speak when the scope is theirs.
    """

    name_ru: str
    name_en: str
    percent: Decimal | None = None
    amount: int | None = None
    cap: int | None = None
    minimum: int = 0
    scope: str = "all"
    seller_id: int | None = None
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    first_order: bool = False
    code: str = ""
    is_stackable: bool = False
    priority: int = 100
    operator_share: Decimal = Decimal(0)
    valid_from: date | None = None
    valid_to: date | None = None
    limit_total: int | None = None
    limit_per_buyer: int | None = None


@dataclass(frozen=True, slots=True)
class _Checked:
    values: dict[str, Any]
    categories: tuple[int, ...]
    offers: tuple[int, ...]


@unit_of_work
def make(actor: Actor, given: PromotionData, seller_id: int | None = None) -> uuid.UUID:
    """A new promotion.

    Args:
        seller_id: of the seller who makes it, for own goods at own cost; None: the operator makes it.

    Raises:
        Invalid: with every wrong field; `code_taken` when a running promotion has the code.
    """
    checked = _check(given, seller_id, None)
    row = Promotion(**checked.values, by_seller=seller_id is not None, created_by_id=actor.user)
    session.add(row)
    session.flush()
    _name_goods(row.id, checked)
    audit.record(actor, "promotion.made", "promotion", row.id, after=_facts(row))
    return row.public_id


@unit_of_work
def edit(
    actor: Actor, promotion: uuid.UUID, given: PromotionData, seller_id: int | None = None, version: int | None = None
) -> None:
    """Change what a promotion says while no purchase has used it.

    Raises:
        NotFound: absent, or not the seller's own. Stale: it was changed meanwhile. Invalid: with every wrong field.
        Conflict: `promotion_used`, `promotion_stopped`.
    """
    row = _locked(promotion, seller_id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    if row.stopped_at is not None:
        raise Conflict("promotion_stopped")
    if session.scalar(sa.select(sa.exists().where(PromotionUse.promotion_id == row.id))):
        raise Conflict("promotion_used")
    before = _facts(row)
    checked = _check(given, seller_id, row.id)
    for name, value in checked.values.items():
        setattr(row, name, value)
    row.version += 1
    for goods in (PromotionCategory, PromotionOffer):
        session.execute(sa.delete(goods).where(goods.promotion_id == row.id))
    session.flush()
    _name_goods(row.id, checked)
    audit.record(actor, "promotion.changed", "promotion", row.id, before=before, after=_facts(row))


@unit_of_work
def stop(actor: Actor, promotion: uuid.UUID, seller_id: int | None = None) -> None:
    """The promotion takes nothing off any more, whatever was quoted; stopped again: nothing changes.

    Raises:
        NotFound: absent, or not the seller's own.
    """
    row = _locked(promotion, seller_id)
    if row.stopped_at is None:
        row.stopped_at = clock.now()
        row.version += 1
        session.flush()
        audit.record(actor, "promotion.stopped", "promotion", row.id, after=_facts(row))


@unit_of_work
def use_code(actor: Actor, token: str, code: str, company_id: int | None = None) -> None:
    """Keep a code in the cart of the person or guest; an empty one takes it out.

    A code that may work once the cart is another (`too_small`, `other_goods`, `not_best`) is kept and told about.

    Raises:
        Conflict: `cart_empty`.
        Invalid: `/code` with `code_unknown`, `code_ended`, `code_not_yet`, `code_used_up`, `code_used_by_you` or
            `code_first_order`.
    """
    cart = find_cart(actor, token, lock=True)
    wishes = wishes_of(cart) if cart is not None else []
    if cart is None or not wishes:
        raise Conflict("cart_empty")
    promoting.set_code(cart, code, company_id, make_plan(wishes, None, clock.today(), with_delivery=False))


def _locked(promotion: uuid.UUID, seller_id: int | None) -> Promotion:
    wanted = sa.select(Promotion.id).where(Promotion.public_id == promotion)
    if seller_id is not None:
        wanted = wanted.where(Promotion.seller_id == seller_id, Promotion.by_seller)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound()
    row: Promotion = lock_rows(Promotion, [found])[0]
    return row


def _name_goods(promotion_id: int, checked: _Checked) -> None:
    session.add_all(PromotionCategory(promotion_id=promotion_id, category_id=one) for one in checked.categories)
    session.add_all(PromotionOffer(promotion_id=promotion_id, offer_id=one) for one in checked.offers)
    session.flush()


def _facts(row: Promotion) -> dict[str, Any]:
    return {"name": row.name_ru, "percent": None if row.percent is None else f"{row.percent:f}", "amount": row.amount,
            "code": row.code, "operator_share": f"{row.operator_share:f}", "limit": row.limit_total,
            "stopped": row.stopped_at is not None}  # fmt: skip


def _check(given: PromotionData, seller_id: int | None, own_id: int | None) -> _Checked:
    """The row's values and the goods named.

    Args:
        own_id: of the promotion that is edited: its code is its own.
    """
    owner = given.seller_id if seller_id is None else seller_id
    errors = [*_wrong_words(given, own_id), *_wrong_sums(given), *_wrong_bounds(given)]
    if given.scope not in SCOPES:
        errors.append(FieldError("/scope", "unknown_option"))
    if owner is not None and owner not in sellers.sellers([owner]):
        errors.append(FieldError("/seller", "unknown_option"))
    categories = _categories(given, errors)
    offers = _offers(given, owner, errors)
    if seller_id is not None and given.operator_share:
        errors.append(FieldError("/operator_share", "own_cost_only"))
    if errors:
        raise Invalid(errors)
    names = ("amount", "cap", "minimum", "scope", "first_order", "is_stackable", "priority", "valid_to",
             "limit_total", "limit_per_buyer")  # fmt: skip
    values = {name: getattr(given, name) for name in names}
    values |= {
        "name_ru": given.name_ru.strip(), "name_en": given.name_en.strip(), "seller_id": owner,
        "percent": None if given.percent is None else given.percent.quantize(Decimal("0.01")),
        "operator_share": given.operator_share.quantize(Decimal("0.01")), "code": promoting.normal(given.code),
        "valid_from": given.valid_from or clock.today(), "uses_left": given.limit_total,
    }  # fmt: skip
    return _Checked(values, categories, offers)


def _wrong_words(given: PromotionData, own_id: int | None) -> list[FieldError]:
    errors = []
    for name in ("name_ru", "name_en"):
        text = getattr(given, name).strip()
        if not text:
            errors.append(FieldError(f"/{name}", "required"))
        elif len(text) > NAME_LENGTH:
            errors.append(FieldError(f"/{name}", "too_long", {"maximum": NAME_LENGTH}))
    code = promoting.normal(given.code)
    if code and not CODE.fullmatch(code):
        errors.append(FieldError("/code", "code_malformed"))
    elif code:
        one_by_one = sa.text("SELECT pg_advisory_xact_lock(hashtext('promotion'), hashtext(:code))")
        session.execute(one_by_one, {"code": code})  # whoever makes the same code at this moment sees the other's
        taken = sa.exists().where(Promotion.code == code, Promotion.stopped_at.is_(None), Promotion.id != (own_id or 0))
        if session.scalar(sa.select(taken)):
            errors.append(FieldError("/code", "code_taken"))
    return errors


def _wrong_sums(given: PromotionData) -> list[FieldError]:
    errors = []
    if (given.percent is None) == (given.amount is None):
        errors.append(FieldError("/percent", "percent_or_amount"))
    elif given.percent is not None and not (given.percent.is_finite() and Decimal("0.01") <= given.percent <= 99):
        errors.append(FieldError("/percent", "discount_percent_range"))
    for name in ("amount", "cap"):
        value = getattr(given, name)
        if value is not None and not 0 < value <= MOST_KOPEKS:
            errors.append(FieldError(f"/{name}", "discount_amount_range"))
    if given.cap is not None and given.percent is None:
        errors.append(FieldError("/cap", "cap_of_percent"))
    if not 0 <= given.minimum <= MOST_KOPEKS:
        errors.append(FieldError("/minimum", "amount_range"))
    if not given.operator_share.is_finite() or not 0 <= given.operator_share <= 100:
        errors.append(FieldError("/operator_share", "percent_range"))
    return errors


def _wrong_bounds(given: PromotionData) -> list[FieldError]:
    errors = []
    first = given.valid_from or clock.today()
    if given.valid_to is not None and given.valid_to < first:
        errors.append(FieldError("/valid_to", "last_before_first"))
    for name in ("limit_total", "limit_per_buyer"):
        value = getattr(given, name)
        if value is not None and not 0 < value <= MOST_USES:
            errors.append(FieldError(f"/{name}", "limit_of_uses", {"maximum": MOST_USES}))
    if not 0 <= given.priority <= 10_000:
        errors.append(FieldError("/priority", "priority_range"))
    return errors


def _categories(given: PromotionData, errors: list[FieldError]) -> tuple[int, ...]:
    if given.scope != "categories":
        return ()
    known = catalog.slugs()
    if not given.categories or any(slug not in known for slug in given.categories):
        errors.append(FieldError("/categories", "unknown_option" if given.categories else "required"))
        return ()
    return tuple({known[slug] for slug in given.categories})


def _offers(given: PromotionData, owner: int | None, errors: list[FieldError]) -> tuple[int, ...]:
    if given.scope != "offers":
        return ()
    if owner is None:
        errors.append(FieldError("/seller", "required"))
        return ()
    wanted = dict.fromkeys(sku.strip() for sku in given.skus if sku.strip())
    if not wanted or len(wanted) > MOST_SKUS:
        errors.append(FieldError("/skus", "too_many" if wanted else "required", {"maximum": MOST_SKUS}))
        return ()
    found = sellers.offers_by_sku(owner, list(wanted))
    if unknown := [sku for sku in wanted if sku not in found]:
        errors.append(FieldError("/skus", "unknown_skus", {"skus": ", ".join(unknown[:5])}))
    return tuple(found.values())
