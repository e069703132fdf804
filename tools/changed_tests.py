"""Selects the tests that concern a change, for `dev.py test --fast`. Standard library only.

A test module is selected when it was changed, is named after a changed module or its folder, or imports it, in
this order, as long as there is time. `tests/conftest.py` records how long each test takes.
"""

import ast
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path, PurePosixPath

# In seconds of one process, of which two run. Unit and structure tests take another 12.
BUDGET_S = 24.0
LONGEST_S = 10.0
UNKNOWN_S = 6.0

ALWAYS = ("tests/unit", "tests/structure")
_SELECTED = ("tests/integration/", "tests/property/", "tests/wire/")
_SECONDS = Path(".pytest_cache", "v", "mysticanvas", "seconds")


class Reason(IntEnum):
    """Why a test module is selected, the most specific reason first."""

    CHANGED = 0
    NAMED_AFTER = 1
    IMPORTS_MODULE = 2
    IMPORTS_FOLDER = 3
    IMPORTS_THROUGH_HELPER = 4

    def __str__(self) -> str:
        return ("changed", "named after it", "imports it", "imports its folder", "imports it through a helper")[self]


@dataclass(frozen=True, slots=True)
class Choice:
    path: str
    reason: Reason
    seconds: float


@dataclass(frozen=True, slots=True)
class Selection:
    """`left_out` is also affected by the change, but there is no time for it."""

    selected: list[Choice] = field(default_factory=list)
    left_out: list[Choice] = field(default_factory=list)


def select(changed: Iterable[str], tests: Mapping[str, str], seconds: Mapping[str, float]) -> Selection:
    """`changed` holds paths relative to the root, with slashes. `tests` maps the path of each module below tests/ to
    its source. `seconds` maps the path of a test module to how long it took last."""
    selected: list[Choice] = []
    left_out: list[Choice] = []
    left_s = BUDGET_S
    for choice in _concerned(set(changed), tests, seconds):
        fits = choice.seconds <= min(left_s, LONGEST_S)
        (selected if fits else left_out).append(choice)
        left_s -= choice.seconds if fits else 0
    return Selection(selected, left_out)


def _concerned(changed: set[str], tests: Mapping[str, str], seconds: Mapping[str, float]) -> list[Choice]:
    """The most specific reasons first, then the modules that import least."""
    imports = {path: set(imported_names(source)) for path, source in tests.items()}
    ranked = []
    for path in tests:
        if not _is_selectable(path):
            continue
        reason = _reason(path, changed, imports)
        if reason is not None:
            ranked.append((reason, len(imports[path]), Choice(path, reason, seconds.get(path, UNKNOWN_S))))
    return [choice for *_, choice in sorted(ranked, key=lambda entry: (*entry[:2], entry[2].path))]


def _is_selectable(path: str) -> bool:
    return path.startswith(_SELECTED) and PurePosixPath(path).name.startswith("test_")


def _reason(test: str, changed: set[str], imports: Mapping[str, set[str]]) -> Reason | None:
    if test in changed:
        return Reason.CHANGED
    modules = {name for path in changed if (name := module_of(path)) is not None}
    helpers = _helpers(imports[test], imports)
    through_helpers = {name for helper in helpers for name in imports[helper]}
    if any(_is_named_after(test, name) for name in modules):
        return Reason.NAMED_AFTER
    if any(_imports(imports[test], name) for name in modules):
        return Reason.IMPORTS_MODULE
    if any(_imports(imports[test], folder_of(name)) for name in modules):
        return Reason.IMPORTS_FOLDER
    if helpers & changed or any(_imports(through_helpers, name) for name in modules):
        return Reason.IMPORTS_THROUGH_HELPER
    return None


def module_of(path: str) -> str | None:
    """`mysticanvas.search.language` for its file, also for other files in the package (SQL); None elsewhere."""
    pure = PurePosixPath(path)
    if pure.parts[:2] != ("src", "mysticanvas"):
        return None
    parts = [*pure.parts[1:-1], *([] if pure.stem == "__init__" else [pure.stem])]
    return ".".join(parts)


def folder_of(module: str) -> str:
    """The feature or kernel that a module belongs to; the module itself when it belongs to none."""
    parts = module.split(".")
    depth = 3 if parts[1:2] == ["features"] else 2
    return ".".join(parts[:depth])


def _is_named_after(test: str, module: str) -> bool:
    name = PurePosixPath(test).stem.removeprefix("test_")
    words = {module.rpartition(".")[2], folder_of(module).rpartition(".")[2]} - {"mysticanvas"}
    return any(name == word or name.startswith(f"{word}_") for word in words)


def _imports(names: set[str], module: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in names)


def _helpers(names: set[str], imports: Mapping[str, set[str]]) -> set[str]:
    """The paths of the modules below tests/ that are imported."""
    return {path for path in imports if _imports(names, path.removesuffix(".py").replace("/", "."))}


def imported_names(source: str) -> Iterator[str]:
    """`from a.b import c` is a.b.c, whether c is a module or not; relative imports are not used here."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# -- reading the repository -------------------------------------------------------------------


def changed_files(root: Path) -> set[str] | None:
    """What differs from the last commit, or from the commit where this branch left `main` or its upstream, and
    untracked files. None outside of a Git repository."""
    if _git(root, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return None
    found = set(_git(root, "ls-files", "--others", "--exclude-standard") or [])
    bases = ["HEAD"]
    for branch in ("@{upstream}", "main", "origin/main"):
        bases += _git(root, "merge-base", "HEAD", branch) or []
    for base in dict.fromkeys(bases):
        found.update(_git(root, "diff", "--name-only", "--no-renames", base) or [])
    return found


def _git(root: Path, *args: str) -> list[str] | None:
    """Lines of the answer; None when there is no Git or it refuses."""
    try:
        answer = subprocess.run(("git", *args), cwd=root, capture_output=True, text=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.splitlines()


def read_tests(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in (root / "tests").rglob("*.py")}


def read_seconds(root: Path) -> dict[str, float]:
    """The last duration of each test module that has run here."""
    try:
        tests: dict[str, float] = json.loads((root / _SECONDS).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    seconds: dict[str, float] = {}
    for name, taken_s in tests.items():
        path = name.partition("::")[0]
        seconds[path] = seconds.get(path, 0.0) + taken_s
    return seconds


def report(selection: Selection) -> Iterator[str]:
    """Lines for the user: which tests run and why, and which to run manually."""
    for choice in selection.selected:
        yield f"{choice.path}: {choice.reason}"
    if selection.left_out:
        names = ", ".join(PurePosixPath(choice.path).stem for choice in selection.left_out)
        yield f"Not run, because they take too long: {names}"
