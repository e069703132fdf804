"""Images in order of likeness to a text or to one image: by what prompts mean, or by what pictures look like (A4).

What the database knows is kept in memory and in `vectors/`, and follows it: each question first reads
the vectors and images that are new. All of it can be thrown away and comes back.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.connections import GIVEN_UP
from mysticanvas.db.database import ChangeSet, Database, ReadTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.ml import clip, embedding_models
from mysticanvas.ml.embedding_models import Space
from mysticanvas.ml.encoder import Floats, normalized
from mysticanvas.ml.image_model_settings import BUILT_IN
from mysticanvas.ml.vectors import Mask, Rows, Vectors
from mysticanvas.search import image_vectors, prompt_vectors
from mysticanvas.search.prompt_vectors import StoredVector

log = logging.getLogger(__name__)

Ids = NDArray[np.int64]

VECTORS_A_READ = 20_000
READ_LIMIT_MS = 60_000
# The accurate model's cosines are guessed from the instant one's where it has not come to a prompt yet;
# with fewer examples than these, the instant one decides alone.
EXAMPLES_NEEDED = 30
# So many are looked for, and what is less than so much of the best one's likeness is like nothing that was
# asked: in benchmarks/meaning.py no right answer is below .45 of the best, and four of five others are.
MOST = 1_000
LEAST_OF_BEST = 0.4
# Any two pictures have something in common to a model that looks at them.
LEAST_OF_BEST_LOOK = 0.6


@dataclass(frozen=True, slots=True)
class Subject:
    """What images are alike in: how it is numbered in the database, which models know it, and how a text is put
    beside it: its vectors by the space's name, none for a model that reads no words. What is less than `least`
    of the best one's likeness is not near."""

    name: str
    after: Callable[..., list[StoredVector]]
    number_at: Callable[..., int | None]
    numbers_of_all: Callable[[ReadTx], tuple[str, str]]
    numbers_of: Callable[..., dict[int, int]]
    spaces: Callable[[ReadTx], list[Space]]
    read: Callable[[Database, str], dict[str, Floats]]
    least: float


def _read_as_prompt(_: Database, text: str) -> dict[str, Floats]:
    encoders = {space.name: embedding_models.encoder(space.name) for space in embedding_models.available()}
    return {name: encoder.encode([text])[0] for name, encoder in encoders.items() if encoder is not None}


def _spaces_of_pictures(tx: ReadTx) -> list[Space]:
    """Those that have a vector: it says how many dimensions there are."""
    found = [(name, image_vectors.dimensions(tx, space=name)) for name in image_vectors.sight(tx).spaces]
    return [
        Space(name, dimensions, batch=1, weight=0.5 if name == BUILT_IN else 1.0)
        for name, dimensions in found
        if dimensions is not None
    ]


def _read_as_picture(database: Database, text: str) -> dict[str, Floats]:
    model = database.read(image_vectors.sight).clip
    return {model.space: clip.open_text(model.folder).encode(text)} if model is not None and model.has_text else {}


PROMPTS = Subject(
    "prompts",
    prompt_vectors.after,
    prompt_vectors.prompt_at,
    prompt_vectors.prompts_of_all,
    prompt_vectors.prompts_of,
    lambda _: embedding_models.available(),
    _read_as_prompt,
    LEAST_OF_BEST,
)
PICTURES = Subject(
    "pictures",
    image_vectors.after,
    image_vectors.picture_at,
    image_vectors.pictures_of_all,
    image_vectors.pictures_of,
    _spaces_of_pictures,
    _read_as_picture,
    LEAST_OF_BEST_LOOK,
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Images, the most similar first; `scores` is parallel, at most about 1, and falls."""

    ids: Ids
    scores: Floats
    least: float = LEAST_OF_BEST

    @property
    def near(self) -> Ids:
        """Those that are like what was asked, by the measure of the best."""
        best = float(self.scores[0]) if len(self.scores) else 0.0
        return self.ids[self.scores >= self.least * best] if best > 0 else self.ids[:0]


class Similarity:
    """Thread-safe. `folder` is the library's `vectors/`."""

    def __init__(self, database: Database, folder: Path, subject: Subject = PROMPTS) -> None:
        self._database = database
        self._folder = folder
        self._subject = subject
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._images = _Images()
        self._stale: set[int] | None = None
        # None until it is looked at anew.
        self._knows_all: bool | None = None
        self._noting = threading.Lock()
        database.after_commit(self._on_commit)

    def to_text(self, text: str, *, within: Ids | None = None, limit: int = MOST) -> Ranked:
        """The images that are nearest in meaning to `text`; of those in `within`, in any order. Images of which
        nothing is known yet are not among them.

        Raises `NotFoundError` where no model reads words.
        """
        queries = self._subject.read(self._database, text)
        if not queries:
            raise NotFoundError(
                "Finding pictures by words needs a CLIP model that reads: choose its folder in the settings."
            )
        with self._lock:
            self._refresh()
            return self._ranked({name: one for name, one in queries.items() if name in self._kept}, within, limit)

    def to_image(self, image: GenerationId, *, within: Ids | None = None, limit: int = MOST) -> Ranked:
        """The images that are nearest to this one, without the image itself.

        Raises `NotFoundError` when nothing is known of the image.
        """
        with self._lock:
            self._refresh()
            number = self._images.prompt_of(image)
            queries = {} if number is None else self._vectors_of(number)
            if not queries:
                raise NotFoundError(
                    "What this image’s prompt means is not known yet."
                    if self._subject.name == PROMPTS.name
                    else "No model has looked at this image yet; the settings say whether one does."
                )
            found = self._ranked(queries, within, limit + 1)
        others = found.ids != image
        return Ranked(found.ids[others][:limit], found.scores[others][:limit], found.least)

    def _vectors_of(self, prompt: int) -> dict[str, Floats]:
        """By space, the quickest first; without the spaces that have none yet."""
        found = {name: kept.vector(prompt) for name, kept in self._kept.items()}
        return {name: vector for name, vector in found.items() if vector is not None}

    # -- following the database ---------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        with self._noting:
            if self._stale is not None:
                self._stale.update(changes.added, changes.changed, changes.removed)

    def _refresh(self) -> None:
        # Whoever gives up now would leave it half read.
        asked_by = GIVEN_UP.set(None)
        try:
            self._catch_up()
        except BaseException:
            with self._noting:
                self._stale = None
            raise
        finally:
            GIVEN_UP.reset(asked_by)

    def _catch_up(self) -> None:
        with self._noting:
            stale, self._stale = self._stale, set()
        if stale is None:
            self._images.take(*self._database.read_within(READ_LIMIT_MS, self._subject.numbers_of_all))
        elif stale:
            images = [GenerationId(one) for one in stale]
            self._images.patch(stale, self._database.read_within(READ_LIMIT_MS, self._subject.numbers_of, images))
        wanted = self._database.read(self._subject.spaces)
        if [space.name for space in wanted] != list(self._kept):
            new = {space.name: _Kept(space, self._folder, self._subject) for space in wanted}
            self._kept = new | {name: kept for name, kept in self._kept.items() if name in new}
            self._knows_all = None
        more = [kept.catch_up(self._database) for kept in self._kept.values()]
        if stale is None or stale or any(more):
            self._knows_all = None

    # -- ranking ------------------------------------------------------------------------------

    def _ranked(self, queries: dict[str, Floats], within: Ids | None, limit: int) -> Ranked:
        wanted = None if within is None else self._images.among(within)
        prompts = None if wanted is None else self._images.prompts[wanted]
        # A prompt stands for one image at least, so that as many prompts are enough.
        found = [self._kept[name].candidates(queries[name], prompts, limit) for name in self._nominating(queries)]
        candidates = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
        scores = self._fused(queries, candidates)
        order = np.argsort(-scores, kind="stable")[: 2 * limit]
        ranked = self._images.expand(candidates[order], scores[order], wanted, limit)
        return Ranked(ranked.ids, ranked.scores, self._subject.least)

    def _nominating(self, queries: dict[str, Floats]) -> list[str]:
        """The spaces whose nearest are looked at by all: that of the best model alone once it knows every
        prompt, which spares the search of the others."""
        names = list(queries)
        if names and self._knows_all is None:
            self._knows_all = self._kept[names[-1]].knows_all(self._images.prompts)
        return names[-1:] if self._knows_all else names

    def _fused(self, queries: dict[str, Floats], prompts: Ids) -> Floats:
        """The weighted mean of the models' cosines; what one lacks is guessed from the quickest one."""
        total, weights = np.zeros(len(prompts), np.float32), 0.0
        guide: Floats | None = None
        for name, query in queries.items():
            kept = self._kept[name]
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


class _Kept:
    """The vectors of one space, in the order in which they arrived."""

    def __init__(self, space: Space, folder: Path, subject: Subject) -> None:
        self.space = space
        self._subject = subject
        self._file = folder / f"{space.name}.i8"
        self._list = folder / f"{space.name}.json"
        self._vectors: Vectors | None = None
        self._prompts = np.empty(0, np.int64)
        self._rows = np.empty(0, np.int64)
        self._last = 0

    def candidates(self, query: Floats, prompts: Ids | None, count: int) -> Ids:
        """Prompts that may be nearest; of those given, when some are."""
        within: Mask | None = None
        if prompts is not None:
            within = np.zeros(self._content.rows, bool)
            rows = self._rows_of(prompts)
            within[rows[rows >= 0]] = True
        return self._prompts[self._content.candidates(query, count, within=within)]

    def scores(self, query: Floats, prompts: Ids) -> tuple[Floats, Mask]:
        """The cosine with each prompt, and whether the prompt has a vector here."""
        rows = self._rows_of(prompts)
        known = rows >= 0
        scores = np.zeros(len(prompts), np.float32)
        scores[known] = self._content.score(query, rows[known])
        return scores, known

    def vector(self, prompt: int) -> Floats | None:
        row = int(self._rows_of(np.array([prompt]))[0])
        return normalized(self._content.row(row).astype(np.float32)) if row >= 0 else None

    def knows_all(self, prompts: Ids) -> bool:
        return bool((self._rows_of(prompts) >= 0).all())

    def catch_up(self, database: Database) -> bool:
        """Take in what has arrived; whether there was any. Vectors of prompts that are gone stay, and find no image."""
        if self._vectors is None:
            self._load(database)
        added = 0
        while new := database.read_within(
            READ_LIMIT_MS, self._subject.after, space=self.space.name, last=self._last, limit=VECTORS_A_READ
        ):
            fit = [one for one in new if len(one.vector) == self.space.dimensions]
            content = np.frombuffer(b"".join(one.vector for one in fit), np.int8)
            self._content.append(content.reshape(-1, self.space.dimensions))
            self._take(np.array([one.subject for one in fit], np.int64))
            self._last = new[-1].id
            added += len(new)
        if added:
            self._save()
        return added > 0

    @property
    def _content(self) -> Vectors:
        assert self._vectors is not None
        return self._vectors

    def _take(self, prompts: Ids) -> None:
        start = len(self._prompts)
        self._prompts = np.concatenate([self._prompts, prompts])
        highest = int(prompts.max(initial=0))
        if highest >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.full(max(highest + 1, 1024) * 2 - len(self._rows), -1)])
        self._rows[prompts] = np.arange(start, len(self._prompts))

    def _rows_of(self, prompts: Ids) -> Rows:
        """-1 for a prompt without a vector."""
        rows = np.full(len(prompts), -1, np.int64)
        inside = prompts < len(self._rows)
        rows[inside] = self._rows[prompts[inside]]
        return rows

    def _load(self, database: Database) -> None:
        """What the files hold, when they are of this database and whole; else nothing."""
        last, prompts = 0, np.empty(0, np.int64)
        try:
            kept = json.loads(self._list.read_text("ascii"))
            packed = np.fromfile(self._file.with_suffix(".prompts"), np.int64)
            ours = database.read(self._subject.number_at, space=self.space.name, vector=int(kept["last"]))
            if len(packed) == kept["rows"] > 0 and ours == packed[-1]:
                last, prompts = int(kept["last"]), packed
        except (OSError, ValueError, KeyError, TypeError):
            log.info("the vectors are read from the database again", extra={"space": self.space.name})
        self._vectors = Vectors(self._file, self.space.dimensions, rows=len(prompts))
        if self._vectors.rows == len(prompts) and len(prompts):
            self._last = last
            self._take(prompts)

    def _save(self) -> None:
        """The list last: it says what of the others counts."""
        self._prompts.tofile(self._file.with_suffix(".prompts"))
        self._list.write_text(json.dumps({"last": self._last, "rows": len(self._prompts)}), "ascii")


class _Images:
    """Which image has which prompt (or picture). `ids` ascend; `prompts` is parallel to them."""

    def __init__(self) -> None:
        self.ids = np.empty(0, np.int64)
        self.prompts = np.empty(0, np.int64)
        self._by_prompt: tuple[Rows, Ids] | None = None

    def take(self, ids: str, prompts: str) -> None:
        self.ids = np.fromstring(ids, np.int64, sep=",")
        self.prompts = np.fromstring(prompts, np.int64, sep=",")
        self._by_prompt = None

    def patch(self, stale: set[int], now: dict[int, int]) -> None:
        """Of the stale images, only those in `now` have a prompt."""
        keep = ~np.isin(self.ids, np.fromiter(stale, np.int64, len(stale)))
        ids = np.concatenate([self.ids[keep], np.fromiter(now.keys(), np.int64, len(now))])
        prompts = np.concatenate([self.prompts[keep], np.fromiter(now.values(), np.int64, len(now))])
        order = np.argsort(ids, kind="stable")
        self.ids, self.prompts = ids[order], prompts[order]
        self._by_prompt = None

    def prompt_of(self, image: GenerationId) -> int | None:
        place = int(np.searchsorted(self.ids, image))
        return int(self.prompts[place]) if place < len(self.ids) and self.ids[place] == image else None

    def among(self, ids: Ids) -> Mask:
        """Which of the images are among `ids`."""
        wanted = np.zeros(len(self.ids), bool)
        asked = np.sort(ids)
        places = np.searchsorted(self.ids, asked)
        inside = places < len(self.ids)
        places, asked = places[inside], asked[inside]
        wanted[places[self.ids[places] == asked]] = True
        return wanted

    def expand(self, prompts: Ids, scores: Floats, wanted: Mask | None, limit: int) -> Ranked:
        """The images of the prompts in their order, newest first where several have one."""
        by_prompt, sorted_prompts = self._grouped()
        first = np.searchsorted(sorted_prompts, prompts, "left")
        counts = np.searchsorted(sorted_prompts, prompts, "right") - first
        # The k-th of all images lies (k - those of the prompts before its own) after its prompt's first one.
        before = np.cumsum(counts) - counts
        rows = by_prompt[np.repeat(first - before, counts) + np.arange(counts.sum())]
        values = np.repeat(scores, counts)
        if wanted is not None:
            rows, values = rows[wanted[rows]], values[wanted[rows]]
        return Ranked(self.ids[rows[:limit]], values[:limit])

    def _grouped(self) -> tuple[Rows, Ids]:
        """The images by prompt, newest first within one, and their prompts."""
        if self._by_prompt is None:
            order = np.lexsort((-self.ids, self.prompts))
            self._by_prompt = order, self.prompts[order]
        return self._by_prompt
