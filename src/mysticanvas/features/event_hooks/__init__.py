"""Hooks: commands and local URLs that are called on events (docs/hooks.md)."""
