"""The actions `excludes`, `exclude` and `include` of the command `roots`."""

from collections.abc import Sequence
from typing import Any

from mysticanvas.cli.client import Client
from mysticanvas.cli.edits import print_result, wait_for_edit
from mysticanvas.cli.imports import wait_for_import
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.plurals import format_count


def run(
    client: Client, root: dict[str, Any], action: str, patterns: Sequence[str], *, dry_run: bool, json: bool
) -> None:
    """List, add or remove the exclude patterns of a folder."""
    if action == "excludes":
        _print_patterns(root, json=json)
        return
    if not patterns:
        raise InvalidInputError(f"Specify at least one pattern: mysticanvas roots {action} FOLDER PATTERN")
    wanted = _change_patterns(root["excludes"], action, patterns)
    if dry_run:
        _print_preview(client.post(f"/api/v1/folders/{root['id']}/excludes:preview", {"patterns": wanted}), json=json)
        return
    done = client.put(f"/api/v1/folders/{root['id']}/excludes", {"patterns": wanted})
    if done["edit"] is None:
        print_json(done) if json else out.print("No changes: these patterns are already excluded.")
        return
    edit = wait_for_edit(client, done["edit"])
    wait_for_import(client, done["scan"])
    if json:
        print_json(done | {"edit": edit})
    else:
        print_result(edit, json=False, how="hidden or shown")
        _print_kept(done["kept"])


def _print_kept(kept: int) -> None:
    if kept:
        their = (
            "stays visible, because it has another file that is"
            if kept == 1
            else ("stay visible, because they have other files that are")
        )
        out.print(f"{format_count(kept, 'image')} with excluded files {their} not excluded.", highlight=False)


def _change_patterns(existing: Sequence[str], action: str, patterns: Sequence[str]) -> list[str]:
    if action == "exclude":
        return [*existing, *(one for one in patterns if one not in existing)]
    unknown = [one for one in patterns if one not in existing]
    if unknown:
        raise NotFoundError(
            f"This folder does not exclude “{unknown[0]}”. To list its patterns, run: mysticanvas roots excludes FOLDER"
        )
    return [one for one in existing if one not in patterns]


def _print_patterns(root: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json({"patterns": root["excludes"], "excluded": root["excluded"]})
        return
    for pattern in root["excludes"]:
        out.print(pattern, markup=False, highlight=False)
    if not root["excludes"]:
        out.print("This folder has no exclude patterns.")
    if root["excludes"] or root["excluded"]:
        out.print(describe_excluded(root), highlight=False)


def describe_excluded(root: dict[str, Any]) -> str:
    return f"{format_count(root['excluded'], 'image')} excluded."


def _print_preview(found: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(found)
        return
    hide, show = format_count(found["hide"], "image"), format_count(found["show"], "image")
    out.print(f"This would hide {hide} and show {show} again.", highlight=False)
    _print_kept(found["kept"])
    for path in found["examples"]:
        out.print(f"  {path}", markup=False, highlight=False)
