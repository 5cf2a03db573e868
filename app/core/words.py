"""Sums of money in Russian words, as bills and acts have to say them."""

from __future__ import annotations

_ONES = (
    "", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять", "одиннадцать",
    "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать", "семнадцать", "восемнадцать",
    "девятнадцать",
)  # fmt: skip
_TENS = ("", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
_HUNDREDS = (
    "", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот",
)  # fmt: skip
_SCALES = (
    ("", "", ""),
    ("тысяча", "тысячи", "тысяч"),
    ("миллион", "миллиона", "миллионов"),
    ("миллиард", "миллиарда", "миллиардов"),
    ("триллион", "триллиона", "триллионов"),
)
_ROUBLE = ("рубль", "рубля", "рублей")
_KOPEK = ("копейка", "копейки", "копеек")


def form(number: int, forms: tuple[str, str, str]) -> str:
    """The form of a word after a number: 1 рубль, 2 рубля, 5 рублей."""
    if 11 <= number % 100 <= 14:
        return forms[2]
    return forms[0] if number % 10 == 1 else forms[1] if 2 <= number % 10 <= 4 else forms[2]


def whole_number(number: int) -> str:
    """A number from 0 below 10**15 in words, masculine; thousands are feminine as they should be.

    Raises:
        ValueError: negative, or too large.
    """
    if not 0 <= number < 10**15:
        raise ValueError("a number from 0 below 10**15 is needed")
    if number == 0:
        return "ноль"
    groups = []
    for scale in range(len(_SCALES)):
        group = number // 1000**scale % 1000
        if group:
            groups.append(f"{_below_thousand(group, feminine=scale == 1)} {form(group, _SCALES[scale])}".strip())
    return " ".join(reversed(groups))


def _below_thousand(number: int, *, feminine: bool) -> str:
    rest = number % 100
    tens, ones = (0, rest) if rest < 20 else (rest // 10, rest % 10)
    last = {1: "одна", 2: "две"}.get(ones, _ONES[ones]) if feminine else _ONES[ones]
    return " ".join(word for word in (_HUNDREDS[number // 100], _TENS[tens], last) if word)


def roubles_in_words(kopeks: int) -> str:
    """Двести пятьдесят рублей 05 копеек.

    Raises:
        ValueError: negative, or too large.
    """
    roubles, rest = divmod(kopeks, 100)
    words = whole_number(roubles)
    return f"{words[0].upper()}{words[1:]} {form(roubles, _ROUBLE)} {rest:02d} {form(rest, _KOPEK)}"
