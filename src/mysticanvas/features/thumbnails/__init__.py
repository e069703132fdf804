"""Thumbnails and previews."""
