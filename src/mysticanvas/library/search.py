"""Search results that are read page by page."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from mysticanvas.cli.client import Client
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.library.from_json import read_image
from mysticanvas.library.records import Image

if TYPE_CHECKING:
    from typing import Self

# Images that one request returns with all details.
PAGE = 1_000


class ImageSearch:
    """The images that match a search, in its order. Each iteration asks the library again.

    Pages follow a cursor, so images that are added or deleted meanwhile make no image appear twice.
    """

    def __init__(self, client: Callable[[], Client], query: str, limit: int | None) -> None:
        if limit is not None and limit < 0:
            raise InvalidInputError("The limit must not be negative.")
        self._client = client
        self.query = query
        self.limit = limit

    def __iter__(self) -> Iterator[Image]:
        return map(read_image, self._items())

    def count(self) -> int:
        """The number of images that match, regardless of the limit."""
        return int(self._client().get("/api/v1/images", q=self.query, limit=0)["total"])

    def first(self) -> Image | None:
        return next(iter(ImageSearch(self._client, self.query, 1)), None)

    def limited_to(self, limit: int) -> "Self":
        return type(self)(self._client, self.query, limit)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict per image, with the fields of `Image`. Tags and LoRAs are lists of names."""
        return [_flatten(image) for image in self]

    def to_dataframe(self) -> Any:
        """A polars or pandas DataFrame, whichever is installed, with the columns of `to_dicts`.

        Raises `InvalidInputError` if neither is installed.
        """
        rows = self.to_dicts()
        try:
            import polars as pl

            return pl.DataFrame(rows, infer_schema_length=None, strict=False)
        except ImportError:
            pass
        try:
            import pandas as pd

            return pd.DataFrame(rows)
        except ImportError:
            raise InvalidInputError("Install polars or pandas to get a DataFrame: pip install polars") from None

    def _items(self) -> Iterator[dict[str, Any]]:
        after, left = None, self.limit
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = self._client().get("/api/v1/images/details", q=self.query, after=after, limit=size)
            yield from page["items"]
            after, left = page["next"], None if left is None else left - size
            if after is None:
                return


def _flatten(image: Image) -> dict[str, Any]:
    row = {name: getattr(image, name) for name in Image.__dataclass_fields__}
    path = None if image.path is None else str(image.path)
    return row | {
        "path": path,
        "tags": list(image.tags),
        "loras": [lora.name for lora in image.loras],
        "seed": None if image.seed is None else str(image.seed),
        "params": dict(image.params) or None,
    }
