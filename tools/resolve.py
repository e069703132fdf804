"""Writes constraints.txt with the lowest or the newest versions that pyproject.toml allows. Needs uv.

    python tools/resolve.py lowest    the lower bounds of the direct dependencies, for the oldest Python
    python tools/resolve.py newest    the newest release of everything, for this Python

`dev.py` then installs these versions. `git checkout constraints.txt` restores the tested ones.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# All extras, because constraints.txt is also for people who install a release.
EXTRAS = ("cluster", "dev", "mcp", "release", "semantic", "vision")
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}


def python_version(versions: str) -> str:
    """The Python to resolve for, such as 3.11."""
    if versions == "newest":
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bound = re.fullmatch(r">=\s*(\d+\.\d+)", project["requires-python"])
    if bound is None:
        raise SystemExit(f"requires-python has no lower bound: {project['requires-python']}")
    return bound[1]


def resolve(versions: str) -> None:
    command = ["uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal", "--no-annotate", "--no-header"]
    command += [f"--extra={extra}" for extra in EXTRAS]
    command += [f"--resolution={RESOLUTIONS[versions]}", f"--python-version={python_version(versions)}"]
    # Without --upgrade, uv prefers the versions that the output file already names.
    command += ["--upgrade", "--output-file=constraints.txt"]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in RESOLUTIONS:
        raise SystemExit(__doc__)
    resolve(sys.argv[1])
