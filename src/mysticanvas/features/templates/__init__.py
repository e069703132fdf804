"""Prompt templates and wildcards."""
