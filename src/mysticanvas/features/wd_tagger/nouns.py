"""Nouns of the command line."""

NOUNS = {"tagger": "Tag images with a WD tagger."}
