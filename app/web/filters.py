"""What templates do with values: money, quantities, masses, days and times in the reader's language.

Numbers are joined to their units by a no-break space, thousands too; the minus is a real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from babel import Locale
from babel.dates import format_date
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext
from markupsafe import Markup, escape

from app.core import clock
from app.i18n import present_language
from app.web import drawings, paths
from app.web.unit_texts import unit_label

if TYPE_CHECKING:
    from flask import Flask

    from app.web.assets import Assets

NBSP = "\u00a0"
MINUS = "\u2212"
EN_DASH = "\u2013"
Number = int | Decimal | Fraction
PLAIN_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
SIZE_MARK = re.compile(r"(?<=\d)[xх*](?=\d)")
POINT = re.compile(r"(?<=\d)\.(?=\d)")


def language() -> str:
    """`ru` or `en`."""
    return present_language()


def number(value: Number, places: int = 3) -> str:
    """A figure with the reader's separators, at most `places` decimals, no trailing zeros."""
    exact = _decimal(value, places)
    if exact.is_zero():
        return "0"
    sign = exact < 0
    whole, _point, rest = format(abs(exact), "f").partition(".")
    rest = rest.rstrip("0")
    grouped = f"{int(whole):,}"
    if language() == "en":
        return (MINUS if sign else "") + grouped + (f".{rest}" if rest else "")
    return (MINUS if sign else "") + grouped.replace(",", NBSP) + (f",{rest}" if rest else "")


def _decimal(value: Number, places: int) -> Decimal:
    if isinstance(value, Fraction):
        scaled = abs(value) * 10**places
        rounded = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
        return Decimal(rounded if value >= 0 else -rounded).scaleb(-places)
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def figure(value: float) -> str:
    """A size on a drawing: at most two decimals. Only for pictures; quantities and money are never floats."""
    return number(Decimal(repr(value)), 2)


def money(kopeks: int, *, sign: bool = False) -> str:
    """Kopeks as roubles: "1 240,50 ₽", or "1 240 ₽" when there are no kopeks.

    Args:
        sign: put + before a rise (for differences).
    """
    roubles, rest = divmod(abs(kopeks), 100)
    mark = MINUS if kopeks < 0 else "+" if sign and kopeks > 0 else ""
    if language() == "en":
        return f"{mark}₽{roubles:,}" + (f".{rest:02d}" if rest else "")
    return mark + f"{roubles:,}".replace(",", NBSP) + (f",{rest:02d}" if rest else "") + f"{NBSP}₽"


def pallet_rows(pallets: Mapping[int, int] | Iterable[Sequence[int]]) -> list[tuple[str, str]]:
    """Deposits (kopeks for a returnable pallet -> how many) as lines of a sum: what, how much."""
    return [
        (str(_("Returnable pallets: %(num)s × %(sum)s", num=many, sum=money(each))), money(each * many))
        for each, many in sorted(dict(pallets).items())  # type: ignore[arg-type]  # pairs, as JSON keeps them
    ]


def roubles(kopeks: int | None) -> str:
    """Kopeks as they stand in a field to be typed over: "1240,50"; empty for None."""
    if kopeks is None:
        return ""
    return f"{kopeks // 100},{kopeks % 100:02d}" if kopeks % 100 else str(kopeks // 100)


def unit(code: str, count: Number = 1) -> str:
    """Name of a unit as it is written after `count`."""
    if Fraction(count).denominator != 1:
        return unit_label(code, 2)  # "1,5 мешка": a fraction takes the form of two; English takes the plural
    return unit_label(code, abs(int(count)))


def qty(value: Number, code: str) -> str:
    """A quantity with its unit: "672 шт", "1,5 м²", "24 мешка"."""
    return f"{number(value)}{NBSP}{unit(code, value)}"


def property_value(text: str, unit_code: str = "") -> str:
    """The value of an attribute as people write it: "12,5 мм", "60×27", "да"; an unknown text as it is.

    Values are kept as the catalogue has them: decimals with a point, sizes with x.
    """
    if text in ("да", "нет"):
        return str(_("yes") if text == "да" else _("no"))
    if unit_code and PLAIN_NUMBER.fullmatch(text):
        return qty(Decimal(text), unit_code)
    shown = SIZE_MARK.sub("×", text)
    if language() == "ru":
        shown = POINT.sub(",", shown)
    return f"{shown}{NBSP}{unit_label(unit_code)}" if unit_code else shown


def typed_parts(name: str, query: str) -> list[tuple[str, str]]:
    """Each word of a name as what was typed of it and the rest, which is what a suggestion adds."""
    typed = [part for part in query.lower().replace("ё", "е").split() if part]
    found = []
    for word in name.split():
        plain = word.lower().replace("ё", "е")
        length = max((len(part) for part in typed if plain.startswith(part)), default=0)
        found.append((word[:length], word[length:]))
    return found


def mass(kilograms: Number) -> str:
    """A mass: "18,5 кг" under a tonne, "12,8 т" from there."""
    if abs(Fraction(kilograms)) < 1000:
        return f"{number(kilograms, 1)}{NBSP}{unit_label('kg')}"
    return f"{number(Fraction(kilograms) / 1000, 1)}{NBSP}{unit_label('t')}"


def volume(cubic_metres: Number) -> str:
    """A volume: "0,026 м³", "26 м³"."""
    return f"{number(cubic_metres, 1 if abs(Fraction(cubic_metres)) >= 10 else 3)}{NBSP}{unit_label('m3')}"


def metres(value: Number) -> str:
    """A length in metres: "6,2 м"."""
    return f"{number(value, 2)}{NBSP}{unit_label('m')}"


def percent(share: Number, places: int = 0) -> str:
    """A share of one: "13 %" in Russian, "13%" in English."""
    return number(Fraction(share) * 100, places) + ("%" if language() == "en" else f"{NBSP}%")


def day(value: date | datetime) -> str:
    """A day: "25 ноября"; with the year when it is not the present one."""
    wanted = _as_date(value)
    if wanted.year != clock.today().year:
        return _dated(wanted, "long")
    return _dated(wanted, "d MMMM" if language() == "ru" else "MMMM d")


def short_day(value: date | datetime) -> str:
    """A day for tight places: "25 ноя." or "Nov 25"."""
    return _dated(_as_date(value), "d MMM" if language() == "ru" else "MMM d")


def relative_day(value: date | datetime) -> str:
    """A day as people say it: "завтра, 25 ноября", otherwise "чт, 26 ноября"."""
    wanted = _as_date(value)
    away = (wanted - clock.today()).days
    if away == -1:
        return str(_("yesterday, %(day)s", day=day(wanted)))
    if away == 0:
        return str(_("today, %(day)s", day=day(wanted)))
    if away == 1:
        return str(_("tomorrow, %(day)s", day=day(wanted)))
    return f"{_dated(wanted, 'ccc')}, {day(wanted)}"


def weekday(value: date | datetime) -> str:
    """The day of the week: "понедельник"."""
    return _dated(_as_date(value), "cccc")


def time_of_day(value: datetime) -> str:
    """Hours and minutes on the market's clocks: "9:05"."""
    here = clock.local(value)
    return f"{here.hour}:{here.minute:02d}"


def moment(value: datetime) -> str:
    """Day and time: "25 ноября, 9:05"."""
    return f"{day(value)}, {time_of_day(value)}"


def window(start: datetime, end: datetime) -> str:
    """A span of time within a day: "12:00–14:00"."""
    return f"{time_of_day(start)}{EN_DASH}{time_of_day(end)}"


def minutes(value: int) -> str:
    """A time of the day given as minutes after midnight: "9:00"."""
    return f"{value // 60}:{value % 60:02d}"


def duration(value: timedelta | int) -> str:
    """A length of time in words: "45 с", "12 мин", "1 ч 20 мин", "3 дня"; an int is seconds."""
    seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
    if seconds < 60:
        return str(_("%(count)s s", count=seconds))
    if seconds < 3600:
        return str(_("%(count)s min", count=seconds // 60))
    if seconds < 86400:
        hours, rest = divmod(seconds // 60, 60)
        return str(_("%(hours)s h %(rest)s min", hours=hours, rest=rest) if rest else _("%(hours)s h", hours=hours))
    return str(ngettext("%(num)s day", "%(num)s days", seconds // 86400))


def _as_date(value: date | datetime) -> date:
    return clock.local(value).date() if isinstance(value, datetime) else value


def _dated(value: date, pattern: str) -> str:
    return _format_day(value, pattern, language()).replace(" ", NBSP)


@lru_cache(maxsize=2048)
def _format_day(value: date, pattern: str, locale: str) -> str:
    return format_date(value, pattern, locale=Locale.parse(locale))


def fraction(text: str) -> Fraction:
    """An exact value kept as "num/den"."""
    return Fraction(text)


def decimal(text: str) -> Decimal:
    """An exact value kept as text."""
    return Decimal(text)


def iso(value: date | datetime) -> str:
    """For the `datetime` attribute of <time>."""
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()


def make_icon(assets: Assets) -> Callable[..., Markup]:
    """The template function `icon(name, kind="")`.

    An icon is decoration beside a word. Give the control a name of its own when the icon stands alone.
    """
    sprite = assets.url("vendor/icons.svg")

    @lru_cache(maxsize=1024)
    def icon(name: str, kind: str = "") -> Markup:
        """`kind`: sm, lg, full, star, or several of them."""
        if name not in assets.icons:
            raise LookupError(f"no icon {name!r} in the sprite; add it to ICONS in tools/vendor.py")
        classes = escape(f"icon {kind}".strip())
        return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(classes, sprite, name)

    return icon


def init_filters(app: Flask, assets: Assets) -> None:
    """Give the templates of `app` the filters and functions of this module."""
    filters: tuple[Callable[..., Any], ...] = (
        number, figure, money, pallet_rows, roubles, qty, unit, property_value, typed_parts, mass, volume, metres,
        percent, day, short_day, relative_day, weekday, time_of_day, decimal, moment, minutes, duration, iso, fraction,
    )  # fmt: skip
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    from app.web import charts, draw, photos, status_texts

    app.jinja_env.globals.update(
        icon=make_icon(assets),
        window=window,
        unit_label=unit,
        paths=paths,
        drawing=lambda name, group="": assets.url(drawings.file_of(name, group)),
        photo_url=photos.photo_url,
        document_url=photos.document_url,
        status_of=status_texts.status_of,
        line_chart=charts.line_chart,
        bar_chart=charts.bar_chart,
        sparkline=charts.sparkline,
        wall=draw.wall,
        plane=draw.plane,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
