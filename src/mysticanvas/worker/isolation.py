"""How Python child processes start, so that nothing in the folder where a person happens to be is imported.

`python -m` puts the current folder before everything else on the import path: a `numpy.py` lying among downloads would
run in every worker. `-P` leaves it out. `-I` would leave out PYTHONPATH and the user's own packages too, and with them
MystiCanvas itself where it is installed with `pip install --user` or found through PYTHONPATH.
"""

import os
import sys
from collections.abc import Mapping


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter, without the current folder on its import path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def safe_folder() -> str:
    """The current folder for child processes: the interpreter's own.

    It exists on every system, and the running program uses its drive anyway, so that a child never keeps a removable
    drive from being ejected.
    """
    return os.path.dirname(sys.executable)


def safe_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process in another folder: PYTHONPATH means the same folders as here.

    An empty entry means the current folder, which nobody intends (`PYTHONPATH=$PYTHONPATH:/more` makes one), and is
    left out.
    """
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    entries = [os.path.abspath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return kept | ({"PYTHONPATH": os.pathsep.join(entries)} if entries else {})
