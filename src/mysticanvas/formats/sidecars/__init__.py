"""Text files beside images."""
