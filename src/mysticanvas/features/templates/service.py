"""Prompt templates: create them from images or styles, and expand them."""

import csv
import io
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import generations, used_models
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import LoraUse, Recipe
from mysticanvas.domain.text import clean_text
from mysticanvas.features.templates import queries, types
from mysticanvas.features.templates.edits import MAX_NAME, PARAMS, CreateTemplate, validate
from mysticanvas.features.templates.queries import Template
from mysticanvas.formats.generators.infotext import write_infotext

_EMPTY: dict[str, Any] = {"negative": None, "params": {}, "category": None, "preview": None, "uses": 0}


def build_draft(content: str, negative: str | None, params: dict[str, Any]) -> Template:
    """A template that is not saved, validated as if it were. Raises `InvalidInputError`."""
    given = _EMPTY | {"content": content, "negative": negative, "params": params}
    return validate(Template(uuid="", name="draft", created_at=0, **given))


# -- creating -------------------------------------------------------------------------------------


def build_from_image(tx: ReadTx, image_uuid: str, *, name: str, category: str | None) -> CreateTemplate:
    """The edit that saves an image's generation data as a template, with the image as its preview."""
    made = generations.get_detail(tx, generations.get_id(tx, image_uuid))
    loras = [use for use in used_models.list_used_models(tx, made.id) if use.role == "lora"]
    content = made.prompt or ""
    content += "".join(
        f" <lora:{use.name}:{use.weight:g}>" for use in loras if use.weight and f"<lora:{use.name}" not in content
    )
    params = {name: getattr(made, name) for name in PARAMS if name != "model"} | {"model": made.model_name}
    return CreateTemplate(
        uuid=str(uuid.uuid4()),
        name=name,
        content=_escape(content),
        negative=_escape(made.negative_prompt or "") or None,
        params={name: value for name, value in params.items() if value is not None},
        category=category,
        preview=image_uuid,
    )


def _escape(text: str) -> str:
    """Template text that expands to exactly this prompt, even if it contains braces or underscores."""
    return re.sub(r"([{}|\\])", r"\\\1", text).replace("__", "\\_\\_")


def parse_styles(text: str) -> list[CreateTemplate]:
    """The templates of A1111's styles.csv (name, prompt, negative prompt); `{prompt}` becomes a variable.

    Raises `InvalidInputError`. Source: the header that A1111 writes, `name,prompt,negative_prompt`; older files
    have `text` instead of `prompt`.
    """
    reader = csv.DictReader(io.StringIO(clean_text(text).removeprefix("\ufeff")))
    found = []
    try:
        fields = {(name or "").strip().lower() for name in reader.fieldnames or ()}
        if "name" not in fields or not fields & {"prompt", "text"}:
            raise InvalidInputError("This file is not a styles.csv: it needs the columns “name” and “prompt”.")
        for row in reader:
            step = _parse_style({(name or "").strip().lower(): value or "" for name, value in row.items() if name})
            if step is not None:
                found.append(step)
    except csv.Error as error:
        raise InvalidInputError(f"Line {reader.line_num} of this styles.csv is not valid CSV: {error}.") from error
    if not found:
        raise InvalidInputError("This file contains no styles.")
    return found


def _parse_style(row: Mapping[str, str]) -> CreateTemplate | None:
    prompt = row.get("prompt") or row.get("text") or ""
    negative = row.get("negative_prompt", "")
    name = row["name"].strip()
    if not name or not (prompt.strip() or negative.strip()):
        # Separators such as “--- portraits ---” have no prompt.
        return None
    return CreateTemplate(
        uuid=str(uuid.uuid4()),
        name=name[:MAX_NAME],
        content=prompt,
        negative=negative or None,
        category="styles",
    )


def write_styles(made: Sequence[Template]) -> str:
    """The templates as A1111's styles.csv, which has no columns for settings and category."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("name", "prompt", "negative_prompt"))
    rows.writerows((one.name, one.content, one.negative or "") for one in made)
    return text.getvalue()


# -- expanding -----------------------------------------------------------------------------------


def expand(tx: ReadTx, made: Template, *, seed: int, values: Mapping[str, str]) -> Recipe:
    """One prompt of the template, with its settings. Raises `InvalidInputError`."""

    def lines_of(name: str) -> list[str]:
        lines = (queries.get_wildcard(tx, name) or "").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]

    prompt = types.expand(made.content, seed=seed, values=values, lines_of=lines_of)
    negative = types.expand(made.negative or "", seed=seed, values=values, lines_of=lines_of)
    # The names were checked when the template was made.
    settings: Mapping[str, Any] = made.params
    return Recipe(prompt=prompt, negative_prompt=negative or None, loras=_parse_loras(prompt), **settings)


_LORA = re.compile(r"<lora:([^:<>]{1,200}):(-?\d{1,3}(?:\.\d{1,6})?)>")


def _parse_loras(prompt: str) -> tuple[LoraUse, ...]:
    return tuple(LoraUse(name, float(weight)) for name, weight in _LORA.findall(prompt))


def render(recipe: Recipe, form: str) -> str | dict[str, Any]:
    """The prompt in a format to paste: “a1111” with settings, “prompt” without, “json” as a plain object.

    Raises `InvalidInputError` for other formats.
    """
    if form == "a1111":
        return write_infotext(recipe)
    if form == "prompt":
        return recipe.prompt or ""
    if form == "json":
        return {name: value for name, value in asdict(recipe).items() if value not in (None, (), {})}
    raise InvalidInputError(f"Unknown format “{form}”. Use one of: a1111, prompt, json.")


def list_names(made: Template) -> tuple[list[str], list[str]]:
    """The variables and the wildcards that occur in the texts of a template."""
    parts = types.parse(made.content) + types.parse(made.negative or "")
    return types.list_variables(parts), types.list_wildcards(parts)
