"""Tags, aliases, implications, and their assignments to images."""
