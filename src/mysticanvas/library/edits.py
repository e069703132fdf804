"""Changes to images: each call is one edit, which one undo reverts."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from mysticanvas.cli.client import Client
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.library.from_json import read_edit
from mysticanvas.library.records import Edit, Image
from mysticanvas.library.search import ImageSearch

# Seconds that one request waits for a large edit.
WAIT_S = 20
# Images that one edit takes by UUID. An edit of a search has no limit.
MAX_UUIDS = 10_000
_MOVING = ("applying", "undoing", "redoing")

# A search as text, a search result, an image, or several images or UUIDs.
Images: TypeAlias = "str | ImageSearch | Image | Iterable[Image | str]"


def select(images: Images) -> dict[str, Any]:
    """The images as the API takes them: all that match a search, or UUIDs. Raises `InvalidInputError` for too many."""
    if isinstance(images, str):
        return {"query": images}
    if isinstance(images, ImageSearch) and images.limit is None:
        return {"query": images.query}
    chosen = [images] if isinstance(images, Image) else list(images)
    if len(chosen) > MAX_UUIDS:
        raise InvalidInputError(
            f"One edit changes at most {MAX_UUIDS:,} images by UUID. Pass a search, which has no limit."
        )
    return {"uuids": [one.uuid if isinstance(one, Image) else one for one in chosen]}


def wait(client: Client, result: dict[str, Any]) -> Edit:
    """Waits until an edit is complete. Raises `ConflictError` if an undo or redo was refused."""
    while result["state"] in _MOVING:
        result = client.get(f"/api/v1/edits/{result['operation']}", wait=WAIT_S)
    if result["error"]:
        raise ConflictError(result["error"])
    return read_edit(result)


class ImageEdits:
    """`library.edit`: ratings, favorites, notes and the Trash. `images` is a search, such as "rating:5", a search
    result, an image, or a list of images or UUIDs."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    def rate(self, images: Images, stars: int) -> Edit:
        """Sets the rating to 0 (unrated) to 5 stars."""
        return self._set(images, rating=stars)

    def favorite(self, images: Images, on: bool = True) -> Edit:
        return self._set(images, favorite=on)

    def note(self, images: Images, text: str) -> Edit:
        """Replaces the notes."""
        return self._set(images, notes=text)

    def trash(self, images: Images) -> Edit:
        """Moves images to Trash. Their files are not touched."""
        return self._set(images, trash=True)

    def restore(self, images: Iterable[Image | str] | Image) -> Edit:
        """Restores images from Trash."""
        uuids = select(images)
        return wait(self._client(), self._client().post("/api/v1/trash:restore", uuids))

    def _set(self, images: Images, **change: Any) -> Edit:
        client = self._client()
        return wait(client, client.post("/api/v1/edits", select(images) | {"set": change}))
