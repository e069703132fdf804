"""One folder per capability. See `features/base.py` for what a feature brings."""
