"""Identifies the volume of a folder by a name that does not depend on the order of drives."""

import ctypes
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from mysticanvas.fs.mounts import find_mount

_BY_UUID = Path("/dev/disk/by-uuid")


def get_volume_id(folder: Path) -> str | None:
    """The identifier of the file system; None when the system does not provide it."""
    if sys.platform == "win32":
        return _get_volume_serial(folder)
    if sys.platform == "darwin":
        mount = find_mount(folder)
        return None if mount is None else read_volume_uuid(ctypes.CDLL(None), mount.point)
    try:
        device = os.stat(folder).st_dev
        for entry in _BY_UUID.iterdir():
            if os.stat(entry).st_rdev == device:
                return entry.name
    except OSError:
        pass
    return None


def _get_volume_serial(folder: Path) -> str | None:
    serial = ctypes.c_ulong()
    known = ctypes.windll.kernel32.GetVolumeInformationW(  # type: ignore[attr-defined, unused-ignore]
        folder.anchor, None, 0, ctypes.byref(serial), None, None, None, 0
    )
    return f"{serial.value:08X}" if known else None


class _AttributeList(ctypes.Structure):
    """`struct attrlist` of macOS, see getattrlist(2)."""

    _fields_ = (
        ("bitmapcount", ctypes.c_ushort),
        ("reserved", ctypes.c_uint16),
        ("commonattr", ctypes.c_uint32),
        ("volattr", ctypes.c_uint32),
        ("dirattr", ctypes.c_uint32),
        ("fileattr", ctypes.c_uint32),
        ("forkattr", ctypes.c_uint32),
    )


class _UuidReply(ctypes.Structure):
    """What getattrlist(2) writes for `ATTR_VOL_UUID`: the size of the reply, then the UUID."""

    _pack_ = 4
    _fields_ = (("length", ctypes.c_uint32), ("uuid", ctypes.c_uint8 * 16))


_ATTR_BIT_MAP_COUNT = 5
_ATTR_VOL_INFO = 0x8000_0000
_ATTR_VOL_UUID = 0x0004_0000


def read_volume_uuid(library: Any, mount_point: str) -> str | None:
    """The UUID of the volume mounted there, read with `getattrlist` of the C library of macOS. None without one: some
    network drives and FAT volumes have none."""
    wanted = _AttributeList(bitmapcount=_ATTR_BIT_MAP_COUNT, volattr=_ATTR_VOL_INFO | _ATTR_VOL_UUID)
    reply = _UuidReply()
    failed = library.getattrlist(
        os.fsencode(mount_point), ctypes.byref(wanted), ctypes.byref(reply), ctypes.sizeof(reply), 0
    )
    found = uuid.UUID(bytes=bytes(reply.uuid))
    return None if failed or found.int == 0 else str(found)
