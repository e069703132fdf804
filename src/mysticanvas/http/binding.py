"""Server sockets and host names.

The server listens only on the loopback addresses, unless the user sets another address, which requires a password and
the host names that browsers will use. No request is trusted because of its source address.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from mysticanvas.domain.errors import InvalidInputError, LibraryError

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_NAME = re.compile(r"(?:(https?)://)?([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Attempts to find a port that is free for both IPv4 and IPv6.
_TRIES = 20
# Reserved for documentation, so no machine has this address.
_ANY_OUTSIDE = "192.0.2.1"
# Windows reports a port that another program uses exclusively as WSAEACCES.
_IN_USE = frozenset((errno.EADDRINUSE, 10013))


@dataclass(frozen=True, slots=True)
class GalleryAddress:
    """The address of the gallery: `base_url` without a trailing slash, `origins` for `Gate`, and `external`, the URLs
    for other machines. URLs that phones are most likely to reach come first."""

    base_url: str
    origins: Mapping[str, str]
    external: Sequence[str] = ()


def is_wide(host: str) -> bool:
    """Returns whether other machines can reach this address. Raises `InvalidInputError` for an invalid address."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise InvalidInputError(
            f"“{host}” is not an IP address. Use an address of this machine, or 0.0.0.0 for all of them."
        ) from error


def check_wide(host: str, names: Sequence[str], *, has_password: bool) -> None:
    """Raises `InvalidInputError` if other machines can reach `host` without a password or without host names."""
    if not is_wide(host):
        return
    if not has_password:
        raise InvalidInputError(
            f"Listening on {host} lets other machines connect. Set a password first: mysticanvas access password"
        )
    if not names:
        raise InvalidInputError(
            f"Listening on {host} requires the host names that browsers will use, such as --host-name nas.local. "
            "Requests for other host names are rejected."
        )


def list_origins(port: int, names: Sequence[str]) -> dict[str, str]:
    """Maps each accepted Host header to the Origin header that must accompany it.

    A name is `nas.local`, `nas.local:8080`, or a URL: `https://gallery.example`.
    Raises `InvalidInputError`.
    """
    found = {}
    for name in (*_LOOPBACK, *names):
        match = _NAME.fullmatch(name.strip().lower())
        if match is None:
            raise InvalidInputError(
                f"“{name}” is not a host name. Enter it as in the address bar of the browser, such as nas.local:8080."
            )
        scheme, host = match[1] or "http", match[2]
        # A name with a scheme is a complete address; otherwise it is reached at our port.
        at = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme] if match[1] else port
        authority = host if at == _DEFAULT_PORTS[scheme] else f"{host}:{at}"
        found[authority] = f"{scheme}://{authority}"
    return found


def list_external(port: int, names: Sequence[str]) -> list[str]:
    """Returns the URLs for other machines. HTTPS URLs come first, then IP addresses, because phones often cannot
    resolve local host names."""
    own = list_origins(port, ())
    found = [origin for host, origin in list_origins(port, names).items() if host not in own]
    return sorted(found, key=_rank)


def _rank(url: str) -> int:
    if url.startswith("https:"):
        return 0
    return 1 if _is_ip_address(urlsplit(url).hostname or "") else 2


def _is_ip_address(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def find_lan_addresses(host: str) -> list[str]:
    """Returns the address at which other machines can reach a server that listens on `host`. If the server listens on
    all addresses, this is the address of the default route. Returns an empty list if the address is unknown.

    The address is as safe as a configured host name: no other site can use it as its name, so DNS rebinding is not
    possible.
    """
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return [f"[{address.compressed}]" if address.version == 6 else host]
    found = _find_outgoing_address()
    if found is None or ipaddress.ip_address(found).is_unspecified or ipaddress.ip_address(found).is_loopback:
        return []
    return [found]


def _find_outgoing_address() -> str | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Only selects the route; a datagram socket sends nothing here.
            probe.connect((_ANY_OUTSIDE, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listens on `host` and on both loopback addresses, because another program could impersonate MystiCanvas on an
    unused loopback address. The first socket is IPv4. Raises `LibraryError` if the port is in use."""
    tries = _TRIES if port == 0 else 1
    for left in reversed(range(tries)):
        try:
            return _open_all(host, port)
        except OSError as error:
            if left == 0 or error.errno not in _IN_USE:
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
    # Without an explicit protocol, asyncio leaves Nagle's algorithm on, which delays each reply by 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows, SO_REUSEADDR would let two programs listen on one port, and its opposite prevents that.
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        bound.setsockopt(socket.SOL_SOCKET, option, 1)
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
    if error.errno in _IN_USE:
        return LibraryError(
            f"Port {port} is used by another program. Select another port with --port, or a free one with --port 0."
        )
    return LibraryError(f"MystiCanvas cannot listen on {host}, port {port}: {error.strerror}.")
