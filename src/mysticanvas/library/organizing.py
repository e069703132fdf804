"""Tags, collections and the history of edits."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mysticanvas.cli.client import Client
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.library.edits import Images, select, wait
from mysticanvas.library.from_json import read_collection, read_edit, read_history_entry, read_tag
from mysticanvas.library.records import Collection, Edit, HistoryEntry, Tag

_PAGE = 500


class Tags:
    """`library.tags`. Each change is one edit."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    def __iter__(self) -> Iterator[Tag]:
        """All tags by name."""
        after = ""
        while True:
            page = self._client().get("/api/v1/tags", after=after, limit=_PAGE)
            yield from map(read_tag, page["tags"])
            if page["next"] is None:
                return
            after = page["next"]

    def add(self, tag: str, images: Images) -> Edit:
        """Adds a tag to images, and creates the tag if it does not exist."""
        return self._set(images, add=[tag])

    def remove(self, tag: str, images: Images) -> Edit:
        return self._set(images, remove=[tag])

    def change(self, images: Images, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Edit:
        """Adds and removes several tags in one edit."""
        return self._set(images, add=list(add), remove=list(remove))

    def rename(self, tag: str, name: str) -> Edit:
        return self._change("rename", tag=tag, to=name)

    def merge(self, tag: str, into: str) -> Edit:
        """Moves the images and relations of a tag to another one, and deletes it."""
        return self._change("merge", tag=tag, to=into)

    def delete(self, tag: str) -> Edit:
        """Deletes a tag and removes it from all images."""
        return self._change("delete", tag=tag)

    def _set(self, images: Images, **change: list[str]) -> Edit:
        client = self._client()
        return wait(client, client.post("/api/v1/edits", select(images) | {"set": {"tags": change}}))

    def _change(self, verb: str, **how: Any) -> Edit:
        client = self._client()
        return wait(client, client.post(f"/api/v1/tags:{verb}", how))


class Collections:
    """`library.collections`. A collection is named by its name or UUID."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    def __iter__(self) -> Iterator[Collection]:
        return map(read_collection, self._client().get("/api/v1/collections")["collections"])

    def create(self, name: str, *, query: str | None = None) -> Collection:
        """Creates a manual collection, or a smart one that holds what `query` finds."""
        asked = {"name": name} if query is None else {"name": name, "query": query}
        uuid = self._client().post("/api/v1/collections", asked)["uuid"]
        return self.find(uuid)

    def find(self, collection: str) -> Collection:
        """Raises `NotFoundError` unless exactly one collection has this name or UUID."""
        found = [one for one in self if collection in (one.uuid, one.name)]
        if len(found) != 1:
            raise NotFoundError(
                f"{'No collection is' if not found else f'{len(found)} collections are'} named “{collection}”."
            )
        return found[0]

    def add(self, collection: str, images: Images) -> Edit:
        return self._set(images, collect=self.find(collection).uuid)

    def remove(self, collection: str, images: Images) -> Edit:
        """Removes images from a collection. They stay in the library."""
        return self._set(images, uncollect=self.find(collection).uuid)

    def delete(self, collection: str) -> Edit:
        """Deletes a collection. Its images stay in the library."""
        client = self._client()
        return wait(client, client.delete(f"/api/v1/collections/{self.find(collection).uuid}"))

    def _set(self, images: Images, **change: str) -> Edit:
        client = self._client()
        return wait(client, client.post("/api/v1/edits", select(images) | {"set": change}))


class History:
    """`library.history`: edits, newest first."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    def __iter__(self) -> Iterator[HistoryEntry]:
        before = None
        while True:
            page = self._client().get("/api/v1/edits", before=before, limit=_PAGE)
            yield from map(read_history_entry, page["operations"])
            before = page["next"]
            if before is None:
                return

    def undo(self, edit: Edit | int | None = None) -> Edit:
        """Undoes an edit, or the last one. Raises `ConflictError` if later edits prevent it."""
        return self._run("undo", edit)

    def redo(self, edit: Edit | int | None = None) -> Edit:
        """Redoes an undone edit, or the last undone one."""
        return self._run("redo", edit)

    def get(self, edit: Edit | int) -> Edit:
        return read_edit(self._client().get(f"/api/v1/edits/{_number(edit)}"))

    def _run(self, verb: str, edit: Edit | int | None) -> Edit:
        client = self._client()
        path = f"/api/v1/edits:{verb}" if edit is None else f"/api/v1/edits/{_number(edit)}/{verb}"
        return wait(client, client.post(path))


def _number(edit: Edit | int) -> int:
    return edit.id if isinstance(edit, Edit) else edit
