"""The shape of the tree: modules say what they are, stay small and are named after what they do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py"))
# what may know Flask; the demo data set fills an application, it is no domain
FACES = {"access.py", "api", "cli.py", "demo", "edge.py", "i18n.py", "registry.py", "texts", "web"}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 500


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", [p for p in MODULES if "data" not in p.parts], ids=name)
def test_no_module_has_outgrown_its_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert [name(p) for p in MODULES if p.stem in DRAWERS or p.parent.name in DRAWERS or "manager" in p.stem] == []


def imported(module: ast.Module) -> set[str]:
    """First names of all imported packages."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_domains_know_nothing_of_flask() -> None:
    domains = [p for p in MODULES if p.is_relative_to(ROOT / "app") and p.relative_to(ROOT / "app").parts[0]
               not in FACES | {"__init__.py"}]  # fmt: skip
    assert len(domains) > 40
    assert [name(p) for p in domains if "flask" in imported(tree(p))] == []
