"""The folders that are watched and scanned."""
