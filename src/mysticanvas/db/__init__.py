"""SQLite: the database, its writer and readers, migrations, and rows that every feature reads."""
