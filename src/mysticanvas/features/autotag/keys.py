"""The API key of a model server, in a file of its own that only its owner may read.

The file names the server (scheme, host and port) for which the person entered the key. No other server receives it,
whatever address is tried, saved, or brought back by a backup.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mysticanvas.db.database import Database
from mysticanvas.features.autotag import service
from mysticanvas.fs.durable import replace
from mysticanvas.llm.url_policy import server_of

KEY_FILE = "endpoint.key"


def store_key(library: Path, key: str, base_url: str) -> None:
    """Store the key for the server of `base_url`, instead of the one that is stored."""
    file = library / KEY_FILE
    temporary = file.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        json.dump({"server": server_of(base_url), "key": key}, opened)
    replace(temporary, file)


def delete_key(library: Path) -> None:
    (library / KEY_FILE).unlink(missing_ok=True)


def read_key(library: Path, base_url: str) -> str | None:
    """None when no key is stored for the server of `base_url`."""
    kept = _parse(_read(library))
    return kept["key"] if kept is not None and kept["server"] == server_of(base_url) else None


@contextmanager
def bind_plain_key(database: Database) -> Iterator[None]:
    """Libraries made before keys were bound have a file with nothing but the key: it belongs to the server that the
    settings name now, before anything can change them."""
    text = _read(database.folder)
    if text and _parse(text) is None:
        wanted = database.read(service.get_settings)
        if wanted is None:
            delete_key(database.folder)
        else:
            store_key(database.folder, text, wanted.endpoint.base_url)
    yield


def _read(library: Path) -> str:
    try:
        return (library / KEY_FILE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _parse(text: str) -> dict[str, str] | None:
    """None for anything but what `store_key` writes."""
    try:
        kept = json.loads(text)
    except ValueError:
        return None
    is_ours = isinstance(kept, dict) and kept.keys() == {"server", "key"}
    return kept if is_ours and all(isinstance(value, str) for value in kept.values()) else None
