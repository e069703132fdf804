"""Semantic and visual search: ranks images by similarity to a text or an image (docs/adr/0012, docs/adr/0016).

The vectors of the database are cached in memory and in `vectors/`. Each query first reads new vectors and images.
The cache can be deleted at any time; it is rebuilt from the database.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.connections import READ_CANCELLED
from mysticanvas.db.database import ChangeSet, Database, ReadTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.ml import clip, embedding_models
from mysticanvas.ml.embedding_models import EmbeddingSpace
from mysticanvas.ml.encoder import Floats, normalize
from mysticanvas.ml.image_model_settings import BUNDLED_SPACE
from mysticanvas.ml.vectors import Mask, Rows, Vectors
from mysticanvas.search import image_vectors, prompt_vectors
from mysticanvas.search.prompt_vectors import StoredVector

log = logging.getLogger(__name__)

Ids = NDArray[np.int64]

VECTORS_PER_READ = 20_000
READ_LIMIT_MS = 60_000
# Until the accurate model has processed a prompt, its cosine is estimated from that of the fast model. With fewer
# examples than this, only the fast model is used.
EXAMPLES_NEEDED = 30
# The maximum number of similar images, and the minimum similarity as a fraction of the best one. In
# benchmarks/meaning.py, no correct answer is below .45 of the best, and four of five others are.
MOST = 1_000
LEAST_OF_BEST = 0.4
# Visual similarities are generally higher: to an image model, any two images have something in common.
LEAST_OF_BEST_VISUAL = 0.6


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: prompts or image content. The functions read vectors and numbers (the IDs in `prompts` or
    `pictures`) from the database, list the vector spaces of the available models, and encode a text: `read` returns
    its vectors by space, without spaces that cannot encode text. Images with less than `least` of the best
    similarity are not similar."""

    name: str
    after: Callable[..., list[StoredVector]]
    number_at: Callable[..., int | None]
    numbers_of_all: Callable[[ReadTx], tuple[str, str]]
    numbers_of: Callable[..., dict[int, int]]
    spaces: Callable[[ReadTx], list[EmbeddingSpace]]
    read: Callable[[Database, str], dict[str, Floats]]
    least: float


def _encode_as_prompt(_: Database, text: str) -> dict[str, Floats]:
    encoders = {space.name: embedding_models.load_encoder(space.name) for space in embedding_models.list_available()}
    return {name: encoder.encode([text])[0] for name, encoder in encoders.items() if encoder is not None}


def _list_picture_spaces(tx: ReadTx) -> list[EmbeddingSpace]:
    """The spaces that have vectors. The number of dimensions is taken from them."""
    found = [
        (name, image_vectors.get_dimensions(tx, space=name))
        for name in image_vectors.get_image_model_settings(tx).spaces
    ]
    return [
        EmbeddingSpace(name, dimensions, batch=1, weight=0.5 if name == BUNDLED_SPACE else 1.0)
        for name, dimensions in found
        if dimensions is not None
    ]


def _encode_as_picture(database: Database, text: str) -> dict[str, Floats]:
    model = database.read(image_vectors.get_image_model_settings).clip
    return (
        {model.space: clip.load_text_encoder(model.folder).encode(text)} if model is not None and model.has_text else {}
    )


PROMPTS = Subject(
    "prompts",
    prompt_vectors.read_vectors_after,
    prompt_vectors.get_prompt_of_vector,
    prompt_vectors.read_all_prompts,
    prompt_vectors.read_prompts,
    lambda _: embedding_models.list_available(),
    _encode_as_prompt,
    LEAST_OF_BEST,
)
PICTURES = Subject(
    "pictures",
    image_vectors.read_vectors_after,
    image_vectors.get_picture_of_vector,
    image_vectors.read_all_pictures,
    image_vectors.read_pictures,
    _list_picture_spaces,
    _encode_as_picture,
    LEAST_OF_BEST_VISUAL,
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Images, the most similar first. `scores` is parallel and descending, at most about 1."""

    ids: Ids
    scores: Floats
    least: float = LEAST_OF_BEST

    @property
    def near(self) -> Ids:
        """The images that are similar enough, compared with the best one."""
        best = float(self.scores[0]) if len(self.scores) else 0.0
        return self.ids[self.scores >= self.least * best] if best > 0 else self.ids[:0]


class Similarity:
    """Thread-safe. `folder` is `vectors/` in the library folder."""

    def __init__(self, database: Database, folder: Path, subject: Subject = PROMPTS) -> None:
        self._database = database
        self._folder = folder
        self._subject = subject
        self._lock = threading.Lock()
        self._spaces: dict[str, _SpaceVectors] = {}
        self._images = _Images()
        # None: everything has to be read.
        self._changed: set[int] | None = None
        # Whether the best model has processed every prompt; None: not determined yet.
        self._is_complete: bool | None = None
        self._changes_lock = threading.Lock()
        database.after_commit(self._on_commit)

    def close(self) -> None:
        """Release the files: Windows refuses to replace one that is still mapped."""
        with self._lock:
            for space in self._spaces.values():
                space.close()
            self._spaces = {}

    def to_text(self, text: str, *, within: Ids | None = None, limit: int = MOST) -> Ranked:
        """The images that are most similar to `text`, among those in `within` (any order; None: all). Images without a
        vector are not included.

        Raises `NotFoundError` if no model can encode text.
        """
        queries = self._subject.read(self._database, text)
        if not queries:
            raise NotFoundError(
                "Searching images by text requires a CLIP model with a text encoder. Select its folder in the settings."
            )
        with self._lock:
            self._refresh()
            return self._rank({name: one for name, one in queries.items() if name in self._spaces}, within, limit)

    def to_image(self, image: GenerationId, *, within: Ids | None = None, limit: int = MOST) -> Ranked:
        """The images that are most similar to this one, without the image itself.

        Raises `NotFoundError` if the image has no vector.
        """
        with self._lock:
            self._refresh()
            number = self._images.prompt_of(image)
            queries = {} if number is None else self._vectors_of(number)
            if not queries:
                raise NotFoundError(
                    "The prompt of this image has not been analyzed yet. Try again later."
                    if self._subject.name == PROMPTS.name
                    else "This image has not been analyzed yet. Check that image analysis is enabled in the settings."
                )
            found = self._rank(queries, within, limit + 1)
        others = found.ids != image
        return Ranked(found.ids[others][:limit], found.scores[others][:limit], found.least)

    def _vectors_of(self, prompt: int) -> dict[str, Floats]:
        """The vectors of the prompt by space, the fastest model first. Spaces without a vector are omitted."""
        found = {name: kept.vector(prompt) for name, kept in self._spaces.items()}
        return {name: vector for name, vector in found.items() if vector is not None}

    # -- updates from the database ------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        with self._changes_lock:
            if self._changed is not None:
                self._changed.update(changes.added, changes.changed, changes.removed)

    def _refresh(self) -> None:
        # A cancelled request must not leave the cache partially updated.
        asked_by = READ_CANCELLED.set(None)
        try:
            self._catch_up()
        except BaseException:
            with self._changes_lock:
                self._changed = None
            raise
        finally:
            READ_CANCELLED.reset(asked_by)

    def _catch_up(self) -> None:
        with self._changes_lock:
            changed, self._changed = self._changed, set()
        if changed is None:
            self._images.load(*self._database.read_within(READ_LIMIT_MS, self._subject.numbers_of_all))
        elif changed:
            images = [GenerationId(one) for one in changed]
            self._images.patch(changed, self._database.read_within(READ_LIMIT_MS, self._subject.numbers_of, images))
        spaces = self._database.read(self._subject.spaces)
        if [space.name for space in spaces] != list(self._spaces):
            new = {space.name: _SpaceVectors(space, self._folder, self._subject) for space in spaces}
            self._spaces = new | {name: kept for name, kept in self._spaces.items() if name in new}
            self._is_complete = None
        more = [kept.catch_up(self._database) for kept in self._spaces.values()]
        if changed is None or changed or any(more):
            self._is_complete = None

    # -- ranking ------------------------------------------------------------------------------

    def _rank(self, queries: dict[str, Floats], within: Ids | None, limit: int) -> Ranked:
        included = None if within is None else self._images.find_among(within)
        prompts = None if included is None else self._images.prompts[included]
        # Each prompt has at least one image, so `limit` prompts are enough.
        found = [self._spaces[name].candidates(queries[name], prompts, limit) for name in self._select_spaces(queries)]
        candidates = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
        scores = self._fuse_scores(queries, candidates)
        order = np.argsort(-scores, kind="stable")[: 2 * limit]
        ranked = self._images.expand(candidates[order], scores[order], included, limit)
        return Ranked(ranked.ids, ranked.scores, self._subject.least)

    def _select_spaces(self, queries: dict[str, Floats]) -> list[str]:
        """The spaces that select candidates: only that of the best model once it has processed every prompt, which
        saves searching the others."""
        names = list(queries)
        if names and self._is_complete is None:
            self._is_complete = self._spaces[names[-1]].has_all(self._images.prompts)
        return names[-1:] if self._is_complete else names

    def _fuse_scores(self, queries: dict[str, Floats], prompts: Ids) -> Floats:
        """The weighted mean of the cosines of all models. Missing cosines are estimated from the fastest model."""
        total, weights = np.zeros(len(prompts), np.float32), 0.0
        guide: Floats | None = None
        for name, query in queries.items():
            kept = self._spaces[name]
            scores, known = kept.scores(query, prompts)
            if guide is None:
                guide = scores
            elif not known.all():
                if np.count_nonzero(known) < EXAMPLES_NEEDED:
                    continue
                slope, base = np.polyfit(guide[known], scores[known], 1)
                scores = np.where(known, scores, base + slope * guide).astype(np.float32)
            total += kept.space.weight * scores
            weights += kept.space.weight
        return total / weights if weights else total


class _SpaceVectors:
    """The vectors of one space, in order of arrival."""

    def __init__(self, space: EmbeddingSpace, folder: Path, subject: Subject) -> None:
        self.space = space
        self._subject = subject
        self._file = folder / f"{space.name}.i8"
        self._list = folder / f"{space.name}.json"
        self._vectors: Vectors | None = None
        self._prompts = np.empty(0, np.int64)
        self._rows = np.empty(0, np.int64)
        self._last = 0

    def candidates(self, query: Floats, prompts: Ids | None, count: int) -> Ids:
        """The prompts that may be most similar, among `prompts` (None: all)."""
        within: Mask | None = None
        if prompts is not None:
            within = np.zeros(self._content.rows, bool)
            rows = self._rows_of(prompts)
            within[rows[rows >= 0]] = True
        return self._prompts[self._content.candidates(query, count, within=within)]

    def scores(self, query: Floats, prompts: Ids) -> tuple[Floats, Mask]:
        """The cosine with each prompt, and whether the prompt has a vector in this space."""
        rows = self._rows_of(prompts)
        known = rows >= 0
        scores = np.zeros(len(prompts), np.float32)
        scores[known] = self._content.score(query, rows[known])
        return scores, known

    def vector(self, prompt: int) -> Floats | None:
        row = int(self._rows_of(np.array([prompt]))[0])
        return normalize(self._content.row(row).astype(np.float32)) if row >= 0 else None

    def close(self) -> None:
        if self._vectors is not None:
            self._vectors.close()

    def has_all(self, prompts: Ids) -> bool:
        return bool((self._rows_of(prompts) >= 0).all())

    def catch_up(self, database: Database) -> bool:
        """Read new vectors. Returns whether there were any. Vectors of removed prompts stay, but match no image."""
        if self._vectors is None:
            self._load(database)
        added = 0
        while new := database.read_within(
            READ_LIMIT_MS, self._subject.after, space=self.space.name, last=self._last, limit=VECTORS_PER_READ
        ):
            fit = [one for one in new if len(one.vector) == self.space.dimensions]
            content = np.frombuffer(b"".join(one.vector for one in fit), np.int8)
            self._content.append(content.reshape(-1, self.space.dimensions))
            self._add_rows(np.array([one.subject for one in fit], np.int64))
            self._last = new[-1].id
            added += len(new)
        if added:
            self._save()
        return added > 0

    @property
    def _content(self) -> Vectors:
        assert self._vectors is not None
        return self._vectors

    def _add_rows(self, prompts: Ids) -> None:
        start = len(self._prompts)
        self._prompts = np.concatenate([self._prompts, prompts])
        highest = int(prompts.max(initial=0))
        if highest >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.full(max(highest + 1, 1024) * 2 - len(self._rows), -1)])
        self._rows[prompts] = np.arange(start, len(self._prompts))

    def _rows_of(self, prompts: Ids) -> Rows:
        """The row of each prompt; -1 for a prompt without a vector."""
        rows = np.full(len(prompts), -1, np.int64)
        inside = prompts < len(self._rows)
        rows[inside] = self._rows[prompts[inside]]
        return rows

    def _load(self, database: Database) -> None:
        """Load the cache files, if they are complete and belong to this database."""
        last, prompts = 0, np.empty(0, np.int64)
        try:
            kept = json.loads(self._list.read_text("ascii"))
            packed = np.fromfile(self._file.with_suffix(".prompts"), np.int64)
            ours = database.read(self._subject.number_at, space=self.space.name, vector=int(kept["last"]))
            if len(packed) == kept["rows"] > 0 and ours == packed[-1]:
                last, prompts = int(kept["last"]), packed
        except (OSError, ValueError, KeyError, TypeError):
            log.info("reading the vectors from the database again", extra={"space": self.space.name})
        self._vectors = Vectors(self._file, self.space.dimensions, rows=len(prompts))
        if self._vectors.rows == len(prompts) and len(prompts):
            self._last = last
            self._add_rows(prompts)

    def _save(self) -> None:
        """Written in this order: the JSON file defines which part of the other files is valid."""
        self._prompts.tofile(self._file.with_suffix(".prompts"))
        self._list.write_text(json.dumps({"last": self._last, "rows": len(self._prompts)}), "ascii")


class _Images:
    """The prompt (or picture) ID of each image. `ids` ascend; `prompts` is parallel to them."""

    def __init__(self) -> None:
        self.ids = np.empty(0, np.int64)
        self.prompts = np.empty(0, np.int64)
        self._by_prompt: tuple[Rows, Ids] | None = None

    def load(self, ids: str, prompts: str) -> None:
        self.ids = np.fromstring(ids, np.int64, sep=",")
        self.prompts = np.fromstring(prompts, np.int64, sep=",")
        self._by_prompt = None

    def patch(self, changed: set[int], now: dict[int, int]) -> None:
        """Update changed images. `now` contains the prompts of those that have one."""
        keep = ~np.isin(self.ids, np.fromiter(changed, np.int64, len(changed)))
        ids = np.concatenate([self.ids[keep], np.fromiter(now.keys(), np.int64, len(now))])
        prompts = np.concatenate([self.prompts[keep], np.fromiter(now.values(), np.int64, len(now))])
        order = np.argsort(ids, kind="stable")
        self.ids, self.prompts = ids[order], prompts[order]
        self._by_prompt = None

    def prompt_of(self, image: GenerationId) -> int | None:
        place = int(np.searchsorted(self.ids, image))
        return int(self.prompts[place]) if place < len(self.ids) and self.ids[place] == image else None

    def find_among(self, ids: Ids) -> Mask:
        """Which of the images are in `ids`."""
        included = np.zeros(len(self.ids), bool)
        asked = np.sort(ids)
        places = np.searchsorted(self.ids, asked)
        inside = places < len(self.ids)
        places, asked = places[inside], asked[inside]
        included[places[self.ids[places] == asked]] = True
        return included

    def expand(self, prompts: Ids, scores: Floats, included: Mask | None, limit: int) -> Ranked:
        """The images of the prompts, in the order of the prompts. Images with the same prompt: newest first."""
        by_prompt, sorted_prompts = self._group_by_prompt()
        first = np.searchsorted(sorted_prompts, prompts, "left")
        counts = np.searchsorted(sorted_prompts, prompts, "right") - first
        # The k-th image is (k - images of earlier prompts) entries after the first image of its prompt.
        before = np.cumsum(counts) - counts
        rows = by_prompt[np.repeat(first - before, counts) + np.arange(counts.sum())]
        values = np.repeat(scores, counts)
        if included is not None:
            rows, values = rows[included[rows]], values[included[rows]]
        return Ranked(self.ids[rows[:limit]], values[:limit])

    def _group_by_prompt(self) -> tuple[Rows, Ids]:
        """The rows of the images sorted by prompt, then newest first, and their prompts."""
        if self._by_prompt is None:
            order = np.lexsort((-self.ids, self.prompts))
            self._by_prompt = order, self.prompts[order]
        return self._by_prompt
