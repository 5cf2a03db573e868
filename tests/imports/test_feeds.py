"""Price lists by address: fetched once a day, written when nothing is in question, errors told to the seller."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import Job
from app.offers.import_models import PriceFeed, PriceImport
from app.offers.imports import feeds, queries
from app.settings import Settings
from tests.imports import lists
from tests.imports.test_life import Shop, offer
from workers import schedule, worker


class Source:
    """A server of price lists of this machine."""

    def __init__(self) -> None:
        source = self
        self.content, self.status, self.asked = b"", 200, 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # named by the library
                source.asked += 1
                self.send_response(source.status)
                self.end_headers()
                self.wfile.write(source.content)

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/price.csv"


@pytest.fixture
def source() -> Iterator[Source]:
    found = Source()
    yield found
    found.server.shutdown()


@pytest.fixture
def shop(app: Flask, db_session: Any) -> Shop:
    return Shop()


@pytest.fixture
def anywhere(app: Flask) -> Iterator[None]:
    """The worker may read this machine, as in a demonstration."""
    before: Settings = app.extensions["settings"]
    app.extensions["settings"] = Settings(
        environment="test", secret_key=before.secret_key, database_url=before.database_url,
        redis_url=before.redis_url, storage=before.storage, fetch_anywhere=True,
    )  # fmt: skip
    yield
    app.extensions["settings"] = before


def run_all(app: Flask) -> None:
    """Everything that is queued for imports."""
    while True:
        found = session.scalars(
            sa.select(Job.public_id).where(Job.kind.in_(("imports.run", "imports.fetch")), Job.state == "queued")
        ).all()
        if not found:
            return
        for job in found:
            worker.run_in_context(lists.number_of(job), app)


def fetched(app: Flask, shop: Shop, feed: uuid.UUID) -> feeds.FeedRow:
    feeds.run_now(shop.seller, feed)
    run_all(app)
    session.expire_all()
    return feeds.feed(shop.seller.seller_id, feed)


def add(shop: Shop, source: Source, **more: Any) -> uuid.UUID:
    return feeds.add(shop.seller, {"url": source.url, "hour": 6, "warehouse": shop.where} | more, anywhere=True)


def test_good_rows_are_written_and_jumps_wait(app: Flask, shop: Shop, source: Source, anywhere: None) -> None:
    source.content = lists.csv_file([["K-1", "К", "510", "80"], ["K-2", "Ш", "900", "10"]])
    row = fetched(app, shop, add(shop, source))
    assert (row.last_error, row.last_run_at is not None) == ("", True)
    assert row.last_import is not None
    head = queries.head(shop.seller.seller_id, row.last_import)
    assert (head.state, head.from_feed, head.file_name, head.counts["applied"]) == ("done", True, "price.csv", 1)
    assert (offer(shop, "K-1").price, offer(shop, "K-2").price) == (51_000, 40_000)
    lists.confirm(app, shop.seller, head.public_id, jumps=True)
    assert offer(shop, "K-2").price == 90_000


def test_the_same_content_is_not_read_again(app: Flask, shop: Shop, source: Source, anywhere: None) -> None:
    source.content = lists.csv_file([["K-1", "К", "510", "80"]])
    feed = add(shop, source)
    for day in (1, 2):
        move(feed, datetime(2020, 1, day, tzinfo=UTC))
        assert feeds.queue_due() == 1
        run_all(app)
    assert source.asked == 2
    assert session.scalar(sa.select(sa.func.count()).select_from(PriceImport)) == 1


def test_errors_of_fetching_are_told_beside_the_address(app: Flask, shop: Shop, source: Source, anywhere: None) -> None:
    source.status = 404
    feed = add(shop, source)
    row = fetched(app, shop, feed)
    assert (row.last_error, row.last_error_context, row.last_import) == ("address_status", {"status": 404}, None)
    source.status, source.content = 200, b"<html>Sign in</html>"
    assert feeds.run_now(shop.seller, feed) == feeds.run_now(shop.seller, feed), "once a minute"
    move(feed, datetime(2020, 1, 1, tzinfo=UTC))
    feeds.queue_due()
    run_all(app)
    session.expire_all()
    row = feeds.feed(shop.seller.seller_id, feed)
    assert row.last_error == ""
    assert row.last_import is not None
    assert queries.head(shop.seller.seller_id, row.last_import).error == "web_page"


def test_without_the_setting_this_machine_is_not_asked(app: Flask, shop: Shop, source: Source) -> None:
    row = fetched(app, shop, add(shop, source))
    assert row.last_error == "address_scheme"
    assert source.asked == 0


def test_a_list_that_names_little_hides_nothing(app: Flask, shop: Shop, source: Source, anywhere: None) -> None:
    source.content = lists.csv_file([["K-1", "К", "510", "80"]])
    row = fetched(app, shop, add(shop, source, hide_gone=True))
    assert row.last_import is not None
    head = queries.head(shop.seller.seller_id, row.last_import)
    assert (head.counts["hidden"], head.counts["too_many_gone"]) == (0, True)
    assert offer(shop, "K-2").status == "active"
    head = lists.confirm(app, shop.seller, head.public_id, hide_gone=True)
    assert head.counts["hidden"] == 2


@unit_of_work
def move(feed: uuid.UUID, moment: datetime) -> None:
    session.execute(sa.update(PriceFeed).where(PriceFeed.public_id == feed).values(next_run_at=moment))


def test_the_schedule_queues_a_feed_once_a_day_at_its_hour(app: Flask, shop: Shop, source: Source) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 1, 0, tzinfo=UTC), tick=False):
        feed = add(shop, source)
        row = feeds.feed(shop.seller.seller_id, feed)
        assert row.next_run_at == datetime(2026, 11, 24, 3, 0, tzinfo=UTC), "six in Moscow"
        assert feeds.queue_due() == 0
    with time_machine.travel(datetime(2026, 11, 24, 3, 1, tzinfo=UTC), tick=False):
        schedule.tick()
        schedule.tick()
        assert feeds.feed(shop.seller.seller_id, feed).next_run_at == datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    queued = session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.kind == "imports.fetch"))
    assert queued == 1
    with time_machine.travel(datetime(2026, 11, 24, 1, 0, tzinfo=UTC) + timedelta(days=3), tick=False):
        feeds.edit(shop.seller, feed, {"active": False}, anywhere=True)
        assert feeds.queue_due() == 0


def test_wrong_fields_are_named_at_once(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        feeds.add(shop.seller, {"url": "http://price.example", "hour": 25, "warehouse": uuid.uuid4(), "mode": "some"})
    assert {(e.pointer, e.code) for e in error.value.errors} == {
        ("/url", "address_scheme"), ("/hour", "unknown_option"), ("/warehouse", "unknown_warehouse"),
        ("/mode", "unknown_option"),
    }  # fmt: skip
    feeds.add(shop.seller, {"url": "https://price.example/a", "hour": 3})
    with pytest.raises(Invalid) as error:
        feeds.add(shop.seller, {"url": "https://price.example/a", "hour": 4})
    assert error.value.errors[0].code == "feed_known"


def test_a_seller_has_so_many_addresses_and_no_more(shop: Shop) -> None:
    for number in range(feeds.MOST_FEEDS):
        feeds.add(shop.seller, {"url": f"https://price.example/{number}", "hour": 3})
    with pytest.raises(Conflict, match="too_many_feeds"):
        feeds.add(shop.seller, {"url": "https://price.example/more", "hour": 3})


def test_an_address_is_nobody_elses(shop: Shop) -> None:
    feed = feeds.add(shop.seller, {"url": "https://price.example/a", "hour": 3})
    for act in (
        lambda: feeds.feed(shop.other.seller_id, feed),
        lambda: feeds.edit(shop.other, feed, {"hour": 4}),
        lambda: feeds.run_now(shop.other, feed),
        lambda: feeds.remove(shop.other, feed),
    ):
        with pytest.raises(NotFound):
            act()
    feeds.remove(shop.seller, feed)
    assert feeds.feeds(shop.seller.seller_id) == []
