"""Lineage: which images were made from which."""
