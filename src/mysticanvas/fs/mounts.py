"""Finds the mount that contains a folder, on every system."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Mount:
    """`kind` is the type of the file system. `is_remote`: Windows reports it as a network drive."""

    point: str
    kind: str
    is_remote: bool = False


def list_mounts() -> list[Mount]:
    """Every mount; [] when the system does not provide them."""
    try:
        found = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return []
    return [Mount(one.mountpoint, one.fstype, "remote" in one.opts.split(",")) for one in found]


def find_mount(folder: Path) -> Mount | None:
    """The innermost mount that contains the folder; the last one when mounts are stacked."""
    path = os.path.normcase(os.path.realpath(folder))
    found: Mount | None = None
    for mount in list_mounts():
        point = os.path.normcase(mount.point)
        inside = path == point or path.startswith(point.rstrip(os.sep) + os.sep)
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found
