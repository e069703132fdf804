"""Runs MystiCanvas from a clone, its tests and its checks. Needs only Python 3.11 or newer.

    python3 dev.py run [FOLDER …] [OPTIONS]    open the gallery with your folders, or with a demo library
    python3 dev.py test [--long] [ARGS]        run all tests; ARGS are passed to pytest
    python3 dev.py test --fast [ARGS]          run the unit, structure and affected tests in 30 seconds
    python3 dev.py test --coverage [ARGS]      measure the coverage, without browser and fault tests
    python3 dev.py mutate MODULE [--sample N]  check that tests detect small changes to MODULE
    python3 dev.py check                       check formatting, lint, types, layers and the gallery
    python3 dev.py bench [NAME]                run a benchmark, or list them
    python3 dev.py release [FOLDER]            build the wheel, the sdist, their SBOMs and checksums into dist/

Dependencies are installed into .venv at first use and when pyproject.toml or constraints.txt change.
The gallery is built when web/ changes. On Windows, use: py dev.py …
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
    """A command failed. It has already printed the reason."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def say(sentence: str) -> None:
    print(f"· {sentence}", file=sys.stderr, flush=True)


def run(*command: str | Path, **environment: str) -> None:
    """Ctrl+C also reaches the command, which then gets as much time as it needs to exit."""
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
    """A digest of everything that determines the contents of .venv, including the Python version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def pip_install(*args: str) -> None:
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", "constraints.txt", *args, HATCH_BUILD_NO_HOOKS="true")


def install() -> None:
    """Updates .venv. Returns immediately if it is up to date."""
    wanted = wanted_digest()
    if PYTHON.is_file() and STAMP.is_file() and STAMP.read_text("ascii") == wanted:
        return
    say("Installing MystiCanvas into .venv (the first time takes a minute) …")
    if not PYTHON.is_file():
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError as error:
            say("This Python cannot create virtual environments. On Debian, run: apt install python3-venv")
            raise StepError(1) from error
    pip_install("--editable", ".[dev,semantic]")
    STAMP.write_text(wanted, "ascii")


def build_gallery() -> None:
    run(PYTHON, "build_web.py")


def open_gallery(args: Sequence[str]) -> None:
    build_gallery()
    names_folders = bool(args) and not args[0].startswith("-")
    run(PYTHON, "-m", "mysticanvas.app.cli", "serve" if names_folders else "demo", *args)


def test(args: Sequence[str]) -> None:
    """Runs the gallery's tests, then pytest. With a path or -k, runs only pytest."""
    for option, kind in {"--fast": test_what_changed, "--coverage": test_with_coverage}.items():
        if option in args:
            kind([arg for arg in args if arg != option])
            return
    build_gallery()
    if set(args) - {"--long", "-q", "-v", "-x"}:
        run(PYTHON, "-m", "pytest", *args)
        return
    run(PYTHON, "build_web.py", "npm", "run", "--silent", "test")
    # Two modules at a time, except for the long tests, which print measurements.
    side_by_side = () if "--long" in args else ("-n", "2", "--dist", "loadfile")
    run(PYTHON, "-m", "pytest", *side_by_side, "--ignore", "tests/browser", *args)
    run(PYTHON, "-m", "pytest", *side_by_side, "tests/browser", *args)


def test_what_changed(args: Sequence[str]) -> None:
    """Unit and structure tests, and the tests affected by the changes that fit into 30 seconds."""
    changed = changed_tests.changed_files(ROOT)
    if changed is None:
        say("This is not a Git repository. Only the unit and structure tests run.")
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
    """Measures the coverage of the Python code. [tool.coverage] in pyproject.toml sets the minimum."""
    build_gallery()
    without = ("--ignore", "tests/browser", "--ignore", "tests/faults")
    run(PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", *without, "--cov", *args)


def mutate(args: Sequence[str]) -> None:
    run(PYTHON, "-m", "tools.mutate", *args)


def check(args: Sequence[str]) -> None:
    """Runs every check, even if one fails, and lists the failed ones."""
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
        say(f"Failed checks: {', '.join(failed)}.")
        raise StepError(1)
    say("All checks passed.")


def bench(args: Sequence[str]) -> None:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__")
    if not args or args[0] not in names:
        say(f"python3 dev.py bench NAME, where NAME is one of: {', '.join(names)}")
        raise StepError(0 if not args else 2)
    # Benchmarks use helpers from tests/.
    run(PYTHON, ROOT / "benchmarks" / f"{args[0]}.py", *args[1:], PYTHONPATH=str(ROOT))


def release(args: Sequence[str]) -> None:
    """Only this command needs the extra `release`, so only this command installs it."""
    pip_install("--editable", ".[dev,semantic,release]")
    build_gallery()
    run(PYTHON, "-m", "tools.release", *args)


COMMANDS = {"run": open_gallery, "test": test, "mutate": mutate, "check": check, "bench": bench, "release": release}


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
