"""Edits of prompt templates and wildcards."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import clean_text
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.templates import queries, types
from mysticanvas.features.templates.queries import Template

MAX_NAME = 200
MAX_WILDCARD = 500_000
# The settings that a template can contain.
PARAMS = ("steps", "cfg_scale", "guidance", "sampler", "scheduler", "denoise", "clip_skip", "width", "height", "model")
_WILDCARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,79}")


def validate(made: Template) -> Template:
    """The template with cleaned texts. Raises `InvalidInputError`."""
    name = " ".join(clean_text(made.name).split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(f"A template name must have 1 to {MAX_NAME} characters.")
    for text in (made.content, made.negative or ""):
        types.parse(text)
    unknown = set(made.params) - set(PARAMS)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise InvalidInputError(f"A template cannot set {names}. It can only set: {', '.join(PARAMS)}.")
    category = " ".join(clean_text(made.category or "").split()) or None
    negative = clean_text(made.negative) if made.negative else None
    return replace(made, name=name, content=clean_text(made.content), negative=negative, category=category)


class CreateTemplate(Edit, frozen=True, kw_only=True):
    """Create a template with the uuid that the caller generated."""

    kind: ClassVar[str] = "template.create"
    uuid: str
    name: str
    content: str
    negative: str | None = None
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    category: str | None = None
    preview: str | None = None
    uses: int = 0

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        if queries.find_by_name(tx, self.uuid):
            raise ConflictError("This template already exists. Edit it instead.")
        made = Template(**msgspec.structs.asdict(self), created_at=now_ms)
        queries.put(tx, validate(made), now_ms=now_ms)
        return 1


class EditTemplate(Edit, frozen=True, kw_only=True):
    """Replace the fields that are given."""

    kind: ClassVar[str] = "template.edit"
    template: str
    name: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    negative: str | UnsetType | None = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    category: str | UnsetType | None = UNSET
    preview: str | UnsetType | None = UNSET

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        found = queries.find(tx, self.template)
        changes = {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if name != "template" and value is not UNSET
        }
        queries.put(tx, validate(replace(found, **changes)), now_ms=now_ms)
        return 1


class DeleteTemplate(Edit, frozen=True, kw_only=True):
    """Delete a template. Raises `NotFoundError`."""

    kind: ClassVar[str] = "template.delete"
    template: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        if not queries.remove(tx, self.template):
            raise NotFoundError("This template does not exist. It may have been deleted.")
        return 1


class SetWildcard(Edit, frozen=True, kw_only=True):
    """Set the choices of a wildcard, one per line; None deletes the wildcard."""

    kind: ClassVar[str] = "wildcard"
    name: str
    content: str | None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        name, content = self.name, self.content
        if not _WILDCARD_NAME.fullmatch(name):
            raise InvalidInputError("The name of a wildcard may contain only letters, digits, _ - and /.")
        if content is not None and len(content) > MAX_WILDCARD:
            raise InvalidInputError(f"A wildcard can have at most {MAX_WILDCARD:,} characters.")
        return queries.put_wildcard(tx, name, None if content is None else clean_text(content), now_ms=now_ms)


EDITS = (
    CreateTemplate,
    EditTemplate,
    DeleteTemplate,
    SetWildcard,
)
