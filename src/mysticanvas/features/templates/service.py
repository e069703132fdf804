"""Prompt templates: deeds of edits/kinds.py, and what is made from a template."""

import csv
import io
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations, used_models
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId, LoraUse, Recipe
from mysticanvas.domain.text import clean
from mysticanvas.edits.types import Step
from mysticanvas.features.templates import queries, types
from mysticanvas.features.templates.queries import Template
from mysticanvas.formats.generators.infotext import write_infotext

MAX_NAME = 200
MAX_WILDCARD = 500_000
# The settings of a recipe that a template may carry.
PARAMS = ("steps", "cfg_scale", "guidance", "sampler", "scheduler", "denoise", "clip_skip", "width", "height", "model")
_WILDCARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,79}")


def create(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{uuid, name, content, negative?, params?, category?, preview?}"""
    if queries.named(tx, args["uuid"]):
        raise ConflictError("There is that template already.")
    queries.put(tx, _checked(Template(**{**_EMPTY, **args, "created_at": now_ms})), now_ms=now_ms)
    return 1


_EMPTY: dict[str, Any] = {"negative": None, "params": {}, "category": None, "preview": None, "uses": 0}


def draft(content: str, negative: str | None, params: dict[str, Any]) -> Template:
    """One that is not kept, checked as if it were. Raises `InvalidInputError`."""
    given = _EMPTY | {"content": content, "negative": negative, "params": params}
    return _checked(Template(uuid="", name="draft", created_at=0, **given))


def edit(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{template, …}: what is given stands from now on."""
    found = queries.find(tx, args["template"])
    changes = {name: value for name, value in args.items() if name != "template"}
    queries.put(tx, _checked(replace(found, **changes)), now_ms=now_ms)
    return 1


def delete(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{template}"""
    if not queries.remove(tx, args["template"]):
        raise NotFoundError("That template is not in this library.")
    return 1


def set_wildcard(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{name, content}: one choice a line; None takes the wildcard away."""
    name, content = args["name"], args["content"]
    if not _WILDCARD_NAME.fullmatch(name):
        raise InvalidInputError("The name of a wildcard is made of letters, digits, _ - and /.")
    if content is not None and len(content) > MAX_WILDCARD:
        raise InvalidInputError(f"A wildcard is at most {MAX_WILDCARD:,} characters long.")
    return queries.put_wildcard(tx, name, None if content is None else clean(content), now_ms=now_ms)


def _checked(made: Template) -> Template:
    name = " ".join(clean(made.name).split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(f"A template needs a name of at most {MAX_NAME} characters.")
    for text in (made.content, made.negative or ""):
        types.parse(text)
    unknown = set(made.params) - set(PARAMS)
    if unknown:
        raise InvalidInputError(f"A template carries {', '.join(PARAMS)}; not {', '.join(sorted(unknown))}.")
    category = " ".join(clean(made.category or "").split()) or None
    negative = clean(made.negative) if made.negative else None
    return replace(made, name=name, content=clean(made.content), negative=negative, category=category)


# -- making one -----------------------------------------------------------------------------------


def from_image(tx: ReadTx, image_uuid: str, *, name: str, category: str | None) -> dict[str, Any]:
    """The arguments of `create` that keep an image's recipe, with the image as its preview."""
    made = generations.detail(tx, generations.id_of(tx, image_uuid))
    loras = [use for use in used_models.used_by(tx, made.id) if use.role == "lora"]
    content = made.prompt or ""
    content += "".join(
        f" <lora:{use.name}:{use.weight:g}>" for use in loras if use.weight and f"<lora:{use.name}" not in content
    )
    params = {name: getattr(made, name) for name in PARAMS if name != "model"} | {"model": made.model_name}
    return {
        "uuid": str(uuid.uuid4()),
        "name": name,
        "content": _escaped(content),
        "negative": _escaped(made.negative_prompt or "") or None,
        "params": {name: value for name, value in params.items() if value is not None},
        "category": category,
        "preview": image_uuid,
    }


def _escaped(text: str) -> str:
    """A prompt that says just this as a template, whatever braces are in it."""
    return re.sub(r"([{}|\\])", r"\\\1", text).replace("__", "\\_\\_")


def from_styles(text: str) -> list[Step]:
    """A1111's styles.csv as one deed: name, prompt, negative prompt; `{prompt}` in it is a variable.

    Source: the header that the program writes, `name,prompt,negative_prompt`; older files say `text`.
    """
    reader = csv.DictReader(io.StringIO(clean(text).removeprefix("\ufeff")))
    found = []
    try:
        fields = {(name or "").strip().lower() for name in reader.fieldnames or ()}
        if "name" not in fields or not fields & {"prompt", "text"}:
            raise InvalidInputError("This is no styles.csv: it needs columns “name” and “prompt”.")
        for row in reader:
            step = _style({(name or "").strip().lower(): value or "" for name, value in row.items() if name})
            if step is not None:
                found.append(step)
    except csv.Error as error:
        raise InvalidInputError(f"Line {reader.line_num} of this styles.csv cannot be read: {error}.") from error
    if not found:
        raise InvalidInputError("There is no style in this file.")
    return found


def _style(row: Mapping[str, str]) -> Step | None:
    prompt = row.get("prompt") or row.get("text") or ""
    negative = row.get("negative_prompt", "")
    name = row["name"].strip()
    if not name or not (prompt.strip() or negative.strip()):
        # Separators such as “--- portraits ---” have no prompt.
        return None
    made = {"uuid": str(uuid.uuid4()), "name": name[:MAX_NAME], "content": prompt, "negative": negative or None}
    return "template.create", made | {"category": "styles"}


def to_styles(made: Sequence[Template]) -> str:
    """As A1111's styles.csv. What it has no column for, settings and category, is left out."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("name", "prompt", "negative_prompt"))
    rows.writerows((one.name, one.content, one.negative or "") for one in made)
    return text.getvalue()


# -- using one ------------------------------------------------------------------------------------


def expanded(tx: ReadTx, made: Template, *, seed: int, values: Mapping[str, str]) -> Recipe:
    """One prompt of the template, with its settings."""

    def lines_of(name: str) -> list[str]:
        lines = (queries.wildcard(tx, name) or "").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]

    prompt = types.expand(made.content, seed=seed, values=values, lines_of=lines_of)
    negative = types.expand(made.negative or "", seed=seed, values=values, lines_of=lines_of)
    return Recipe(prompt=prompt, negative_prompt=negative or None, loras=_loras(prompt), **made.params)


_LORA = re.compile(r"<lora:([^:<>]{1,200}):(-?\d{1,3}(?:\.\d{1,6})?)>")


def _loras(prompt: str) -> tuple[LoraUse, ...]:
    return tuple(LoraUse(name, float(weight)) for name, weight in _LORA.findall(prompt))


def in_form(recipe: Recipe, form: str) -> str | dict[str, Any]:
    """To paste into a generator: “a1111” its text with settings, “prompt” the prompt alone, “json” a plain
    object of all that is known."""
    if form == "a1111":
        return write_infotext(recipe)
    if form == "prompt":
        return recipe.prompt or ""
    if form == "json":
        return {name: value for name, value in asdict(recipe).items() if value not in (None, (), {})}
    raise InvalidInputError("A template is written as a1111, prompt or json.")


def described(made: Template) -> dict[str, Any]:
    """With the variables and wildcards that are in it."""
    parts = types.parse(made.content) + types.parse(made.negative or "")
    return asdict(made) | {"variables": types.variables(parts), "wildcards": types.wildcards(parts)}
