"""The registry of checkpoints, LoRAs and the like."""
