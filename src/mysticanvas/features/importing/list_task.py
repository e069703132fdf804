"""Task `ListFolder`: lists images and sidecars in a folder."""

from mysticanvas.features.importing.messages import ListFolder
from mysticanvas.formats.containers.identify import detect_format
from mysticanvas.fs.scanner import FolderListing, list_folder


def run(task: ListFolder) -> FolderListing:
    return list_folder(
        task.root, task.path_bytes, lambda first: detect_format(first) is not None, patterns=task.excludes
    )
