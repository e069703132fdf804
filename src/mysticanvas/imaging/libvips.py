"""Which libvips is in use: that of pyvips-binary, or one of the system.

Where a compiler and the headers of a libvips are installed, pip compiles pyvips for that libvips, which replaces the
module of pyvips-binary. Debian 12 has the oldest one that our tests of decoding were run with.
"""

from collections.abc import Iterable

import pyvips

from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.file import ImageFormat
from mysticanvas.imaging.decode import LOADERS

# Versions before 8.13 cannot block their untrusted loaders.
OLDEST = (8, 14)
_REPAIR = (
    "pyvips was compiled for a libvips of this system. To use the one that MystiCanvas is tested with, run: "
    "python -m pip install --force-reinstall --no-deps pyvips-binary"
)


def check_libvips() -> None:
    """Raises `LibraryError` unless libvips is new enough and can decode all formats."""
    version = (pyvips.version(0), pyvips.version(1))
    missing = [one for one, loader in LOADERS.items() if not pyvips.type_find("VipsForeignLoad", loader)]
    check(version, missing)


def check(version: tuple[int, int], missing: Iterable[ImageFormat]) -> None:
    if version < OLDEST:
        found, oldest = (".".join(map(str, one)) for one in (version, OLDEST))
        raise LibraryError(f"MystiCanvas needs libvips {oldest} or newer, and this is {found}. {_REPAIR}")
    if names := ", ".join(one.upper() for one in missing):
        raise LibraryError(f"The installed libvips cannot decode {names}. {_REPAIR}")
