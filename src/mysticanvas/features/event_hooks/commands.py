"""The command `hook`: adds, lists, removes, tests and turns off hooks."""

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError, LibraryError, NotFoundError
from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks import hook_file
from mysticanvas.features.event_hooks.types import Hook

hook = typer.Typer(
    no_args_is_help=True,
    help="Run a command, or call a URL of this computer, when images are added, changed or removed, and when edits, "
    "jobs and imports end.",
)
HookId = Annotated[str, typer.Argument(metavar="ID", help="The ID of the hook, from: mysticanvas hook list")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(hook, name="hook")


@hook.command(name="add", epilog="Example: mysticanvas hook add image.added -- python3 react.py")
def add(
    event: Annotated[EventKind, typer.Argument(help="The event.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- COMMAND [ARGUMENTS]",
            help="The program and its arguments. It runs with your rights, without a shell, in the current folder, and "
            "reads the event as JSON from its standard input.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Instead of a command: a URL of this computer that gets the event as a POST.")
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Add a hook. A running gallery uses it immediately."""
    folder = _find_library(library)
    hooks = _read(folder)
    if len(hooks) >= hook_file.MAX_HOOKS:
        raise InvalidInputError(f"A library can have at most {hook_file.MAX_HOOKS} hooks. Remove one first.")
    added = _build(hook_file.create_id(hooks), event, command, url)
    hook_file.write_hooks(folder, [*hooks, added])
    if json:
        print_json(_show(added))
        return
    out.print(f"Added hook {added.id}: {added.event} → {added.target}", markup=False)
    out.print(f"Test it with: mysticanvas hook test {added.id}", markup=False)


@hook.command(name="list", epilog="Example: mysticanvas hook list")
def list_hooks(library: Library = None, json: Json = False) -> None:
    """List the hooks, and whether they are on."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/hooks")
    if json:
        print_json(found)
        return
    if found["problem"]:
        raise LibraryError(found["problem"])
    table = Table("ID", "Event", "State", "Calls", box=None)
    for one in found["hooks"]:
        target = one["url"] or " ".join(one["command"])
        table.add_row(one["id"], one["event"], "on" if one["enabled"] else "off", target)
    out.print(table if found["hooks"] else "There are no hooks. Add one with: mysticanvas hook add", markup=False)


@hook.command(name="remove", epilog="Example: mysticanvas hook remove 3f9a1c20")
def remove(hook_id: HookId, library: Library = None, json: Json = False) -> None:
    """Remove a hook. Deliveries that wait for it are dropped."""
    folder = _find_library(library)
    hooks = _read(folder)
    found = _find(hooks, hook_id)
    hook_file.write_hooks(folder, [one for one in hooks if one is not found])
    print_json({"removed": found.id}) if json else out.print(f"Removed hook {found.id}.", markup=False)


@hook.command(name="enable", epilog="Example: mysticanvas hook enable 3f9a1c20")
def enable(hook_id: HookId, library: Library = None, json: Json = False) -> None:
    """Turn a hook on again."""
    _set_enabled(hook_id, True, library, json=json)


@hook.command(name="disable", epilog="Example: mysticanvas hook disable 3f9a1c20")
def disable(hook_id: HookId, library: Library = None, json: Json = False) -> None:
    """Turn a hook off. While it is off, nothing is recorded for it, and waiting deliveries are dropped."""
    _set_enabled(hook_id, False, library, json=json)


@hook.command(name="test", epilog="Example: mysticanvas hook test 3f9a1c20")
def try_hook(hook_id: HookId, library: Library = None, json: Json = False) -> None:
    """Call a hook once, with an event that has no images and "test": true, and print its output."""
    # Imported here, so that other commands start faster.
    from mysticanvas.features.event_hooks import body, deliver
    from mysticanvas.features.event_hooks.types import DeliverHook

    settings = load_settings(library)
    folder = _find_library(library)
    found = _find(_read(folder), hook_id)
    delivery = str(uuid.uuid4())
    sent = body.build(found, {"delivery": delivery, "at": now_ms(), "entries": []}) | {"test": True}
    answer = deliver.deliver(DeliverHook(found, sent), folder, limit_s=settings.hook_limit_s)
    if json:
        print_json({"delivery": delivery, "output": answer.output})
        return
    out.print(answer.output or "The hook printed nothing.", markup=False, highlight=False)
    out.print("The test delivery succeeded.")


@hook.command(name="confirm", epilog="Example: mysticanvas hook confirm")
def confirm(
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation prompt.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Confirm the hooks of a library that was moved or copied. Until then, none of them runs."""
    folder = _find_library(library)
    hooks = hook_file.read_unconfirmed_hooks(folder)
    if not json:
        for one in hooks:
            out.print(f"{one.id}  {one.event} → {one.target}", markup=False)
    if hooks and not yes and not typer.confirm("Run these with your rights?", err=True):
        raise typer.Exit(1)
    hook_file.write_hooks(folder, hooks)
    print_json({"confirmed": len(hooks)}) if json else out.print(f"Confirmed {len(hooks)} hooks.")


def _find_library(library: Path | None) -> Path:
    folder = load_settings(library).library
    if not folder.is_dir():
        raise NotFoundError(f"There is no library in {folder}. Create one with: mysticanvas import FOLDER")
    return folder


def _read(folder: Path) -> list[Hook]:
    """Also refuses a library that was moved: to change its hooks would confirm them."""
    return hook_file.read_hooks(folder)


def _find(hooks: list[Hook], hook_id: str) -> Hook:
    found = next((one for one in hooks if one.id == hook_id), None)
    if found is None:
        raise NotFoundError(f"There is no hook {hook_id}. List the hooks with: mysticanvas hook list")
    return found


def _build(hook_id: str, event: EventKind, command: list[str] | None, url: str | None) -> Hook:
    from mysticanvas.features.event_hooks import targets

    if bool(command) == (url is not None):
        raise InvalidInputError(
            f"Specify a command after --, or a URL with --url. For example: mysticanvas hook add {event} -- python3 "
            "react.py"
        )
    try:
        if url is not None:
            targets.resolve_loopback(url)
            return Hook(hook_id, event, now_ms(), url=url)
        return Hook(
            hook_id, event, now_ms(), command=targets.find_program(command or []), folder=str(Path.cwd().absolute())
        )
    except ValueError as error:
        raise InvalidInputError(str(error)) from error


def _set_enabled(hook_id: str, enabled: bool, library: Path | None, *, json: bool) -> None:
    with connect(load_settings(library)) as client:
        changed = client.patch(f"/api/v1/hooks/{hook_id}", {"enabled": enabled})
    print_json(changed) if json else out.print(f"Hook {changed['id']} is {'on' if changed['enabled'] else 'off'}.")


def _show(added: Hook) -> dict[str, Any]:
    return {"id": added.id, "event": added.event.value, "command": added.command, "url": added.url}
