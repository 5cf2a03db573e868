"""Which product of the catalogue a row means: by barcode, by brand and article, by name; or which ones it may mean.

The catalogue is read once per import into an index of words: 100,000 rows are matched without asking the database for
each. A number in a name (60x27, 12.5, 25) weighs like a rare word, so that sizes are not mixed up.
"""

from __future__ import annotations

import math
import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import nlargest

import sqlalchemy as sa

from app.catalog.models import Product, ProductUnit
from app.catalog.words import normal
from app.core.db import session

SURE = 0.97
"""Likeness from which a single product is taken without asking, when brand and numbers agree."""
WORTH_ASKING = 0.5
MOST_CANDIDATES = 3
STEM = 6
MOST_LOOKED_AT = 2_000
"""Products that the rarest words of a row may bring together; the words after them only count."""
MOST_SCORED = 12
STREAMED = 5_000
"""Products fetched at a time: 200,000 at once would take more memory than the index made of them."""
_WORD = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:x[0-9]+(?:\.[0-9]+)?)*|[a-zа-я]+")
_survivor = sa.orm.aliased(Product)
_LEADS_TO = sa.func.coalesce(Product.merged_into_id, Product.id)
"""A merged card still tells its barcode and article; what they mean is the card that took it over."""
_IS_KNOWN = sa.exists().where(_survivor.id == _LEADS_TO, _survivor.status == "active")
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a row matches: a product and by what, or candidates [(product, likeness in percent)], or neither."""

    product_id: int | None = None
    by: str = ""
    candidates: tuple[tuple[int, int], ...] = ()


@lru_cache(maxsize=4096)
def tokens(text: str) -> frozenset[str]:
    """The words of a name: the beginnings of words, numbers whole."""
    return frozenset(word if word[0].isdigit() else word[:STEM] for word in _WORD.findall(normal(text)))


def bare(text: str) -> str:
    """An article or brand without case, spaces and signs."""
    return _PUNCTUATION.sub("", normal(text))


class Catalogue:
    """The products on sale, as an index. Read when first asked."""

    def find(self, *, barcode: str, brand: str, article: str, name: str) -> Found:
        """The product of a row that no SKU of the seller names."""
        known = self._barcodes.get(barcode) if barcode else None
        if known is not None:
            return Found(known, "barcode")
        by_article = self._words.of_article(article) if article else ()
        fitting = [product for product in by_article if self._brand_fits(product, brand, name)]
        if len(fitting) == 1:
            return Found(fitting[0], "article")
        return self._by_name(name, brand, fitting) if name else Found(candidates=_listed(fitting))

    def barcode_of(self, barcode: str) -> int | None:
        """The product of a barcode."""
        return self._barcodes.get(barcode)

    @cached_property
    def _barcodes(self) -> Mapping[str, int]:
        rows = session.execute(
            sa.select(ProductUnit.barcode, _LEADS_TO.label("product"))
            .join(Product, Product.id == ProductUnit.product_id)
            .where(ProductUnit.barcode != "", _IS_KNOWN)
        )
        return {row.barcode: row.product for row in rows}

    @cached_property
    def _words(self) -> _Words:
        rows = session.execute(
            sa.select(Product.id, Product.brand, Product.article, Product.name_ru)
            .where(Product.status == "active")
            .order_by(Product.id)
            .execution_options(yield_per=STREAMED)
        )
        made = _Words((row.id, row.brand, row.article, row.name_ru) for row in rows)
        for article, product in session.execute(
            sa.select(Product.article, _LEADS_TO).where(_IS_KNOWN, Product.status == "merged", Product.article != "")
        ):
            made.take_article(bare(article), product)
        return made

    def _brand_fits(self, product: int, brand: str, name: str) -> bool:
        own = bare(self._words.brands[product])
        if brand:
            return not own or bare(brand) == own
        return bool(own) and own in bare(name)

    def _by_name(self, name: str, brand: str, fitting: Sequence[int]) -> Found:
        scored = self._words.closest(tokens(name), tokens(brand))
        likely = [(product, score) for product, score in scored if score >= WORTH_ASKING or product in fitting]
        best = [product for product, score in likely if score >= SURE and self._brand_agrees(product, brand)]
        if len(best) == 1:
            return Found(best[0], "name")
        asked = [product for product in fitting if all(product != one for one, _ in likely)]
        found = [(product, round(score * 100)) for product, score in likely] + [(product, 50) for product in asked]
        return Found(candidates=tuple(found[:MOST_CANDIDATES]))

    def _brand_agrees(self, product: int, brand: str) -> bool:
        own = self._words.brands[product]
        return not brand or not own or bare(brand) == bare(own)


def _listed(products: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((product, 50) for product in products[:MOST_CANDIDATES])


class _Words:
    """Word -> products that have it, and how much a word tells."""

    def __init__(self, products: Iterable[tuple[int, str, str, str]]) -> None:
        self.brands: dict[int, str] = {}
        self._articles: dict[str, int] = {}
        self._same_article: dict[str, list[int]] = {}
        self._lists: dict[str, array[int]] = {}
        for product, brand, article, name in products:
            self.brands[product] = sys.intern(brand)
            self.take_article(bare(article), product)
            for word in tokens(f"{name} {brand}"):
                self._lists.setdefault(word, array("q")).append(product)
        self._count = max(len(self.brands), 1)
        self._weights = dict.fromkeys(self.brands, 0.0)
        for word, having in self._lists.items():
            weight = self._weight(word)
            for product in having:
                self._weights[product] += weight

    def take_article(self, article: str, product: int) -> None:
        """Let the product be found by this article too."""
        if not article:
            return
        first = self._articles.setdefault(article, product)
        if first != product and product not in self._same_article.get(article, ()):
            self._same_article.setdefault(article, [first]).append(product)

    def of_article(self, article: str) -> Sequence[int]:
        """Products of a manufacturer's article, without regard to case and signs."""
        known = bare(article)
        if known in self._same_article:
            return self._same_article[known]
        return [self._articles[known]] if known in self._articles else []

    def _weight(self, word: str) -> float:
        rarity = math.log(1 + self._count / (1 + len(self._lists.get(word, ()))))
        return rarity * 1.5 if word[0].isdigit() else rarity

    def closest(self, name: frozenset[str], brand: frozenset[str]) -> list[tuple[int, float]]:
        """Products by the weight of common words over the weight of all, the likest first.

        A brand that only one side tells does not count against the other.
        """
        words = name | brand
        common: dict[int, float] = {}
        rest: list[str] = []
        looked_at = 0
        for word in sorted(words, key=lambda one: len(self._lists.get(one, ()))):
            products = self._lists.get(word, ())
            looked_at += len(products)
            if looked_at > MOST_LOOKED_AT and common:
                rest.append(word)
                continue
            weight = self._weight(word)
            for product in products:
                common[product] = common.get(product, 0.0) + weight
        best = nlargest(MOST_SCORED, common.items(), key=lambda pair: pair[1])
        scored = []
        for product, weight in best:
            weight += sum(self._weight(word) for word in rest if self._has(word, product))
            scored.append((product, weight / self._whole(product, weight, words, brand)))
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[: MOST_CANDIDATES + 2]

    def _whole(self, product: int, common: float, words: frozenset[str], brand: frozenset[str]) -> float:
        """Weight of all words of both sides."""
        whole = sum(self._weight(word) for word in words) + self._weights[product] - common
        own = tokens(self.brands[product])
        if not brand:
            whole -= sum(self._weight(word) for word in own - words)
        elif not own:
            whole -= sum(self._weight(word) for word in brand if not self._has(word, product))
        return whole

    def _has(self, word: str, product: int) -> bool:
        products = self._lists.get(word, array("q"))
        place = bisect_left(products, product)
        return place < len(products) and products[place] == product
