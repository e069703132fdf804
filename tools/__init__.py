"""Tools that `dev.py` uses, and scripts that created files in the repository."""
