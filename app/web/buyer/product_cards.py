"""Products as lists show them.

Cards are most of a list, and all alike. The template is rendered once for each shape (which values are there) with
marks in the place of values; a card is what stands between the marks, joined with its values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from flask import current_app
from flask_babel import ngettext  # type: ignore[import-untyped]  # the package ships no types
from markupsafe import Markup, escape

from app.catalog.listing import ListedProduct
from app.core import clock
from app.web import paths
from app.web.assets import asset_url
from app.web.drawings import file_of
from app.web.filters import language, money, qty, relative_day
from app.web.unit_texts import unit_label

EAGER = 3
"""Pictures that are asked for at once; the others wait until they come near the window."""
MARK = re.compile("\x02([a-z_]+)\x03")


def shown(items: Sequence[ListedProduct], *, has_site: bool) -> list[Markup]:
    """The cards of a list in the present language.

    Args:
        has_site: what nobody brings to the site says so.
    """
    spoken, day = language(), _Day(clock.today())
    return [_card(_facts(item, spoken, day), spoken, has_site, place < EAGER) for place, item in enumerate(items)]


def drawing_url(name: str) -> str:
    """Address of the drawing that stands where there is no photograph."""
    return asset_url(file_of(name))


class _Day(dict[int, str]):
    """Lead time in days -> the day of arrival in words; few lists have more than five of them."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def __missing__(self, days: int) -> str:
        self[days] = relative_day(self._today + timedelta(days=days + 1))
        return self[days]


def _facts(item: ListedProduct, spoken: str, day: _Day) -> dict[str, str]:
    """Every value of a card as text; empty where there is none."""
    has_stock = item.available > 0
    content = item.content_unit if item.unit_price is not None and item.content_unit != item.base_unit else None
    per_content = f"/{unit_label(content)}" if content else ""
    return {
        "id": str(item.public_id),
        "url": paths.product_path(item.slug),
        "name": item.name_en if spoken == "en" else item.name_ru,
        "image": drawing_url(item.drawing),
        "picture": item.picture,
        "offers": ngettext("%(num)s offer", "%(num)s offers", item.offers_count),
        "stock": qty(item.available, item.base_unit) if has_stock else "",
        "price": money(item.price_from),
        "unit": unit_label(item.base_unit),
        "content": money(item.unit_price or 0) + per_content if content else "",
        "delivered": money(item.delivered) if item.delivered is not None else "",
        "delivered_content": money(item.delivered_unit or 0) + per_content if content and item.delivered_unit else "",
        "arrives": day[max(item.lead_time_days, 0)] if has_stock else "",
    }


def _card(facts: dict[str, str], spoken: str, has_site: bool, eager: bool) -> Markup:
    pieces = _shape(frozenset(name for name, text in facts.items() if text), spoken, has_site, eager)
    texts = [piece if place % 2 == 0 else escape(facts[piece]) for place, piece in enumerate(pieces)]
    return Markup("".join(texts))  # pieces come from the template, values are escaped


@lru_cache(maxsize=1024)
def _shape(given: frozenset[str], spoken: str, has_site: bool, eager: bool) -> list[str]:
    """The card with these values given, cut at them: text, name of a value, text... `spoken`: the present language."""
    marks = {name: f"\x02{name}\x03" for name in given}
    template = current_app.jinja_env.get_template("buyer/_card.html")  # without what pages add of the person
    return MARK.split(template.render(card=marks, has_site=has_site, eager=eager))
