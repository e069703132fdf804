"""Shortcuts of the command line."""

SHORTCUTS = {"doctor": "Check the library, and repair derived data."}
