"""Export of everything the user set, and archives that move a library elsewhere."""
