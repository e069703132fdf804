"""A path as people enter it: typed, or copied from a file manager or a terminal with quotes or as a `file:` URL."""

import os
import re
from pathlib import Path
from urllib.parse import unquote

from mysticanvas.domain.errors import InvalidInputError

QUOTES = ('"', "'")
# The second slash is missing when a `Path` was made of the URL.
_FILE_URL = re.compile(r"file:(?://(?P<host>[^/\\]*)(?=[/\\]))?(?P<path>[/\\].*)", re.IGNORECASE | re.DOTALL)
_DRIVE = re.compile(r"/[A-Za-z]:")


def parse_entered_path(text: str | os.PathLike[str]) -> Path:
    """The path that is meant, with `~` replaced. A name that exists as it stands is that, whatever it looks like.

    Raises `InvalidInputError` for a URL of another machine, and for a home folder that nobody has.
    """
    entered = os.fspath(text)
    if _exists(entered):
        return Path(entered)
    bare = _without_quotes(entered.strip())
    url = _FILE_URL.fullmatch(bare)
    if url is not None:
        return Path(_path_of_url(bare, url["host"] or "", url["path"]))
    try:
        # What is not in quotes is left as it is: a name may end with a space.
        return Path(bare if bare != entered.strip() else entered).expanduser()
    except RuntimeError as error:
        raise InvalidInputError(f"The home folder in {bare} could not be found. Enter the full path.") from error


def _exists(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:
        return False


def _without_quotes(text: str) -> str:
    is_quoted = len(text) > 2 and text[0] in QUOTES and text[-1] == text[0]
    return text[1:-1].strip() if is_quoted else text


def _path_of_url(url: str, host: str, path: str) -> str:
    decoded = unquote(path.replace("\\", "/"), errors="surrogateescape")
    if _DRIVE.match(decoded):
        return decoded[1:]
    if host.lower() in ("", "localhost"):
        return decoded
    if os.name == "nt":
        return f"//{host}{decoded}"
    raise InvalidInputError(f"{url} is on another machine. Enter the path where it is mounted on this machine.")
