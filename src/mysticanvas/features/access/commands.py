"""The command `password`: sets the password for access from other computers."""

from typing import Annotated

import typer

from mysticanvas.cli.options import Library, load_settings
from mysticanvas.cli.output import out
from mysticanvas.http.passwords import forget_password, save_password


def add_commands(app: typer.Typer) -> None:
    app.command(epilog="Example: mysticanvas password")(password)


def password(
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the password. After that, only this computer has access.")
    ] = False,
    library: Library = None,
) -> None:
    """Set the password that `serve --host` requires. Sessions stay signed in until MystiCanvas is restarted."""
    settings = load_settings(library)
    if forget:
        forget_password(settings.library)
        out.print("The password was removed.")
        return
    save_password(settings.library, typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    out.print("The password was set.")
