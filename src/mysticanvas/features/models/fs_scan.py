"""Model folders: lists models and their sidecars, and computes all hashes of a model in one pass.

Definitions of the hashes: AutoV1 is the first 8 digits of sha256 over 64 kB at 1 MB;
AutoV2 the first 10 of sha256 over the file; AutoV3 the first 12 of sha256 over what follows the header
of a safetensors file, and `tensor` is that hash in full. InvokeAI uses blake3 over the file.
"""

import hashlib
import os
import stat as modes

from blake3 import blake3

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.features.models.types import ModelListing
from mysticanvas.fs import exclusions
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import FileSource, open_folder

SAFETENSORS_ENDINGS = (b".safetensors", b".sft")
MODEL_ENDINGS = frozenset((*SAFETENSORS_ENDINGS, b".ckpt", b".pt", b".pth", b".bin", b".gguf"))
TEXT_ENDINGS = (b".civitai.info", b".metadata.json", b".json")
PICTURE_ENDINGS = (b".preview.png", b".preview.jpg", b".preview.jpeg", b".preview.webp", b".png", b".jpg", b".jpeg",
                   b".webp")  # fmt: skip
# A folder with one of these files is a model in diffusers layout, or part of one.
_DIFFUSERS_FILES = frozenset((b"model_index.json", b"diffusion_pytorch_model.safetensors"))
# A sparse file can claim any size. No model is larger.
MAX_MODEL_BYTES = 256 * 1024**3
_BLOCK_BYTES = 1024 * 1024
_AUTOV1_START = 0x100000
_AUTOV1_BYTES = 0x10000


def list_models(root: bytes, path_bytes: bytes) -> ModelListing:
    """Models, subfolders and sidecars directly in a folder, sorted by name, without links.

    Raises `UnreadableFileError` when the folder cannot be listed.
    """
    try:
        folder = open_folder(root, path_bytes) if os.scandir in os.supports_fd else None
        try:
            return _list_folder(folder, root, path_bytes)
        finally:
            if folder is not None:
                os.close(folder)
    except PermissionError as error:
        raise UnreadableFileError("MystiCanvas has no permission to read this folder.") from error
    except OSError as error:
        raise UnreadableFileError(f"The folder could not be read: {error.strerror}.") from error


def _list_folder(folder: int | None, root: bytes, path_bytes: bytes) -> ModelListing:
    prefix = path_bytes + b"/" if path_bytes else b""
    found, folders, beside, names = [], [], [], set()
    with os.scandir(folder if folder is not None else join_system_path(root, path_bytes)) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            if name.startswith(b".") or exclusions.find_program_of_folder(name) is not None:
                continue
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:
                # It was removed after the folder was listed.
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
    if names & _DIFFUSERS_FILES:
        return ModelListing([], [], [], True)
    found.sort(key=lambda stat: stat.path_bytes)
    return ModelListing(found, sorted(folders), sorted(beside), False)


def hash_model(source: FileSource, tensors_from: int | None) -> list[tuple[str, str]]:
    """(kind, hex digest) of every hash; `tensors_from` is the byte offset of the tensors in a safetensors file.

    Files of 1 MiB or less have no AutoV1, because all of them would share the hash of no bytes.
    Raises `UnreadableFileError` when the file is too large or cannot be read completely.
    """
    if source.size > MAX_MODEL_BYTES:
        raise UnreadableFileError("The file is too large to be a model.")
    whole, blake, tensors, old = hashlib.sha256(), blake3(), hashlib.sha256(), hashlib.sha256()
    offset = 0
    while block := source.read(offset, _BLOCK_BYTES):
        whole.update(block)
        blake.update(block)
        old.update(_slice_block(block, offset, _AUTOV1_START, _AUTOV1_START + _AUTOV1_BYTES))
        if tensors_from is not None:
            tensors.update(_slice_block(block, offset, tensors_from, source.size))
        offset += len(block)
    if offset < source.size:
        raise UnreadableFileError("The file could not be read completely.")
    sha256 = whole.hexdigest()
    hashes = [("sha256", sha256), ("autov2", sha256[:10]), ("blake3", blake.hexdigest())]
    if source.size > _AUTOV1_START:
        hashes.append(("autov1", old.hexdigest()[:8]))
    if tensors_from is not None:
        hashes += [("tensor", tensors.hexdigest()), ("autov3", tensors.hexdigest()[:12])]
    return hashes


def _slice_block(block: bytes, offset: int, first: int, end: int) -> bytes:
    """The part of a block at `offset` that lies within [first, end) of the file."""
    return block[max(0, first - offset) : max(0, end - offset)]
