"""Images in detail, their files, and favorites, ratings and notes."""
