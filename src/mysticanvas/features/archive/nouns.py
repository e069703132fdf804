"""Nouns of the command line."""

MODULES = ("commands", "info_commands")
NOUNS = {"library": "Export, import, migrate, rebuild and check the library."}
