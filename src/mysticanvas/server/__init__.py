"""The ways in over HTTP, on the loopback interface."""
