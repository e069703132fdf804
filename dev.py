"""The one command of this project, on nothing but Python ≥ 3.11:

    python3 dev.py run [FOLDER …] [OPTIONS]    open the gallery on folders; without one, on a painted demo
    python3 dev.py test [--long] [ARGS]        every test; ARGS go to pytest
    python3 dev.py test --fast [ARGS]          half a minute: unit, structure, and the tests of what has changed
    python3 dev.py test --coverage [ARGS]      all but browser and faults; fails below the floor in pyproject.toml
    python3 dev.py mutate MODULE [--sample N]  do the tests of src/mysticanvas/MODULE find planted faults?
    python3 dev.py check                       formatting, lint, types, layers, the gallery's types
    python3 dev.py bench [NAME]                one benchmark, or the list of them

Installs what is needed into .venv beside this file, first and whenever pyproject.toml or
constraints.txt have changed, and builds the gallery whenever web/ has. (Windows: py dev.py …)
"""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from tools import changed_tests

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed.digest"
OLDEST_PYTHON = (3, 11)


class StepError(Exception):
    """A command ended with an error and has said why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def say(sentence: str) -> None:
    print(f"· {sentence}", file=sys.stderr, flush=True)


def run(*command: str | Path, **environment: str) -> None:
    """Ctrl-C reaches the command as it reaches us; it then gets all the time it needs to close."""
    words = [str(part) for part in command]
    with subprocess.Popen(words, cwd=ROOT, env=os.environ | environment) as process:
        try:
            exit_code = process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
    if exit_code != 0:
        raise StepError(exit_code)


def wanted_digest() -> str:
    """Of everything that decides what .venv holds, this Python among it."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install() -> None:
    """Brings .venv up to date; quick when it is."""
    wanted = wanted_digest()
    if PYTHON.is_file() and STAMP.is_file() and STAMP.read_text("ascii") == wanted:
        return
    say("Installing MystiCanvas into .venv (the first time takes a minute) …")
    if not PYTHON.is_file():
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError as error:
            say("This Python cannot make virtual environments. On Debian: apt install python3-venv")
            raise StepError(1) from error
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", "constraints.txt", "--editable", ".[dev,semantic]", HATCH_BUILD_NO_HOOKS="true")
    STAMP.write_text(wanted, "ascii")


def build_gallery() -> None:
    run(PYTHON, "build_web.py")


def open_gallery(args: Sequence[str]) -> None:
    build_gallery()
    names_folders = bool(args) and not args[0].startswith("-")
    run(PYTHON, "-m", "mysticanvas.app.cli", "serve" if names_folders else "demo", *args)


def test(args: Sequence[str]) -> None:
    """The gallery's own tests, then pytest; with paths or a -k of pytest's, pytest alone."""
    for option, kind in {"--fast": test_what_changed, "--coverage": test_with_coverage}.items():
        if option in args:
            kind([arg for arg in args if arg != option])
            return
    build_gallery()
    if set(args) - {"--long", "-q", "-v", "-x"}:
        run(PYTHON, "-m", "pytest", *args)
        return
    run(PYTHON, "build_web.py", "npm", "run", "--silent", "test")
    # Two modules at a time, but for the long tests, which print what they measured.
    side_by_side = () if "--long" in args else ("-n", "2", "--dist", "loadfile")
    run(PYTHON, "-m", "pytest", *side_by_side, "--ignore", "tests/browser", *args)
    run(PYTHON, "-m", "pytest", *side_by_side, "tests/browser", *args)


def test_what_changed(args: Sequence[str]) -> None:
    """Unit and structure tests, and of the others those that the changes concern and half a minute allows."""
    changed = changed_tests.changed_files(ROOT)
    if changed is None:
        say("No Git repository here: unit and structure tests only.")
    if any(path.startswith("web/") for path in changed or ()):
        build_gallery()
        run(PYTHON, "build_web.py", "npm", "run", "--silent", "test")
    tests, seconds = changed_tests.read_tests(ROOT), changed_tests.read_seconds(ROOT)
    selection = changed_tests.select(changed or (), tests, seconds)
    for line in changed_tests.report(selection):
        say(line)
    paths = [choice.path for choice in selection.selected]
    run(PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", *changed_tests.ALWAYS, *paths, *args)


def test_with_coverage(args: Sequence[str]) -> None:
    """How much of the Python code runs in the tests; [tool.coverage] in pyproject.toml says the least."""
    build_gallery()
    without = ("--ignore", "tests/browser", "--ignore", "tests/faults")
    run(PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", *without, "--cov", *args)


def mutate(args: Sequence[str]) -> None:
    run(PYTHON, "-m", "tools.mutate", *args)


def check(args: Sequence[str]) -> None:
    """Runs every check, also after one has failed, and names those that did."""
    checks: dict[str, tuple[str | Path, ...]] = {
        "formatting": (PYTHON, "-m", "ruff", "format", "--check", "--quiet"),
        "lint": (PYTHON, "-m", "ruff", "check", "--quiet"),
        "types": (PYTHON, "-m", "mypy"),
        "layers": (BIN / "lint-imports", "--no-cache"),
        "gallery": (PYTHON, "build_web.py", "npm", "run", "--silent", "check"),
    }
    failed = []
    for name, command in checks.items():
        if args and name not in args:
            continue
        say(f"Checking {name} …")
        try:
            run(*command)
        except StepError:
            failed.append(name)
    if failed:
        say(f"Not in order: {', '.join(failed)}.")
        raise StepError(1)
    say("All in order.")


def bench(args: Sequence[str]) -> None:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__")
    if not args or args[0] not in names:
        say(f"python3 dev.py bench NAME, where NAME is one of: {', '.join(names)}")
        raise StepError(0 if not args else 2)
    # Some of what they measure on is what the tests are made of.
    run(PYTHON, ROOT / "benchmarks" / f"{args[0]}.py", *args[1:], PYTHONPATH=str(ROOT))


COMMANDS = {"run": open_gallery, "test": test, "mutate": mutate, "check": check, "bench": bench}


def main(args: Sequence[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        say(f"MystiCanvas needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 1
    if not args or args[0] not in COMMANDS:
        print(__doc__)
        return 0 if not args or args[0] in ("-h", "--help") else 2
    try:
        install()
        COMMANDS[args[0]](args[1:])
    except StepError as failure:
        return failure.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
