"""The task `VerifyFiles`: compares files with their stored hashes."""

import os
from pathlib import Path

from mysticanvas.domain.errors import ImageTooLargeError, UnreadableFileError
from mysticanvas.features.verify.types import FilesVerified, FileToVerify, FileVerified, VerifyFiles
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.fs.hashing import hash_file
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.fs.volumes import get_volume_id

DECODED_EDGE_PX = 64


def run(task: VerifyFiles) -> FilesVerified:
    if _is_unavailable(task):
        return FilesVerified(away=True, files=[])
    return FilesVerified(away=False, files=[_verify(task.root, file) for file in task.files])


def _is_unavailable(task: VerifyFiles) -> bool:
    """Whether the folder is unavailable: missing, on another volume, or without any of the sample files."""
    if not os.path.isdir(task.root):
        return True
    volume = get_volume_id(Path(os.fsdecode(task.root)))
    if task.volume_id is not None and volume is not None and volume != task.volume_id:
        return True
    return bool(task.sample) and not any(os.path.lexists(join_system_path(task.root, path)) for path in task.sample)


def _verify(root: bytes, file: FileToVerify) -> FileVerified:
    if _is_missing(root, file.path_bytes):
        return FileVerified(True, None, None, None)
    try:
        with open_beneath(root, file.path_bytes) as source:
            digest = hash_file(source, "blake3")
            stat = source.stat()
            fault = None
            if digest is not None and file.blake3 is not None and digest != file.blake3:
                # Imported late: libvips is only needed for pixels.
                from mysticanvas.imaging.decode import decode_reduced

                try:
                    fault = decode_reduced(source.handle, read_head(source), DECODED_EDGE_PX).damage
                except ImageTooLargeError:
                    pass
                except UnreadableFileError as error:
                    fault = str(error)
            return FileVerified(False, stat, digest, fault)
    except UnreadableFileError as error:
        return FileVerified(False, None, None, str(error))


def _is_missing(root: bytes, path_bytes: bytes) -> bool:
    """Whether the file does not exist. False for any other error."""
    try:
        os.lstat(join_system_path(root, path_bytes))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


RUN = {VerifyFiles: run}
