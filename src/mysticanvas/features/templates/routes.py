"""Prompt templates and wildcards over HTTP."""

import random
import uuid as uuids
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

from fastapi import APIRouter, Response

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EXAMPLE_CREATION, EXAMPLE_RESULT, CreationResult, EditResult
from mysticanvas.features.templates import queries, schemas, service
from mysticanvas.features.templates.edits import CreateTemplate, DeleteTemplate, EditTemplate, SetWildcard
from mysticanvas.features.templates.queries import Template
from mysticanvas.features.templates.schemas import Expansion, TemplateDetail, TemplateList, TemplateTrial
from mysticanvas.http.etags import IfMatch, make_etag, unchanged
from mysticanvas.http.responses import link_location, reply, returns, returns_file

_EDITED = returns(EditResult, EXAMPLE_RESULT)
_STYLES = returns_file("text/csv", "A styles.csv file.", example=schemas.EXAMPLE_STYLES)


def routes(database: Database, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["templates"])
    # Fixed paths must be registered before those that begin with a uuid.
    _add_uses(router, database, edits)
    _add_templates(router, database)
    _add_changes(router, database, edits)
    return router


def _add_uses(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post("/templates/styles", operation_id="templates.importStyles", responses=_EDITED)
    def import_styles(asked: schemas.StylesRequest) -> Response:
        """Import templates from a styles.csv file of A1111."""
        return reply(edits.do_all("template.import", service.parse_styles(asked.text)))

    @router.get("/templates/styles", operation_id="templates.exportStyles", responses=_STYLES)
    def export_styles() -> Response:
        """All templates as a styles.csv file of A1111."""
        headers = {"content-disposition": 'attachment; filename="styles.csv"'}
        return Response(
            service.write_styles(database.read(queries.list_templates)), headers=headers, media_type="text/csv"
        )

    @router.post(
        "/templates:try",
        operation_id="templates.try",
        responses=returns(TemplateTrial, schemas.EXAMPLE_TRIAL),
    )
    def try_out(asked: schemas.TemplateTrialRequest) -> Response:
        """Expand a template without saving it or counting it as used."""
        made = service.build_draft(asked.content, asked.negative, asked.params)
        variables, wildcards = service.list_names(made)
        found = _expand(database, made, asked)
        return reply(TemplateTrial(found.seed, found.expanded, variables=variables, wildcards=wildcards))

    @router.post(
        "/templates/{uuid}:expand",
        operation_id="templates.expand",
        responses=returns(Expansion, schemas.EXAMPLE_EXPANSION),
    )
    def expand(uuid: str, asked: schemas.ExpandRequest) -> Response:
        """Expand a template to prompts."""
        made = database.read(queries.find, uuid)
        database.write(queries.count_use, uuid)
        return reply(_expand(database, made, asked))


def _add_templates(router: APIRouter, database: Database) -> None:

    @router.get("/templates", operation_id="templates.list", responses=returns(TemplateList, schemas.EXAMPLE_LIST))
    def list_templates() -> Response:
        """List all templates and wildcards."""
        return reply(database.read(_list_templates))

    @router.get("/templates/{uuid}", operation_id="templates.get", responses=returns(TemplateDetail, schemas.EXAMPLE))
    def get(uuid: str) -> Response:
        """One template. Send its ETag as If-Match with a change, so that it does not undo another one."""
        made = database.read(queries.find, uuid)
        shown = _describe(made, database.read(queries.list_thumbs))
        return reply(shown, headers={"etag": make_etag(schemas.get_editable_fields(made))})


def _add_changes(router: APIRouter, database: Database, edits: EditRunner) -> None:

    @router.post(
        "/templates",
        operation_id="templates.create",
        responses=returns(CreationResult, EXAMPLE_CREATION, status=201),
    )
    def create(asked: schemas.TemplateCreationRequest) -> Response:
        """Create a template from a text, or from the generation data of an image."""
        if (asked.image is None) == (asked.content is None):
            raise InvalidInputError("Set exactly one of `image` and `content`.")
        if asked.image is not None:
            edit = database.read(service.build_from_image, asked.image, name=asked.name, category=asked.category)
        else:
            given = asked.model_dump(exclude={"image"}, exclude_none=True)
            edit = CreateTemplate(uuid=str(uuids.uuid4()), **given)
        done = CreationResult(**asdict(edits.do(edit)), uuid=edit.uuid)
        return reply(done, 201, link_location(f"/templates/{edit.uuid}"))

    @router.patch("/templates/{uuid}", operation_id="templates.update", responses=_EDITED)
    def edit(uuid: str, asked: schemas.TemplateEditRequest, if_match: IfMatch = None) -> Response:
        """Change a template."""
        given = asked.model_dump(exclude_unset=True)
        with unchanged(if_match, partial(_read_editable, database, uuid)):
            return reply(edits.do(EditTemplate(template=uuid, **given)))

    @router.delete("/templates/{uuid}", operation_id="templates.delete", responses=_EDITED)
    def delete(uuid: str, if_match: IfMatch = None) -> Response:
        """Delete a template."""
        with unchanged(if_match, partial(_read_editable, database, uuid)):
            return reply(edits.do(DeleteTemplate(template=uuid)))

    @router.put("/wildcards", operation_id="wildcards.set", responses=_EDITED)
    def set_wildcard(asked: schemas.WildcardRequest) -> Response:
        """Set the choices of a wildcard, or delete it."""
        return reply(edits.do(SetWildcard(name=asked.name, content=asked.content)))


def _list_templates(tx: ReadTx) -> TemplateList:
    thumbs = queries.list_thumbs(tx)
    found = [_describe(one, thumbs) for one in queries.list_templates(tx)]
    return TemplateList(found, queries.list_wildcards(tx))


def _describe(made: Template, thumbs: Mapping[str, str]) -> TemplateDetail:
    variables, wildcards = service.list_names(made)
    thumb = thumbs.get(made.preview or "")
    return TemplateDetail(**asdict(made), variables=variables, wildcards=wildcards, thumb=thumb)


def _read_editable(database: Database, uuid: str) -> list[object]:
    return schemas.get_editable_fields(database.read(queries.find, uuid))


def _expand(database: Database, made: Template, asked: schemas.ExpandRequest) -> Expansion:
    seed = random.randrange(1 << 48) if asked.seed is None else asked.seed
    recipes = [
        database.read(service.expand, made, seed=seed + number, values=asked.values) for number in range(asked.count)
    ]
    return Expansion(seed, [service.render(recipe, asked.form) for recipe in recipes])
