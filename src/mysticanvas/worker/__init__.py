"""Worker processes for slow tasks: bytes in, values out. They have no access to the database."""
