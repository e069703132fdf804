"""Folders of models: which files hold one, what lies beside, and all hashes of a file in one reading.

The hashes, as their makers define them: AutoV1 is the first 8 digits of sha256 over 64 kB at 1 MB;
AutoV2 the first 10 of sha256 over the file; AutoV3 the first 12 of sha256 over what follows the header
of a safetensors file, and `tensor` is all of that one. InvokeAI writes blake3 over the file.
"""

import hashlib
import os
import stat as modes

from blake3 import blake3

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.features.models.task_types import ModelListing
from mysticanvas.fs.safe_open import FileSource, open_folder

SAFETENSORS_ENDINGS = (b".safetensors", b".sft")
MODEL_ENDINGS = frozenset((*SAFETENSORS_ENDINGS, b".ckpt", b".pt", b".pth", b".bin", b".gguf"))
TEXT_ENDINGS = (b".civitai.info", b".metadata.json", b".json")
PICTURE_ENDINGS = (b".preview.png", b".preview.jpg", b".preview.jpeg", b".preview.webp", b".png", b".jpg", b".jpeg",
                   b".webp")  # fmt: skip
# A folder with one of these is a model in the layout of the diffusers library, or part of one.
_ONE_MODEL = frozenset((b"model_index.json", b"diffusion_pytorch_model.safetensors"))
_LEFT_OUT = frozenset((b"$RECYCLE.BIN", b"System Volume Information", b"__pycache__", b"node_modules"))
# A sparse file can claim any size; no model is larger.
MAX_MODEL_BYTES = 256 * 1024**3
_BLOCK_BYTES = 1024 * 1024
_AUTOV1_FROM = 0x100000
_AUTOV1_BYTES = 0x10000


def list_models(root: bytes, path_bytes: bytes) -> ModelListing:
    """The folder's own entries, by name; links are left out. Raises `UnreadableFileError`."""
    try:
        folder = open_folder(root, path_bytes) if os.scandir in os.supports_fd else None
        try:
            return _list(folder, root, path_bytes)
        finally:
            if folder is not None:
                os.close(folder)
    except PermissionError as error:
        raise UnreadableFileError("MystiCanvas may not read this folder.") from error
    except OSError as error:
        raise UnreadableFileError(f"The folder cannot be listed: {error.strerror}.") from error


def _list(folder: int | None, root: bytes, path_bytes: bytes) -> ModelListing:
    prefix = path_bytes + b"/" if path_bytes else b""
    found, folders, beside, names = [], [], [], set()
    with os.scandir(folder if folder is not None else os.path.join(root, path_bytes)) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            if name.startswith(b".") or name in _LEFT_OUT:
                continue
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:
                # It went away since the folder was read.
                continue
            names.add(name)
            if modes.S_ISDIR(info.st_mode):
                folders.append(prefix + name)
            elif not modes.S_ISREG(info.st_mode):
                continue
            elif os.path.splitext(name)[1].lower() in MODEL_ENDINGS:
                found.append(FileStat(prefix + name, info.st_size, info.st_mtime_ns))
            elif name.lower().endswith((*TEXT_ENDINGS, *PICTURE_ENDINGS)):
                beside.append(prefix + name)
    if names & _ONE_MODEL:
        return ModelListing([], [], [], True)
    found.sort(key=lambda stat: stat.path_bytes)
    return ModelListing(found, sorted(folders), sorted(beside), False)


def hash_model(source: FileSource, tensors_from: int | None) -> list[tuple[str, str]]:
    """(kind, hex) of every hash; `tensors_from` is where the tensors of a safetensors file begin.

    A file that ends before its AutoV1 begins has none: all such files would share the hash of nothing.
    Raises `UnreadableFileError` for a size that no model has.
    """
    if source.size > MAX_MODEL_BYTES:
        raise UnreadableFileError("The file is too large to be a model.")
    whole, blake, tensors, old = hashlib.sha256(), blake3(), hashlib.sha256(), hashlib.sha256()
    offset = 0
    while block := source.read(offset, _BLOCK_BYTES):
        whole.update(block)
        blake.update(block)
        old.update(_part(block, offset, _AUTOV1_FROM, _AUTOV1_FROM + _AUTOV1_BYTES))
        if tensors_from is not None:
            tensors.update(_part(block, offset, tensors_from, source.size))
        offset += len(block)
    if offset < source.size:
        raise UnreadableFileError("The file could not be read to its end.")
    sha256 = whole.hexdigest()
    hashes = [("sha256", sha256), ("autov2", sha256[:10]), ("blake3", blake.hexdigest())]
    if source.size > _AUTOV1_FROM:
        hashes.append(("autov1", old.hexdigest()[:8]))
    if tensors_from is not None:
        hashes += [("tensor", tensors.hexdigest()), ("autov3", tensors.hexdigest()[:12])]
    return hashes


def _part(block: bytes, offset: int, first: int, end: int) -> bytes:
    """The part of a block at `offset` that lies within [first, end) of the file."""
    return block[max(0, first - offset) : max(0, end - offset)]
