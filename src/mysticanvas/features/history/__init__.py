"""Undo, redo, and the history of edits."""
