"""Plausible products: every product some assembly needs, then variants of each leaf up to a limit."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from app.demo.taxonomy import Attribute, Leaf, SaleUnit, Wanted

LIMIT = 62
PACK_KEYS = {"kg": ("pack_kg",), "l": ("pack_l",), "pcs": ("pack_pcs",), "m2": ("pack_m2", "roll_m2"), "m": ("roll_m",)}
UNIT_RU = {"kg": "кг", "l": "л", "pcs": "шт", "m2": "м²", "m": "м", "m3": "м³", "ml": "мл", "t": "т"}
UNIT_EN = UNIT_RU | {"kg": "kg", "l": "l", "pcs": "pcs", "m2": "m²", "m": "m", "m3": "m³", "ml": "ml", "t": "t"}
LOOSE = {"m3", "m2", "m", "kg", "t"}
_SIZE_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_SIZE = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product before it has ids."""

    leaf: Leaf
    brand: str
    values: tuple[tuple[str, str], ...]
    sale: SaleUnit
    needed: bool
    """Some assembly needs it, so sellers must have it."""
    also: tuple[tuple[str, Fraction], ...] = ()
    """Further measures: (unit, how much of it one unit of sale holds)."""

    @property
    def name_ru(self) -> str:
        words = [self.leaf.noun_ru, self.brand, *self._traits(lambda text: True)]
        named = _SIZE_POINT.sub(",", " ".join(w for w in words if w))
        return _tidy(named + self._pack(UNIT_RU))

    @property
    def name_en(self) -> str:
        words = [self.leaf.noun_en, _latin(self.brand), *self._traits(str.isascii)]
        return _tidy(" ".join(w for w in words if w) + self._pack(UNIT_EN))

    def _traits(self, keep: Callable[[str], bool]) -> list[str]:
        shown = []
        for attribute in self.leaf.attributes:
            text = dict(self.values).get(attribute.key, "")
            if not text or attribute.key.startswith(("pack_", "roll_", "cons_", "layer", "brand")):
                continue
            if attribute.kind == "bool" or not keep(text):
                continue
            shown.append(f"{text} мм" if attribute.unit == "mm" and keep("м") else _with_unit(text, attribute))
        return shown[:4]

    def _pack(self, names: dict[str, str]) -> str:
        comma = "," if names is UNIT_RU else "."
        if self.sale.unit in LOOSE or self.sale.content == 1 or self.sale.content_unit not in names:
            return ""
        return f", {number(self.sale.content).replace(',', comma)} {names[self.sale.content_unit]}"

    @property
    def length_mm(self) -> int:
        """The longest side: a stated length, else the largest figure of a size, else the cube root of the volume."""
        values = dict(self.values)
        if values.get("len_mm"):
            return int(Fraction(values["len_mm"]))
        if self.sale.unit == "pcs" and self.sale.content_unit == "m":
            return int(self.sale.content * 1000)
        figures = [float(f) for f in _SIZE.findall(values.get("size", "")) if float(f) >= 100]
        cube = round(1000 * float(self.sale.volume_m3) ** (1 / 3))
        return int(min(max([*figures, cube]), 12000)) if self.sale.unit not in LOOSE else 0


def number(value: Fraction) -> str:
    """A short decimal with a comma."""
    text = f"{float(value):.4f}".rstrip("0").rstrip(".")
    return text.replace(".", ",")


def _with_unit(text: str, attribute: Attribute) -> str:
    return f"{text} mm" if attribute.unit == "mm" else text


def _latin(text: str) -> str:
    return text if text.isascii() else ""


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace(" ,", ",").strip()


def products_of(leaf: Leaf, needed: set[Wanted], limit: int = LIMIT) -> Iterator[DemoProduct]:
    """Products of a leaf, needed ones first; the same every time."""
    rng = random.Random(f"tutuu:{leaf.id}")
    seen: set[tuple[str, tuple[tuple[str, str], ...], str, Fraction]] = set()
    made = 0
    for want in sorted(needed, key=repr):
        for _ in range(4):
            product = _variant(leaf, rng, dict(want.spec), _sale_for(leaf, want, rng), needed=True)
            product = replace(product, also=(*product.also, *_stated_yield(product, want)))
            if _new(product, seen):
                made += 1
                yield product
    for _ in range(limit * 3):
        if made >= limit:
            return
        product = _variant(leaf, rng, {}, rng.choice(leaf.sale_units), needed=False)
        if _new(product, seen):
            made += 1
            yield product


def _new(product: DemoProduct, seen: set[tuple[str, tuple[tuple[str, str], ...], str, Fraction]]) -> bool:
    key = (product.brand, product.values, product.sale.unit, product.sale.content)
    if key in seen:
        return False
    seen.add(key)
    return True


def _sale_for(leaf: Leaf, want: Wanted, rng: random.Random) -> SaleUnit:
    """The pack that the norm counts in: the taxonomy's own, else one resized, else whatever measures the same."""
    same = [u for u in leaf.sale_units if u.unit == want.unit and u.content_unit == want.content_unit]
    exact = [u for u in same if want.content in (None, u.content)]
    if exact:
        return rng.choice(exact)
    if same and want.content is not None:
        return same[0].resized(want.content)
    measured = [u for u in leaf.sale_units if u.content_unit == want.content_unit]
    pieces = [u for u in leaf.sale_units if u.unit == want.unit]
    return rng.choice(measured or pieces or list(leaf.sale_units))


def _variant(leaf: Leaf, rng: random.Random, fixed: dict[str, str], sale: SaleUnit, *, needed: bool) -> DemoProduct:
    values = {}
    for attribute in leaf.attributes:
        if attribute.key == "brand":
            continue
        if attribute.key in fixed:
            values[attribute.key] = fixed[attribute.key]
        elif attribute.values:
            values[attribute.key] = rng.choice(attribute.values)
    if sale.content_unit == "m2" and sale.unit in ("sheet", "pcs") and {"len_mm", "width_mm"} <= values.keys():
        sale = _cut(leaf, rng, values, sale, keep_area=needed)
    values |= _from_pack(leaf, sale)
    brand = rng.choice(leaf.brands)
    brand = "" if brand[0].islower() or brand == "Без марки" else brand
    return DemoProduct(leaf, brand, tuple(values.items()), sale, needed, _board_measures(values, sale))


def _stated_yield(product: DemoProduct, want: Wanted) -> tuple[tuple[str, Fraction], ...]:
    """A pack that states its yield in another unit than its contents (paste for so many m2 of wallpaper)."""
    known = {product.sale.unit, product.sale.content_unit, *(unit for unit, _ in product.also)}
    if want.content is None or want.unit != product.sale.unit or want.content_unit in known:
        return ()
    return ((want.content_unit, want.content),)


def _board_measures(values: dict[str, str], sale: SaleUnit) -> tuple[tuple[str, Fraction], ...]:
    """Metres and square metres of a board or beam that is sold by volume or piece, from its section."""
    if not {"thick_mm", "width_mm"} <= values.keys() or "m3" not in (sale.unit, sale.content_unit):
        return ()
    thick, width = Fraction(values["thick_mm"]) / 1000, Fraction(values["width_mm"]) / 1000
    cubic = sale.content if sale.content_unit == "m3" else Fraction(1)
    return (("m", cubic / (thick * width)), ("m2", cubic / thick))


def _cut(leaf: Leaf, rng: random.Random, values: dict[str, str], sale: SaleUnit, *, keep_area: bool) -> SaleUnit:
    """Length x width and the area of a sheet must agree: change the sides when the area is asked for, else the area."""
    sides = {a.key: [Fraction(v) for v in a.values] for a in leaf.attributes if a.key in ("len_mm", "width_mm")}
    fitting = [
        (length, width)
        for length in sides["len_mm"]
        for width in sides["width_mm"]
        if length * width == sale.content * 1_000_000
    ]
    if keep_area and fitting:
        length, width = rng.choice(fitting)
        values["len_mm"], values["width_mm"] = str(length), str(width)
        return sale
    if keep_area:
        return sale
    return sale.resized(Fraction(values["len_mm"]) * Fraction(values["width_mm"]) / 1_000_000)


def _from_pack(leaf: Leaf, sale: SaleUnit) -> dict[str, str]:
    """Attributes that only say what the pack is must agree with it."""
    keys = {a.key for a in leaf.attributes}
    found = {k: number(sale.content).replace(",", ".") for k in PACK_KEYS.get(sale.content_unit, ()) if k in keys}
    if sale.content_unit == "m" and sale.unit == "pcs" and "len_mm" in keys:
        found["len_mm"] = str(int(sale.content * 1000))
    if sale.content_unit == "ml" and "volume_ml" in keys:
        found["volume_ml"] = str(int(sale.content))
    return found
