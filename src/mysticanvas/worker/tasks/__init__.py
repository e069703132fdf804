"""The run of each task, in the worker process."""
