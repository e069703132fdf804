"""Checks and repairs of the library, and the support bundle."""
