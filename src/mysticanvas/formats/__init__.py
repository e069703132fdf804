"""Parsers: file bytes in, generation data out. Nothing in this package opens a file."""
