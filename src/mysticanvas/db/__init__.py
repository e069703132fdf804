"""SQLite: the database with its writer and readers, migrations, backups, and queries shared by all features."""
