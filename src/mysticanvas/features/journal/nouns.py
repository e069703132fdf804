"""Nouns of the command line."""

# The feature archive describes it.
NOUNS = {"library": ""}
