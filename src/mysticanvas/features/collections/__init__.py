"""Collections, manual and smart."""
