"""`ListFolder`."""

from mysticanvas.disk.scanning import list_folder
from mysticanvas.domain.task import FolderListing, ListFolder
from mysticanvas.formats.containers import sniff


def run(task: ListFolder) -> FolderListing:
    return list_folder(task.root, task.path_bytes, lambda first: sniff(first) is not None)
