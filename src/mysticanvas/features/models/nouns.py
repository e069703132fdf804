"""Nouns of the command line."""

NOUNS = {"model": "List, scan and merge checkpoints, LoRAs and other models."}
