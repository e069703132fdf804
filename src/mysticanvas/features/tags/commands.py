"""The noun `tag`, and verbs of the noun `image` that tag images."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.edits import Images, edit_images, print_images_result, print_result, read_selections, wait_for_edit
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, table
from mysticanvas.domain.errors import ConflictError, InvalidInputError

COMMANDS = Commands()

Tags = Annotated[str, typer.Argument(metavar="TAGS", help="One tag, or several separated by commas.")]
Tag = Annotated[str, typer.Argument(metavar="TAG", help="The name of a tag.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A text file with one command per line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List the changes without making them.")]


@COMMANDS.add("image tag", "'fox, snow' 'arctic'", "keeper 4f9c0d2e-7a10-4b53-9d0e-1c2f3a4b5c6d")
def tag_images(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Add tags to images."""
    _edit_images("add", tags, images, library, json)


@COMMANDS.add("image untag", "fox 'model:old'")
def untag_images(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Remove tags from images, including those that models or prompts added."""
    _edit_images("remove", tags, images, library, json)


@COMMANDS.add("image reject", "fox 'cat'")
def reject_tags(tags: Tags, images: Images, library: Library = None, json: Json = False) -> None:
    """Reject tags on images, so that models and prompts cannot add them again."""
    _edit_images("reject", tags, images, library, json)


def _edit_images(how: str, tags: str, images: list[str], library: Path | None, json: bool) -> None:
    selections = read_selections(images)
    with connect(load_settings(library)) as client:
        print_images_result(edit_images(client, selections, {"tags": {how: _split(tags)}}), json=json)


def _split(tags: str) -> list[str]:
    names = [name.strip() for name in tags.split(",") if name.strip()]
    if not names:
        raise InvalidInputError("Specify at least one tag.")
    return names


@COMMANDS.add("tag list", "fox", "--jsonl")
def list_tags(
    containing: Annotated[
        str, typer.Argument(metavar="TEXT", help="List only tags whose names contain this text.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Maximum number of tags to list.")] = 50,
    library: Library = None,
    json: Json = False,
    jsonl: JsonLines = False,
) -> None:
    """List tags, those with the most images first."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/tags/completions", q=containing, limit=limit)
    if print_as_json(found, found["tags"], json=json, jsonl=jsonl):
        return
    rows = table("Tag", "Images", "Category", "Alias of")
    for one in found["tags"]:
        rows.add_row(one["name"], f"{one['images']:,}", one["category"] or "", one["alias_of"] or "")
    out.print(rows if found["tags"] else "No tags found.", markup=False)


@COMMANDS.add("tag add", "fox --category animal")
def add(
    tag_name: Tag,
    category: Annotated[str | None, typer.Option(help="The category of the tag.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Create a tag. To tag images, use mysticanvas image tag."""
    _edit_tags("create", {"name": tag_name, "category": category}, library, json)


@COMMANDS.add("tag category", "'fox, wolf' animal", "fox --off")
def set_category(
    tags: Tags,
    category: Annotated[str | None, typer.Argument(metavar="CATEGORY", help="The new category.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Remove the category.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the category of tags."""
    if (category is None) != off:
        raise InvalidInputError("Specify either a category or --off. Example: mysticanvas tag category fox animal")
    _edit_tags("set-category", {"tags": _split(tags), "category": category}, library, json)


@COMMANDS.add("tag threshold", "vision 0.5", "llm 0.7 --tag fox", "vision --off")
def set_threshold(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Who assigned the tags: vision (a model that saw the image), llm, prompt or import.",
        ),
    ],
    value: Annotated[float | None, typer.Argument(metavar="CONFIDENCE", min=0, max=1, help="0 to 1.")] = None,
    only: Annotated[str | None, typer.Option("--tag", help="Set the threshold of one tag only.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Remove the threshold.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the confidence from which tags of a source are shown."""
    if (value is None) != off:
        raise InvalidInputError("Specify either a confidence or --off. Example: mysticanvas tag threshold vision 0.5")
    _edit_tags("set-threshold", {"source": source, "value": value, "tag": only}, library, json)


@COMMANDS.add("tag alias", "vixen fox")
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
    _edit_tags("unalias" if off else "alias", asked, library, json)


@COMMANDS.add("tag imply", "fox animal")
def imply(
    tag_name: Tag,
    implies: Annotated[str, typer.Argument(metavar="IMPLIES", help="The implied tag.")],
    off: Annotated[bool, typer.Option("--off", help="Remove the implication.")] = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Make a tag imply another: images with the first tag also get the second tag."""
    _edit_tags("unimply" if off else "imply", {"tag": tag_name, "implies": implies}, library, json)


@COMMANDS.add("tag merge", "foxes fox --dry-run")
def merge(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="INTO", help="The tag to keep.")],
    dry_run: DryRun = False,
    library: Library = None,
    json: Json = False,
) -> None:
    """Merge a tag into another: move its images and relations, then delete it."""
    if dry_run:
        _run_bulk_edit(f"merge {tag_name} -> {to}", library, dry_run=True, json=json)
    else:
        _edit_tags("merge", {"tag": tag_name, "to": to}, library, json)


@COMMANDS.add("tag split", "'red fox' red fox")
def split(
    tag_name: Tag,
    to: Annotated[list[str], typer.Argument(metavar="NAME", help="The tags that replace it.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Replace a tag with several tags on all of its images."""
    _edit_tags("split", {"tag": tag_name, "to": to}, library, json)


@COMMANDS.add("tag rename", "foxx fox")
def rename(
    tag_name: Tag,
    to: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Rename a tag."""
    _edit_tags("rename", {"tag": tag_name, "to": to}, library, json)


@COMMANDS.add("tag delete", "blurry")
def delete(tag_name: Tag, library: Library = None, json: Json = False) -> None:
    """Delete a tag and remove it from all images."""
    _edit_tags("delete", {"tag": tag_name}, library, json)


def _edit_tags(action: str, asked: dict[str, Any], library: Path | None, json: bool) -> None:
    with connect(load_settings(library)) as client:
        done = wait_for_edit(client, client.post(f"/api/v1/tags:{action}", asked))
        print_result(done, json=json, what="change", how="made")


@COMMANDS.add("tag edit", "changes.txt --dry-run")
def edit(file: File, dry_run: DryRun = False, library: Library = None, json: Json = False) -> None:
    """Edit many tags at once, one command per line: tag, alias, unalias, imply, unimply, rename, merge, retag, split,
    delete, threshold. One undo reverts all of them. Exits with code 1 if a dry run finds an invalid line."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=dry_run, json=json)


@COMMANDS.add("tag import", "vocabulary.txt")
def import_tags(file: File, library: Library = None, json: Json = False) -> None:
    """Import a file written by `tag export`."""
    _run_bulk_edit(file.read_text("utf-8-sig"), library, dry_run=False, json=json)


@COMMANDS.add("tag export", "> vocabulary.txt")
def export(library: Library = None, json: Json = False) -> None:
    """Export all tags, categories, aliases, implications and thresholds as text. With --json, as one JSON string."""
    with connect(load_settings(library)) as client:
        text = client.text("/api/v1/tags/export")
    print_json({"text": text}) if json else typer.echo(text, nl=False)


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
    rows = table("Line", "Command", "Images", "")
    for line in lines[:500]:
        remark = line["conflict"] or line["remark"] or ""
        rows.add_row(str(line["line"]), line["text"], f"{line['images']:,}", remark)
    out.print(rows, markup=False)


@COMMANDS.add("tag prompts", "off")
def prompts(
    switch: Annotated[str, typer.Argument(metavar="on|off", help="Turn them on or off.")],
    library: Library = None,
    json: Json = False,
) -> None:
    """Turn tags from prompts on or off. When on, phrases that are already tags, or that recur in prompts, become tags.
    Turning it off removes all tags that came from prompts."""
    if switch not in ("on", "off"):
        raise InvalidInputError("Use `tag prompts on` or `tag prompts off`.")
    with connect(load_settings(library)) as client:
        done = client.put("/api/v1/tags/prompt-tags", {"on": switch == "on"})
    print_json(done) if json else out.print(f"Tags from prompts are {switch}.")
