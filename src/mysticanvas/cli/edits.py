"""Helpers for commands that edit images: they select the images, send the edit and wait until it is done."""

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import Client
from mysticanvas.cli.grammar import read_search_words
from mysticanvas.cli.output import out, print_json, progress_bar
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.plurals import format_count

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="SEARCH|ID",
        help="A search, as in the gallery, which selects all matches; or the IDs (UUIDs) of images; or - to read IDs "
        'from standard input. "" selects all images.',
    ),
]
FOLLOW_S = 5
# The images that one request can name.
IDS_PER_REQUEST = 10_000
FROM_STDIN = "-"
_UUID_LENGTH = 36


def is_uuid(word: str) -> bool:
    return len(word) == _UUID_LENGTH and word.count("-") == 4


def read_selections(words: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the selected images as fields of a request: one query, or UUIDs in groups that one request can name.
    Raises `InvalidInputError` if standard input contains anything but UUIDs.

    Call it before the library is opened: the command that writes to standard input may have to open it, too.
    """
    return list(_list_selections(words))


def _list_selections(words: Sequence[str]) -> Iterator[dict[str, Any]]:
    entered = read_search_words(words)
    uuids = list(_read_uuids()) if entered == [FROM_STDIN] else entered
    if entered == [FROM_STDIN] or all(map(is_uuid, uuids)):
        for start in range(0, len(uuids), IDS_PER_REQUEST):
            yield {"uuids": uuids[start : start + IDS_PER_REQUEST]}
    else:
        yield {"query": join_search(entered)}


def read_one_selection(words: Sequence[str]) -> dict[str, Any]:
    """Like `read_selections`, for a command that sends one request."""
    found = read_selections(words)
    if len(found) > 1:
        raise InvalidInputError(f"Specify at most {IDS_PER_REQUEST:,} image IDs, or a search.")
    return found[0] if found else {"uuids": []}


def join_search(words: Sequence[str]) -> str:
    """The search that was entered as one or several words."""
    return " ".join(read_search_words(words))


def _read_uuids() -> Iterator[str]:
    for word in sys.stdin.read().replace("\0", " ").split():
        if not is_uuid(word):
            raise InvalidInputError(
                f"Standard input contains “{word[:80]}”, which is not an image ID. To print image IDs, run: "
                "mysticanvas search --ids SEARCH"
            )
        yield word


def edit_images(client: Client, selections: Sequence[dict[str, Any]], marks: dict[str, Any]) -> dict[str, Any]:
    """Edits the images that `read_selections` returned, and waits until the edit is done. `operations` are the numbers
    of the edits: one, or several if more IDs were entered than one edit can name."""
    done: dict[str, Any] = {"operation": None, "changed": 0, "total": 0, "state": "done", "error": None}
    numbers: list[int] = []
    for selection in selections:
        one = wait_for_edit(client, client.post("/api/v1/edits", selection | {"set": marks}))
        numbers.append(one["operation"])
        done = one | {name: done[name] + one[name] for name in ("changed", "total")}
    return done | {"operations": numbers}


def wait_for_edit(client: Client, done: dict[str, Any]) -> dict[str, Any]:
    """Waits for an edit and returns its result. Shows a progress bar on standard error."""
    moving = ("applying", "undoing", "redoing")
    if done["state"] in moving:
        with progress_bar() as bars:
            bar = bars.add_task("Working", total=None, rate="")
            while done["state"] in moving:
                done = client.get(f"/api/v1/edits/{done['operation']}", wait=FOLLOW_S)
                bars.update(bar, total=done["total"] or None, completed=done["changed"])
    return done


def print_images_result(done: dict[str, Any], *, json: bool, how: str = "changed") -> None:
    """Prints the result of `edit_images`. Exits with code 1 if no image was selected."""
    if json:
        print_json(done)
    elif done["total"]:
        print_result(done, json=False, how=how)
    else:
        out.print("No images match.")
    if not done["total"]:
        raise typer.Exit(1)


def print_result(done: dict[str, Any], *, json: bool, what: str = "image", how: str = "changed") -> None:
    """Prints a result such as “3 images changed”. `what` is the singular noun, and `how` is the participle."""
    if json:
        print_json(done)
        return
    if done["state"] == "expired" and not done["changed"] and not done["error"]:
        out.print("No changes.")
        return
    numbers = done.get("operations") or [done["operation"]]
    undo = ", ".join(f"mysticanvas undo {number}" for number in numbers)
    out.print(f"{format_count(done['changed'], what)} {how}. Undo: {undo}", highlight=False)
