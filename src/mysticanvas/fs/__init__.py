"""The user's folders: listed, watched, opened and hashed."""
