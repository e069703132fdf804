"""Finds the address of a client behind a trusted proxy. Used only to limit password attempts."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

from mysticanvas.domain.errors import InvalidInputError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """The trusted proxies. `names`: addresses, or networks such as 10.0.0.0/8. If it is empty, forwarded headers are
    ignored, because any client can send them. Raises `InvalidInputError` for an invalid name."""

    def __init__(self, names: Sequence[str]) -> None:
        self._networks = [_parse(name) for name in names]

    def find_client(self, request: HTTPConnection) -> str:
        """Returns the address of the connection if it is not a trusted proxy, otherwise the last address in
        `X-Forwarded-For` that is not a trusted proxy."""
        found = request.client.host if request.client else ""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        while forwarded and self._is_trusted(found):
            address = forwarded.pop().strip()
            if not _is_address(address):
                break
            found = address
        return found

    def _is_trusted(self, address: str) -> bool:
        if not self._networks or not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._networks)


def _parse(name: str) -> Network:
    try:
        return ipaddress.ip_network(name, strict=False)
    except ValueError as error:
        raise InvalidInputError(
            f"“{name}” is not an IP address or network. Enter the address of the proxy, such as 192.168.1.2."
        ) from error


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
