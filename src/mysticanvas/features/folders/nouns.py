"""Nouns of the command line."""

NOUNS = {"folder": "Add, scan and remove library folders, and find missing files."}
