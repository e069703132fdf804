"""URL policy for model servers: this machine, or another one only if the user allows it.

Every address that the host name resolves to is checked, including IPv4 addresses embedded in IPv6. Connections use
the checked address, so a second DNS lookup cannot return another one.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from mysticanvas.domain.errors import InvalidInputError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A checked server. `host` is as the user wrote it; `path` starts with a slash or is empty, without `/v1`."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def host_header(self) -> str:
        """The value of the HTTP header `Host`."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"

    def url(self, path: str) -> str:
        """A URL with the checked address instead of the host name."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}{path}"


def resolve_server(base_url: str, *, allow_remote: bool) -> ServerAddress:
    """Resolve and check a base URL. Raises `InvalidInputError` when it is invalid or not allowed."""
    parts, host, port = _split(base_url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InvalidInputError("The URL of a model server must not contain a user name, password, query or fragment.")
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    addresses = _resolve(host, port)
    for address in addresses:
        _check_address(address, host, allow_remote=allow_remote)
    return ServerAddress(parts.scheme, host, port, str(addresses[0]), path)


def server_of(base_url: str) -> str:
    """Scheme, host and port of a base URL, which tell servers apart. Raises `InvalidInputError` when it is invalid."""
    parts, host, port = _split(base_url)
    return f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"


def _split(base_url: str) -> tuple[SplitResult, str, int]:
    """A base URL, with its host in lower case and its port."""
    try:
        parts = urlsplit(base_url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidInputError(f"“{base_url}” is not a valid URL.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError("The URL of a model server must start with http:// or https://.")
    return parts, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _resolve(host: str, port: int) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InvalidInputError(f"The host name {host} could not be resolved.") from error
    # IPv4 first, because many local servers listen only there.
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    return sorted(dict.fromkeys(addresses), key=lambda address: address.version)


def _check_address(address: IpAddress, host: str, *, allow_remote: bool) -> None:
    for meant in (address, *_list_embedded_ipv4(address)):
        if meant.is_loopback:
            continue
        if meant.is_multicast or meant.is_unspecified or meant.is_link_local or meant.is_reserved:
            raise InvalidInputError(f"{host} resolves to {meant}, which is not a valid server address.")
        if not allow_remote:
            raise InvalidInputError(
                f"{host} is another machine ({meant}). To send data to it, allow servers on other machines in the "
                "settings (command line: --allow-remote)."
            )


def _list_embedded_ipv4(address: IpAddress) -> list[IpAddress]:
    """IPv4 addresses embedded in an IPv6 address: mapped, compatible, 6to4, Teredo and NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IpAddress | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    compatible = address in _COMPATIBLE and int(address) > 0xFFFF
    if compatible or address in _NAT64 or address in _LOCAL_NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _LOCAL_NAT64:
        # With a 48-bit prefix, byte 8, which is zero, splits the IPv4 address (RFC 6052, section 2.2).
        found.append(ipaddress.IPv4Address(address.packed[6:8] + address.packed[9:11]))
    return [one for one in found if one is not None]
