"""Tags from a language model on a server that the user sets."""
