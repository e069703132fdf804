"""Nouns of the command line."""

MODULES = ("commands", "export_commands")
NOUNS = {"image": "Find, show, edit and copy images."}
