"""The licenses of everything that an installation with all extras for users installs.

    python tools/dependency_licenses.py    write LICENSES/dependencies.md from what is installed

The packages and their licenses come from pip-licenses. Rows with an entry in the column `only` are kept, because they
are not installed on every system and Python.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "LICENSES" / "dependencies.md"
EXTRAS = ("semantic", "vision", "cluster", "mcp")
_HEAD = """# Licenses of the dependencies

MystiCanvas installs these packages, with the extras `semantic`, `vision`, `cluster` and `mcp`. They are not part of its
wheel. `pyvips-binary` contains libvips and the libraries that it uses, with their licenses. Written by
`tools/dependency_licenses.py`.

| package | license | only |
|---|---|---|
"""
# What the metadata calls each license, and what its family is called here. The first match counts.
_FAMILIES = {
    "LGPL": r"\bL-?GPL|Lesser General Public",
    "AGPL": r"\bA-?GPL|Affero",
    "GPL": r"\bGPL|General Public",
    "MPL": r"\bMPL|Mozilla",
    "Apache": r"Apache",
    "BSD": r"BSD",
    "MIT": r"\bMIT\b",
    "ISC": r"\bISC",
    "PSF": r"\bPSF|Python Software Foundation",
    "Zlib": r"zlib",
    "CC0": r"\bCC0",
    "any": r"any-OSI",
}


class Row(NamedTuple):
    package: str
    license: str
    only: str = ""


def families(license_text: str) -> set[str]:
    """`MIT License` and `MIT` are the same. What no family describes is its own."""
    parts = re.split(r"\s*;\s*|\s+(?:AND|OR|and|or)\s+(?!later)", license_text)
    return {next((name for name, p in _FAMILIES.items() if re.search(p, part, re.IGNORECASE)), part) for part in parts}


def runtime_packages() -> list[str]:
    """The names of all packages that the user installs, with the dependencies of dependencies, on this system."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    found: dict[str, set[str]] = {}
    waiting = _applicable(wanted, set())
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found and found[name] >= requirement.extras:
            continue
        found[name] = found.get(name, set()) | requirement.extras
        waiting += _applicable(metadata.requires(name) or [], found[name])
    return sorted(found)


def _applicable(requirements: Iterable[str], extras: set[str]) -> list[Requirement]:
    parsed = [Requirement(one) for one in requirements]
    return [
        one
        for one in parsed
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]


def installed_rows() -> list[Row]:
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--with-system", "--packages", *runtime_packages()]
    listed = json.loads(subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout)
    return sorted(Row(canonicalize_name(one["Name"]), one["License"]) for one in listed)


def table_rows() -> list[Row]:
    lines = TABLE.read_text("utf-8").partition("|---|---|---|\n")[2].splitlines()
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def write() -> None:
    rows = {row.package: row for row in installed_rows()}
    for row in table_rows() if TABLE.is_file() else ():
        if row.only:
            rows[row.package] = Row(row.package, rows.get(row.package, row).license, row.only)
    lines = (f"| {row.package} | {row.license} | {row.only} |\n" for _, row in sorted(rows.items()))
    TABLE.write_text(_HEAD + "".join(lines), "utf-8")


if __name__ == "__main__":
    write()
