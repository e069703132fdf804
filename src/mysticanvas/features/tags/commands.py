"""`tag …`: tag images and manage tags."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, edit_images, print_image_edit, print_result, wait_for_edit
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json
from mysticanvas.domain.errors import ConflictError, InvalidInputError

tag = typer.Typer(no_args_is_help=True, help="Tag images and manage tags. Every change can be undone.")

Tags = Annotated[str, typer.Argument(metavar="TAGS", help="One tag, or several separated by commas.")]
Tag = Annotated[str, typer.Argument(metavar="TAG")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A text file with one command per line.")]


def add_commands(app: typer.Typer) -> None:
    app.add_typer(tag, name="tag")


@tag.command(epilog="Example: mysticanvas tag add 'fox, snow' 'arctic'")
def add(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Add tags to all images that match a search."""
    _edit_images("add", tags, images, library, json)


@tag.command(epilog="Example: mysticanvas tag remove fox 'model:old'")
def remove(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Remove tags from all images that match a search, including those that models or prompts added."""
    _edit_images("remove", tags, images, library, json)


@tag.command(epilog="Example: mysticanvas tag reject fox 'cat'")
def reject(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Reject tags on all images that match a search, so that models and prompts cannot add them again."""
    _edit_images("reject", tags, images, library, json)


def _edit_images(how: str, tags: str, images: str, library: Path | None, json: bool) -> None:
    names = [name.strip() for name in tags.split(",") if name.strip()]
    with connect(load_settings(library)) as client:
        print_image_edit(edit_images(client, images, {"tags": {how: names}}), json=json)


@tag.command("list", epilog="Example: mysticanvas tag list fox")
def list_tags(
    containing: Annotated[str, typer.Argument(help="List only tags whose names contain this text.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Maximum number of tags to list.")] = 50,
    library: Library = None,
    json: Json = False,
) -> None:
    """List tags, those with the most images first."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/tags/completions", q=containing, limit=limit)
    if json:
        print_json(found)
        return
    table = Table("Tag", "Images", "Category", "Alias of", box=None)
    for one in found["tags"]:
        table.add_row(one["name"], f"{one['images']:,}", one["category"] or "", one["alias_of"] or "")
    out.print(table if found["tags"] else "No tags found.", markup=False)


@tag.command(epilog="Example: mysticanvas tag alias vixen fox")
def alias(
    tag_name: Tag,
    of: Annotated[str, typer.Argument(metavar="OF", help="The tag that the alias stands for.")],
    across: Annotated[bool, typer.Option("--across", help="Allow an alias between different categories.")] = False,
    off: Annotated[
        bool, typer.Option("--off", help="Remove the alias. The tag's own assignments are restored.")
    ] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a tag an alias of another tag."""
    asked = {"tag": tag_name} if off else {"tag": tag_name, "of": of, "across": across}
    _edit_vocabulary("unalias" if off else "alias", asked, library, json)


@tag.command(epilog="Example: mysticanvas tag imply fox animal")
def imply(
    tag_name: Tag,
    implies: Annotated[str, typer.Argument(metavar="IMPLIES", help="The implied tag.")],
    off: Annotated[bool, typer.Option("--off", help="Remove the implication.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a tag imply another: images with the first tag also get the second tag."""
    _edit_vocabulary("unimply" if off else "imply", {"tag": tag_name, "implies": implies}, library, json)


@tag.command(epilog="Example: mysticanvas tag merge foxes fox --dry-run")
def merge(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="INTO", help="The tag to keep.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the changes without making them.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Merge a tag into another: move its images and relations, then delete it."""
    if dry_run:
        _run_bulk_edit(f"merge {tag_name} -> {to}", library, dry_run=True, json=json)
    else:
        _edit_vocabulary("merge", {"tag": tag_name, "to": to}, library, json)


@tag.command(epilog="Example: mysticanvas tag rename foxx fox")
def rename(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Rename a tag."""
    _edit_vocabulary("rename", {"tag": tag_name, "to": to}, library, json)


@tag.command(epilog="Example: mysticanvas tag delete blurry")
def delete(tag_name: Tag, library: Library = None, json: Json = False) -> None:
    """Delete a tag and remove it from all images."""
    _edit_vocabulary("delete", {"tag": tag_name}, library, json)


def _edit_vocabulary(action: str, asked: dict[str, Any], library: Path | None, json: bool) -> None:
    with connect(load_settings(library)) as client:
        done = wait_for_edit(client, client.post(f"/api/v1/tags:{action}", asked))
        print_result(done, json=json, what="change", how="made")


@tag.command(epilog="Example: mysticanvas tag script changes.txt --dry-run")
def script(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the changes without making them.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Edit many tags at once, one command per line: tag, alias, unalias, imply, unimply, rename, merge, retag, split,
    delete, threshold. One undo reverts all of them. Exits with code 1 if a dry run finds an invalid line."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=dry_run, json=json)


@tag.command("import", epilog="Example: mysticanvas tag import vocabulary.txt")
def import_(file: File, library: Library = None, json: Json = False) -> None:
    """Import a file written by `tag export`."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=False, json=json)


@tag.command(epilog="Example: mysticanvas tag export > vocabulary.txt")
def export(library: Library = None) -> None:
    """Export all tags, categories, aliases, implications and thresholds as text."""
    with connect(load_settings(library)) as client:
        typer.echo(client.text("/api/v1/tags/export"), nl=False)


def _run_bulk_edit(text: str, library: Path | None, *, dry_run: bool, json: bool) -> None:
    with connect(load_settings(library)) as client:
        tried = client.post("/api/v1/tags:bulk-edit", {"text": text, "dry_run": True})
        if not json:
            _print_lines(tried["lines"])
        if dry_run or not tried["ok"]:
            if json:
                print_json(tried)
            if not tried["ok"]:
                raise (
                    typer.Exit(1)
                    if dry_run
                    else ConflictError("Nothing was changed because some lines are invalid. Fix them and try again.")
                )
            return
        if not tried["lines"]:
            raise InvalidInputError("This file contains no commands.")
        done = wait_for_edit(client, client.post("/api/v1/tags:bulk-edit", {"text": text})["edit"])
        print_result(done, json=json, what="change", how="made")


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
    """Turn tags from prompts on or off. When on, phrases that are already tags, or that recur in prompts, become tags.
    Turning it off removes all tags that came from prompts."""
    if switch not in ("on", "off"):
        raise InvalidInputError("Use `tag prompts on` or `tag prompts off`.")
    with connect(load_settings(library)) as client:
        done = client.put("/api/v1/tags/prompt-tags", {"on": switch == "on"})
    print_json(done) if json else out.print(f"Tags from prompts are {switch}.")
