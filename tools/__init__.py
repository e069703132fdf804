"""What `dev.py` uses, and what was made once."""
