"""Migration from the library of another program."""
