"""Which volume a folder is on, by a name that stays when drives are plugged in another order."""

import os
import sys
from pathlib import Path

_BY_UUID = Path("/dev/disk/by-uuid")


def volume_of(folder: Path) -> str | None:
    """The file system's own identifier; None where the system does not say."""
    if sys.platform == "win32":
        return _serial_of(folder)
    try:
        device = os.stat(folder).st_dev
        for entry in _BY_UUID.iterdir():
            if os.stat(entry).st_rdev == device:
                return entry.name
    except OSError:
        pass
    return None


def _serial_of(folder: Path) -> str | None:
    import ctypes

    serial = ctypes.c_ulong()
    known = ctypes.windll.kernel32.GetVolumeInformationW(  # type: ignore[attr-defined, unused-ignore]
        folder.anchor, None, 0, ctypes.byref(serial), None, None, None, 0
    )
    return f"{serial.value:08X}" if known else None
