"""Which tests `dev.py test --fast` adds for a change."""

import pytest
from tools.changed_tests import BUDGET_S, LONGEST_S, Reason, folder_of, imported_names, module_of, select

TESTS = {
    "tests/rows.py": "from mysticanvas.db import writing\n",
    "tests/unit/test_trash.py": "from mysticanvas.features.trash import service\n",
    "tests/integration/test_trash.py": "import httpx\n",
    "tests/integration/test_trash_pages.py": "import httpx\n",
    "tests/integration/test_sync.py": "from mysticanvas.features.trash import queries\nfrom mysticanvas.db import a\n",
    "tests/integration/test_purge.py": "from mysticanvas.features.trash.service import purge\n",
    "tests/integration/test_rows.py": "from tests.rows import add\n",
    "tests/integration/test_tags.py": "from mysticanvas.features.tags import service\n",
    "tests/property/test_paging.py": "from mysticanvas.search import paging\n",
    "tests/faults/test_trash.py": "from mysticanvas.features.trash import service\n",
    "tests/browser/test_trash.py": "from mysticanvas.features.trash import service\n",
}


def selected(*changed: str, seconds: dict[str, float] | None = None) -> list[tuple[str, Reason]]:
    return [(choice.path, choice.reason) for choice in select(changed, TESTS, seconds or {}).selected]


def test_the_most_specific_tests_of_a_changed_module_come_first() -> None:
    assert selected("src/mysticanvas/features/trash/service.py") == [
        ("tests/integration/test_trash.py", Reason.NAMED_AFTER),
        ("tests/integration/test_trash_pages.py", Reason.NAMED_AFTER),
        ("tests/integration/test_purge.py", Reason.IMPORTS_MODULE),
        ("tests/integration/test_sync.py", Reason.IMPORTS_FOLDER),
    ]


def test_a_changed_query_file_or_migration_counts_as_its_folder() -> None:
    assert selected("src/mysticanvas/search/sql/newest.sql") == [
        ("tests/property/test_paging.py", Reason.IMPORTS_FOLDER)
    ]


def test_a_helper_passes_on_what_it_imports() -> None:
    through = ("tests/integration/test_rows.py", Reason.IMPORTS_THROUGH_HELPER)
    assert selected("tests/rows.py") == [through]
    assert through in selected("src/mysticanvas/db/writing.py")
    assert through not in selected("src/mysticanvas/features/tags/service.py")


def test_a_changed_test_runs_unless_it_needs_a_browser_or_injects_faults() -> None:
    assert selected("tests/integration/test_tags.py") == [("tests/integration/test_tags.py", Reason.CHANGED)]
    assert selected("tests/browser/test_trash.py", "tests/faults/test_trash.py") == []


def test_a_change_outside_of_the_code_adds_no_test() -> None:
    assert selected("README.md", "web/src/app/App.svelte", "docs/searching.md") == []


def test_what_takes_too_long_is_left_out_and_named() -> None:
    seconds = {"tests/integration/test_trash.py": LONGEST_S + 1, "tests/integration/test_trash_pages.py": LONGEST_S}
    selection = select(["src/mysticanvas/features/trash/service.py"], TESTS, seconds)
    assert [choice.path for choice in selection.left_out] == ["tests/integration/test_trash.py"]
    assert selection.selected[0].path == "tests/integration/test_trash_pages.py"


def test_the_selected_tests_fit_the_budget() -> None:
    tests = {f"tests/integration/test_tags_{number:02}.py": "" for number in range(20)}
    selection = select(["src/mysticanvas/features/tags/service.py"], tests, {})
    assert sum(choice.seconds for choice in selection.selected) <= BUDGET_S
    assert len(selection.selected) + len(selection.left_out) == 20
    assert selection.left_out


@pytest.mark.parametrize(
    ("path", "module", "folder"),
    [
        ("src/mysticanvas/features/trash/job.py", "mysticanvas.features.trash.job", "mysticanvas.features.trash"),
        ("src/mysticanvas/features/trash/__init__.py", "mysticanvas.features.trash", "mysticanvas.features.trash"),
        ("src/mysticanvas/formats/comfyui/graph.py", "mysticanvas.formats.comfyui.graph", "mysticanvas.formats"),
        ("src/mysticanvas/settings.py", "mysticanvas.settings", "mysticanvas.settings"),
    ],
)  # fmt: skip
def test_a_path_is_a_module_of_a_feature_or_kernel(path: str, module: str, folder: str) -> None:
    assert module_of(path) == module
    assert folder_of(module) == folder


def test_imports_are_read_wherever_they_stand() -> None:
    source = "import a.b\nfrom c import d as e\ndef f():\n    from g.h import i, j\n"
    assert list(imported_names(source)) == ["a.b", "c.d", "g.h.i", "g.h.j"]
