"""A running market for each module of walks: a day that is driven once cannot be planned again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import copy_database
from tests.walk.market import Market, launch

expect.set_options(timeout=45_000)  # other tests take the processor meanwhile; a page that is well answers at once


@pytest.fixture(scope="module")
def market(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """The demo market, started as processes."""
    name = f"market_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    redis_url = servers["redis"].rsplit("/", 1)[0] + "/5"
    market = launch(copy_database(servers, name), redis_url, Path(tmp_path_factory.mktemp("market")))
    yield market
    for process in list(market.processes):
        market.stop(process)
