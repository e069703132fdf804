"""Nouns of the command line."""

NOUNS = {"template": "Manage prompts with {variables}, {a|b} choices and __wildcards__."}
