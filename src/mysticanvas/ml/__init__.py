"""Machine learning models for text and images, and search among vectors."""
