"""The person's folders: listed, watched, opened and hashed; never written."""
