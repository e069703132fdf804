"""Lists the hooks, and turns them on and off. Only the command line adds and removes hooks."""

from dataclasses import dataclass

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks import queries
from mysticanvas.features.event_hooks.hook_file import HOOKS_FILE, HookFileError, read_hooks
from mysticanvas.http.schemas import Int64


@dataclass(frozen=True, slots=True)
class HookView:
    id: str
    event: EventKind
    command: list[str] | None
    url: str | None
    enabled: bool
    created_at: Int64


@dataclass(frozen=True, slots=True)
class HookList:
    """`problem` is why no hook runs, null if they do. `file` is where the hooks are defined."""

    hooks: list[HookView]
    problem: str | None
    file: str


def list_hooks(database: Database) -> HookList:
    file = str(database.folder / HOOKS_FILE)
    try:
        hooks = read_hooks(database.folder)
    except HookFileError as error:
        return HookList([], str(error), file)
    disabled = database.read(queries.list_disabled)
    views = [HookView(h.id, h.event, h.command, h.url, h.id not in disabled, h.created_at) for h in hooks]
    return HookList(views, None, file)


def set_enabled(database: Database, hook: str, enabled: bool) -> HookView:
    """Raises `NotFoundError` for a hook that is not in the file."""
    if hook not in [one.id for one in read_hooks(database.folder)]:
        raise NotFoundError(f"There is no hook {hook}. List the hooks with: mysticanvas hook list")
    database.write(queries.set_enabled, hook, enabled)
    return next(one for one in list_hooks(database).hooks if one.id == hook)
