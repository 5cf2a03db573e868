"""Numbers of companies: known good ones pass, and any single wrong digit is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import requisites
from app.accounts.requisites import account_is_valid, email_key, inn_is_valid, kpp_is_valid, ogrn_is_valid, phone_normal

INN10, INN12 = "7707083893", "500100732259"
OGRN, OGRNIP = "1027700132195", "304500116000157"
BIK, ACCOUNT = "044525225", "40702810938000060473"
TEN, ELEVEN, TWELVE = (2, 4, 10, 3, 5, 9, 4, 6, 8), (7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def checked(digits: str, *weights: tuple[int, ...]) -> str:
    """The digits with check digits appended, computed here the long way."""
    for row in weights:
        total = 0
        for digit, weight in zip(digits, row, strict=True):
            total += int(digit) * weight
        digits += str(total % 11 % 10)
    return digits


def flipped(number: str, place: int, shift: int) -> str:
    place %= len(number)
    return number[:place] + str((int(number[place]) + 1 + shift % 9) % 10) + number[place + 1 :]


def test_known_numbers_pass() -> None:
    assert inn_is_valid(INN10)
    assert inn_is_valid(INN12)
    assert ogrn_is_valid(OGRN)
    assert ogrn_is_valid(OGRNIP)


@given(st.integers(0, 10**9 - 1))
def test_every_company_inn_with_its_check_digit_passes_and_no_other_digit_does(body: int) -> None:
    good = checked(f"{body:09d}", TEN)
    assert [d for d in range(10) if inn_is_valid(good[:-1] + str(d))] == [int(good[-1])]


@given(st.integers(0, 10**10 - 1), st.integers(0, 11), st.integers(0, 8))
def test_a_personal_inn_notices_its_last_digits(body: int, place: int, shift: int) -> None:
    good = checked(f"{body:010d}", ELEVEN, TWELVE)
    assert inn_is_valid(good)
    if place >= 10:
        assert not inn_is_valid(flipped(good, place, shift))


@pytest.mark.parametrize("number", [INN10, INN12])
def test_any_digit_changed_in_a_known_inn_is_refused(number: str) -> None:
    for place in range(len(number)):
        for shift in range(9):
            assert not inn_is_valid(flipped(number, place, shift)), (place, shift)


@given(st.integers(0, 10**12 - 1), st.integers(0, 12), st.integers(0, 8))
def test_ogrn_is_the_rest_by_eleven(body: int, place: int, shift: int) -> None:
    good = f"{body:012d}" + str(body % 11 % 10)
    assert ogrn_is_valid(good)
    if place == 12:
        assert not ogrn_is_valid(flipped(good, place, shift))


@given(st.integers(0, 22), st.integers(0, 8))
def test_a_bank_account_notices_a_digit(place: int, shift: int) -> None:
    digits = [int(c) for c in BIK[-3:] + ACCOUNT]
    key_place = 11  # the ninth digit of the account is its key
    digits[key_place] = 0
    total = sum(d * (7, 1, 3)[i % 3] % 10 for i, d in enumerate(digits))
    digits[key_place] = next(k for k in range(10) if (total + k * 3) % 10 == 0)
    account = "".join(str(d) for d in digits[3:])
    assert account_is_valid(account, BIK)
    assert not account_is_valid(flipped(account, place, shift), BIK)


@pytest.mark.parametrize(
    "text", ["", "770708389", "77070838931", "7707083893 ", "٧٧٠٧٠٨٣٨٩٣", "770708389a", "7707083893\n"]
)
def test_what_is_no_inn(text: str) -> None:
    assert not inn_is_valid(text)


@pytest.mark.parametrize(("text", "good"), [
    ("770701001", True), ("7707AB001", True), ("7707ab001", False), ("770701001\n", False), ("77070100", False),
    ("٧٧٠٧٠١٠٠١", False),
])  # fmt: skip
def test_shape_of_a_kpp(text: str, good: bool) -> None:
    assert kpp_is_valid(text) is good


@pytest.mark.parametrize(("typed", "kept"), [
    ("8 (916) 123-45-67", "+79161234567"), ("+7 916 123 45 67", "+79161234567"), ("916-123-45-67", "+79161234567"),
    ("79161234567", "+79161234567"), ("+375 29 123-45-67", "+375291234567"),
    ("8\u00a0916\u00a01234567", "+79161234567"),
    ("12345", None), ("phone", None), ("+7+9161234567", None), ("٩٩٩٩٩٩٩٩٩٩", None), ("", None),
])  # fmt: skip
def test_phones_in_any_usual_writing(typed: str, kept: str | None) -> None:
    assert phone_normal(typed) == kept


@given(st.text(max_size=30))
def test_a_kept_phone_is_plus_and_digits_and_stays_itself(text: str) -> None:
    kept = phone_normal(text)
    if kept is not None:
        assert kept[0] == "+"
        assert kept[1:].isascii()
        assert kept[1:].isdigit()
        assert phone_normal(kept) == kept


@pytest.mark.parametrize(("typed", "key"), [
    (" Anna@Demo.Example ", "anna@demo.example"), ("a@b.ru", "a@b.ru"), ("почта@пример.рф", "почта@пример.рф"),
    ("a@b", None), ("@b.ru", None), ("a b@c.ru", None), ("a@b.ru\nBcc: x@y.ru", None),
    ("a\x00@b.ru", None), ("a@@b.ru", None),
])  # fmt: skip
def test_addresses_are_compared_in_one_form(typed: str, key: str | None) -> None:
    assert email_key(typed) == key


def test_bik_has_nine_digits() -> None:
    assert requisites.bik_is_valid(BIK)
    assert not requisites.bik_is_valid(BIK[:-1])
