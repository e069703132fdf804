"""Import: files are found, read and recorded."""
