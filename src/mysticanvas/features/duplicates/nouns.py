"""Nouns of the command line."""

NOUNS = {"duplicate": "List and merge duplicate images."}
