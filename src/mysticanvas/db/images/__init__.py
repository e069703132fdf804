"""Queries over images, their files and folders: rows that every feature reads."""
