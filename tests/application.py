"""The application as its own entry points load it: every feature, and libraries that are opened in this process."""

from mysticanvas.app import features
from mysticanvas.app.in_process import open_in_process
from mysticanvas.cli.client import open_in_process_with


def load() -> None:
    features.load()
    open_in_process_with(open_in_process)
