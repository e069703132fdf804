"""Queries for images, their files and watched folders, shared by all features."""
