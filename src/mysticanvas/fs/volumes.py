"""Identifies the volume of a folder by a name that does not depend on the order of drives."""

import os
import sys
from pathlib import Path

_BY_UUID = Path("/dev/disk/by-uuid")


def get_volume_id(folder: Path) -> str | None:
    """The identifier of the file system; None when the system does not provide it."""
    if sys.platform == "win32":
        return _get_volume_serial(folder)
    try:
        device = os.stat(folder).st_dev
        for entry in _BY_UUID.iterdir():
            if os.stat(entry).st_rdev == device:
                return entry.name
    except OSError:
        pass
    return None


def _get_volume_serial(folder: Path) -> str | None:
    import ctypes

    serial = ctypes.c_ulong()
    known = ctypes.windll.kernel32.GetVolumeInformationW(  # type: ignore[attr-defined, unused-ignore]
        folder.anchor, None, 0, ctypes.byref(serial), None, None, None, 0
    )
    return f"{serial.value:08X}" if known else None
