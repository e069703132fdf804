"""The journal of all user data, and rebuilding a library from it."""
