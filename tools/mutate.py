"""Mutation testing: how many small faults in a module do its own tests find?

    python3 dev.py mutate MODULE [--sample N] [--seed N]

MODULE is a file or folder under src/mysticanvas, such as `search/language.py` or `edits/`. Each mutant (see
mutants.py) is tested in a copy of the repository, with the tests that `TESTS` lists for the module. A mutant is
killed when a test fails or the time limit is reached. The exit code is 1 when fewer than 85 % are killed.
`equivalent_mutants.toml` lists mutants that behave like the original, with the reason.

Why not mutmut or cosmic-ray: neither can take a random sample by seed. mutmut needs `fork` and cannot run a
different set of tests for each module. cosmic-ray edits the files of the repository in place.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import TypedDict

from tools import mutants
from tools.mutants import Mutant

if sys.platform == "linux":
    import resource

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src", "mysticanvas")
EQUIVALENT = Path("tools", "equivalent_mutants.toml")
LEAST_KILLED = 0.85
AT_ONCE = 2
MAX_MEMORY_BYTES = 1024**3

# The tests of each module, the quickest first.
TESTS = {
    "search/language.py": ("tests/unit/test_language.py", "tests/property/test_language.py"),
    "edits/": (
        "tests/integration/test_undo.py",
        "tests/integration/test_organising.py",
        "tests/property/test_tags.py",
        "tests/integration/test_bulk.py",
    ),
    "jobs/": (
        "tests/integration/test_dispatching.py",
        "tests/integration/test_jobs.py",
        "tests/integration/test_steering.py",
    ),
}

_NOT_COPIED = (
    ".git", ".venv", ".npm-cache", "node_modules", "web", "static", "__pycache__", ".hypothesis", ".pytest_cache",
    ".mypy_cache", ".ruff_cache", ".import_linter_cache", "test-results",
)  # fmt: skip


class MutationError(Exception):
    """The run cannot start; str() says why."""


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Result:
    source: bytes
    mutant: Mutant
    outcome: Outcome
    seconds: float


class Equivalent(TypedDict):
    """A mutant that cannot be killed: the first line that differs, before and after, without indentation."""

    path: str
    before: str
    after: str
    reason: str


# -- which mutants ----------------------------------------------------------------------------


def population(root: Path, module: str, equivalent: Sequence[Equivalent] = ()) -> list[tuple[bytes, Mutant]]:
    """Every mutant of the module's files, with its source, without those that are known to be equivalent."""
    base = root / PACKAGE
    files = sorted((base / module).rglob("*.py")) if (base / module).is_dir() else [base / module]
    if not files or not files[0].is_file():
        raise MutationError(f"There is no module {module} in {PACKAGE.as_posix()}.")
    found = []
    for file in files:
        source = file.read_bytes()
        found += [(source, mutant) for mutant in mutants.mutants(file.relative_to(base).as_posix(), source)]
    return _without_equivalent(found, [entry for entry in equivalent if _is_in(entry["path"], module)])


def _is_in(path: str, module: str) -> bool:
    return f"{path}/".startswith(f"{module.rstrip('/')}/")


def _without_equivalent(
    found: list[tuple[bytes, Mutant]], equivalent: Sequence[Equivalent]
) -> list[tuple[bytes, Mutant]]:
    unused = {(entry["path"], entry["before"], entry["after"]) for entry in equivalent}
    listed = set(unused)
    kept = []
    for source, mutant in found:
        key = (mutant.path, *mutants.changed_lines(source, mutant))
        unused.discard(key)
        if key not in listed:
            kept.append((source, mutant))
    if unused:
        raise MutationError(f"{EQUIVALENT.as_posix()} lists mutants that do not exist: {sorted(unused)}")
    return kept


def read_equivalent(root: Path) -> list[Equivalent]:
    if not (root / EQUIVALENT).is_file():
        return []
    entries: list[Equivalent] = tomllib.loads((root / EQUIVALENT).read_text("utf-8")).get("equivalent", [])
    if any(not entry.get("reason") for entry in entries):
        raise MutationError(f"Every entry of {EQUIVALENT.as_posix()} needs a reason.")
    return entries


# -- running one ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the repository in which one mutant at a time is tested."""

    root: Path
    tests: tuple[str, ...]

    def run(self, limit_s: float | None, *, writes_bytecode: bool = False) -> int | None:
        """Pytest's exit code; None when the time limit was reached."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["--basetemp", str(self.root / "pytest-files"), *self.tests]
        # Python recognizes stale bytecode by the time and size of the source. Two mutants may share both, so only
        # the unmutated run writes bytecode.
        environment = {
            "HYPOTHESIS_PROFILE": "mutate",
            "PYTHONPATH": os.pathsep.join((str(self.root / "src"), str(self.root))),
        }
        environment |= {} if writes_bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}
        with (self.root / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.root, env=os.environ | environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            _limit_memory(process)
            try:
                return process.wait(limit_s)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end_group(process)

    def output(self) -> str:
        return (self.root / "output.txt").read_text("utf-8", "replace")

    def test(self, source: bytes, mutant: Mutant, limit_s: float) -> Outcome:
        file = self.root / PACKAGE / mutant.path
        for bytecode in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            bytecode.unlink()
        file.write_bytes(mutants.mutated(source, mutant))
        try:
            exit_code = self.run(limit_s)
        finally:
            file.write_bytes(source)
        if exit_code is None:
            return Outcome.TIMEOUT
        return Outcome.SURVIVED if exit_code == 0 else Outcome.KILLED


def _limit_memory(process: subprocess.Popen[bytes]) -> None:
    """A mutant that loops forever may fill the memory before the time limit is reached."""
    if sys.platform == "linux":
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the tests and every process that they left running."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def make_copies(root: Path, tests: tuple[str, ...]) -> Iterator[tuple[list[Copy], float]]:
    """Copies whose tests pass, and the seconds they take."""
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        first = Copy(Path(folder, "0"), tests)
        shutil.copytree(root, first.root, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        if first.run(None, writes_bytecode=True) != 0:
            raise MutationError(f"The tests fail without a mutant:\n{first.output()}")
        began_s = time.monotonic()
        first.run(None)
        seconds = time.monotonic() - began_s
        copies = [first]
        for number in range(1, AT_ONCE):
            copies.append(Copy(Path(folder, str(number)), tests))
            shutil.copytree(first.root, copies[-1].root, symlinks=True)
        yield copies, seconds


def mutate(root: Path, chosen: Sequence[tuple[bytes, Mutant]], tests: tuple[str, ...]) -> Iterator[Result]:
    """Each mutant's result as it comes in."""
    with make_copies(root, tests) as (copies, seconds):
        say(f"Without a mutant, the tests take {seconds:.1f} s.")
        free: SimpleQueue[Copy] = SimpleQueue()
        for copy in copies:
            free.put(copy)

        def test(pair: tuple[bytes, Mutant]) -> Result:
            copy = free.get()
            began_s = time.monotonic()
            try:
                outcome = copy.test(*pair, limit_s=5 * seconds + 10)
            finally:
                free.put(copy)
            return Result(*pair, outcome, time.monotonic() - began_s)

        with ThreadPoolExecutor(len(copies)) as pool:
            try:
                yield from pool.map(test, chosen)
            finally:
                pool.shutdown(cancel_futures=True)


# -- the command ------------------------------------------------------------------------------


def score(results: Sequence[Result]) -> float:
    """The share that was killed, time limits included."""
    survived = sum(result.outcome is Outcome.SURVIVED for result in results)
    return 1 - survived / len(results) if results else 1.0


def report(results: Sequence[Result]) -> str:
    counts = Counter(result.outcome for result in results)
    seconds = sum(result.seconds for result in results) / max(1, len(results))
    survivors = [mutants.diff(result.source, result.mutant) for result in results if result.outcome is Outcome.SURVIVED]
    numbers = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    return "\n\n".join([*survivors, f"{numbers}: {score(results):.1%} killed, {seconds:.1f} s for each mutant."])


def say(sentence: str) -> None:
    print(f"· {sentence}", file=sys.stderr, flush=True)


def tests_of(module: str) -> tuple[str, ...]:
    for name, tests in TESTS.items():
        if _is_in(module, name):
            return tests
    raise MutationError(f"No tests are listed for {module}. Use --tests, or add it to TESTS in tools/mutate.py.")


def _arguments(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py mutate", description="Runs a module's tests against its mutants.")
    parser.add_argument("module", help="a file or folder under src/mysticanvas")
    parser.add_argument("--sample", type=int, help="how many mutants, chosen at random (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--tests", nargs="+", help="test modules, instead of those listed in tools/mutate.py")
    return parser.parse_args(args)


def _run(arguments: argparse.Namespace, root: Path) -> list[Result]:
    module = arguments.module.removeprefix(f"{PACKAGE.as_posix()}/")
    tests = tuple(arguments.tests or tests_of(module))
    everything = population(root, module, read_equivalent(root))
    chosen = mutants.sample(everything, arguments.sample, arguments.seed)
    say(f"{len(chosen)} of {len(everything)} mutants of {module}, each with {' '.join(tests)}.")
    results = []
    for result in mutate(root, chosen, tests):
        results.append(result)
        before, after = mutants.changed_lines(result.source, result.mutant)
        say(f"{len(results)}/{len(chosen)} {result.outcome}: {result.mutant.path}: {before} → {after}")
    return results


def main(args: Sequence[str] | None = None, root: Path = ROOT) -> int:
    try:
        results = _run(_arguments(args), root)
    except MutationError as error:
        say(str(error))
        return 2
    print(report(results))
    return 0 if score(results) >= LEAST_KILLED else 1


if __name__ == "__main__":
    sys.exit(main())
