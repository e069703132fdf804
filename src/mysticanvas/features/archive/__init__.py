"""Export of all user data, and archives that move it to another machine."""
