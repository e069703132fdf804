"""Nouns and shortcuts of the command line."""

NOUNS = {"history": "List, undo and redo edits."}
SHORTCUTS = {"undo": "Undo the last edit, or the edit with a number."}
