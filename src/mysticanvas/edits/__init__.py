"""Undoable changes: how an edit is applied, recorded, undone and redone."""
