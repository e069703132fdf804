"""Tags, aliases, implications, and who assigned them."""
