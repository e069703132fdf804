"""The command `mcp`."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import make_absolute
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import print_json
from mysticanvas.domain.errors import LibraryError

COMMANDS = Commands()


@COMMANDS.add("mcp", "--json", "--library ~/library", "--allow-edits")
def mcp(
    allow_edits: Annotated[
        bool, typer.Option("--allow-edits", help="Also let the agent rate, tag and collect images, and undo edits.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Serve the library to an LLM agent over standard input and output, with the Model Context Protocol (MCP).

    Your MCP client runs this command. With --json, it prints the configuration for the client and exits. Without
    --allow-edits, the agent can only read.
    """
    settings = load_settings(library)
    if json:
        print_json(build_configuration(settings.library, allow_edits=allow_edits))
        return
    if find_spec("mcp") is None:
        raise LibraryError("The MCP server requires additional packages. Run: pip install 'mysticanvas[mcp]'")
    if sys.stdin.isatty():
        typer.echo("Waiting for an MCP client. To print its configuration, run: mysticanvas mcp --json", err=True)
    # Loads the package `mcp`, which only this command needs.
    from mysticanvas.library.mcp_server import build_server

    build_server(settings, allow_edits=allow_edits).run()


def build_configuration(library: Path, *, allow_edits: bool) -> dict[str, Any]:
    """What the configuration file of an MCP client needs to start this server.

    It names this Python, because a client that was not started in a terminal may not find the command `mysticanvas`.
    """
    args = ["-m", "mysticanvas.app.cli", "mcp", "--library", make_absolute(library)]
    args += ["--allow-edits"] if allow_edits else []
    return {"mcpServers": {"mysticanvas": {"command": sys.executable, "args": args}}}
