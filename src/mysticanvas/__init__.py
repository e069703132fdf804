"""MystiCanvas: the library for the images you generate.

`Library` and `read_metadata` are loaded when they are first used, so that commands start fast.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Library", "__version__", "read_metadata"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("mysticanvas.library"), name)
