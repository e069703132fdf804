"""The journal of everything the user set, and rebuilding a database from it."""
