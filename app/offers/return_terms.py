"""What sellers take back of goods that are whole: reading the terms, and a seller's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog.sections import Section, sections
from app.core import audit
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers.models import Seller
from app.offers.return_models import CARRIERS_BACK, ReturnTermsRow

MOST_DAYS = 365
MOST_FEE = Decimal(50)
MOST_CATEGORIES = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """Leftovers: whether, within how many days, only whole packs, the percent kept, who carries, which sections not."""

    accepts: bool = False
    days: int = 14
    whole_packs: bool = True
    fee_percent: Decimal = Decimal(0)
    carried_by: str = "buyer"
    category_ids: tuple[int, ...] = ()

    def excludes(self, path: Iterable[int]) -> bool:
        """Whether goods of a section are not taken back; `path`: the section with all above it."""
        return not set(self.category_ids).isdisjoint(path)


SILENT = Terms()
"""Of a seller who has never said anything: leftovers are not taken back."""
_row = ReturnTermsRow
_COLUMNS = (_row.accepts, _row.days, _row.whole_packs, _row.fee_percent, _row.carried_by, _row.category_ids)
TERMS_JSON = (
    sa.select(sa.func.json_build_array(*(c.cast(sa.Text) if c is _row.fee_percent else c for c in _COLUMNS)))
    .where(_row.seller_id == Seller.id)
    .order_by(_row.id.desc())
    .limit(1)
    .correlate(Seller)
    .scalar_subquery()
)
"""The present terms of a seller inside another statement; `from_json` reads it."""


def from_json(found: list[Any] | None) -> Terms:
    """The terms of a column `TERMS_JSON`."""
    return _terms(found) if found else SILENT


def _terms(row: Any) -> Terms:
    accepts, days, whole, fee, carried_by, categories = row
    return Terms(accepts, days, whole, Decimal(fee), carried_by, tuple(categories))


def current(seller_ids: Iterable[int]) -> dict[int, Terms]:
    """Seller -> the terms in force now."""
    wanted = set(seller_ids)
    rows = session.execute(
        sa.select(_row.seller_id, *_COLUMNS)
        .where(_row.seller_id.in_(wanted))
        .distinct(_row.seller_id)
        .order_by(_row.seller_id, _row.id.desc())
    )
    return dict.fromkeys(wanted, SILENT) | {row[0]: _terms(row[1:]) for row in rows}


def at_orders(order_ids: Iterable[int]) -> dict[int, Terms]:
    """Order -> the terms of its seller when it was placed."""
    wanted = set(order_ids)
    rows = session.execute(
        sa.text(
            """
            SELECT o.id, t.accepts, t.days, t.whole_packs, t.fee_percent, t.carried_by, t.category_ids
            FROM seller_order o CROSS JOIN LATERAL (
                SELECT * FROM return_terms r WHERE r.seller_id = o.seller_id AND r.created_at <= o.created_at
                ORDER BY r.id DESC LIMIT 1) t
            WHERE o.id = ANY(:ids)
            """
        ),
        {"ids": list(wanted)},
    )
    return dict.fromkeys(wanted, SILENT) | {row[0]: _terms(row[1:]) for row in rows}


def names_of(terms: Iterable[Terms]) -> dict[int, Section]:
    """The sections that terms exclude, by id."""
    return {one.id: one for one in sections({one for each in terms for one in each.category_ids})}


def of_slug(slug: str) -> Terms:
    """The terms of a seller by its name in addresses.

    Raises:
        NotFound: nobody has it.
    """
    found = session.scalar(sa.select(Seller.id).where(Seller.slug == slug))
    if found is None:
        raise NotFound()
    return current([found])[found]


@unit_of_work
def change(actor: Actor, terms: Terms, excluded: Iterable[str] | None = None) -> None:
    """Set the terms of the actor's seller for orders from now on; the same ones again change nothing.

    Args:
        excluded: slugs of sections not taken back, instead of `terms.category_ids`.

    Raises:
        Invalid: days, fee, carried_by or a section. NotFound: the organisation sells nothing yet.
    """
    errors = []
    if not 1 <= terms.days <= MOST_DAYS:
        errors.append(FieldError("/days", "return_days_range", {"maximum": MOST_DAYS}))
    if not terms.fee_percent.is_finite() or not 0 <= terms.fee_percent <= MOST_FEE:
        errors.append(FieldError("/fee_percent", "return_fee_range", {"maximum": f"{MOST_FEE}"}))
    if terms.carried_by not in CARRIERS_BACK:
        errors.append(FieldError("/carried_by", "unknown_option"))
    if excluded is not None:
        terms = replace(terms, category_ids=_sections(list(dict.fromkeys(excluded)), errors))
    if errors:
        raise Invalid(errors)
    locked = session.scalar(sa.select(Seller.id).where(Seller.id == actor.seller_id).with_for_update(key_share=True))
    if locked is None:
        raise NotFound()
    before = current([actor.seller_id])[actor.seller_id]
    after = replace(terms, fee_percent=terms.fee_percent.quantize(Decimal("0.01")))
    if before == after and after != SILENT:
        return
    session.add(ReturnTermsRow(**_values(after), seller_id=actor.seller_id, user_id=actor.user))
    audit.record(
        actor, "seller.return_terms", "organisation", actor.seller_id, before=_told(before), after=_told(after)
    )  # fmt: skip
    session.flush()


def _sections(slugs: list[str], errors: list[FieldError]) -> tuple[int, ...]:
    if len(slugs) > MOST_CATEGORIES:
        errors.append(FieldError("/sections", "too_many", {"maximum": MOST_CATEGORIES}))
        return ()
    found = sections(slugs=slugs)
    if len(found) < len(slugs):
        errors.append(FieldError("/sections", "unknown_option"))
    return tuple(sorted(one.id for one in found))


def _values(terms: Terms) -> dict[str, Any]:
    return asdict(terms) | {"category_ids": list(terms.category_ids)}


def _told(terms: Terms) -> dict[str, Any]:
    return _values(terms) | {"fee_percent": str(terms.fee_percent)}
