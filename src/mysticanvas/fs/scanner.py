"""Lists one folder: possible images, possible sidecars and subfolders.

Files are selected by extension, ignoring case; files without an extension by their first bytes. Their content
determines the format later. Links, hidden files and unfinished downloads are excluded, and what `exclusions.py`
excludes.
"""

import os
import stat as modes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.fs import exclusions, not_shown
from mysticanvas.fs.exclusions import Exclusions
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import open_folder

IMAGE_ENDINGS = frozenset(
    b"." + ending for ending in (b"png", b"apng", b"jpg", b"jpeg", b"jfif", b"webp", b"gif", b"avif", b"bmp", b"jxl")
)
SIDECAR_ENDINGS = frozenset((b".json", b".txt", b".yaml", b".yml", b".xmp"))


@dataclass(frozen=True, slots=True)
class FolderListing:
    """`images` are regular files that may be images, by name; `folders` are sub-folders to list
    next (links are left out); `sidecars` are files whose text may belong to an image. `not_shown` counts the other
    entries by kind, without hidden ones."""

    images: list[FileStat]
    folders: list[bytes]
    sidecars: list[bytes]
    not_shown: dict[str, int] = field(default_factory=dict)


def list_folder(
    root: bytes, path_bytes: bytes, is_image: Callable[[bytes], bool], *, patterns: Sequence[str] = ()
) -> FolderListing:
    """Files and subfolders directly in a folder, sorted by name. Empty for an excluded folder.

    `is_image` decides by the first bytes of a file without an extension, `patterns` exclude files. Raises
    `UnreadableFileError` when the folder cannot be listed.
    """
    excluded = Exclusions(root, tuple(patterns))
    if excluded.find_folder_source(path_bytes) is not None:
        return FolderListing([], [], [])
    try:
        folder = open_folder(root, path_bytes) if os.scandir in os.supports_fd else None
        try:
            return _list(folder, path_bytes, is_image, excluded)
        finally:
            if folder is not None:
                os.close(folder)
    except PermissionError as error:
        raise UnreadableFileError("MystiCanvas has no permission to read this folder.") from error
    except OSError as error:
        raise UnreadableFileError(f"The folder could not be listed: {error.strerror}.") from error


def _list(
    folder: int | None, path_bytes: bytes, is_image: Callable[[bytes], bool], excluded: Exclusions
) -> FolderListing:
    listing = FolderListing([], [], [])
    prefix = path_bytes + b"/" if path_bytes else b""
    models = []
    with os.scandir(folder if folder is not None else join_system_path(excluded.root, path_bytes)) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            if name.startswith((b".", exclusions.LIBRARY_DATABASE)):
                continue
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:
                # It was removed after the folder was listed.
                continue
            ending = os.path.splitext(name)[1].lower()
            if modes.S_ISDIR(info.st_mode):
                listing.folders.append(prefix + name)
            elif not modes.S_ISREG(info.st_mode):
                not_shown.count(listing.not_shown, name, info.st_mode)
            elif ending in IMAGE_ENDINGS or (not ending and _starts_like_image(folder, entry, is_image)):
                listing.images.append(FileStat(prefix + name, info.st_size, info.st_mtime_ns))
            elif ending in SIDECAR_ENDINGS:
                listing.sidecars.append(prefix + name)
            else:
                models += [name] if exclusions.is_model(name) else []
                not_shown.count(listing.not_shown, name, info.st_mode)
    excluded.set_models(path_bytes, models)
    return _filter_excluded(listing, excluded)


def _filter_excluded(listing: FolderListing, excluded: Exclusions) -> FolderListing:
    """Without excluded images and subfolders, which are counted; sorted."""
    images = [stat for stat in listing.images if excluded.find_file_source(stat.path_bytes) is None]
    folders = [path for path in listing.folders if excluded.find_folder_source(path) is None]
    not_shown.count_excluded(
        listing.not_shown, files=len(listing.images) - len(images), folders=len(listing.folders) - len(folders)
    )
    images.sort(key=lambda stat: stat.path_bytes)
    return FolderListing(images, sorted(folders), listing.sidecars, listing.not_shown)


def _starts_like_image(
    folder: int | None, entry: os.DirEntry[str] | os.DirEntry[bytes], is_image: Callable[[bytes], bool]
) -> bool:
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        handle = os.open(entry.name, flags, dir_fd=folder) if folder is not None else os.open(entry.path, flags)
    except OSError:
        return False
    try:
        return is_image(os.read(handle, 32))
    except OSError:
        return False
    finally:
        os.close(handle)
