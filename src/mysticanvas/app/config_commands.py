"""The noun `config`: settings of this machine, and settings that are stored in the library."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas import settings as machine
from mysticanvas.app import config_file
from mysticanvas.app.library_settings import NAMES, read_values
from mysticanvas.cli.client import connect
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, table
from mysticanvas.domain.errors import InvalidInputError

COMMANDS = Commands()
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a setting, as printed by config list.")]


@dataclass(frozen=True, slots=True)
class Value:
    """`source` is “default”, “library”, “--library”, an environment variable, or the path of the configuration file."""

    name: str
    value: Any
    source: str
    description: str


@COMMANDS.add("config list", "", "--jsonl")
def list_settings(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List all settings with their values, and where each value comes from."""
    with connect(load_settings(library)) as client:
        stored = read_values(client)
    found = [_read_machine(name, library) for name in machine.NAMES]
    found += [Value(name, value, "library", NAMES[name].description) for name, value in stored.items()]
    if print_as_json({"settings": found}, found, json=json, jsonl=jsonl):
        return
    rows = table("Setting", "Value", "Source")
    for one in found:
        rows.add_row(one.name, _format(one.value), one.source)
    out.print(rows, markup=False)


@COMMANDS.add("config get", "port", "trash.days --json")
def get(name: Name, library: Library = None, json: Json = False) -> None:
    """Print the value of a setting. With --json, also where it comes from."""
    if name in machine.NAMES:
        found = _read_machine(name, library)
    else:
        setting = NAMES[_check(name)]
        with connect(load_settings(library)) as client:
            found = Value(name, read_values(client, [setting])[name], "library", setting.description)
    print_json(found) if json else typer.echo(_format(found.value))


@COMMANDS.add("config set", "port 8700", "trash.days 60", "port --default")
def set_setting(
    name: Name,
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help="The new value.")] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Remove the value from the configuration file, so the default applies.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Change a setting. Settings of this machine are written to the configuration file and apply when MystiCanvas is
    started again; other settings are stored in the library and apply immediately."""
    if (value is None) != default:
        raise InvalidInputError("Specify either a value or --default. Example: mysticanvas config set port 8700")
    if name in machine.NAMES:
        _set_machine(name, value, library, json=json)
        return
    setting = NAMES[_check(name)]
    if value is None:
        raise InvalidInputError(f"{name} is stored in the library and has no default. Specify a value.")
    with connect(load_settings(library)) as client:
        setting.write(client, setting.convert(value))
        found = Value(name, read_values(client, [setting])[name], "library", setting.description)
    print_json(found) if json else out.print(f"{name} = {_format(found.value)}", markup=False, highlight=False)


def _set_machine(name: str, value: str | None, library: Path | None, *, json: bool) -> None:
    if value is None:
        file = config_file.remove_value(name)
    else:
        file = config_file.set_value(name, machine.convert(name, value))
    found = _read_machine(name, library)
    if json:
        print_json(found)
        return
    out.print(f"{name} = {_format(found.value)}", markup=False, highlight=False)
    if value is not None and found.source != str(file):
        out.print(f"The value in {file} is overridden by {found.source}.", markup=False, highlight=False)
    else:
        out.print(f"Changed {file}. The change applies when MystiCanvas is started again.", markup=False,
                  highlight=False)  # fmt: skip


def _read_machine(name: str, library: Path | None) -> Value:
    value = getattr(load_settings(library), name)
    source = "default"
    if name == "library" and library is not None:
        source = "--library"
    elif name in machine.read_environment():
        source = machine.ENVIRONMENT + name.upper()
    elif name in machine.read_config_file():
        source = os.fspath(machine.find_config_file() or "")
    return Value(name, os.fspath(value) if isinstance(value, Path) else value, source, machine.describe(name))


def _check(name: str) -> str:
    """Raises `InvalidInputError` for a setting that does not exist."""
    if name in NAMES:
        return name
    close = get_close_matches(name, [*machine.NAMES, *NAMES], n=3)
    advice = f"Did you mean {' or '.join(close)}?" if close else "To list all settings, run: mysticanvas config list"
    raise InvalidInputError(f"There is no setting “{name}”. {advice}")


def _format(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)
