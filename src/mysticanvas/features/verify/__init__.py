"""Reading every file again to find missing, changed and damaged ones."""
