"""What every kind of test shares: the `long` mark, Hypothesis profiles, the corpus of real files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from mysticanvas.db.database import Database
from tests import application

application.load()

# The product breaks off what takes too long for a person who waits. On a machine that is busy with other things the
# reads and tasks of tests take long, too; the tests of the limits themselves say which limit they mean.
os.environ.setdefault("MYSTICANVAS_READ_LIMIT_MS", "60000")
os.environ.setdefault("MYSTICANVAS_TASK_LIMIT_S", "600")

# The tests do not read the configuration file of whoever runs them.
os.environ["MYSTICANVAS_CONFIG"] = os.devnull

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# For tools/mutate.py: that a test fails is enough, a simpler example is not needed.
settings.register_profile(
    "mutate", max_examples=50, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests that take long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder that holds `open/` and `make_bad.py`."""
    named = os.environ.get("MYSTICANVAS_CORPUS")
    if not named or not Path(named, "open").is_dir():
        pytest.skip("no corpus of real files: MYSTICANVAS_CORPUS names none")
    return Path(named)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The database of a new library."""
    with Database.open(tmp_path / "library") as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Records how long each test took, for `dev.py test --fast`."""
    cache = getattr(config, "cache", None)
    if cache is None:
        return
    taken_s: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                taken_s[report.nodeid] = taken_s.get(report.nodeid, 0.0) + report.duration
    cache.set("mysticanvas/seconds", cache.get("mysticanvas/seconds", {}) | taken_s)
