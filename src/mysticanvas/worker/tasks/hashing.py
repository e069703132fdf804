"""`HashFile`."""

from mysticanvas.disk.hashing import hash_file
from mysticanvas.disk.opening import open_beneath
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.task import FileHashed, HashFile


def run(task: HashFile) -> FileHashed:
    with open_beneath(task.root, task.path_bytes) as source:
        digest = hash_file(source, task.algorithm)
        if digest is None:
            raise UnreadableFileError("The file is too large to be compared.")
        return FileHashed(source.stat(), digest)
