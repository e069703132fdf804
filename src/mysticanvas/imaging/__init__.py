"""Pixels: thumbnails and perceptual hashes."""
