"""Import hooks: what features do when an import or one of its jobs has brought something.

Each hook runs in the transaction that brought it (J1), so all of it is kept or none. Within one hook the features
follow in the order of `app/features.py`. No feature may count on being before another: what must come first is a
hook of its own. Of new images the order is `on_images_added`, then files of one image join it
(`importing/related_files.py`), then `on_prompts_added`.
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
    """What decoding an image has shown. `phash` is None for a picture without contrast, `hidden` is the text that
    its pixels hide, None when they hide none."""

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
    """What a feature without this hook does."""


def _do_nothing_around(*_: Any, **__: Any) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHooks:
    """What one feature does; a hook that it does not name does nothing.

    `on_images_added`: these images have their rows, words and models; files of other images may still be among
    them. `on_prompts_added`: of the same images, once such files have joined their images: some of them may be gone.
    `on_contents_changed`: these known images (with their uuids) have content that nobody has decoded.
    `on_recipe_set`: what the parsers say of a known image was stored anew; `on_image_read_again`: its file was read
    for that, too. `on_names_changed`: a known image goes by another name now or by one more, or is older than was
    known. `on_file_moved`: its file has gone from one path beneath its folder to another; this stands for
    `on_names_changed`. `on_file_hashed`: the sha256 of its file is known. `on_thumbnails_made`: its pixels were read.
    `around_removal`: entered before the row of an image goes, left after it; `heir` is the image whose file its file
    is from now on, if any.
    """

    on_images_added: OnImages = _do_nothing
    on_prompts_added: OnImages = _do_nothing
    on_contents_changed: OnContents = _do_nothing
    on_recipe_set: OnRecipe = _do_nothing
    on_image_read_again: OnImage = _do_nothing
    on_names_changed: OnImage = _do_nothing
    on_file_moved: OnMove = _do_nothing
    on_file_hashed: OnHash = _do_nothing
    on_thumbnails_made: OnPixels = _do_nothing
    around_removal: AroundRemoval = _do_nothing_around


_HOOKS: list[ImportHooks] = []


def register(hooks: Sequence[ImportHooks]) -> None:
    """In place of all that were registered before, in the order in which they are to be called."""
    _HOOKS[:] = hooks


def all_hooks() -> Sequence[ImportHooks]:
    """Raises `RuntimeError` when nothing has loaded the features: an image would be without what hangs on it."""
    if not _HOOKS:
        raise RuntimeError("The features are not loaded: call mysticanvas.app.features.load first.")
    return _HOOKS


@contextmanager
def removing(tx: WriteTx, image: GenerationId, *, heir: GenerationId | None = None, now_ms: int) -> Iterator[None]:
    """The row of an image is removed within this context."""
    with ExitStack() as around:
        for hooks in all_hooks():
            around.enter_context(hooks.around_removal(tx, image, heir=heir, now_ms=now_ms))
        yield
