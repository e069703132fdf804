"""Nouns and shortcuts of the command line."""

# The feature archive describes it.
NOUNS = {"library": ""}
SHORTCUTS = {"import": "Import folders.", "inspect": "Show the generation data of image files, without a library."}
