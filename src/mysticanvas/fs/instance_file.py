"""The files in a library's folder that name the process that serves it, and the library's token.

What they say is not trusted: `cli/gallery.py` checks it before it sends anything.
"""

import json
from dataclasses import asdict
from pathlib import Path

from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.launch import Launch
from mysticanvas.fs.durable import replace

TOKEN_FILE = "token"
ADDRESS_FILE = "address.json"
# More than any that we write.
_MAX_BYTES = 4_096


def write_address(path: Path, base_url: str, launch: Launch) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps({"url": base_url, "launch": asdict(launch)}), "utf-8")
    replace(temporary, path)


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
    """The library's token for scripts. Raises `LibraryError` when it may not be read."""
    try:
        return (library / TOKEN_FILE).read_text("ascii").strip()
    except OSError as error:
        raise LibraryError(f"The token file of the library {library} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LibraryError(
            f"The token of the library {library} is damaged. Stop MystiCanvas, delete the file "
            f"{library / TOKEN_FILE}, and start MystiCanvas again to create a new token."
        ) from error
