"""The application as its own entry points load it: every feature, and libraries that are opened in this process."""

from mysticanvas.app import features
from mysticanvas.app.in_process import open_in_process
from mysticanvas.cli.client import set_in_process_opener


def load() -> None:
    features.load()
    set_in_process_opener(open_in_process)
