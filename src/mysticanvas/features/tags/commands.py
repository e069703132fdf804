"""`tag …`: tags of images, and the vocabulary."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, bulk, followed, say
from mysticanvas.cli.options import Json, Library, settings_for
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import ConflictError, InvalidInputError

tag = typer.Typer(no_args_is_help=True, help="Tags of images, and the vocabulary. Every change can be undone.")

Tags = Annotated[str, typer.Argument(metavar="TAGS", help="One tag, or several with commas between.")]
Tag = Annotated[str, typer.Argument(metavar="TAG")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A text file, one command a line.")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(tag, name="tag")


@tag.command(epilog="Example: mysticanvas tag add 'fox, snow' 'arctic'")
def add(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Tag all images that a search finds."""
    _edit_images("add", tags, images, library, json)


@tag.command(epilog="Example: mysticanvas tag remove fox 'model:old'")
def remove(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Take tags off all images that a search finds; also those that others gave them."""
    _edit_images("remove", tags, images, library, json)


@tag.command(epilog="Example: mysticanvas tag reject fox 'cat'")
def reject(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Say that images have not these tags, whatever models say, now and later."""
    _edit_images("reject", tags, images, library, json)


def _edit_images(how: str, tags: str, images: str, library: Path | None, json: bool) -> None:
    names = [name.strip() for name in tags.split(",") if name.strip()]
    with connect(settings_for(library)) as client:
        say(bulk(client, images, {"tags": {how: names}}), json=json)


@tag.command("list", epilog="Example: mysticanvas tag list fox")
def list_tags(
    containing: Annotated[str, typer.Argument(help="Only tags whose name contains this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    library: Library = None,
    json: Json = False,
) -> None:
    """Known tags, those with most images first."""
    with connect(settings_for(library)) as client:
        found = client.get("/api/tags", q=containing, limit=limit)
    if json:
        print_json(found)
        return
    table = Table("Tag", "Images", "Category", "Other name of", box=None)
    for one in found["tags"]:
        table.add_row(one["name"], f"{one['images']:,}", one["category"] or "", one["alias_of"] or "")
    out.print(table if found["tags"] else "There is no such tag.", markup=False)


@tag.command(epilog="Example: mysticanvas tag alias vixen fox")
def alias(
    tag_name: Tag,
    of: Annotated[str, typer.Argument(metavar="OF", help="The tag that it is another name of.")],
    across: Annotated[bool, typer.Option("--across", help="Although they are of different categories.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Take the alias away; everything is as it was before.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a tag another name of one."""
    asked = {"do": "unalias", "tag": tag_name} if off else {"do": "alias", "tag": tag_name, "of": of, "across": across}
    _edit_vocabulary(asked, library, json)


@tag.command(epilog="Example: mysticanvas tag imply fox animal")
def imply(
    tag_name: Tag,
    implies: Annotated[str, typer.Argument(metavar="IMPLIES")],
    off: Annotated[bool, typer.Option("--off", help="Take the implication away.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Whatever has the one tag has the other too."""
    _edit_vocabulary({"do": "unimply" if off else "imply", "tag": tag_name, "implies": implies}, library, json)


@tag.command(epilog="Example: mysticanvas tag merge foxes fox --dry-run")
def merge(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="INTO")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make two tags one."""
    if dry_run:
        _run_bulk_edit(f"merge {tag_name} -> {to}", library, dry_run=True, json=json)
    else:
        _edit_vocabulary({"do": "merge", "tag": tag_name, "to": to}, library, json)


@tag.command(epilog="Example: mysticanvas tag rename foxx fox")
def rename(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="NAME")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Give a tag a better name."""
    _edit_vocabulary({"do": "rename", "tag": tag_name, "to": to}, library, json)


@tag.command(epilog="Example: mysticanvas tag delete blurry")
def delete(tag_name: Tag, library: Library = None, json: Json = False) -> None:
    """Delete a tag with all that was said of it."""
    _edit_vocabulary({"do": "delete", "tag": tag_name}, library, json)


def _edit_vocabulary(asked: dict[str, Any], library: Path | None, json: bool) -> None:
    with connect(settings_for(library)) as client:
        say(followed(client, client.post("/api/tags", asked)), json=json, what="changed")


@tag.command(epilog="Example: mysticanvas tag script changes.txt --dry-run")
def script(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Many changes at once, one a line (alias a -> b, imply, rename, merge, retag, split, delete); one undo
    for all. Exit code 1 when a line would be refused."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=dry_run, json=json)


@tag.command("import", epilog="Example: mysticanvas tag import vocabulary.txt")
def import_(file: File, library: Library = None, json: Json = False) -> None:
    """Take in a vocabulary that `tag export` wrote."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=False, json=json)


@tag.command(epilog="Example: mysticanvas tag export > vocabulary.txt")
def export(library: Library = None) -> None:
    """The vocabulary as text: tags, categories, aliases, implications, thresholds."""
    with connect(settings_for(library)) as client:
        typer.echo(client.text("/api/tags/export"), nl=False)


def _run_bulk_edit(text: str, library: Path | None, *, dry_run: bool, json: bool) -> None:
    with connect(settings_for(library)) as client:
        tried = client.post("/api/tags/script", {"text": text, "dry_run": True})
        if not json:
            _print_lines(tried["lines"])
        if dry_run or not tried["ok"]:
            if json:
                print_json(tried)
            if not tried["ok"]:
                raise typer.Exit(1) if dry_run else ConflictError("Nothing was changed: some lines would be refused.")
            return
        if not tried["lines"]:
            raise InvalidInputError("There is no command in this file.")
        say(followed(client, client.post("/api/tags/script", {"text": text})), json=json, what="changed")


def _print_lines(lines: list[dict[str, Any]]) -> None:
    table = Table("Line", "Command", "Images", "", box=None)
    for line in lines[:500]:
        remark = line["conflict"] or line["remark"] or ""
        table.add_row(str(line["line"]), line["text"], f"{line['images']:,}", remark)
    out.print(table, markup=False)


@tag.command(epilog="Example: mysticanvas tag prompts off")
def prompts(
    switch: Annotated[str, typer.Argument(metavar="on|off")], library: Library = None, json: Json = False
) -> None:
    """Whether prompts give tags: phrases that are known tags, and those that recur. Off takes away all
    that they gave."""
    if switch not in ("on", "off"):
        raise InvalidInputError("tag prompts knows on and off.")
    with connect(settings_for(library)) as client:
        done = client.post("/api/tags/prompts", {"on": switch == "on"})
    print_json(done) if json else out.print(f"Tags from prompts are {switch}.")
