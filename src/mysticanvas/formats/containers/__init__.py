"""Image file formats: where each keeps its texts."""
