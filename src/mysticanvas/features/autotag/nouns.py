"""Nouns of the command line."""

NOUNS = {"autotag": "Tag images with a language model on your own server."}
