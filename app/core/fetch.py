"""The only way the program reads an address that somebody else gave it.

The name is resolved once, every address it stands for must be public, and the connection goes to the very address that
was looked at. Redirects are not followed; size and time are limited.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.core.errors import DomainError

SECONDS = 60.0
STEP_SECONDS = 10.0
CHUNK = 64 * 1024
LONGEST_URL = 1000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_6TO4 = ipaddress.ip_network("2002::/16")
_TEREDO = ipaddress.ip_network("2001::/32")

Resolve = Callable[[str, int], list[str]]


class FetchRefused(DomainError):
    """The address may not or cannot be read: address_scheme, address_malformed, address_private, address_redirects,
    address_status, address_slow, address_too_large, address_unreachable."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed. `anywhere`: http and private addresses too, for tests and demonstrations only."""

    most_bytes: int
    anywhere: bool = False
    seconds: float = SECONDS


def check_url(url: str, policy: Policy) -> SplitResult:
    """The parts of an address that may be asked for.

    Raises:
        FetchRefused: address_malformed, address_scheme.
    """
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise FetchRefused("address_malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchRefused("address_malformed") from error
    if parts.scheme != "https" and not (policy.anywhere and parts.scheme == "http"):
        raise FetchRefused("address_scheme")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise FetchRefused("address_malformed")
    if port not in (None, 443) and not policy.anywhere:
        raise FetchRefused("address_malformed")
    return parts


def is_public(address: str) -> bool:
    """Whether it is an address of the open internet, looking into those that carry another inside."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if any(found in net for net in (_NAT64, _6TO4, _TEREDO)):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name.

    Raises:
        FetchRefused: address_unreachable.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchRefused("address_unreachable") from error
    return [str(one[4][0]) for one in found]


def fetch(url: str, policy: Policy, resolver: Resolve = resolve) -> bytes:
    """The content of an address.

    Raises:
        FetchRefused: with the code that says why.
    """
    parts = check_url(url, policy)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = resolver(host, port)
    if not addresses or not (policy.anywhere or all(is_public(one) for one in addresses)):
        raise FetchRefused("address_private")
    deadline = time.monotonic() + policy.seconds
    try:
        connection = _connected(parts.scheme, host, addresses[0], port)
        cut = threading.Timer(policy.seconds, _cut, [connection.sock])
        cut.start()
        try:
            return _read(connection, parts, policy, deadline)
        finally:
            cut.cancel()
            connection.close()
    except TimeoutError as error:
        raise FetchRefused("address_slow") from error
    except (OSError, http.client.HTTPException) as error:
        raise FetchRefused("address_slow" if time.monotonic() >= deadline else "address_unreachable") from error


def _cut(connected: socket.socket) -> None:
    """Time is up. A server that sends a byte now and then never times out by itself."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _connected(scheme: str, host: str, address: str, port: int) -> http.client.HTTPConnection:
    """A connection to the address that was looked at; the certificate must be of the name."""
    plain: Any = socket.create_connection((address, port), timeout=STEP_SECONDS)
    if scheme == "https":
        plain = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    connection = http.client.HTTPConnection(host, port, timeout=STEP_SECONDS)
    connection.sock = plain
    return connection


def _read(connection: http.client.HTTPConnection, parts: SplitResult, policy: Policy, deadline: float) -> bytes:
    target = parts.path or "/"
    headers = {"Accept-Encoding": "identity", "User-Agent": "TutuuMarket/1 (price lists)", "Connection": "close"}
    connection.request("GET", f"{target}?{parts.query}" if parts.query else target, headers=headers)
    answer = connection.getresponse()
    if 300 <= answer.status < 400:
        raise FetchRefused("address_redirects")
    if answer.status != 200:
        raise FetchRefused("address_status", status=answer.status)
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read1(CHUNK):
        size += len(piece)
        if size > policy.most_bytes:
            raise FetchRefused("address_too_large", maximum=policy.most_bytes // 1024 // 1024)
        if time.monotonic() > deadline:
            raise FetchRefused("address_slow")
        pieces.append(piece)
    if time.monotonic() > deadline:
        raise FetchRefused("address_slow")
    return b"".join(pieces)
