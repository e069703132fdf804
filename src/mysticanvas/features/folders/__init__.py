"""Library folders: watching and scanning."""
