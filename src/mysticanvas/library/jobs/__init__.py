"""What each kind of job needs (prepare) and changes (apply)."""
