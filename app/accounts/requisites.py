"""Numbers of companies and people, checked and put into one form. Pure."""

from __future__ import annotations

import re

_INN10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_KPP = re.compile(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}")
_ACCOUNT_WEIGHTS = (7, 1, 3) * 8


def _digits(text: str) -> list[int]:
    return [int(c) for c in text]


def _check(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(d * w for d, w in zip(digits, weights, strict=False)) % 11 % 10


def inn_is_valid(inn: str) -> bool:
    """Checksums of a taxpayer number: 10 digits of a company, 12 of a person (order of the tax service MM-3-6/355)."""
    if not inn.isascii() or not inn.isdigit():
        return False
    digits = _digits(inn)
    if len(digits) == 10:
        return digits[9] == _check(digits, _INN10)
    if len(digits) == 12:
        return digits[10] == _check(digits, _INN11) and digits[11] == _check(digits, _INN12)
    return False


def kpp_is_valid(kpp: str) -> bool:
    """Shape of a registration reason code; it has no checksum."""
    return _KPP.fullmatch(kpp) is not None


def ogrn_is_valid(ogrn: str) -> bool:
    """Checksum of a state registration number: 13 digits (by 11) of a company, 15 (by 13) of an entrepreneur."""
    if not ogrn.isascii() or not ogrn.isdigit() or len(ogrn) not in (13, 15):
        return False
    return int(ogrn[-1]) == int(ogrn[:-1]) % (len(ogrn) - 2) % 10


def account_is_valid(account: str, bik: str) -> bool:
    """Key of a bank account against the bank's BIK (Bank of Russia, weights 7-1-3; the sum ends in 0)."""
    if not (account.isascii() and account.isdigit() and len(account) == 20):
        return False
    if not bik_is_valid(bik):
        return False
    return _sum_7_1_3(bik[-3:] + account) == 0


def _sum_7_1_3(text: str) -> int:
    return sum(d * w % 10 for d, w in zip(_digits(text), _ACCOUNT_WEIGHTS, strict=False)) % 10


def correspondent_is_valid(account: str, bik: str) -> bool:
    """Key of a bank's account at the Bank of Russia: group 301, the end of the BIK, the sum with "0" and the region's
    two digits of the BIK in front.
    """
    if not (account.isascii() and account.isdigit() and len(account) == 20 and bik_is_valid(bik)):
        return False
    if not account.startswith("301") or account[-3:] != bik[-3:]:
        return False
    return _sum_7_1_3("0" + bik[4:6] + account) == 0


def bik_is_valid(bik: str) -> bool:
    """Shape of a bank identification code."""
    return bik.isascii() and bik.isdigit() and len(bik) == 9


def phone_normal(text: str) -> str | None:
    """A phone as +79161234567, from any usual writing; None when it is not one."""
    if re.search(r"[^0-9 \u00a0()+\-.–—]", text) or "+" in text.strip()[1:]:
        return None
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) == 11 and digits[0] in "78":
        return "+7" + digits[1:]
    if len(digits) == 10 and not text.strip().startswith("+"):
        return "+7" + digits
    if text.strip().startswith("+") and 8 <= len(digits) <= 15:
        return "+" + digits
    return None


def email_key(text: str) -> str | None:
    """The form in which addresses are compared; None when it cannot be an address."""
    text = text.strip()
    if len(text) > 254 or not re.fullmatch(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]+\.[^\s@\x00-\x1f.]{2,}", text):
        return None
    return text.casefold()
