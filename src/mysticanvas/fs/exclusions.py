"""Files and folders that are never the user's own images, and files that the user excludes.

The scanner, the watcher and the preview of new patterns all ask `Exclusions`, so they agree. Hidden files are excluded
too: `.git`, `.stversions` and `.stfolder` of Syncthing, `.Trash-1000`, `.thumbnails`, `.@__thumb` of QNAP, `._*` of
macOS and many more.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.fs.gitignore import GitIgnorePatterns, compile_patterns

MAX_PATTERNS = 200
MAX_PATTERN_LENGTH = 400
BY_PATTERN = "an exclude pattern for this folder"

# Folders of programs, by the program they come from. Names are compared in lower case.
PROGRAM_FOLDERS: Mapping[str, tuple[bytes, ...]] = {
    "Synology": (b"@eadir", b"#recycle", b"#snapshot"),
    "QNAP": (b"@recycle", b"@recently-snapshot"),
    "Windows": (b"$recycle.bin", b"recycler", b"system volume information"),
    "Linux": (b"lost+found",),
    "macOS": (b"__macosx",),
    "Nextcloud": (b"files_trashbin", b"files_versions"),
    "Node.js": (b"node_modules",),
    "Python": (b"__pycache__", b"site-packages"),
}
# Files of programs that are recognized by their names alone.
PROGRAM_FILES: Mapping[str, re.Pattern[bytes]] = {
    "SwarmUI": re.compile(rb".*\.swarmpreview\.(jpg|webp)", re.DOTALL),
}
# Files of programs that are recognized by their names, in folders with these names. The same names elsewhere may be
# images that the user has kept.
PROGRAM_FILES_IN: Mapping[str, tuple[re.Pattern[bytes], re.Pattern[bytes]]] = {
    # PreviewImage: the prefix, "_temp_", five letters and a counter.
    "ComfyUI": (re.compile(rb"temp"), re.compile(rb".*_temp_[a-z]{5}_[0-9]+_\.png", re.DOTALL)),
    "Eagle": (re.compile(rb".+\.info", re.DOTALL), re.compile(rb".+_thumbnail\.png", re.DOTALL)),
}
# The subfolders of a library of MystiCanvas, which is recognized by its database.
LIBRARY_DATABASE = b"mysticanvas.db"
LIBRARY_FOLDERS = frozenset((b"backups", b"journal", b"logs", b"scratch", b"thumbs", b"vectors"))
# In the library of Apple Photos, only these folders contain the user's own images.
_PHOTOS_LIBRARY = (b".photoslibrary", b".photolibrary")
_PHOTOS_ORIGINALS = frozenset((b"originals", b"masters"))
_LIGHTROOM_PREVIEWS = b".lrdata"
_THUMBNAILS = b"thumbnails"
_MODEL_ENDINGS = (b".safetensors", b".sft", b".ckpt", b".pt", b".pth", b".gguf")

_PROGRAM_OF_FOLDER = {name: program for program, names in PROGRAM_FOLDERS.items() for name in names}


@lru_cache(maxsize=64)
def _compile(patterns: tuple[str, ...]) -> GitIgnorePatterns:
    return compile_patterns(patterns)


def clean_patterns(patterns: Sequence[str]) -> list[str]:
    """The patterns without empty lines and repetitions. Raises `InvalidInputError` for one that excludes nothing."""
    kept = list(dict.fromkeys(line for one in patterns if (line := one.strip("\r\n")).strip()))
    if len(kept) > MAX_PATTERNS:
        raise InvalidInputError(f"A folder can have at most {MAX_PATTERNS} exclude patterns.")
    for one in kept:
        if len(one) > MAX_PATTERN_LENGTH:
            raise InvalidInputError(f"An exclude pattern can have at most {MAX_PATTERN_LENGTH} characters.")
        if "\n" in one or "\0" in one or not _is_pattern(one):
            raise InvalidInputError(
                f"“{one}” is not an exclude pattern. Use .gitignore syntax, for example: drafts/ or *.tmp.png"
            )
    return kept


def _is_pattern(line: str) -> bool:
    try:
        return all(one.include is not None for one in compile_patterns([line]).patterns)
    except ValueError:
        return False


@dataclass(slots=True)
class Exclusions:
    """Decides about paths relative to `root`, with '/' between their parts. Reads the names in a folder where a
    decision depends on them, once: create a new object for each scan of a folder.

    `patterns` have the syntax of .gitignore. As in Git, nothing in an excluded folder can be included again.
    """

    root: bytes
    patterns: tuple[str, ...] = ()
    _folders: dict[bytes, str | None] = field(default_factory=dict)
    _thumbnails: dict[bytes, bool] = field(default_factory=dict)
    _models: dict[bytes, frozenset[bytes]] = field(default_factory=dict)

    def find_folder_source(self, path: bytes) -> str | None:
        """The program that a folder or one of the folders that contain it comes from, or `BY_PATTERN`; None for a
        folder with the user's own images. The root itself is never excluded."""
        if not path:
            return None
        if path not in self._folders:
            parent, _, name = path.rpartition(b"/")
            self._folders[path] = self.find_folder_source(parent) or self._find_own_source(path, parent, name)
        return self._folders[path]

    def find_file_source(self, path: bytes) -> str | None:
        """As `find_folder_source`, for a file."""
        folder, _, name = path.rpartition(b"/")
        return self.find_folder_source(folder) or self.find_name_source(folder, name)

    def find_name_source(self, folder: bytes, name: bytes) -> str | None:
        """As `find_file_source`, for a file in a folder that is not excluded."""
        if name.startswith(b"."):
            return "hidden"
        lower = name.lower()
        return (
            _find_file_program(_get_name(self.root, folder).lower(), lower)
            or self._find_derived(folder, name, lower)
            or self._match(folder + b"/" + name if folder else name)
        )

    def _find_own_source(self, path: bytes, parent: bytes, name: bytes) -> str | None:
        if name.startswith(b"."):
            return "hidden"
        lower = name.lower()
        if lower.endswith(_LIGHTROOM_PREVIEWS):
            return "Lightroom"
        if parent.lower().endswith(_PHOTOS_LIBRARY) and lower not in _PHOTOS_ORIGINALS:
            return "Apple Photos"
        if lower in LIBRARY_FOLDERS and _is_library(os.path.join(self.root, parent)):
            return "MystiCanvas"
        return find_program_of_folder(name) or self._match(path + b"/")

    def _find_derived(self, folder: bytes, name: bytes, lower: bytes) -> str | None:
        """The program that made a file from another file."""
        if lower.endswith(b".webp") and folder and self._has_thumbnails(folder):
            return "InvokeAI"
        if folder not in self._models:
            self.set_models(folder, filter(is_model, _list_names(os.path.join(self.root, folder))))
        stem = os.path.splitext(name)[0]
        models = self._models[folder]
        return "a model preview" if stem in models or stem.removesuffix(b".preview") in models else None

    def set_models(self, folder: bytes, names: Iterable[bytes]) -> None:
        """Set the names of the models in a folder that the caller has listed."""
        self._models[folder] = frozenset(os.path.splitext(name)[0] for name in names)

    def _has_thumbnails(self, folder: bytes) -> bool:
        """Whether a WebP file in this folder has the name of an image in the folder above it."""
        if folder not in self._thumbnails:
            above, _, name = folder.rpartition(b"/")
            self._thumbnails[folder] = name == _THUMBNAILS and any(
                os.path.lexists(os.path.join(self.root, above, one[:-5] + b".png"))
                for one in _list_names(os.path.join(self.root, folder))
                if one.endswith(b".webp")
            )
        return self._thumbnails[folder]

    def _match(self, path: bytes) -> str | None:
        if not self.patterns:
            return None
        # Bytes that are not UTF-8 become U+FFFD, as in the displayed path.
        return BY_PATTERN if _compile(self.patterns).match_file(path.decode("utf-8", "replace")) else None


def is_model(name: bytes) -> bool:
    return name.lower().endswith(_MODEL_ENDINGS)


def find_program_of_folder(name: bytes) -> str | None:
    """The program that folders with this name come from, wherever they are."""
    return _PROGRAM_OF_FOLDER.get(name.lower())


def _is_library(folder: bytes) -> bool:
    return os.path.lexists(os.path.join(folder, LIBRARY_DATABASE))


def find_library(folder: bytes) -> bytes | None:
    """The library of MystiCanvas that has `folder` or a folder above it as its own subfolder, for example for its
    thumbnails."""
    parent, name = os.path.split(folder)
    while name:
        if name.lower() in LIBRARY_FOLDERS and _is_library(parent):
            return parent
        parent, name = os.path.split(parent)
    return None


def _get_name(root: bytes, folder: bytes) -> bytes:
    return os.path.basename(folder or root)


def _find_file_program(folder_name: bytes, name: bytes) -> str | None:
    for program, pattern in PROGRAM_FILES.items():
        if pattern.fullmatch(name):
            return program
    for program, (folder, file) in PROGRAM_FILES_IN.items():
        if folder.fullmatch(folder_name) and file.fullmatch(name):
            return program
    return None


def _list_names(folder: bytes) -> list[bytes]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
