"""The Trash, and deleting permanently."""
