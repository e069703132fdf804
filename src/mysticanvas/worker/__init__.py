"""Processes that do slow work: bytes in, values out. They have no database."""
