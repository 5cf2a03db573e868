"""The text that applications of banks read from the code on a bill (GOST R 56042-2014), in UTF-8: `ST00012|...`."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = {"Name": 160, "BankName": 45, "Purpose": 210}
"""Characters that the standard allows for text fields."""


def bank_code(payee: Mapping[str, str], kopeks: int, purpose: str) -> str:
    """A payment order as text.

    Args:
        payee: name, account, bank, bik, correspondent_account, inn, kpp.
        kopeks: the sum to pay.
    """
    fields = {
        "Name": payee["name"],
        "PersonalAcc": payee["account"],
        "BankName": payee["bank"],
        "BIC": payee["bik"],
        "CorrespAcc": payee["correspondent_account"],
        "PayeeINN": payee["inn"],
        "KPP": payee["kpp"],
        "Sum": str(kopeks),
        "Purpose": purpose,
    }
    parts = [f"{name}={_clean(name, value)}" for name, value in fields.items() if value]
    return "|".join(["ST00012", *parts])


def _clean(name: str, value: str) -> str:
    """The separator stands in no value."""
    return " ".join(value.replace("|", " ").split())[: LONGEST.get(name, 100)]
