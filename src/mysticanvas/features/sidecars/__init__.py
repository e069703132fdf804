"""Sidecar files with tags and ratings, written on request."""
