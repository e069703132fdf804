"""One place alone takes a person's file away (F7)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "mysticanvas"

DESTRUCTIVE = frozenset(
    ("unlink", "remove", "rmdir", "rmtree", "removedirs", "rename", "renames", "replace", "move", "truncate")
)
# Modules of the standard library, and paths, on which these names change files.
OWNERS = {"os", "shutil", "send2trash", "durable"}

NAMES = {"send2trash", "rmtree"}
# A file replaces another by `os.replace` or by `replace` of this module alone.
IMPORTS_REPLACE = re.compile(r"^from mysticanvas\.fs\.durable import .*\breplace\b", re.MULTILINE)

# What may take files away, and which: all but the first are the library's own.
ALLOWED = {
    ("fs/trash.py", "discard"): "a person's file, after every check",
    ("fs/trash.py", "_unlink_beneath"): "a person's file, after every check",
    ("features/sidecars/write.py", "_replace_file"): "a sidecar of our own, which the person asked for",
    ("fs/archives.py", "write"): "an export, over the empty file that kept its name",
    ("fs/archives.py", "_remove_leftovers"): "what a killed export left",
    ("fs/thumbnail_cache.py", "_write_whole"): "a thumbnail's temporary file",
    ("fs/thumbnail_cache.py", "remove"): "a thumbnail of no image",
    ("features/autotag/keys.py", "store_key"): "the file of an endpoint's key",
    ("features/autotag/keys.py", "delete_key"): "the file of an endpoint's key",
    ("features/event_hooks/hook_file.py", "write_hooks"): "the file of the hooks",
    ("http/passwords.py", "save_password"): "the file of the password",
    ("http/passwords.py", "forget_password"): "the file of the password",
    ("http/sessions.py", "keep_cookie_in"): "the file of the browser's session",
    ("http/sessions.py", "_replace_private"): "the files of the token and of the browser's session",
    ("app/orchestrator.py", "serve"): "address.json",
    ("fs/durable.py", "replace"): "what its callers replace, who are in this list too",
    ("fs/instance_file.py", "write_address"): "address.json",
}
OWN_FOLDERS = ("db/", "demo/", "features/journal/files.py")


def calls() -> list[tuple[str, str, str]]:
    """(file, function, call) of everything that could take a file away."""
    return list(_calls())


def _calls() -> Iterator[tuple[str, str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        source = path.read_text("utf-8")
        tree, names = ast.parse(source), NAMES | ({"replace"} if IMPORTS_REPLACE.search(source) else set())
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and (call := destructive(node, names)) is not None:
                    yield name, function.name, call


def destructive(node: ast.Call, names: set[str]) -> str | None:
    called = node.func
    if isinstance(called, ast.Name) and called.id in names:
        return called.id
    if not isinstance(called, ast.Attribute) or called.attr not in DESTRUCTIVE:
        return None
    owner = called.value
    if isinstance(owner, ast.Name) and owner.id in OWNERS:
        return f"{owner.id}.{called.attr}"
    # A path's own methods; `replace` of text has two arguments, and what renames a row has more.
    if called.attr in ("unlink", "rmdir") or (called.attr in ("rename", "replace") and len(node.args) == 1):
        return f"….{called.attr}"
    return None


def test_no_other_code_takes_a_file_away() -> None:
    found = calls()
    assert ("fs/trash.py", "discard", "send2trash") in found
    strangers = [one for one in found if (one[0], one[1]) not in ALLOWED and not one[0].startswith(OWN_FOLDERS)]
    assert strangers == []


def test_the_store_takes_only_its_own_files_away() -> None:
    assert {one[0] for one in calls() if one[0].startswith(("db/", "features/journal/"))} <= {
        "db/backup.py",
        "db/checkpoints.py",
        "db/database.py",
        "db/leftovers.py",
        "db/page_sums.py",
        "db/reserve.py",
        "features/journal/files.py",
        "db/lock.py",
    }


def test_the_test_sees_what_it_looks_for() -> None:
    for line in (
        "os.unlink(p)",
        "path.unlink()",
        "shutil.rmtree(p)",
        "path.rename(q)",
        "os.replace(a, b)",
        "path.replace(q)",
    ):
        [statement] = ast.parse(line).body
        assert isinstance(statement, ast.Expr)
        assert isinstance(statement.value, ast.Call)
        assert destructive(statement.value, NAMES) is not None
