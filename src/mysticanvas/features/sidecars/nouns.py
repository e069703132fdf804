"""Nouns of the command line."""

NOUNS = {"sidecar": "Write tags and ratings to sidecar files for other programs."}
