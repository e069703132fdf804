"""Nouns of the command line."""

NOUNS = {"event": "Read the event log."}
