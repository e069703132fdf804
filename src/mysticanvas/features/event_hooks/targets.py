"""What a hook may call: a program of this machine by its full path, or a URL of this machine."""

import ipaddress
import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from mysticanvas.features.event_hooks.types import Hook

MAX_ARGUMENTS = 1_000


@dataclass(frozen=True, slots=True)
class LoopbackUrl:
    """`url` contains an address of this machine in place of the host name; `host` is the value of the header `Host`."""

    url: str
    host: str


def check_target(hook: Hook) -> None:
    """Raises `ValueError` with a sentence."""
    if (hook.command is None) == (hook.url is None):
        raise ValueError("A hook has either a command or a URL.")
    if hook.url is not None:
        _split(hook.url)
    elif not hook.command or len(hook.command) > MAX_ARGUMENTS or "\0" in "".join(hook.command):
        raise ValueError("The command of a hook is empty, too long, or contains a zero byte.")
    elif not os.path.isabs(hook.command[0]) or not os.path.isabs(hook.folder or ""):
        raise ValueError("The program and the folder of a hook must be full paths.")


def find_program(command: Sequence[str]) -> list[str]:
    """The command with the full path of its program, so that it does not depend on PATH when it runs. Raises
    `ValueError`."""
    found = shutil.which(command[0]) if command else None
    if found is None:
        raise ValueError(f"The program {command[0] if command else ''} was not found. Specify its full path.")
    return [os.path.abspath(found), *command[1:]]


def resolve_loopback(url: str) -> LoopbackUrl:
    """Raises `ValueError` for a URL that is not one of this machine."""
    parts, hostname = _split(url)
    port = parts.port or 80
    address = _find_loopback(hostname, port)
    place = f"[{address}]" if ":" in address else address
    return LoopbackUrl(parts._replace(netloc=f"{place}:{port}", fragment="").geturl(), parts.netloc)


def _split(url: str) -> tuple[SplitResult, str]:
    """A URL and its host name."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("The URL of a hook must start with http://, because it is a server on this machine.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("The URL of a hook must not contain a user name or a password.")
    return parts, parts.hostname


def _find_loopback(host: str, port: int) -> str:
    """An address of this machine. Every address of the host name must be one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(f"The host name {host} could not be resolved.") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for address in addresses:
        if not address.is_loopback:
            raise ValueError(f"{host} is not this machine ({address}). A hook can only call a URL of this machine.")
    # IPv4 first, because many local servers listen only there.
    return str(min(addresses, key=lambda one: one.version))
