"""What images came from is a function of the files: whatever the order and the batches in which they arrive."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import files, folders
from mysticanvas.db.images.files import KnownFile
from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import GenerationId, InputImage, InputRole, Recipe
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.features.importing.record import Found
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.lineage.queries import Parent

# So few that most names are ambiguous, and that many images name each other.
NAMES = ("fox.png", "sea.png")
FOLDERS = ("", "a/", "b/", "a/b/", "c/b/")
PATHS = [folder + name for folder in FOLDERS for name in NAMES]
CONTENTS = 6
SECOND_MS = 1_000
FIRST_MS = 1_700_000_000_000

# (child, parent, relation, sure), each image by its content.
Links = frozenset[tuple[bytes, bytes, str, bool]]


@dataclass(frozen=True)
class Content:
    """What is in a file, and so in every copy of it."""

    number: int
    inputs: tuple[InputImage, ...]
    created_ms: int | None

    @property
    def fingerprint(self) -> bytes:
        return hashlib.blake2s(b"%d" % self.number).digest()


@dataclass(frozen=True)
class Arrival:
    path: str
    content: Content
    mtime_ms: int


@dataclass(frozen=True)
class Hashed:
    """The sha256 of an image is known now, as soon as the image is."""

    content: Content


@dataclass(frozen=True)
class Moved:
    """A file is elsewhere, once it was where it was."""

    before: Arrival
    after: str


@dataclass(frozen=True)
class Said:
    """The person said what an image came from (None: from no other), once both are there."""

    child: Content
    parent: Content | None


Event = Arrival | Hashed | Moved | Said


def sha256_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


@st.composite
def inputs(draw: st.DrawFn) -> InputImage:
    role = draw(st.sampled_from([InputRole.SOURCE, InputRole.SOURCE, InputRole.MASK]))
    name = draw(st.sampled_from([*PATHS, *NAMES, None]))
    if name is None or draw(st.integers(0, 3)) == 0:
        return InputImage(role, name, sha256_of(draw(st.integers(0, CONTENTS - 1))).hex(), "file_sha256")
    return InputImage(role, name)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    moments = st.integers(0, 2).map(lambda second: FIRST_MS + second * SECOND_MS)
    contents = [
        Content(number, tuple(draw(st.lists(inputs(), max_size=2))), draw(st.none() | moments))
        for number in range(CONTENTS)
    ]
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=2, max_size=8))
    happened: list[Event] = [Arrival(path, draw(st.sampled_from(contents)), draw(moments)) for path in paths]
    there = {one.content for one in happened if isinstance(one, Arrival)}
    hashed = draw(st.sets(st.integers(0, CONTENTS - 1), max_size=3))
    happened += [Hashed(one) for one in contents if one in there and one.number in hashed]
    for place, one in enumerate(happened[: len(paths)]):
        if isinstance(one, Arrival) and draw(st.integers(0, 5)) == 0:
            # Elsewhere by its name, or by another where it is.
            name = one.path.rpartition("/")[2]
            happened.append(
                Moved(one, draw(st.sampled_from([f"{place}/{name}", f"b/{place}/{name}", f"b/{place}.png"])))
            )
    return happened + draw(said([one for one in contents if one in there]))


@st.composite
def said(draw: st.DrawFn, there: Sequence[Content]) -> list[Event]:
    """No circle among them: an image comes from one before it in an order that is nobody's age."""
    order = draw(st.permutations(there))
    return [
        Said(child, draw(st.none() | st.sampled_from(order[:place])) if place else None)
        for place, child in enumerate(order)
        if draw(st.integers(0, 5)) == 0
    ]


class RolledBackError(Exception):
    """Carries what was found out of a transaction that leaves nothing behind."""

    def __init__(self, links: Links) -> None:
        self.links = links


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, folders.WatchedFolder]]:
    folder: Path = tmp_path_factory.mktemp("arrival") / "library"
    with Database.open(folder) as opened:
        yield opened, opened.write(folders.add, path="/pictures", watch=False, now_ms=0)


def links_after(library: tuple[Database, folders.WatchedFolder], batches: Sequence[Sequence[Event]]) -> Links:
    database, root = library

    def change(tx: WriteTx) -> None:
        Importer(tx, root).run(batches)
        raise RolledBackError(links_of(tx))

    with pytest.raises(RolledBackError) as rolled_back:
        database.write(change)
    return rolled_back.value.links


class Importer:
    """The transactions of an import, without the workers and the disk."""

    def __init__(self, tx: WriteTx, root: folders.WatchedFolder) -> None:
        self._tx = tx
        self._root = root
        self._waiting: list[Event] = []

    def run(self, batches: Sequence[Sequence[Event]]) -> None:
        for batch in batches:
            self._take_in([one for one in batch if isinstance(one, Arrival)])
            self._waiting += [one for one in batch if not isinstance(one, Arrival)]
            self._waiting = [one for one in self._waiting if not self._happens(one)]
        assert not self._waiting

    def _happens(self, one: Event) -> bool:
        """Whether it can, and so does."""
        match one:
            case Hashed():
                return self._hash(one.content)
            case Moved():
                return self._move(one)
            case Said():
                return self._say(one)
        return False

    def _take_in(self, batch: Sequence[Arrival]) -> None:
        """New images together, copies each by itself, as features/importing/session.py does."""
        new: dict[bytes, Found] = {}
        copies = []
        for one in batch:
            fingerprint, found = one.content.fingerprint, found_at(self._root, one)
            if fingerprint in new or files.find_by_fingerprint(self._tx, fingerprint):
                copies.append((fingerprint, found))
            else:
                new[fingerprint] = found
        import_record.add_images(self._tx, list(new.values()), [], now_ms=0)
        for fingerprint, found in copies:
            [original, *_] = files.find_by_fingerprint(self._tx, fingerprint)
            import_record.add_copy(self._tx, original, found, None, now_ms=0)

    def _hash(self, content: Content) -> bool:
        final = self._final(content)
        if final is None:
            return False
        digest = sha256_of(content.number)
        files.set_sha256(self._tx, file_id=final.id, sha256=digest)
        lineage_service.on_file_hashed(self._tx, final.generation_id, digest, now_ms=0)
        return True

    def _move(self, moved: Moved) -> bool:
        path = moved.before.path.encode()
        known = files.find_by_paths(self._tx, root_id=self._root.id, paths=[path]).get(path)
        if known is not None:
            there = replace(moved.before, path=moved.after)
            import_record.move(self._tx, known, found_at(self._root, there), now_ms=0)
        return known is not None

    def _say(self, said: Said) -> bool:
        child, parent = self._final(said.child), self._final(said.parent) if said.parent else None
        if child is None or (said.parent is not None and parent is None):
            return False
        image = child.generation_id
        after = Parent(parent.generation_id if parent else None, None, "user")
        lineage_queries.set_parent(self._tx, image, after, now_ms=0)
        lineage_service.match_inputs(self._tx, image, now_ms=0)
        return True

    def _final(self, content: Content) -> KnownFile | None:
        known = files.find_by_fingerprint(self._tx, content.fingerprint)
        return next((file for file in known if file.kind == "final"), None)


def found_at(root: folders.WatchedFolder, one: Arrival) -> Found:
    recipe = Recipe(inputs=one.content.inputs, created_ms=one.content.created_ms)
    read = ImageRead(
        stat=FileStat(one.path.encode(), 1, one.mtime_ms * 1_000_000),
        format=ImageFormat.PNG,
        width_px=8,
        height_px=8,
        frames=1,
        complete=True,
        fingerprint=one.content.fingerprint,
        recipe=recipe,
        params_json="{}",
        raw=b"",
        problems=[],
    )
    return Found(root, read)


def links_of(tx: WriteTx) -> Links:
    rows: list[dict[str, Any]] = tx.all("SELECT generation_id, fingerprint FROM generation_files WHERE kind = 'final'")
    contents = {GenerationId(row["generation_id"]): row["fingerprint"] for row in rows}
    links = lineage_queries.list_parent_links(tx, list(contents), limit=1_000)
    refuse_circles({(link.child, link.parent) for link in links})
    return frozenset((contents[one.child], contents[one.parent], one.relation, one.sure) for one in links)


def refuse_circles(links: set[tuple[GenerationId, GenerationId]]) -> None:
    while links:
        children = {child for child, _ in links}
        left = {(child, parent) for child, parent in links if parent in children}
        assert left != links, "an image comes from itself"
        links = left


@st.composite
def in_batches(draw: st.DrawFn, happened: Sequence[Event]) -> list[list[Event]]:
    order = draw(st.permutations(happened))
    ends = sorted(draw(st.sets(st.integers(1, len(order) - 1))))
    return [order[begin:end] for begin, end in zip([0, *ends], [*ends, len(order)], strict=True)]


@given(data=st.data())
def test_the_order_of_arrival_makes_no_difference(
    library: tuple[Database, folders.WatchedFolder], data: st.DataObject
) -> None:
    happened = data.draw(events())
    assert links_after(library, data.draw(in_batches(happened))) == links_after(library, [happened])
