"""Running markets for the walks: one for each module that drives a day, `shop` for those that drive nowhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import FIRST_VALKEY, ROOT_VARIABLE, copy_database
from tests.walk.market import Market, launch

expect.set_options(timeout=45_000)  # other tests take the processor meanwhile; a page that is well answers at once


@contextmanager
def _running(servers: dict[str, str], template: str, kind: str, valkey: int) -> Iterator[Market]:
    """A market of this worker; `valkey` tells its two kinds apart, in numbers that no worker uses for itself."""
    root, worker = Path(os.environ[ROOT_VARIABLE]), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    name = f"market_{kind}_{worker}"
    valkey += FIRST_VALKEY + int(worker.removeprefix("gw")) * 2 % 8
    logs = root / name
    shutil.copytree(root / "demo", logs / "files", dirs_exist_ok=True)
    redis_url = f"{servers['redis'].rsplit('/', 1)[0]}/{valkey}"
    market = launch(copy_database(servers, name, template), redis_url, logs)
    yield market
    for process in list(market.processes):
        market.stop(process)


@pytest.fixture(scope="module")
def market(servers: dict[str, str], demo_template: str) -> Iterator[Market]:
    """A market of its own: a day that is driven once cannot be planned again."""
    with _running(servers, demo_template, "day", 0) as found:
        yield found


@pytest.fixture(scope="session")
def shop(servers: dict[str, str], demo_template: str) -> Iterator[Market]:
    """A market that several modules use."""
    with _running(servers, demo_template, "trade", 1) as found:
        yield found
