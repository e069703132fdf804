"""Semantic search: embeddings of prompts."""
