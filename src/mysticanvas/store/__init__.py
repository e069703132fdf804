"""SQLite: the database, and every query, one module a table or concern."""
