"""Where the server listens, and under which names browsers reach it (X1).

This machine alone, unless the person names another address; then only with a password and with the
names that a browser will say. No request is believed because of where it seems to come from.
"""

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mysticanvas.domain.errors import InvalidInputError, LibraryError

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_NAME = re.compile(r"(?:(https?)://)?([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Ports that are free in one family and taken in the other, before one gives up.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class GalleryAddress:
    """Where the gallery is served: `base_url` without a slash at the end, and `origins` as the gate takes them."""

    base_url: str
    origins: Mapping[str, str]


def is_wide(host: str) -> bool:
    """Whether others than this machine could reach it. Raises `InvalidInputError` for what is no address."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise InvalidInputError(f"“{host}” is no address to listen at; 0.0.0.0 is every one.") from error


def check_wide(host: str, names: Sequence[str], *, has_password: bool) -> None:
    """Raises `InvalidInputError` unless what is needed to be reached by others is there."""
    if not is_wide(host):
        return
    if not has_password:
        raise InvalidInputError(f"Listening at {host} lets others ask. Set a password first: mysticanvas password")
    if not names:
        raise InvalidInputError(
            f"Listening at {host} needs the names that browsers will use, such as --host-name nas.local; "
            "requests for any other name are refused."
        )


def list_origins(port: int, names: Sequence[str]) -> dict[str, str]:
    """What a browser says as Host → what it says as Origin, of every address that is ours.

    A name is `nas.local`, `nas.local:8080`, or as the browser's address begins: `https://gallery.example`.
    Raises `InvalidInputError`.
    """
    found = {}
    for name in (*_LOOPBACK, *names):
        match = _NAME.fullmatch(name.strip().lower())
        if match is None:
            raise InvalidInputError(f"“{name}” is no name of a host; write it as the browser's address does.")
        scheme, host = match[1] or "http", match[2]
        # With a scheme it is an address as it is written, else one at our port.
        at = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme] if match[1] else port
        authority = host if at == _DEFAULT_PORTS[scheme] else f"{host}:{at}"
        found[authority] = f"{scheme}://{authority}"
    return found


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Both loopback addresses (the second would else be free for another program to pose as us at), and
    `host`. The first is IPv4. Raises `LibraryError` when the port is taken."""
    tries = _TRIES if port == 0 else 1
    for left in reversed(range(tries)):
        try:
            return _open_all(host, port)
        except OSError as error:
            if left == 0 or error.errno != errno.EADDRINUSE:
                raise _describe_error(host, port, error) from error
    raise AssertionError


def _open_all(host: str, port: int) -> list[socket.socket]:
    first, second = ("0.0.0.0", "::") if host == "::" else ("0.0.0.0" if host == "0.0.0.0" else "127.0.0.1", "::1")
    found = [_open(socket.AF_INET, first, port)]
    port = int(found[0].getsockname()[1])
    try:
        if _has_ipv6():
            found.append(_open(socket.AF_INET6, second, port))
        if is_wide(host) and host not in (first, second):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            found.append(_open(family, host, port))
    except OSError:
        for one in found:
            one.close()
        raise
    return found


def _open(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    # The protocol is named, or asyncio leaves Nagle on, and each reply waits for an acknowledgement (40 ms).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        _open(socket.AF_INET6, "::1", 0).close()
    except OSError:
        return False
    return True


def _describe_error(host: str, port: int, error: OSError) -> LibraryError:
    if error.errno == errno.EADDRINUSE:
        return LibraryError(f"Port {port} is used by another program. Choose another with --port, or --port 0 for any.")
    return LibraryError(f"MystiCanvas cannot listen at {host}, port {port}: {error.strerror}.")
