"""Where an endpoint may be: this machine; another only when the person said so.

Every address that the name resolves to is judged, also when it is wrapped in IPv6, and the one that
was judged is the one that is connected to: a name cannot be answered differently the second time.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from mysticanvas.domain.errors import InvalidInputError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Place:
    """`path` begins with a slash or is empty, and ends before `/v1`. `host` is what the person wrote."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"

    def url(self, path: str) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}{path}"


def locate(base_url: str, *, allow_remote: bool) -> Place:
    """Raises `InvalidInputError` for an address that makes no sense or may not be asked."""
    try:
        parts = urlsplit(base_url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidInputError(f"“{base_url}” is no web address.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError("The address of a model server begins with http:// or https://.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InvalidInputError("The address of a model server holds no password, question mark or #.")
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    port = port or (443 if parts.scheme == "https" else 80)
    addresses = _resolve(parts.hostname, port)
    for address in addresses:
        _judge(address, parts.hostname, allow_remote=allow_remote)
    return Place(parts.scheme, parts.hostname, port, str(addresses[0]), path)


def _resolve(host: str, port: int) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InvalidInputError(f"The server {host} is not known on this network.") from error
    # An IPv4 address first: many local servers listen on that alone.
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    return sorted(dict.fromkeys(addresses), key=lambda address: address.version)


def _judge(address: IpAddress, host: str, *, allow_remote: bool) -> None:
    for meant in (address, *_wrapped(address)):
        if meant.is_loopback:
            continue
        if meant.is_multicast or meant.is_unspecified or meant.is_link_local or meant.is_reserved:
            raise InvalidInputError(f"{host} leads to {meant}, which is no server's address.")
        if not allow_remote:
            raise InvalidInputError(
                f"{host} is another machine ({meant}). What is sent there leaves this one; allow it in the settings."
            )


def _wrapped(address: IpAddress) -> list[IpAddress]:
    """The IPv4 addresses inside an IPv6 one: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IpAddress | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    compatible = address in _COMPATIBLE and int(address) > 0xFFFF
    if compatible or address in _NAT64 or address in _LOCAL_NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _LOCAL_NAT64:
        # A prefix of 48 bits has it around the ninth byte, which is zero (RFC 6052, section 2.2).
        found.append(ipaddress.IPv4Address(address.packed[6:8] + address.packed[9:11]))
    return [one for one in found if one is not None]
