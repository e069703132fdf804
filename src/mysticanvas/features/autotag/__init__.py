"""Tags suggested by a language model of the user."""
