"""Nouns of the command line."""

NOUNS = {"vision": "Turn image analysis on or off: visual search and NSFW scores."}
