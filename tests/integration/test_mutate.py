"""`dev.py mutate` on a project that has one module with good tests and one with weak tests."""

from pathlib import Path

import pytest
from tools import mutants, mutate
from tools.mutate import Outcome, Result

STRONG = "def is_adult(age):\n    return age >= 18\n"
WEAK = "def is_child(age):\n    return age < 18\n"
TESTS = """
from mysticanvas.strong import is_adult
from mysticanvas.weak import is_child

def test_an_adult_is_18_or_older():
    assert is_adult(18) is True
    assert is_adult(17) is False

def test_six_is_a_child():
    assert is_child(6)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Neither the plugins nor the coverage of this test run are part of the project.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    files = {
        "src/mysticanvas/__init__.py": "",
        "src/mysticanvas/strong.py": STRONG,
        "src/mysticanvas/weak.py": WEAK,
        "src/mysticanvas/looping.py": "def count(n):\n    while n > 0:\n        n -= 1\n    return n\n",
        "tests/test_planted.py": TESTS,
        "tests/test_looping.py": "from mysticanvas.looping import count\ndef test_it_ends(): assert count(3) == 0\n",
        "pyproject.toml": "[tool.pytest.ini_options]\n",
    }
    for name, text in files.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text, "utf-8")
    return tmp_path / "project"


def results(project: Path, module: str, tests: str = "tests/test_planted.py") -> list[Result]:
    return list(mutate.mutate(project, mutants.sample(mutate.population(project, module), None, 1), (tests,)))


def texts(project: Path) -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in project.rglob("*") if path.is_file()}


def test_mutants_survive_weak_tests_and_are_killed_by_strong_ones(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(project)

    assert mutate.main(["weak.py", "--tests", "tests/test_planted.py"], project) == 1
    shown = capsys.readouterr().out
    assert "-    return age < 18\n+    return age <= 18" in shown
    assert "-    return age < 18\n+    return age < 17" in shown
    assert "1 killed, 3 survived, 0 timeout: 25.0% killed" in shown

    assert mutate.main(["strong.py", "--tests", "tests/test_planted.py"], project) == 0
    assert "4 killed, 0 survived, 0 timeout: 100.0% killed" in capsys.readouterr().out
    assert texts(project) == before


def test_tests_that_fail_without_a_mutant_measure_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests" / "test_planted.py").write_text("def test_red(): assert False\n", "utf-8")
    assert mutate.main(["weak.py", "--tests", "tests/test_planted.py"], project) == 2
    assert "test_red" in capsys.readouterr().err


def test_a_mutant_that_never_ends_is_stopped(project: Path) -> None:
    [forever] = [
        pair for pair in mutate.population(project, "looping.py") if mutants.changed_lines(*pair)[1] == "n += 1"
    ]
    with mutate.make_copies(project, ("tests/test_looping.py",)) as ([copy, _], seconds):
        assert copy.test(*forever, limit_s=seconds + 1) is Outcome.TIMEOUT
        assert copy.run(None) == 0


def test_an_equivalent_mutant_is_left_out_and_needs_a_reason(project: Path) -> None:
    entry = 'path = "weak.py"\nbefore = "return age < 18"\nafter = "return age <= 18"'
    (project / "tools").mkdir()
    listed = project / mutate.EQUIVALENT
    listed.write_text(f'[[equivalent]]\n{entry}\nreason = "Nobody is asked on the birthday."\n', "utf-8")
    assert len(mutate.population(project, "weak.py", mutate.read_equivalent(project))) == 3
    assert len(mutate.population(project, "strong.py", mutate.read_equivalent(project))) == 4

    (project / "src/mysticanvas/weak.py").write_text("def is_child(age): return age < 21\n", "utf-8")
    with pytest.raises(mutate.MutationError, match="do not exist"):
        mutate.population(project, "weak.py", mutate.read_equivalent(project))

    listed.write_text(f"[[equivalent]]\n{entry}\n", "utf-8")
    with pytest.raises(mutate.MutationError, match="reason"):
        mutate.read_equivalent(project)


def test_a_module_has_the_tests_that_are_listed_and_they_exist() -> None:
    assert mutate.tests_of("edits") == mutate.tests_of("edits/undo.py") == mutate.TESTS["edits/"]
    with pytest.raises(mutate.MutationError, match="settings"):
        mutate.tests_of("settings.py")
    with pytest.raises(mutate.MutationError, match="no module"):
        mutate.population(mutate.ROOT, "no_such.py")
    tests = [test for listed in mutate.TESTS.values() for test in listed]
    assert [test for test in tests if not (mutate.ROOT / test).is_file()] == []
