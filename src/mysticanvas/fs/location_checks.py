"""Detects locations where a database can be damaged: network drives and synced folders."""

import os
import sys
from pathlib import Path

_NETWORK_TYPES = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "ncpfs", "9p", "fuse.sshfs", "fuse.rclone", "davfs", "webdav")
)
# Folder names (in lower case) that sync services use.
_SYNC_SERVICES = {
    "dropbox": "Dropbox",
    "onedrive": "OneDrive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "mobile documents": "iCloud Drive",
    "pcloud": "pCloud",
    "nextcloud": "Nextcloud",
    "syncthing": "Syncthing",
}


def find_location_risk(folder: Path) -> str | None:
    """A warning for the user when a database in `folder` is at risk; None for a safe location."""
    folder = folder.absolute()
    if (service := _find_sync_service(folder)) is not None:
        return (
            f"The library {folder} is in a folder that {service} synchronizes, which can damage the database. "
            "Use --library to choose a folder that is not synchronized."
        )
    if _is_on_network(folder):
        return (
            f"The library {folder} is on a network drive, where the database can be damaged. "
            "Use --library to choose a local folder. Your images can stay on the network drive."
        )
    return None


def _find_sync_service(folder: Path) -> str | None:
    for part in folder.parts:
        name = part.lower()
        for known, service in _SYNC_SERVICES.items():
            # OneDrive appends the name of an organization: “OneDrive - Example”.
            if name == known or name.startswith((f"{known} ", f"{known}-")):
                return service
    return None


def _is_on_network(folder: Path) -> bool:
    if sys.platform == "win32":
        import ctypes

        remote = 4
        return str(folder).startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == remote
    return _find_mount_type(folder, list_mounts()) in _NETWORK_TYPES


def list_mounts() -> list[tuple[str, str]]:
    """(mount point, type) of every mount; [] when the system does not provide them."""
    try:
        lines = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    # Spaces in mount points are octal escapes.
    return [(one[1].replace("\\040", " "), one[2]) for one in fields if len(one) >= 3]


def _find_mount_type(folder: Path, every: list[tuple[str, str]]) -> str | None:
    """The type of the innermost mount that contains the folder; of the last one when mounts are stacked."""
    path = os.path.realpath(folder)
    found: tuple[int, str] | None = None
    for point, kind in every:
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and (found is None or len(point) >= found[0]):
            found = len(point), kind
    return found[1] if found else None
