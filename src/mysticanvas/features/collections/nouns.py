"""Nouns of the command line."""

NOUNS = {"collection": "List, create and edit collections."}
