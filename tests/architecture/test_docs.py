"""The documents agree with the program and with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import docs

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])


def test_the_page_of_permissions_is_up_to_date() -> None:
    fresh = docs.permissions_page(docs.described())
    assert docs.PERMISSIONS.read_text(encoding="utf-8") == fresh, "run `make docs`"


def test_the_diagrams_of_states_are_up_to_date() -> None:
    page = docs.STATES.read_text(encoding="utf-8")
    assert page == docs.states_page(), "run `make docs`"
    assert "    placed --> accepted" in page
    assert {one.name for one in docs.machines()} >= {"order", "fulfilment", "payment", "delivery", "quote", "refund"}


def test_every_error_code_is_documented() -> None:
    assert docs.API.read_text(encoding="utf-8") == docs.api_page(docs.described()), "run `make docs`"
    assert "| `stock_changed` |" in docs.API.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []
