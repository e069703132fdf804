"""Pixels: decoded and shrunk, only in worker processes."""
