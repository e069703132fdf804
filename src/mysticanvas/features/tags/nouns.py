"""Nouns of the command line."""

# The feature images describes `image`.
NOUNS = {"tag": "List, create and edit tags. Every change can be undone.", "image": ""}
