"""The schema of the entries in an archive. Entries that do not match it are rejected.

The fields are those of `features/journal/queries.py`.
"""

import json
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

import msgspec

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.tag import MAX_NAME
from mysticanvas.domain.text import clean_text
from mysticanvas.search import language

Id = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
# From the year 1830 to 2109, because file times may be wrong.
Ms = Annotated[int, msgspec.Meta(ge=-(2**42), le=2**42)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Short = Annotated[str, msgspec.Meta(max_length=400)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
Uuid = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=1_000_000)]
Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2}){1,64}$")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
TagText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Source = Literal["user", "prompt", "llm", "vision", "import"]
TagAssertion = tuple[Id, Literal["user", "import"], Short, Literal[0, 1], Share | None, Ms]
Flag = Literal[0, 1]


class Image(msgspec.Struct, tag_field="kind", tag="image"):
    key: Id
    uuid: Uuid
    at: Ms
    root: Path
    path: Path
    fingerprint: Hex | None = None
    blake3: Hex | None = None
    favorite: bool = False
    rating: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    notes: Text | None = None
    trash: tuple[Ms, Ms | None] | None = None
    parent: tuple[Uuid | None, Short | None] | None = None
    tags: list[TagAssertion] = []
    collections: list[tuple[Id, float, Ms]] = []


class Tag(msgspec.Struct, tag_field="kind", tag="tag"):
    key: Id
    name: TagText
    normalized_name: TagText
    category: Short | None
    state: Literal["known", "proposed"]
    origin: Source
    created_at: Ms
    alias_of: Id | None
    implies: list[Id]
    thresholds: dict[Source, Share]


class Collection(msgspec.Struct, tag_field="kind", tag="collection"):
    key: Id
    uuid: Uuid
    name: Name
    how: Literal["manual", "smart"]
    query_json: Text | None
    parent_id: Id | None
    cover: Uuid | None
    notes: Text | None
    position: float
    created_at: Ms
    updated_at: Ms


class Template(msgspec.Struct, tag_field="kind", tag="template"):
    key: Uuid
    name: Name
    content: Text
    negative: Text | None
    params_json: Text
    category: Short | None
    preview: Uuid | None
    uses: Id
    created_at: Ms
    updated_at: Ms


class Wildcard(msgspec.Struct, tag_field="kind", tag="wildcard"):
    key: Name
    content: Text
    updated_at: Ms


class Threshold(msgspec.Struct, tag_field="kind", tag="threshold"):
    key: Source
    value: Share


class Setting(msgspec.Struct, tag_field="kind", tag="setting"):
    key: Literal["prompt_tags.wanted", "tags.refused", "trash.days"]
    value_json: Text


class Root(msgspec.Struct, tag_field="kind", tag="root"):
    key: Id
    path: Path
    watched: Flag
    added_at: Ms
    removed_at: Ms | None


class Manifest(msgspec.Struct):
    """`mysticanvas_library` is the version of the format. `counts` and `roots` (folders) are only for people who
    inspect the archive."""

    mysticanvas_library: int
    program: str
    counts: dict[str, int]
    roots: list[str]


class _Query(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(max_length=2_000)]


_ENTRY_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    Image | Tag | Collection | Template | Wildcard | Threshold | Setting | Root
)
_SETTING_TYPES: dict[str, Any] = {
    "prompt_tags.wanted": bool,
    "tags.refused": list[TagText],
    "trash.days": Annotated[int, msgspec.Meta(ge=1, le=3_650)],
}


def parse_entry(line: bytes) -> dict[str, Any]:
    """Decode and validate an entry, with its texts cleaned. Raises `InvalidInputError`."""
    try:
        one = _ENTRY_DECODER.decode(line)
        _validate(one)
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError, InvalidInputError) as error:
        raise InvalidInputError(f"The archive contains an invalid entry: {error}") from error
    cleaned: dict[str, Any] = _clean(msgspec.to_builtins(one))
    return {name: value for name, value in cleaned.items() if value is not None or not isinstance(one, Image)}


def _validate(one: Any) -> None:
    if isinstance(one, Image):
        path = PurePosixPath(one.path)
        if path.is_absolute() or ".." in path.parts or "\0" in one.path:
            raise InvalidInputError("the path of an image is outside its folder.")
    elif isinstance(one, Setting):
        msgspec.json.decode(one.value_json, type=_SETTING_TYPES[one.key])
    elif isinstance(one, Template) and not isinstance(json.loads(one.params_json), dict):
        raise InvalidInputError("the settings of a template are not a JSON object.")
    elif isinstance(one, Collection):
        if (one.how == "smart") != (one.query_json is not None):
            raise InvalidInputError("a manual collection has a query, or a smart collection has no query.")
        if one.query_json is not None:
            language.parse(msgspec.json.decode(one.query_json, type=_Query).text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value
