"""SHA-256 of whole files, on request."""
