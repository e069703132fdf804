"""Import hooks: let features react to imports and to the jobs of imports.

Each hook runs in the transaction of the change that it reacts to, so all of it is committed or none. Features run
in the order of `app/features.py`, but must not depend on it: what must run first gets a hook of its own. For new
images, `on_images_added` runs first, then files of the same image are merged (`importing/related_files.py`), then
`on_prompts_added` runs.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId, Recipe


@dataclass(frozen=True, slots=True)
class NewImage:
    id: GenerationId
    uuid: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Pixels:
    """The results of decoding an image. `phash` is None for an image without contrast; `hidden` is the text that is
    hidden in the pixels, None when there is none."""

    phash: bytes | None
    has_thumbnail: bool
    hidden: str | None


class OnImages(Protocol):
    def __call__(self, tx: WriteTx, images: Sequence[NewImage], /, *, now_ms: int) -> None: ...


class OnContents(Protocol):
    def __call__(self, tx: WriteTx, images: Sequence[tuple[GenerationId, str]], /, *, now_ms: int) -> None: ...


class OnRecipe(Protocol):
    def __call__(self, tx: WriteTx, image: GenerationId, recipe: Recipe, /, *, now_ms: int) -> None: ...


class OnImage(Protocol):
    def __call__(self, tx: WriteTx, image: GenerationId, /, *, now_ms: int) -> None: ...


class OnMove(Protocol):
    def __call__(self, tx: WriteTx, image: GenerationId, /, *, before: bytes, after: bytes, now_ms: int) -> None: ...


class OnHash(Protocol):
    def __call__(self, tx: WriteTx, image: GenerationId, sha256: bytes, /, *, now_ms: int) -> None: ...


class OnPixels(Protocol):
    def __call__(self, tx: WriteTx, image: GenerationId, pixels: Pixels, /, *, now_ms: int) -> None: ...


class AroundRemoval(Protocol):
    def __call__(
        self, tx: WriteTx, image: GenerationId, /, *, heir: GenerationId | None, now_ms: int
    ) -> AbstractContextManager[None]: ...


def _do_nothing(*_: Any, **__: Any) -> None:
    """The default of a hook."""


def _do_nothing_around(*_: Any, **__: Any) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHooks:
    """The hooks of one feature; the default of each does nothing.

    `on_images_added`: these images now have rows, words and models; some may be related files that will be merged
    into other images. `on_prompts_added`: the same images after that merge, so some of them may be gone.
    `on_contents_changed`: the content of these existing images (with uuids) changed and is not decoded yet.
    `on_recipe_set`: the parsed metadata of an existing image was stored again; `on_image_read_again`: its file was
    also read again. `on_names_changed`: an existing image has a new or an additional name, or an earlier date.
    `on_file_moved`: its file moved within its watched folder; called in place of `on_names_changed`.
    `on_image_shown`: an excluded image was found in a folder that does not exclude it, so it is visible again.
    `on_file_hashed`: the sha256 of its file is known. `on_thumbnails_made`: its pixels were decoded.
    `around_removal`: entered before the row of an image is removed, exited after; `heir` is the image that keeps
    its file, if any.
    """

    on_images_added: OnImages = _do_nothing
    on_prompts_added: OnImages = _do_nothing
    on_contents_changed: OnContents = _do_nothing
    on_recipe_set: OnRecipe = _do_nothing
    on_image_read_again: OnImage = _do_nothing
    on_names_changed: OnImage = _do_nothing
    on_file_moved: OnMove = _do_nothing
    on_image_shown: OnImage = _do_nothing
    on_file_hashed: OnHash = _do_nothing
    on_thumbnails_made: OnPixels = _do_nothing
    around_removal: AroundRemoval = _do_nothing_around


_HOOKS: list[ImportHooks] = []


def register(hooks: Sequence[ImportHooks]) -> None:
    """Replaces all registered hooks. They are called in this order."""
    _HOOKS[:] = hooks


def list_hooks() -> Sequence[ImportHooks]:
    """Raises `RuntimeError` when the features are not loaded: images would lack their derived data."""
    if not _HOOKS:
        raise RuntimeError("The features are not loaded: call mysticanvas.app.features.load first.")
    return _HOOKS


@contextmanager
def run_removal_hooks(
    tx: WriteTx, image: GenerationId, *, heir: GenerationId | None = None, now_ms: int
) -> Iterator[None]:
    """Calls `around_removal` of all hooks; remove the row of the image within this context."""
    with ExitStack() as around:
        for hooks in list_hooks():
            around.enter_context(hooks.around_removal(tx, image, heir=heir, now_ms=now_ms))
        yield
