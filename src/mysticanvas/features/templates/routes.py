"""Prompt templates and wildcards over HTTP."""

import random
import uuid as uuids
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import CreationResult
from mysticanvas.features.templates import queries, service
from mysticanvas.features.templates.edits import CreateTemplate, DeleteTemplate, EditTemplate, SetWildcard
from mysticanvas.features.templates.queries import Template
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Int64

Text = Annotated[str, Field(max_length=50_000)]
Setting = Text | Int64 | Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=400)]


class TemplateIn(BaseModel):
    """Set either `image`, the UUID of an image whose generation data is saved as a template, or `content`, the text of
    the template."""

    name: Name
    content: Text | None = None
    negative: Text | None = None
    params: dict[Name, Setting] = {}
    category: Name | None = None
    preview: Annotated[str, Field(max_length=36)] | None = None
    image: Annotated[str, Field(max_length=36)] | None = None


class TemplateEditIn(BaseModel):
    """Omitted fields are not changed."""

    name: Name = ""
    content: Text = ""
    negative: Text | None = None
    params: dict[Name, Setting] = {}
    category: Name | None = None
    preview: Annotated[str, Field(max_length=36)] | None = None


class ExpandIn(BaseModel):
    """`form` is a1111, prompt or json. If `seed` is null, a random seed is used; the response contains it."""

    seed: int | None = Field(None, ge=0, le=2**64 - 1)
    values: dict[Name, Text] = {}
    form: str = Field("a1111", max_length=20)
    count: int = Field(1, ge=1, le=100)


class TryIn(ExpandIn):
    """A template to try without saving it."""

    content: Text
    negative: Text | None = None
    params: dict[Name, Setting] = {}


class StylesIn(BaseModel):
    text: str = Field(max_length=1_000_000)


class WildcardIn(BaseModel):
    """One choice per line; null deletes the wildcard."""

    name: Name
    content: Annotated[str, Field(max_length=500_000)] | None = None


def routes(database: Database, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["templates"])
    # Fixed paths must be registered before those that begin with a uuid.
    _add_uses(router, database, edits)
    _add_templates(router, database, edits)
    return router


def _add_uses(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post("/templates/styles", operation_id="templates.importStyles")
    def import_styles(asked: StylesIn) -> Response:
        return reply(edits.do_all("template.import", service.parse_styles(asked.text)))

    @router.get("/templates/styles", operation_id="templates.exportStyles")
    def export_styles() -> Response:
        """All templates as a styles.csv file of A1111."""
        headers = {"content-disposition": 'attachment; filename="styles.csv"'}
        return Response(
            service.write_styles(database.read(queries.list_templates)), headers=headers, media_type="text/csv"
        )

    @router.post("/templates:try", operation_id="templates.try")
    def try_out(asked: TryIn) -> Response:
        """Expand a template without saving it or counting it as used."""
        made = service.build_draft(asked.content, asked.negative, asked.params)
        return reply(service.describe(made) | _expand(database, made, asked))

    @router.post("/templates/{uuid}:expand", operation_id="templates.expand")
    def expand(uuid: str, asked: ExpandIn) -> Response:
        made = database.read(queries.find, uuid)
        database.write(queries.count_use, uuid)
        return reply(_expand(database, made, asked))


def _add_templates(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.get("/templates", operation_id="templates.list")
    def list_templates() -> Response:
        thumbs = database.read(queries.list_thumbs)
        made = database.read(queries.list_templates)
        found = [service.describe(one) | {"thumb": thumbs.get(one.preview or "")} for one in made]
        return reply({"templates": found, "wildcards": database.read(queries.list_wildcards)})

    @router.post("/templates", operation_id="templates.create")
    def create(asked: TemplateIn) -> Response:
        if (asked.image is None) == (asked.content is None):
            raise InvalidInputError("Set exactly one of `image` and `content`.")
        if asked.image is not None:
            edit = database.read(service.build_from_image, asked.image, name=asked.name, category=asked.category)
        else:
            given = asked.model_dump(exclude={"image"}, exclude_none=True)
            edit = CreateTemplate(uuid=str(uuids.uuid4()), **given)
        return reply(CreationResult(**asdict(edits.do(edit)), uuid=edit.uuid))

    @router.patch("/templates/{uuid}", operation_id="templates.update")
    def edit(uuid: str, asked: TemplateEditIn) -> Response:
        given = asked.model_dump(exclude_unset=True)
        return reply(edits.do(EditTemplate(template=uuid, **given)))

    @router.delete("/templates/{uuid}", operation_id="templates.delete")
    def delete(uuid: str) -> Response:
        return reply(edits.do(DeleteTemplate(template=uuid)))

    @router.put("/wildcards", operation_id="wildcards.set")
    def set_wildcard(asked: WildcardIn) -> Response:
        return reply(edits.do(SetWildcard(name=asked.name, content=asked.content)))


def _expand(database: Database, made: Template, asked: ExpandIn) -> dict[str, Any]:
    seed = random.randrange(1 << 48) if asked.seed is None else asked.seed
    recipes = [
        database.read(service.expand, made, seed=seed + number, values=asked.values) for number in range(asked.count)
    ]
    return {"seed": seed, "expanded": [service.render(recipe, asked.form) for recipe in recipes]}
