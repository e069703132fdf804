"""What a library should say, in plain Python: contents on a disk, and what a person wrote of each image.

A content is a number, the seed of its picture. An image is one object for as long as it lives, whatever
its content becomes.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ANCHOR = 0
COLLECTIONS = ("one", "two")


@dataclass(slots=True, eq=False)
class Image:
    """`at` is where the last scan met it."""

    content: int
    at: set[str] = field(default_factory=set)
    favorite: bool = False
    rating: int = 0
    notes: str | None = None
    tags: frozenset[str] = frozenset()
    trashed: bool = False

    @property
    def shown(self) -> tuple[Any, ...]:
        return self.favorite, self.rating, self.notes, self.tags, self.trashed, not self.at, frozenset(self.at)


@dataclass(slots=True)
class File:
    """`stamp` stands for its date."""

    content: int
    stamp: int


@dataclass(slots=True)
class Deed:
    """`before` and `after` are what it changed: of an image (name, value), or a whole collection. `images` are
    all it was about."""

    operation: int
    images: list[Image]
    before: list[tuple[Any, str, Any]]
    after: list[tuple[Any, str, Any]]
    undone: bool = False


@dataclass(slots=True)
class Model:
    """The library as it should be. `scanned` is the disk as the last scan met it."""

    images: list[Image] = field(default_factory=list)
    collections: dict[str, list[Image]] = field(default_factory=lambda: {name: [] for name in COLLECTIONS})
    deeds: list[Deed] = field(default_factory=list)
    scanned: dict[str, File] = field(default_factory=dict)

    def copied(self) -> "Model":
        return copy.deepcopy(self)

    def of(self, content: int) -> Image | None:
        return next((image for image in self.images if image.content == content), None)

    def state(self) -> dict[str, Any]:
        return {
            "images": {image.content: image.shown for image in self.images},
            "collections": {
                name: [image.content for image in items if not image.trashed]
                for name, items in self.collections.items()
            },
        }

    # -- what a scan finds ------------------------------------------------------------------------

    def scan(self, disk: dict[str, File], finals: dict[str, int], contents: dict[int, int]) -> None:
        """`finals`: the content of the image whose own file was last known at a path. `contents`: what the
        library made of those images, by what they were; it decides between answers that are equally right."""
        present: dict[int, set[str]] = {}
        for path, file in disk.items():
            present.setdefault(file.content, set()).add(path)
        edited = {before: after for before, after in contents.items() if before != after}
        for before, after in edited.items():
            self._edit(before, after, present, finals)
        for content in present.keys() - {image.content for image in self.images}:
            must = self._edited_in_place(present[content], present, finals)
            assert not must, f"content {content} is a new image; it took the place of {must}"
            self.images.append(Image(content))
        for image in self.images:
            image.at = present.get(image.content, set())
        self.scanned = {path: File(file.content, file.stamp) for path, file in disk.items()}

    def _edit(self, before: int, after: int, present: dict[int, set[str]], finals: dict[str, int]) -> None:
        image = self.of(before)
        assert image is not None
        assert before not in present, f"content {before} is on the disk, and its image became {after}"
        assert self.of(after) is None, f"content {after} had an image, and {before} became it too"
        assert any(finals.get(path) == before for path in present.get(after, ())), f"{before} became {after} from afar"
        image.content = after

    def _edited_in_place(self, paths: set[str], present: dict[int, set[str]], finals: dict[str, int]) -> list[int]:
        """What must have become of images whose only place this content has taken. A content that is at a
        place of its own besides is another image."""
        if any(path not in finals for path in paths):
            return []
        return [finals[path] for path in paths if finals[path] not in present and self.of(finals[path]) is not None]

    # -- what a person does -------------------------------------------------------------------------

    def do(self, operation: int, images: list[Image], changes: Iterable[tuple[Any, str, Any]]) -> None:
        """Each change is (image, name of the attribute, value), or ("collection", name, images)."""
        after = list(changes)
        before = [(owner, name, self._value(owner, name)) for owner, name, _ in after]
        self._set(after)
        self.deeds = [deed for deed in self.deeds if not deed.undone]
        self.deeds.append(Deed(operation, images, before, after))

    def take_back(self, deed: Deed) -> None:
        self._set(deed.before)
        deed.undone = True

    def do_again(self, deed: Deed) -> None:
        self._set(deed.after)
        deed.undone = False

    def forget(self, image: Image) -> None:
        self.images.remove(image)
        for items in self.collections.values():
            if image in items:
                items.remove(image)

    def _value(self, owner: Any, name: str) -> Any:
        return list(self.collections[name]) if owner == "collection" else getattr(owner, name)

    def _set(self, changes: list[tuple[Any, str, Any]]) -> None:
        for owner, name, value in changes:
            if owner == "collection":
                self.collections[name] = [image for image in value if image in self.images]
            else:
                setattr(owner, name, value)
