"""Which image was made from which."""
