"""Generates a demo library: images with realistic metadata."""
