"""All nouns and shortcuts of the command line. Loads the modules of a command when it is used."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mysticanvas.app import features
from mysticanvas.cli.grammar import Command, build_noun, build_verb, describe_unknown, suggest

# The commands that do not belong to a feature: nouns and shortcuts, each with its module and its help.
_NOUNS = {
    "job": ("mysticanvas.jobs.commands", "Show and control background jobs."),
    "image": ("mysticanvas.search.commands", ""),
    "config": ("mysticanvas.app.config_commands", "Show and change settings."),
}
_SHORTCUTS = {
    "serve": ("mysticanvas.app.serve", "Serve the gallery, and import and watch folders."),
    "demo": ("mysticanvas.app.serve", "Generate demo images and open a gallery with them."),
    "mcp": ("mysticanvas.library.mcp_command", "Serve the library to LLM agents."),
    "search": ("mysticanvas.search.commands", "Find images."),
}


@dataclass(slots=True)
class Entry:
    """A noun or a shortcut: its help, and the modules that contain its commands."""

    name: str
    is_shortcut: bool
    help: str = ""
    modules: list[str] = field(default_factory=list)

    def load(self) -> list[Command]:
        """Imports the modules, and returns the commands of this noun, or the shortcut."""
        commands = [one for module in self.modules for one in import_module(module).COMMANDS.found]
        return [one for one in commands if one.noun == self.name and one.is_shortcut == self.is_shortcut]

    def build(self) -> TyperCommand | TyperGroup:
        commands = self.load()
        return build_verb(commands[0]) if self.is_shortcut else build_noun(self.name, self.help, commands)


def list_entries() -> dict[str, Entry]:
    """The nouns and shortcuts by name, in alphabetical order. A feature declares its own in its `nouns.py`."""
    entries: dict[str, Entry] = {}
    for name, module, text, is_shortcut in _list_declared():
        entry = entries.setdefault(name, Entry(name, is_shortcut))
        entry.help = entry.help or text
        entry.modules.append(module)
    return dict(sorted(entries.items()))


def _list_declared() -> Iterator[tuple[str, str, str, bool]]:
    for is_shortcut, declared in ((False, _NOUNS), (True, _SHORTCUTS)):
        for name, (module, text) in declared.items():
            yield name, module, text, is_shortcut
    for feature in features.FEATURES:
        package = f"mysticanvas.features.{feature}"
        if find_spec(f"{package}.nouns") is None:
            continue
        nouns = import_module(f"{package}.nouns")
        for module in getattr(nouns, "MODULES", ("commands",)):
            for is_shortcut, kind in ((False, "NOUNS"), (True, "SHORTCUTS")):
                for name, text in getattr(nouns, kind, {}).items():
                    yield name, f"{package}.{module}", text, is_shortcut


def list_commands() -> list[Command]:
    """All commands, for the command reference and the suggestions. Loads every module with commands."""
    return [command for entry in list_entries().values() for command in entry.load()]


class Root(TyperGroup):
    """The command line. Loads the commands of the noun that is used."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._entries = cache(list_entries)
        self._build = cache(lambda name: self._entries()[name].build())

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self._entries())

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        return self._build(cmd_name) if cmd_name in self._entries() else None

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name = args[0]
        if name not in self._entries() and not name.startswith("-"):
            similar = suggest(name, {one: one for one in self._entries()}) or _suggest_verbs(name)
            ctx.fail(describe_unknown(name, similar, "To list all commands, run: mysticanvas --help"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, is_shortcut in (("Shortcuts", True), ("Nouns, each with its verbs", False)):
            shown = [one for one in self._entries().values() if one.is_shortcut == is_shortcut]
            with formatter.section(title):
                formatter.write_dl([(one.name, one.help) for one in shown])


def _suggest_verbs(name: str) -> list[str]:
    """Commands whose verb was entered without its noun."""
    verbs: dict[str, list[str]] = {}
    for command in list_commands():
        verbs.setdefault(command.verb, []).append(command.name)
    similar = suggest(name, {verb: verb for verb in verbs})
    return [full for verb in similar for full in verbs[verb]][:3]
