"""The noun `template`: reusable prompts."""

from pathlib import Path
from typing import Annotated

import typer

from mysticanvas.cli.client import Client, connect
from mysticanvas.cli.edits import print_result, wait_for_edit
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, JsonLines, Library, load_settings
from mysticanvas.cli.output import out, print_as_json, print_json, table
from mysticanvas.domain.errors import InvalidInputError, NotFoundError

COMMANDS = Commands()

Template = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Name or UUID of the template.")]


@COMMANDS.add("template list")
def list_templates(library: Library = None, json: Json = False, jsonl: JsonLines = False) -> None:
    """List all templates by category and name."""
    with connect(load_settings(library)) as client:
        found = client.get("/api/v1/templates")
    if print_as_json(found, found["templates"], json=json, jsonl=jsonl):
        return
    rows = table("Name", "Category", "Uses", "Variables", "Text")
    for one in found["templates"]:
        variables = ", ".join(one["variables"])
        rows.add_row(one["name"], one["category"] or "", str(one["uses"]), variables, one["content"][:60])
    out.print(rows if found["templates"] else "No templates yet.", markup=False)


@COMMANDS.add("template save", "Foxes 'a {red|white} fox, {place}'")
def save(
    name: Annotated[str, typer.Argument(help="Name of the template.")],
    text: Annotated[str, typer.Argument(help="The prompt. Omit it with --image.")] = "",
    negative: Annotated[str | None, typer.Option(help="The negative prompt.")] = None,
    category: Annotated[str | None, typer.Option(help="The category of the template.")] = None,
    image: Annotated[str | None, typer.Option(help="Save the generation data of the image with this UUID.")] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Save a prompt, or the generation data of an image, as a template."""
    asked = {"name": name, "negative": negative, "category": category, "image": image, "content": text or None}
    with connect(load_settings(library)) as client:
        print_result(
            client.post("/api/v1/templates", {k: v for k, v in asked.items() if v}),
            json=json,
            what="template",
            how="saved",
        )


@COMMANDS.add("template expand", "Foxes --set place=snow --seed 7")
def expand(
    template: Template,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=TEXT", help="Set a variable. Can be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Random seed. The same seed gives the same prompt.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="Number of prompts.")] = 1,
    form: Annotated[str, typer.Option(help="Output format: a1111, prompt or json.")] = "prompt",
    library: Library = None,
    json: Json = False,
) -> None:
    """Generate prompts from a template."""
    given = dict(_parse_value(value) for value in values or [])
    asked = {"values": given, "count": count, "form": form, **({} if seed is None else {"seed": seed})}
    with connect(load_settings(library)) as client:
        made = client.post(f"/api/v1/templates/{_find_uuid(client, template)}:expand", asked)
    if json:
        print_json(made)
        return
    for text in made["expanded"]:
        print_json(text) if form == "json" else typer.echo(text)


def _parse_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInputError(f"“{text}” does not set a variable. Use NAME=TEXT.")
    return name.strip(), value


@COMMANDS.add("template delete", "Foxes")
def delete(template: Template, library: Library = None, json: Json = False) -> None:
    """Delete a template."""
    with connect(load_settings(library)) as client:
        path = f"/api/v1/templates/{_find_uuid(client, template)}"
        print_result(client.delete(path), json=json, what="template", how="deleted")


@COMMANDS.add("template import", "stable-diffusion-webui/styles.csv")
def import_styles(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A styles.csv file from A1111, Forge or SD.Next.")
    ],
    library: Library = None,
    json: Json = False,
) -> None:
    """Import the styles of A1111, Forge or SD.Next as templates."""
    text = file.read_text("utf-8-sig", "replace")
    with connect(load_settings(library)) as client:
        print_result(
            wait_for_edit(client, client.post("/api/v1/templates/styles", {"text": text})),
            json=json,
            what="template",
            how="added",
        )


@COMMANDS.add("template wildcard", "color colors.txt")
def wildcard(
    name: Annotated[str, typer.Argument(help="Name of the wildcard, without the underscores.")],
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A file with one choice per line.")
    ] = None,
    library: Library = None,
    json: Json = False,
) -> None:
    """Set the choices of a wildcard. Without a file, delete the wildcard."""
    content = None if file is None else file.read_text("utf-8-sig", "replace")
    with connect(load_settings(library)) as client:
        done = client.put("/api/v1/wildcards", {"name": name, "content": content})
        print_result(done, json=json, what="wildcard", how="changed")


def _find_uuid(client: Client, name: str) -> str:
    found = [one for one in client.get("/api/v1/templates")["templates"] if name in (one["name"], one["uuid"])]
    if not found:
        raise NotFoundError(f"There is no template “{name}”. To list all templates, run: mysticanvas template list")
    if len(found) > 1:
        raise InvalidInputError(f"{len(found)} templates are named “{name}”. Use a UUID instead.")
    return str(found[0]["uuid"])
