"""Nouns of the command line."""

# The feature images describes `image`.
NOUNS = {"trash": "List, restore and delete images in the Trash.", "image": ""}
