from mysticanvas.library import Library as Library
from mysticanvas.library import read_metadata as read_metadata

__version__: str
__all__ = ["Library", "__version__", "read_metadata"]
