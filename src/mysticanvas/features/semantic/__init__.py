"""Semantic search: prompts as vectors."""
