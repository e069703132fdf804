"""What files, folders and ports are on Windows and macOS."""

import ctypes
import fcntl
import os
import socket
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from mysticanvas.fs import location_checks, mounts, volumes
from mysticanvas.fs.mounts import Mount
from mysticanvas.fs.paths import extend_windows_path, resolve_folder
from mysticanvas.fs.watcher import Hint, _build_hint, list_spellings
from mysticanvas.http import binding


@pytest.mark.parametrize(
    ("path", "extended"),
    [
        (rb"C:\short/picture.png", rb"C:\short\picture.png"),
        (b"C:\\" + b"f" * 250 + b"/a.png", b"\\\\?\\C:\\" + b"f" * 250 + b"\\a.png"),
        (b"\\\\nas\\share/" + b"f" * 250 + b"/a.png", b"\\\\?\\UNC\\nas\\share\\" + b"f" * 250 + b"\\a.png"),
        (b"\\\\?\\C:\\" + b"f" * 250, b"\\\\?\\C:\\" + b"f" * 250),
    ],
)
def test_a_long_path_of_windows_has_the_prefix_that_lifts_the_limit(path: bytes, extended: bytes) -> None:
    assert extend_windows_path(path) == extended


class Partition(NamedTuple):
    mountpoint: str
    fstype: str
    opts: str


@pytest.mark.parametrize(
    ("kind", "options", "is_network"),
    [
        ("apfs", "rw,local", False),
        ("smbfs", "rw,nosuid", True),
        ("NTFS", "rw,remote", True),
        ("NTFS", "rw,fixed", False),
    ],
)
def test_a_network_drive_is_recognized_by_its_type_or_by_windows(
    monkeypatch: pytest.MonkeyPatch, kind: str, options: str, is_network: bool
) -> None:
    mounted = [Partition("/", "apfs", "rw"), Partition("/Volumes/Drive", kind, options)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounted)
    risk = location_checks.find_location_risk(Path("/Volumes/Drive/library"))
    assert ("network drive" in str(risk)) is is_network


def test_a_unc_path_is_on_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "absolute", lambda self: self)
    assert "network drive" in str(location_checks.find_location_risk(Path(r"\\nas\share\library")))


class MacLibrary:
    """The C library of macOS, which knows the UUID of one volume."""

    def __init__(self, known: dict[bytes, uuid.UUID]) -> None:
        self._known = known

    def getattrlist(self, path: bytes, wanted: Any, reply: Any, size: int, options: int) -> int:
        asked = wanted._obj
        assert (asked.bitmapcount, asked.volattr, options) == (5, 0x8004_0000, 0)
        assert ctypes.sizeof(asked) == 24
        assert size == 20
        if path not in self._known:
            return -1
        ctypes.memmove(reply, (20).to_bytes(4, "little") + self._known[path].bytes, 20)
        return 0


def test_a_volume_of_macos_is_identified_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    number = uuid.UUID("0a81f3b1-51d9-3335-b3e3-169c3640360d")
    library = MacLibrary({b"/Volumes/Photos": number, b"/Volumes/FAT": uuid.UUID(int=0)})
    assert volumes.read_volume_uuid(library, "/Volumes/Photos") == str(number)
    assert volumes.read_volume_uuid(library, "/Volumes/FAT") is None
    assert volumes.read_volume_uuid(library, "/Volumes/Gone") is None
    monkeypatch.setattr(mounts, "list_mounts", lambda: [Mount("/", "apfs"), Mount("/Volumes/Photos", "apfs")])
    monkeypatch.setattr(volumes.sys, "platform", "darwin")
    monkeypatch.setattr(volumes.ctypes, "CDLL", lambda name: library)
    assert volumes.get_volume_id(Path("/Volumes/Photos/2026")) == str(number)


def test_a_folder_of_macos_has_one_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "entered").mkdir()
    stored = os.fsencode(tmp_path / "Entered")
    monkeypatch.setattr(fcntl, "F_GETPATH", 50, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda handle, command, buffer: stored.ljust(len(buffer), b"\0"))
    assert resolve_folder(str(tmp_path / "entered")) == tmp_path / "Entered"


def test_an_event_with_a_real_path_belongs_to_the_folder_that_was_added(tmp_path: Path) -> None:
    (tmp_path / "disk" / "2026").mkdir(parents=True)
    (tmp_path / "pictures").symlink_to(tmp_path / "disk")
    added = str(tmp_path / "pictures")
    spellings = list_spellings([added, str(tmp_path / "other")])
    for root in ("pictures", "disk"):
        assert _build_hint(spellings, str(tmp_path / root / "2026" / "a.png")) == Hint(added, b"2026", False)
        assert _build_hint(spellings, str(tmp_path / root / "2026")) == Hint(added, b"2026", True)
    assert _build_hint(spellings, str(tmp_path / "a.png")) is None


def test_a_port_is_exclusive_where_the_system_would_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # SO_KEEPALIVE takes the place of the option that exists only on Windows.
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_KEEPALIVE, raising=False)
    opened = binding.open_sockets("127.0.0.1", 0)
    try:
        for one in opened:
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert not one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    finally:
        for one in opened:
            one.close()
