"""Where a library does not belong (D8)."""

from pathlib import Path

import pytest

from mysticanvas.fs import location_checks, mounts
from mysticanvas.fs.mounts import Mount


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("/home/me/Dropbox/mysticanvas", "Dropbox"),
        ("/home/me/OneDrive - Example/library", "OneDrive"),
        ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/library", "iCloud Drive"),
    ],
)
def test_a_synced_folder_is_named_with_its_service(folder: str, service: str) -> None:
    assert service in str(location_checks.find_location_risk(Path(folder)))


@pytest.mark.parametrize("folder", ["/home/me/.local/share/mysticanvas", "/home/me/dropboxes/library"])
def test_a_folder_of_this_computer_is_a_good_place(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "list_mounts", lambda: [Mount("/", "ext4"), Mount("/mnt/nas", "cifs")])
    assert location_checks.find_location_risk(Path(folder)) is None


def test_a_network_drive_is_told_from_the_disk_that_is_mounted_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = [Mount("/", "ext4"), Mount("/mnt/nas", "nfs4"), Mount("/mnt/nas/local disk", "xfs")]
    monkeypatch.setattr(mounts, "list_mounts", lambda: mounted)
    assert "network drive" in str(location_checks.find_location_risk(Path("/mnt/nas/library")))
    assert location_checks.find_location_risk(Path("/mnt/nas/local disk/library")) is None
