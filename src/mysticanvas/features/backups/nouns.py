"""Nouns of the command line."""

NOUNS = {"backup": "Create, list, test and restore backups of the database."}
