"""Near-duplicates, identical files, and merging duplicates."""
