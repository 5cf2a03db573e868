"""The dependency rule is checked by import-linter, and the check notices a breach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The linter over the tree in `folder`."""
    return subprocess.run(
        [LINTER, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the linter reads."""
    for folder in ("app", "workers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_tree_keeps_the_rule(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("app/catalog/listing.py", "from app.orders import service as _breach", "domains know only lower ones"),
        ("app/offers/stock.py", "import flask as _breach", "no Flask below the faces"),
        ("app/web/buyer/home.py", "import pyvrp as _breach", "solvers stay out of the web"),
        ("app/payments/service.py", "from app.logistics import rules as _breach", "domains know only lower ones"),
        ("app/core/clock.py", "from workers import relay as _breach", "domains know only lower ones"),
        ("app/orders/rules.py", "from app import texts as _breach", "domains speak in codes, the edge in words"),
        ("app/orders/rules.py", "from app.catalog import models as _breach", "tables of the lowest domains"),
        ("app/orders/rules.py", "from app.offers import models as _breach", "tables of selling and carrying"),
    ],
)
def test_a_breach_is_noticed(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    result = lint(copy)
    assert result.returncode == 1
    assert re.search(rf"^{contract}[\w\s]* BROKEN", result.stdout, flags=re.M)
