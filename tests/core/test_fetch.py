"""Reading addresses that others give: only the open internet, only the address that was looked at, within limits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.core import fetch as fetching
from app.core.fetch import FetchRefused, Policy, check_url, fetch, is_public

STRICT = Policy(most_bytes=1000)
LOOSE = Policy(most_bytes=1000, anywhere=True, seconds=2)


class Handler(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:  # named by the library
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/drip":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
        elif self.path == "/broken":
            self.send_error(500)
        else:
            self.send_response(200)
            self.end_headers()
            self.body()

    def body(self) -> None:
        try:
            if self.path == "/large":
                self.wfile.write(b"x" * 5000)
            elif self.path == "/slow":
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            else:
                self.wfile.write(b"a;b\n1;2\n" + self.headers["Host"].encode())
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()


def code(url: str, policy: Policy = STRICT, addresses: list[str] | None = None) -> str:
    resolver = fetching.resolve if addresses is None else lambda _host, _port: addresses
    with pytest.raises(FetchRefused) as error:
        fetch(url, policy, resolver)
    return error.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2001:0:1::1", "ff02::1", "2001:db8::1", "198.18.0.1", "192.0.2.1",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(address: str) -> None:
    assert not is_public(address)
    assert code("https://price.example/a", addresses=[address]) == "address_private"
    assert code("https://price.example/a", addresses=["93.184.216.34", address]) == "address_private", "one is enough"


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2a00:1450:4010:c0f::8a", "::ffff:8.8.8.8"])
def test_public_addresses_are_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]"])
def test_however_this_machine_is_written_it_is_refused(host: str) -> None:
    assert code(f"https://{host}/a") in ("address_private", "address_unreachable")


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("http://price.example/a", "address_scheme"), ("file:///etc/passwd", "address_scheme"),
        ("ftp://price.example/a", "address_scheme"), ("gopher://x/", "address_scheme"),
        ("price.example", "address_scheme"), ("https://user:pass@price.example/a", "address_malformed"),
        ("https://price.example:8080/", "address_malformed"),
        ("https:///a", "address_malformed"), ("https://price.example/a b", "address_malformed"),
        ("https://price.example/\r\nX: y", "address_malformed"), ("https://[::1/a", "address_malformed"),
        ("https://price.example/" + "a" * 1000, "address_malformed"),
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_asked(url: str, refusal: str) -> None:
    with pytest.raises(FetchRefused, match=refusal):
        check_url(url, STRICT)


def test_a_file_is_read_from_the_address_that_was_looked_at(server: str) -> None:
    asked = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    port = server.rpartition(":")[2]
    content = fetch(f"http://price.example:{port}/file?day=1", LOOSE, resolver)
    assert content == b"a;b\n1;2\n" + f"price.example:{port}".encode()
    assert asked == [("price.example", int(port))], "the name is resolved once"


def test_redirects_errors_size_and_time_end_in_an_answer(server: str) -> None:
    assert code(f"{server}/moved", LOOSE) == "address_redirects"
    assert code(f"{server}/broken", LOOSE) == "address_status"
    assert code(f"{server}/large", LOOSE) == "address_too_large"
    assert code(f"{server}/slow", LOOSE) == "address_slow"
    assert code(f"{server}/drip", LOOSE) == "address_slow", "each byte comes in time, the whole does not"
    assert code("http://127.0.0.1:1/", LOOSE) == "address_unreachable"


def test_a_name_that_nobody_has() -> None:
    assert code("https://no-such-name.invalid/a") == "address_unreachable"


def test_only_tests_and_demonstrations_may_fetch_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not STRICT.anywhere
    monkeypatch.setattr(fetching, "STEP_SECONDS", 0.2)
    assert code("http://price.example/a") == "address_scheme"
