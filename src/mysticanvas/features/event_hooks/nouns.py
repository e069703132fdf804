"""Nouns of the command line."""

NOUNS = {"hook": "Run a command, or call a local URL, on images, edits, jobs and imports."}
