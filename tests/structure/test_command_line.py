"""What a command loads before it knows what it needs."""

import subprocess
import sys

HEAVY = ("fastapi", "numpy", "mysticanvas.app.orchestrator", "mysticanvas.search.index")


def test_a_command_that_the_running_gallery_answers_loads_no_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import mysticanvas.app.cli, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert "mysticanvas.cli.client" in loaded
    assert [name for name in HEAVY if name in loaded] == []
