"""The library for Python scripts.

    from mysticanvas import Library

    with Library.open("~/library") as library:
        for image in library.search("rating:5 model:flux1-dev"):
            print(image.path, image.prompt)

Everything goes through the HTTP API of the running gallery. If no gallery is running, the application runs in this
process and holds the library's lock until the library is closed.
"""

from mysticanvas.library.library import Library
from mysticanvas.library.metadata import GenerationData, read_metadata
from mysticanvas.library.records import Collection, Edit, Event, Image, ImportReport, Lora, Tag
from mysticanvas.library.search import ImageSearch

__all__ = [
    "Collection",
    "Edit",
    "Event",
    "GenerationData",
    "Image",
    "ImageSearch",
    "ImportReport",
    "Library",
    "Lora",
    "Tag",
    "read_metadata",
]
