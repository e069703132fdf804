"""Image details, files, favorites, ratings and notes."""
