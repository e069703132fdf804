"""Migration from another program, and importing archives."""
