"""The tools of the MCP server. The docstring of a tool is what the agent reads about it.

Each call opens its own connection, so that an agent that waits for hours does not lock the library, and a restarted
gallery is found again.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated, Any
from uuid import UUID

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ContentBlock, ImageContent, TextContent
from pydantic import Field

from mysticanvas.cli.client import Client, connect
from mysticanvas.domain.errors import MystiCanvasError, NotFoundError
from mysticanvas.library.edits import ImageEdits
from mysticanvas.library.mcp_reply import EXCERPT_CHARS, NAME_CHARS, build_reply, pick, shorten
from mysticanvas.library.organizing import Collections, History, Tags
from mysticanvas.library.records import Edit
from mysticanvas.settings import Settings

# Short edge in pixels. The long edge of a panorama is longer, so a thumbnail also has a limit in bytes.
THUMBNAIL_PX = 512
THUMBNAIL_BYTES = 700_000
ERROR_CHARS = 1_000
# Values of each field of the statistics.
MAX_VALUES = 20

Search = Annotated[
    str,
    Field(
        max_length=2_000,
        description="Words of the prompt, and filters such as model:flux1-dev, lora:NAME, tag:fox, rating:>=4, "
        "is:favorite, sampler:euler, after:2025-01-31 or -word. Empty: all images.",
    ),
]
ImageLimit = Annotated[int, Field(ge=1, le=50, description="How many images to return.")]
ListLimit = Annotated[int, Field(ge=1, le=200, description="How many to return.")]
Uuid = Annotated[str, Field(min_length=32, max_length=36, description="The UUID of an image, as search returns it.")]
Uuids = Annotated[list[Uuid], Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]
Names = Annotated[list[Name], Field(max_length=50)]

_LISTED = ("uuid", "path", "rating", "is_favorite", "prompt", "model", "seed", "width", "height", "tags")
_SHOWN = (
    *_LISTED, "negative_prompt", "notes", "collections", "tool", "tool_version", "model_hash", "vae", "loras", "steps",
    "cfg_scale", "guidance", "sampler", "scheduler", "denoise", "clip_skip", "params", "missing", "deleted", "problems",
)  # fmt: skip


class _Tools:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connecting = Lock()

    @contextmanager
    def _connect(self) -> Iterator[Client]:
        # A library that is opened in this process can be opened only once.
        with self._connecting:
            try:
                with connect(self._settings) as client:
                    yield client
            except MystiCanvasError as error:
                raise ToolError(shorten(str(error), ERROR_CHARS)) from error


class ReadTools(_Tools):
    """The tools that change nothing."""

    def list_tools(self) -> list[Any]:
        return [
            self.search, self.show_image, self.get_statistics, self.list_tags, self.list_models, self.list_collections,
            self.list_templates,
        ]  # fmt: skip

    def search(self, query: Search = "", limit: ImageLimit = 10) -> str:
        """Search the library of generated images. Returns the number of all matches and the first images, newest
        first unless the query contains sort:rating, sort:oldest, sort:random or another order. Long prompts are cut;
        show_image returns them."""
        with self._connect() as client:
            page = client.get("/api/v1/images/details", q=query, limit=limit)
        return build_reply((_describe_image(one, _LISTED, EXCERPT_CHARS) for one in page["items"]), page["total"])

    def show_image(self, uuid: Uuid) -> list[ContentBlock]:
        """Show one image: its prompt, settings, models, tags, rating and file, and a thumbnail."""
        with self._connect() as client:
            item = client.get(f"/api/v1/images/{_check_uuid(uuid)}")
            thumbnail = _read_thumbnail(client, item["thumb"])
        text = build_reply([_describe_image(item, _SHOWN)], 1, has_thumbnail=bool(thumbnail))
        return [TextContent(text=text), *thumbnail]

    def get_statistics(self, query: Search = "") -> str:
        """Count the images that match a search, by month, model, LoRA, sampler, generator, size, rating and tag, and
        count the words of their prompts."""
        with self._connect() as client:
            found = client.get("/api/v1/stats", q=query)
        fields = [name for name, value in found.items() if isinstance(value, list)]
        return build_reply([{name: _count_values(found[name], name)} for name in fields], found["total"])

    def list_tags(
        self,
        containing: Annotated[str, Field(max_length=NAME_CHARS, description="Part of the name.")] = "",
        limit: ListLimit = 100,
    ) -> str:
        """List tags with their number of images, most used first."""
        with self._connect() as client:
            found = client.get("/api/v1/tags/slice", q=containing, sort="images", count=limit)
        return build_reply((pick(one, ("name", "category", "images")) for one in found["tags"]), found["total"])

    def list_models(
        self,
        kind: Annotated[
            str | None, Field(max_length=40, description="Such as checkpoint, lora or vae. Omitted: all.")
        ] = None,
        limit: ListLimit = 100,
    ) -> str:
        """List the checkpoints, LoRAs and other models with their number of images, by kind and most used first."""
        names = ("name", "kind", "family", "trigger_words", "images", "missing")
        with self._connect() as client:
            found = client.get("/api/v1/models", kind=kind)["models"]
        return build_reply((pick(one, names) for one in found[:limit]), len(found))

    def list_collections(self, limit: ListLimit = 100) -> str:
        """List collections with their number of images. A smart collection has a query."""
        with self._connect() as client:
            found = client.get("/api/v1/collections")["collections"]
        names = ("uuid", "name", "kind", "query", "images", "notes")
        return build_reply((pick(one, names, prompt_chars=EXCERPT_CHARS) for one in found[:limit]), len(found))

    def list_templates(self, limit: ListLimit = 50) -> str:
        """List the prompt templates, with their variables and wildcards."""
        names = ("uuid", "name", "category", "content", "negative", "params", "variables", "wildcards", "uses")
        with self._connect() as client:
            found = client.get("/api/v1/templates")["templates"]
        return build_reply((pick(one, names) for one in found[:limit]), len(found))


class EditTools(_Tools):
    """The tools that change something. Each call is one edit."""

    def list_tools(self) -> list[Any]:
        return [self.rate_images, self.tag_images, self.add_to_collection, self.undo_edit]

    def rate_images(self, uuids: Uuids, stars: Annotated[int, Field(ge=0, le=5, description="0: unrated.")]) -> str:
        """Set the rating of images to 0 to 5 stars."""
        with self._connect() as client:
            return _describe_edit(ImageEdits(lambda: client).rate(_check_uuids(uuids), stars))

    def tag_images(self, uuids: Uuids, add: Names = [], remove: Names = []) -> str:  # noqa: B006
        """Add tags to images, and remove tags from them. A tag that does not exist is created."""
        if not add and not remove:
            raise ToolError("Specify tags to add or to remove.")
        with self._connect() as client:
            return _describe_edit(Tags(lambda: client).change(_check_uuids(uuids), add=add, remove=remove))

    def add_to_collection(
        self, collection: Annotated[Name, Field(description="The name or UUID of a manual collection.")], uuids: Uuids
    ) -> str:
        """Add images to a manual collection that exists."""
        with self._connect() as client:
            return _describe_edit(Collections(lambda: client).add(collection, _check_uuids(uuids)))

    def undo_edit(
        self, edit: Annotated[int, Field(ge=1, le=2**53, description="The number of the edit, as an edit returns it.")]
    ) -> str:
        """Undo one edit, and nothing else. It is refused if later edits changed the same data."""
        with self._connect() as client:
            undone = History(lambda: client).undo(edit)
        return f"Edit {undone.id}: {undone.state}."


def _check_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ToolError("This is not the UUID of an image. Use search to find images.") from None


def _check_uuids(uuids: list[str]) -> list[str]:
    return [_check_uuid(one) for one in uuids]


def _describe_image(item: dict[str, Any], names: tuple[str, ...], prompt_chars: int | None = None) -> dict[str, Any]:
    found = pick(item, names) if prompt_chars is None else pick(item, names, prompt_chars=prompt_chars)
    return found | {"created": datetime.fromtimestamp(item["timestamp"] / 1000, UTC).isoformat(timespec="seconds")}


def _read_thumbnail(client: Client, name: str | None) -> list[ImageContent]:
    """The thumbnail as content of a reply; none if it has not been created yet, or is too large."""
    if name is None:
        return []
    try:
        webp = client.read_bytes(f"/api/v1/thumbnails/{name}/{THUMBNAIL_PX}")
    except NotFoundError:
        return []
    if len(webp) > THUMBNAIL_BYTES:
        return []
    return [ImageContent(data=base64.b64encode(webp).decode(), mime_type="image/webp")]


def _count_values(values: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """The newest months, or the most frequent values."""
    chosen = values[-MAX_VALUES:] if field == "months" else values[:MAX_VALUES]
    return [pick(one, [name for name in ("value", "word", "count") if name in one]) for one in chosen]


def _describe_edit(edit: Edit) -> str:
    if not edit.total:
        raise ToolError("There is no image with these UUIDs, so nothing was changed. Use search to find images.")
    if not edit.changed:
        return f"Nothing was changed: all {edit.total} images are already like this."
    return f"Edit {edit.id}: {edit.state}. {edit.changed} of {edit.total} changed. To undo it: undo_edit({edit.id})."
