"""The nouns `access` and `token`, and the shortcut `open`: sign-in links, the token for scripts, and the password for
access from other computers."""

from typing import Annotated

import typer

from mysticanvas.cli.client import connect, connect_to_gallery
from mysticanvas.cli.gallery import find_gallery
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.links import BROWSER_LIMIT_S, fetch_links, open_browser_at, print_links
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.fs.instance_file import TOKEN_FILE, read_token

COMMANDS = Commands()


@COMMANDS.add("open", "", "--no-open")
def open_gallery(
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the link in your browser.")] = True,
    library: Library = None,
    json: Json = False,
) -> None:
    """Open the running gallery in your browser, and print a new sign-in link. The link works once and expires after one
    hour."""
    with connect_to_gallery(load_settings(library)) as client:
        links = fetch_links(client)
        if json:
            print_json({"url": links.url, "external_url": links.external_url})
        else:
            print_links(links)
        if open_browser and not json:
            open_browser_at(fetch_links(client, BROWSER_LIMIT_S).url)


@COMMANDS.add("access link")
def create_link(library: Library = None, json: Json = False) -> None:
    """Print a new sign-in link of the running gallery. The link works once and expires after one hour."""
    with connect_to_gallery(load_settings(library)) as client:
        links = fetch_links(client)
    if json:
        print_json({"url": links.url, "external_url": links.external_url})
    else:
        print_links(links)


@COMMANDS.add("token show", "", "--json")
def show_token(library: Library = None, json: Json = False) -> None:
    """Print the token. With --json, also print the address of the running gallery, after verifying that it serves this
    library. Do not send the token to any other address."""
    settings = load_settings(library)
    found = read_token(settings.library)
    if not json:
        typer.echo(found)
        return
    gallery = find_gallery(settings.library)
    print_json({"token": found, "url": None if gallery is None else gallery.url})


@COMMANDS.add("token rotate")
def rotate_token(library: Library = None, json: Json = False) -> None:
    """Replace the token. The old token and unused sign-in links stop working immediately, and all browsers are signed
    out."""
    settings = load_settings(library)
    with connect(settings) as client:
        client.post("/api/v1/session/token", {"confirm": True})
    if json:
        print_json({"rotated": True, "file": str(settings.library / TOKEN_FILE)})
        return
    out.print("The token was replaced. Scripts must read it again. To sign in a browser, run: mysticanvas open")


@COMMANDS.add("access password", "", "--forget")
def password(
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the password. After that, only this computer has access.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the password that `serve --host` requires. Existing sessions stay signed in until MystiCanvas is
    restarted."""
    # Loads a library that other commands do not need.
    from mysticanvas.http.passwords import forget_password, save_password

    settings = load_settings(library)
    if forget:
        forget_password(settings.library)
    else:
        save_password(
            settings.library, typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        )
    if json:
        print_json({"password": not forget})
        return
    out.print("The password was removed." if forget else "The password was set.")
