"""In what images may be alike."""

from enum import StrEnum


class Alike(StrEnum):
    """In what the images of a group are alike. BYTES: one file that lies in several places."""

    PICTURE = "picture"
    RECIPE = "recipe"
    BYTES = "bytes"
