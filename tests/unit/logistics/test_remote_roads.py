"""Road times over HTTP: servers that speak the protocols of OSRM and Valhalla, one that hangs, one that lies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from app.logistics.routing import matrix as chain
from app.logistics.routing.remote import Remote, RemoteDown
from app.logistics.routing.roads import CAP_METRES, CAP_SECONDS, NO_LIMITS, VehicleLimits
from app.settings import Settings, SettingsError

POINTS = [(55.81, 37.60), (55.82, 37.61), (55.815, 37.59)]


def cost(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Seconds and metres follow from the degrees, so that every cell of a chunked table can be checked."""
    return round(100_000 * (abs(a[0] - b[0]) + 2 * max(0, a[1] - b[1]) + abs(a[1] - b[1])))


class Server(BaseHTTPRequestHandler):
    asked: ClassVar[list[Any]] = []
    mode: ClassVar[str] = "good"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        pairs = [tuple(map(float, pair.split(","))) for pair in url.path.rpartition("/")[2].split(";")]
        query = {name: value[0] for name, value in parse_qs(url.query, separator="&").items()}
        sources, targets = ([int(n) for n in query[name].split(";")] for name in ("sources", "destinations"))
        places = [(lat, lon) for lon, lat in pairs]
        rows: list[list[float | None]] = [[cost(places[a], places[b]) for b in targets] for a in sources]
        self.asked.append((len(rows), len(rows[0]), query["annotations"]))
        if self.mode == "closed":
            rows = [[None if cell else cell for cell in row] for row in rows]
        legs = [{"distance": 2500 if self.mode == "far" and a == 0 else 5} for a in sources]
        self._say({"code": "Ok", "durations": rows, "distances": rows, "sources": legs})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        places = [[(one["lat"], one["lon"]) for one in body[name]] for name in ("sources", "targets")]
        table = [[{"time": cost(a, b), "distance": cost(a, b) / 1000} for b in places[1]] for a in places[0]]
        self._say({"sources_to_targets": table})

    def _say(self, said: dict[str, Any]) -> None:
        if self.mode == "hang":
            time.sleep(1.5)
        if self.mode == "lie":
            said = {"code": "Ok", "durations": [[1]], "distances": [[1]], "sources": [{}]}
        body = b"<html>" if self.mode == "html" else json.dumps(said).encode()
        try:
            self.send_response(500 if self.mode == "broken" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.fixture
def url() -> Iterator[str]:
    Server.asked, Server.mode = [], "good"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    chain.use_remote(None)
    server.shutdown()
    server.server_close()


def test_osrm_is_asked_for_tables_of_a_hundred(url: str) -> None:
    points = [(55.70 + n / 1000, 37.50 + n / 2000) for n in range(130)]
    found = Remote("osrm", url, patience_s=20).matrix(points, NO_LIMITS, 1.0)
    asked = [(rows, columns, "duration,distance") for rows in (30, 100) for columns in (30, 100)]
    assert sorted(Server.asked) == asked
    for i, j in ((0, 129), (129, 0), (64, 101), (101, 99)):
        assert found.seconds[i, j] == found.metres[i, j] == cost(points[i], points[j])
    assert (found.provider, found.quality) == ("osrm", "road")


def test_valhalla_is_told_of_the_truck(url: str) -> None:
    found = Remote("valhalla", url, patience_s=20).matrix(POINTS, VehicleLimits(16_000, 3_600), 2.0)
    assert Server.asked[0]["costing"] == "truck"
    assert Server.asked[0]["costing_options"] == {"truck": {"weight": 16.0, "height": 3.6}}
    assert found.metres[0, 1] == cost(POINTS[0], POINTS[1])
    assert found.seconds[0, 1] == 2 * cost(POINTS[0], POINTS[1]), "slower in the day"


def test_a_way_that_is_none_is_capped_and_named_never_zero(url: str) -> None:
    Server.mode = "closed"
    found = Remote("osrm", url, patience_s=20).matrix(POINTS, NO_LIMITS, 1.4)
    assert (0, 1) in found.unreachable
    assert (found.seconds[0, 1], found.metres[0, 1]) == (CAP_SECONDS, CAP_METRES)
    assert found.seconds[0, 0] == 0


def test_a_point_far_from_every_road_of_the_server_is_named(url: str) -> None:
    Server.mode = "far"
    found = Remote("osrm", url, patience_s=20).matrix(POINTS, NO_LIMITS, 1.0)
    assert found.off_roads == {0: 2500}
    assert found.seconds[0, 1] == found.seconds[2, 0] == CAP_SECONDS
    assert found.seconds[1, 2] < CAP_SECONDS


@pytest.mark.parametrize("mode", ["hang", "lie", "html", "broken"])
def test_a_server_that_fails_is_left_alone_for_a_while_and_the_graph_answers(url: str, mode: str) -> None:
    Server.mode = mode
    server = Remote("osrm", url, patience_s=0.3)
    chain.use_remote(server)
    found = chain.matrix(POINTS)
    assert (found.provider, found.instead_of) == ("graph", "osrm")
    asked = len(Server.asked)
    Server.mode = "good"
    assert chain.matrix(POINTS).instead_of == "osrm"
    with pytest.raises(RemoteDown):
        server.matrix(POINTS, NO_LIMITS, 1.0)
    assert len(Server.asked) == asked, "nobody asks or waits for it meanwhile"
    server._closed_until, server.patience_s = 0.0, 20
    assert chain.matrix(POINTS).provider == "osrm"


def test_a_server_that_is_not_there_costs_no_plan() -> None:
    chain.use_remote(Remote("valhalla", "http://127.0.0.1:9"))
    try:
        assert chain.matrix(POINTS).instead_of == "valhalla"
    finally:
        chain.use_remote(None)


def test_answers_are_kept_for_everybody(url: str) -> None:
    shelf: dict[str, str] = {}

    def keep(asked: str, find: Any) -> str:
        return shelf.setdefault(asked, "") or shelf.update({asked: find()}) or shelf[asked]

    first = Remote("osrm", url, keep, patience_s=20).matrix(POINTS, NO_LIMITS, 1.4)
    second = Remote("osrm", url, keep, patience_s=20).matrix(POINTS, NO_LIMITS, 1.4)
    assert len(Server.asked) == 1
    assert (first.seconds == second.seconds).all()
    Remote("osrm", url, keep, patience_s=20).matrix(POINTS, VehicleLimits(9_000), 1.4)
    assert len(Server.asked) == 2, "another vehicle is another question"


def test_the_settings_name_a_server_with_its_address() -> None:
    env = {
        "TUTUU_ENV": "test", "SECRET_KEY": "x", "DATABASE_URL": "postgresql+psycopg2://x", "REDIS_URL": "redis://x",
    }  # fmt: skip
    read = Settings.from_env(env | {"ROADS_PROVIDER": "osrm", "ROADS_URL": "http://osrm:5000/"})
    assert (read.roads_provider, read.roads_url) == ("osrm", "http://osrm:5000")
    for wrong in ({"ROADS_PROVIDER": "osrm"}, {"ROADS_PROVIDER": "other", "ROADS_URL": "http://x"}):
        with pytest.raises(SettingsError):
            Settings.from_env(env | wrong)
