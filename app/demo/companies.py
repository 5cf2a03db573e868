"""Companies of the demo market. Names say that they are a demonstration; numbers pass their checksums."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "tutuu-demo"
BUYING_COMPANY = "Демо-Строй"
"""Buys with limits: the demo buyer owns it, `buyer2@` buys for it."""


@dataclass(frozen=True, slots=True)
class DemoSeller:
    """A seller: top categories it trades in (empty: all), price level in percent, warehouses."""

    name: str
    slug: str
    prefix: str
    tops: tuple[str, ...]
    level: int
    warehouses: int
    vat_code: str = "general"


SELLERS = (
    DemoSeller("Демо-База Останкино", "demo-ostankino", "OST", (), 100, 3),
    DemoSeller("Демо-Склад Север", "demo-sever", "SEV", ("dry_mixes", "drywall", "paint", "fasteners", "insulation"),
               97, 2),
    DemoSeller("Демо-Снаб Руставели", "demo-rustaveli", "RUS", ("dry_mixes", "binders_bulk", "masonry", "metal",
               "waterproofing"), 99, 2),
    DemoSeller("Демо-Кровля", "demo-krovlya", "KRV", ("roofing", "facade", "insulation", "waterproofing", "timber"),
               102, 2),
    DemoSeller("Демо-Отделка", "demo-otdelka", "OTD", ("finishing", "tile", "paint", "dry_mixes", "doors_windows",
               "tools"), 101, 2),
    DemoSeller("Демо-Металл", "demo-metall", "MET", ("metal", "fasteners", "landscaping", "engineering"),
               96, 1),
    DemoSeller("Демо-Лес", "demo-les", "LES", ("timber", "roofing", "landscaping", "doors_windows"), 95, 1),
    DemoSeller("Демо-Инженерия", "demo-inzh", "ING", ("engineering", "tools", "fasteners", "waterproofing"),
               103, 1),
    DemoSeller("Демо-Гипс", "demo-gips", "GIP", ("drywall", "dry_mixes", "insulation", "fasteners", "tools"),
               98, 2),
    DemoSeller("Демо-Керамика", "demo-keramika", "KER", ("tile", "masonry", "dry_mixes", "finishing"), 104, 1),
    DemoSeller("Демо-Двор", "demo-dvor", "DVR", ("landscaping", "binders_bulk", "masonry", "tools"), 94, 1,
               "special5"),
    DemoSeller("Демо-Мастер", "demo-master", "MAS", ("tools", "fasteners", "paint", "finishing", "facade"),
               100, 2),
)  # fmt: skip


def inn(number: int) -> str:
    """A company's INN with a right checksum (weights of the tax service's order). Region 99 is not given out."""
    digits = [int(d) for d in f"99{number:07d}"]
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    return "".join(map(str, digits)) + str(sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 % 10)


def ogrn(number: int) -> str:
    """A company's OGRN: 12 digits and their remainder by 11."""
    head = 126_770_000_000 + number
    return f"{head}{head % 11 % 10}"


def kpp(number: int) -> str:
    """A KPP of the shape NNNNPPXXX."""
    return f"9900{1:02d}{number:03d}"
