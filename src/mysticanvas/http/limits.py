"""Limits on the resources of clients that have not signed in, and time limits for all clients."""

import ipaddress
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

# Where the system has no limit on open files, as on Windows: connections that may be open at the same time.
MOST_CONNECTIONS = 2_048
# macOS starts programs with 256.
LEAST_DESCRIPTORS = 1_024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in bytes, seconds and numbers of connections. A connection is unsigned (not signed in) until one of its
    requests contains the token or the cookie of the library."""

    # For every request.
    header_bytes: int = 32 * 1024
    header_s: float = 10
    waiting_requests: int = 16
    # For a request without a sign-in. The longest password fits into its body.
    body_bytes: int = 1_024
    body_s: float = 10
    response_s: float = 30
    # For a connection between two requests. A signed one may also pause as long while it sends a body.
    idle_s: float = 5
    signed_idle_s: float = 60
    unsigned: int = 256
    unsigned_per_network: int = 64
    # Descriptors that connections leave to the rest of the program.
    reserved_descriptors: int = 128


@lru_cache(1_024)
def get_network(address: str) -> str:
    """Returns the network that counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


class Descriptors:
    """Checks whether this process is about to run out of file descriptors."""

    def __init__(self, reserved: int) -> None:
        self._reserved = reserved

    def are_short(self, connections: int) -> bool:
        """Returns whether fewer free descriptors than the reserve are left. `connections` is the number of open
        connections, used on systems without a limit on open files."""
        limit = get_descriptor_limit()
        if limit is None:
            return connections >= MOST_CONNECTIONS
        try:
            # The lowest free number: all below it are in use.
            lowest = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            return True
        os.close(lowest)
        return lowest >= limit - self._reserved


def get_descriptor_limit() -> int | None:
    """Returns the maximum number of file descriptors of this process, or None if the system has no limit."""
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_descriptor_limit() -> None:
    """Raises a low limit of this process to `LEAST_DESCRIPTORS`, as far as the system allows."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = LEAST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(LEAST_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
