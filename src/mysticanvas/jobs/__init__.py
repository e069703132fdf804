"""The durable job queue and its dispatcher."""
