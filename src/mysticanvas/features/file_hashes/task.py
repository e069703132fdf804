"""Task `HashFile`: computes the hash of a whole file."""

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.fs.hashing import hash_file
from mysticanvas.fs.safe_open import open_beneath


def run(task: HashFile) -> FileHashed:
    with open_beneath(task.root, task.path_bytes) as source:
        digest = hash_file(source, task.algorithm)
        if digest is None:
            raise UnreadableFileError("The file is too large to hash.")
        return FileHashed(source.stat(), digest)


RUN = {HashFile: run}
