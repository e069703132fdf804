"""Nouns of the command line."""

# The feature images describes it.
NOUNS = {"image": ""}
