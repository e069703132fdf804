"""Detects locations where a database can be damaged: network drives and synced folders."""

from pathlib import Path

from mysticanvas.fs.mounts import find_mount

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
    if str(folder).startswith("\\\\"):
        return True
    mount = find_mount(folder)
    return mount is not None and (mount.is_remote or mount.kind in _NETWORK_TYPES)
