"""One take-over: what another gallery knows, written into this library in small transactions."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mysticanvas import __version__
from mysticanvas.db import event_log, settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders, former_names, generations, placeholders, raw_metadata, word_index
from mysticanvas.db.images.generations import New
from mysticanvas.db.snapshot_copy import ForeignDatabase
from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.lineage.queries import Parent
from mysticanvas.features.migrate import queries, tags
from mysticanvas.features.migrate.types import ForeignImage, LeftOut, LibraryReport
from mysticanvas.formats.detect import PARSER_VERSION, read_recipe

BATCH_IMAGES = 50


class TakeOver:
    """One take-over, in small transactions; any of them may be the last."""

    def __init__(
        self,
        database: Database,
        source: ForeignDatabase,
        adapter: Any,
        folder: Path,
        *,
        dry_run: bool,
        now_ms: Callable[[], int],
    ) -> None:
        self.report = LibraryReport(adapter.NAME, dry_run)
        self._database = database
        self._source = source
        self._adapter = adapter
        self._folder = folder
        self._dry_run = dry_run
        self._now_ms = now_ms

    def images(self) -> Iterator[int]:
        """Yields how many images are done."""
        after: int | None = 0
        while after is not None:
            found, after = self._source.read(self._adapter.images, after=after, limit=BATCH_IMAGES)
            self.report.images += len(found)
            if self._dry_run:
                self._database.read(self._look, found)
            else:
                self._database.write_bulk(self._take, found)
            yield self.report.images

    def rest(self) -> None:
        """Parents, templates and aliases, once every image is here; and what has no place."""
        self.report.left_out += self._source.read(self._adapter.left_out)
        templates = self._source.read(self._adapter.templates)
        aliases = self._source.read(self._adapter.aliases)
        kept = self._source.read(self._adapter.kept_whole)
        for table, rows in kept.items():
            why = "kept whole in the library's settings until there is a place for them"
            self.report.left_out.append(LeftOut(table.replace("_", " "), len(rows), why))
        if self._dry_run:
            self.report.templates, self.report.aliases = len(templates), len(aliases)
            return
        self._link_parents()
        self._database.write_bulk(self._take_rest, templates, aliases, kept)

    # -- images -------------------------------------------------------------------------------

    def _look(self, tx: ReadTx, found: Sequence[ForeignImage]) -> None:
        """What would happen; nothing is written."""
        for one in found:
            if queries.known_as(tx, self._adapter.SOURCE, one.id) is not None:
                self.report.known += 1
            elif self._find(tx, one) is not None or (self._folder / one.path).is_file():
                self.report.matched += 1
                self._count(one)
            else:
                self.report.missing += 1
                self._count(one)

    def _count(self, one: ForeignImage) -> None:
        self.report.ratings += one.rating > 0
        self.report.favorites += one.favorite
        self.report.tags += len(one.tags)
        self.report.parents += one.parent is not None

    def _take(self, tx: WriteTx, found: Sequence[ForeignImage]) -> None:
        for one in found:
            known = queries.known_as(tx, self._adapter.SOURCE, one.id)
            if known is not None:
                self._look_for_file(tx, known, one)
                self.report.known += 1
                continue
            image = self._find(tx, one)
            if image is None:
                image = self._add_absent(tx, one)
                self.report.missing += 1
            else:
                self._complete(tx, image, one)
                self.report.matched += 1
            queries.remember(tx, self._adapter.SOURCE, one.id, image)
            self._take_words(tx, image, one)

    def _find(self, tx: ReadTx, one: ForeignImage) -> GenerationId | None:
        """By its path; else by its name, where only one image here goes by it."""
        for root_id, path in self._places(tx, one):
            if (found := placeholders.at_path(tx, root_id, path)) is not None:
                return found
        named = self._named(tx, one)
        return named.pop() if len(named) == 1 else None

    def _named(self, tx: ReadTx, one: ForeignImage) -> set[GenerationId]:
        key = former_names.name_key(one.path)
        return {candidate.generation_id for candidate in lineage_queries.named(tx, key)} if key else set()

    def _look_for_file(self, tx: WriteTx, known: GenerationId, one: ForeignImage) -> None:
        """An image that came over without its file may have found it meanwhile, at another place."""
        if placeholders.is_placeholder(tx, known):
            others = self._named(tx, one) - {known}
            if len(others) == 1:
                image = others.pop()
                concerned = lineage_service.concerned(tx, known)
                queries.replace_placeholder(tx, known, image, now_ms=self._now_ms())
                lineage_service.note_gone(tx, concerned, now_ms=self._now_ms())
                self._complete(tx, image, one)

    def _places(self, tx: ReadTx, one: ForeignImage) -> list[tuple[int, str]]:
        """Where its file would be, as (root, path beneath it), under the roots there are."""
        file = self._folder / (one.path or one.id)
        return [
            (root.id, file.relative_to(root.path).as_posix())
            for root in folders.all_roots(tx)
            if root.id is not None and file.is_relative_to(root.path)
        ]

    def _new_root(self, tx: WriteTx) -> int:
        root = folders.add(tx, path=str(self._folder), watch=False, now_ms=self._now_ms())
        assert root.id is not None
        return root.id

    def _recipe(self, one: ForeignImage) -> tuple[Recipe, TextEntry]:
        """As a sidecar says it, so that it can be read again by newer parsers."""
        entry = TextEntry("sidecar", f"{self._adapter.SOURCE}.json", json.dumps(one.said, ensure_ascii=False))
        head = ImageHead(ImageFormat.PNG, 0, 0, 1, True, ())
        return read_recipe(head, file_name=one.path, sidecars=[entry]), entry

    def _add_absent(self, tx: WriteTx, one: ForeignImage) -> GenerationId:
        recipe, entry = self._recipe(one)
        now_ms = self._now_ms()
        new = New(
            recipe,
            params_json=json.dumps(recipe.params, ensure_ascii=False),
            timestamp_ms=one.made_ms if one.made_ms is not None else now_ms,
            timestamp_source=TimestampSource.METADATA if one.made_ms is not None else TimestampSource.MTIME,
            model_id=None,
            problems=recipe.problems,
        )
        [(image, _)] = generations.add_all(
            tx, [new], parser_version=PARSER_VERSION, app_version=__version__, now_ms=now_ms
        )
        places = self._places(tx, one)
        root_id, path = places[0] if places else (self._new_root(tx), one.path or one.id)
        placeholders.add_absent_file(tx, image, root_id=root_id, path=path, now_ms=now_ms)
        word_index.index(tx, [image])
        import_record.set_recipe(tx, image, recipe, recipe.problems, now_ms=now_ms)
        raw_metadata.keep_also(tx, image, entry)
        return image

    def _complete(self, tx: WriteTx, image: GenerationId, one: ForeignImage) -> None:
        """What the file itself says is believed; where it says nothing, the gallery is."""
        recipe, entry = self._recipe(one)
        known = generations.detail(tx, image)
        if known.prompt is None and known.seed is None:
            import_record.set_recipe(tx, image, recipe, [*known.problems, *recipe.problems], now_ms=self._now_ms())
        if one.said:
            raw_metadata.keep_also(tx, image, entry)

    def _take_words(self, tx: WriteTx, image: GenerationId, one: ForeignImage) -> None:
        """What the person gave there: favourite, rating, tags."""
        now_ms = self._now_ms()
        given, rated = queries.mark(tx, image, favorite=one.favorite, rating=one.rating, now_ms=now_ms)
        self.report.favorites += given
        self.report.ratings += rated
        self.report.tags += tags.say(tx, image, one.tags, gallery=self._adapter.SOURCE, now_ms=now_ms)

    # -- the rest -----------------------------------------------------------------------------

    def _link_parents(self) -> None:
        after: int | None = 0
        while after is not None:
            found, after = self._source.read(self._adapter.images, after=after, limit=BATCH_IMAGES)
            children = [one for one in found if one.parent is not None]
            if children:
                self.report.parents += self._database.write_bulk(self._link, children)

    def _link(self, tx: WriteTx, children: Sequence[ForeignImage]) -> int:
        """How many came to have the parent that their gallery knew; what the person said here stays."""
        linked = 0
        for one in children:
            image = queries.known_as(tx, self._adapter.SOURCE, one.id)
            parent = queries.known_as(tx, self._adapter.SOURCE, one.parent or "")
            if image is None or parent is None:
                continue
            before = lineage_queries.parent_of(tx, image)
            if before.parent_by == "user" or lineage_queries.comes_from(tx, parent, image):
                continue
            after = Parent(parent, before.parent_relation, "user")
            lineage_queries.set_parent(tx, image, after, now_ms=self._now_ms())
            lineage_service.find(tx, image, now_ms=self._now_ms())
            linked += 1
        return linked

    def _take_rest(
        self,
        tx: WriteTx,
        templates: Sequence[Any],
        aliases: Sequence[tuple[str, str]],
        kept: dict[str, list[dict[str, Any]]],
    ) -> None:
        source, now_ms = self._adapter.SOURCE, self._now_ms()
        self.report.templates = sum(queries.add_template(tx, source, one, now_ms=now_ms) for one in templates)
        self.report.aliases = tags.add_aliases(tx, aliases, now_ms=now_ms)
        for table, rows in kept.items():
            settings_store.put(tx, f"imported.{source}.{table}", rows)
        data = {key: value for key, value in asdict(self.report).items() if isinstance(value, int)}
        subject = str(self._source.path)
        event_log.append(tx, level="info", kind="library.import", subject=subject, data=data, now_ms=now_ms)
