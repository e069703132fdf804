"""Search: query language → tree → SQL or index, and snapshots to page through. Read-only."""
