"""The files in a library's folder that name the process that serves it, and the library's token.

What they say is not trusted: `cli/gallery.py` checks it before it sends anything.
"""

import json
import re
from dataclasses import asdict
from pathlib import Path

from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.launch import Launch
from mysticanvas.fs.durable import replace

TOKEN_FILE = "token"
ADDRESS_FILE = "address.json"
# More than any that we write.
_MAX_BYTES = 4_096
# As `secrets.token_urlsafe(32)` writes them. A shorter one could be guessed.
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")


def write_address(path: Path, base_url: str, launch: Launch) -> None:
    """Whole or not at all. Raises `LibraryError`."""
    temporary = path.with_suffix(".part")
    try:
        temporary.write_text(json.dumps({"url": base_url, "launch": asdict(launch)}), "utf-8")
        replace(temporary, path)
    except OSError as error:
        raise describe_unusable(path, "its address", "written", error) from error


def read_address(library: Path) -> Launch | None:
    """The launch that wrote `address.json`, which may have ended since; None without a usable file. Only its port is
    read, never a host: a gallery is always reached on this machine."""
    try:
        with (library / ADDRESS_FILE).open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES))["launch"]
        launch = Launch(str(found["id"]), int(found["port"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return launch if 0 < launch.port < 65_536 else None


def read_token(library: Path) -> str:
    """The library's token for scripts. Raises `LibraryError` when it may not be read, or is not a token."""
    path = library / TOKEN_FILE
    token = read_secret(path, "its token")
    if token is not None:
        return token
    what = "is damaged" if path.exists() else "is missing"
    raise LibraryError(
        f"The token of the library {library} {what}. Stop MystiCanvas and start it again to create a new "
        "token. Scripts that use the old token need the new one (mysticanvas token show)."
    )


def read_secret(path: Path, what: str) -> str | None:
    """The token or the cookie in a file; None if there is no file, or its content cannot be one, such as an empty file.
    `what` is stored in it. Raises `LibraryError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise describe_unusable(path, what, "read", error) from error
    return text if _SECRET.fullmatch(text) else None


def describe_unusable(path: Path, what: str, done: str, error: OSError) -> LibraryError:
    """The error for a file in the library folder that cannot be `done`: read or written."""
    if path.is_dir():
        return LibraryError(
            f"{path} is a folder, but MystiCanvas stores {what} in a file of this name. Move or delete this folder, "
            "and start MystiCanvas again."
        )
    return LibraryError(
        f"{path}, in which MystiCanvas stores {what}, cannot be {done}: {error.strerror}. Check the permissions of "
        "this file and the free space, and start MystiCanvas again."
    )
