"""What kind of place a folder is in: a database does not belong on a network or in a synced folder."""

import os
import sys
from pathlib import Path

_NETWORK_TYPES = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "ncpfs", "9p", "fuse.sshfs", "fuse.rclone", "davfs", "webdav")
)
# Folders that the clients of these services keep in step with another computer.
_SYNCED = {
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


def danger_of(folder: Path) -> str | None:
    """A sentence about why a database in `folder` may be lost; None for a good place."""
    folder = folder.absolute()
    if (service := _synced_by(folder)) is not None:
        return (
            f"The library {folder} is in a folder that {service} synchronises; a database can be torn there. "
            "Choose a folder of this computer alone with --library."
        )
    if _is_on_network(folder):
        return (
            f"The library {folder} is on a network drive, where a database can be damaged. "
            "Choose a folder of this computer with --library; your images may stay on the network."
        )
    return None


def _synced_by(folder: Path) -> str | None:
    for part in folder.parts:
        name = part.lower()
        for known, service in _SYNCED.items():
            # OneDrive adds the name of a firm: “OneDrive - Example”.
            if name == known or name.startswith((f"{known} ", f"{known}-")):
                return service
    return None


def _is_on_network(folder: Path) -> bool:
    if sys.platform == "win32":
        import ctypes

        remote = 4
        return str(folder).startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == remote
    return _mounted_as(folder, mounts()) in _NETWORK_TYPES


def mounts() -> list[tuple[str, str]]:
    """(mount point, type) of every mount; [] where the system does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    # Blanks in a mount point are written as octal.
    return [(one[1].replace("\\040", " "), one[2]) for one in fields if len(one) >= 3]


def _mounted_as(folder: Path, every: list[tuple[str, str]]) -> str | None:
    """The type of the innermost mount that holds the folder; of the last one where several are stacked."""
    path = os.path.realpath(folder)
    found: tuple[int, str] | None = None
    for point, kind in every:
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and (found is None or len(point) >= found[0]):
            found = len(point), kind
    return found[1] if found else None
