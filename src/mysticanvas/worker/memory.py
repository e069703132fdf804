"""Limits the memory of a worker: by the system where it can, and by the pool on every system."""

import psutil

# What the interpreter and the libraries occupy before a task begins.
BASE_BYTES = 256 * 1024 * 1024
# Mapped by the libraries, but not used.
_MAPPED_UNUSED_BYTES = 768 * 1024 * 1024

MESSAGE = "Processing exceeded the memory limit."


def limit_address_space(limit_bytes: int) -> None:
    """Limit this process where the system supports it: Linux does, macOS refuses, and Windows has no such limit."""
    try:
        import resource
    except ImportError:
        return
    address_space = limit_bytes + _MAPPED_UNUSED_BYTES
    for kind, limit in ((resource.RLIMIT_AS, address_space), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (OSError, ValueError):
            # `is_oversized` takes effect instead.
            continue


def is_oversized(process_id: int, limit_bytes: int) -> bool:
    """Whether a process occupies more memory than the limit. False for a process that has ended."""
    try:
        resident: int = psutil.Process(process_id).memory_info().rss
    except psutil.Error:
        return False
    return resident > limit_bytes + BASE_BYTES
