"""The kinds of duplicates."""

from enum import StrEnum


class DuplicateKind(StrEnum):
    """What the images of a group share. PICTURE: they look similar. RECIPE: the same settings and seed.
    BYTES: identical files."""

    PICTURE = "picture"
    RECIPE = "recipe"
    BYTES = "bytes"
