"""Hourly and requested backups of the database, and restoring one."""
