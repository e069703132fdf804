"""Writes the data of another program's library into this library."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mysticanvas import __version__
from mysticanvas.db import event_log, settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders, former_names, generations, placeholders, raw_metadata, word_index
from mysticanvas.db.images.generations import NewGeneration
from mysticanvas.db.snapshot_copy import ForeignDatabase
from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.lineage.queries import Parent
from mysticanvas.features.migrate import queries, tags
from mysticanvas.features.migrate.types import ForeignImage, MigrationReport, SkippedItems
from mysticanvas.formats.detect import PARSER_VERSION, read_recipe

BATCH_IMAGES = 50


class Migration:
    """One migration, in small transactions. It can be cancelled after each of them and repeated."""

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
        self.report = MigrationReport(adapter.NAME, dry_run)
        self._database = database
        self._source = source
        self._adapter = adapter
        self._folder = folder
        self._dry_run = dry_run
        self._now_ms = now_ms

    def migrate_images(self) -> Iterator[int]:
        """Migrate all images. Yields the number of images done so far."""
        after: int | None = 0
        while after is not None:
            found, after = self._source.read(self._adapter.list_images, after=after, limit=BATCH_IMAGES)
            self.report.images += len(found)
            if self._dry_run:
                self._database.read(self._preview, found)
            else:
                self._database.write_bulk(self._migrate_batch, found)
            yield self.report.images

    def migrate_rest(self) -> None:
        """Migrate parents, templates and aliases, after all images. Stores unsupported tables as settings."""
        self.report.skipped += self._source.read(self._adapter.list_skipped)
        templates = self._source.read(self._adapter.list_templates)
        aliases = self._source.read(self._adapter.list_aliases)
        unsupported = self._source.read(self._adapter.read_unsupported_tables)
        for table, rows in unsupported.items():
            why = "stored in the library settings, but not supported yet"
            self.report.skipped.append(SkippedItems(table.replace("_", " "), len(rows), why))
        if self._dry_run:
            self.report.templates, self.report.aliases = len(templates), len(aliases)
            return
        self._link_parents()
        self._database.write_bulk(self._add_rest, templates, aliases, unsupported)

    # -- images -------------------------------------------------------------------------------

    def _preview(self, tx: ReadTx, found: Sequence[ForeignImage]) -> None:
        """Count what a migration would do. Nothing is written."""
        for one in found:
            if queries.find_existing(tx, self._adapter.SOURCE, one.id) is not None:
                self.report.known += 1
            elif self._find_image(tx, one) is not None or (self._folder / one.path).is_file():
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

    def _migrate_batch(self, tx: WriteTx, found: Sequence[ForeignImage]) -> None:
        for one in found:
            existing = queries.find_existing(tx, self._adapter.SOURCE, one.id)
            if existing is not None:
                self._resolve_placeholder(tx, existing, one)
                self.report.known += 1
                continue
            image = self._find_image(tx, one)
            if image is None:
                image = self._add_missing_image(tx, one)
                self.report.missing += 1
            else:
                self._complete(tx, image, one)
                self.report.matched += 1
            queries.add_foreign_name(tx, self._adapter.SOURCE, one.id, image)
            self._set_user_data(tx, image, one)

    def _find_image(self, tx: ReadTx, one: ForeignImage) -> GenerationId | None:
        """The image at the same path, or else the only image with the same file name."""
        for root_id, path in self._find_paths(tx, one):
            if (found := placeholders.find_at_path(tx, root_id, path)) is not None:
                return found
        found_by_name = self._find_by_name(tx, one)
        return found_by_name.pop() if len(found_by_name) == 1 else None

    def _find_by_name(self, tx: ReadTx, one: ForeignImage) -> set[GenerationId]:
        key = former_names.make_name_key(one.path)
        return {candidate.generation_id for candidate in lineage_queries.find_by_name(tx, key)} if key else set()

    def _resolve_placeholder(self, tx: WriteTx, placeholder: GenerationId, one: ForeignImage) -> None:
        """Look for the file of an image that was migrated without it: the only image with the same file name."""
        if placeholders.is_placeholder(tx, placeholder):
            others = self._find_by_name(tx, one) - {placeholder}
            if len(others) == 1:
                image = others.pop()
                concerned = lineage_service.list_dependents(tx, placeholder)
                queries.replace_placeholder(tx, placeholder, image, now_ms=self._now_ms())
                lineage_service.on_image_removed(tx, concerned, now_ms=self._now_ms())
                self._complete(tx, image, one)

    def _find_paths(self, tx: ReadTx, one: ForeignImage) -> list[tuple[int, str]]:
        """The possible locations of the file in existing folders: (root id, path relative to the root)."""
        file = self._folder / (one.path or one.id)
        return [
            (root.id, file.relative_to(root.path).as_posix())
            for root in folders.list_folders(tx)
            if root.id is not None and file.is_relative_to(root.path)
        ]

    def _add_root(self, tx: WriteTx) -> int:
        root = folders.add(tx, path=str(self._folder), watch=False, now_ms=self._now_ms())
        assert root.id is not None
        return root.id

    def _read_recipe(self, one: ForeignImage) -> tuple[Recipe, TextEntry]:
        """The recipe, and its source as a sidecar entry, so that newer parsers can read it again."""
        entry = TextEntry(
            "sidecar", f"{self._adapter.SOURCE}.json", json.dumps(one.generation_data, ensure_ascii=False)
        )
        head = ImageHead(ImageFormat.PNG, 0, 0, 1, True, ())
        return read_recipe(head, file_name=one.path, sidecars=[entry]), entry

    def _add_missing_image(self, tx: WriteTx, one: ForeignImage) -> GenerationId:
        recipe, entry = self._read_recipe(one)
        now_ms = self._now_ms()
        new = NewGeneration(
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
        paths = self._find_paths(tx, one)
        root_id, path = paths[0] if paths else (self._add_root(tx), one.path or one.id)
        placeholders.add_absent_file(tx, image, root_id=root_id, path=path, now_ms=now_ms)
        word_index.index_images(tx, [image])
        import_record.set_recipe(tx, image, recipe, recipe.problems, now_ms=now_ms)
        raw_metadata.store_another(tx, image, entry)
        return image

    def _complete(self, tx: WriteTx, image: GenerationId, one: ForeignImage) -> None:
        """Generation data in the file takes precedence. Without any, that of the other program is used."""
        recipe, entry = self._read_recipe(one)
        existing = generations.get_detail(tx, image)
        if existing.prompt is None and existing.seed is None:
            import_record.set_recipe(tx, image, recipe, [*existing.problems, *recipe.problems], now_ms=self._now_ms())
        if one.generation_data:
            raw_metadata.store_another(tx, image, entry)

    def _set_user_data(self, tx: WriteTx, image: GenerationId, one: ForeignImage) -> None:
        """Add the favorite, rating and tags that the user set in the other program."""
        now_ms = self._now_ms()
        is_favorite, is_rated = queries.set_marks(tx, image, favorite=one.favorite, rating=one.rating, now_ms=now_ms)
        self.report.favorites += is_favorite
        self.report.ratings += is_rated
        self.report.tags += tags.assign_tags(tx, image, one.tags, gallery=self._adapter.SOURCE, now_ms=now_ms)

    # -- the rest -----------------------------------------------------------------------------

    def _link_parents(self) -> None:
        after: int | None = 0
        while after is not None:
            found, after = self._source.read(self._adapter.list_images, after=after, limit=BATCH_IMAGES)
            children = [one for one in found if one.parent is not None]
            if children:
                self.report.parents += self._database.write_bulk(self._link_batch, children)

    def _link_batch(self, tx: WriteTx, children: Sequence[ForeignImage]) -> int:
        """Set the parents known to the other program, except where the user has set one here. Returns how many."""
        linked = 0
        for one in children:
            image = queries.find_existing(tx, self._adapter.SOURCE, one.id)
            parent = queries.find_existing(tx, self._adapter.SOURCE, one.parent or "")
            if image is None or parent is None:
                continue
            before = lineage_queries.get_parent(tx, image)
            if before.parent_by == "user" or lineage_queries.descends_from(tx, parent, image):
                continue
            after = Parent(parent, before.parent_relation, "user")
            lineage_queries.set_parent(tx, image, after, now_ms=self._now_ms())
            lineage_service.match_inputs(tx, image, now_ms=self._now_ms())
            linked += 1
        return linked

    def _add_rest(
        self,
        tx: WriteTx,
        templates: Sequence[Any],
        aliases: Sequence[tuple[str, str]],
        unsupported: dict[str, list[dict[str, Any]]],
    ) -> None:
        source, now_ms = self._adapter.SOURCE, self._now_ms()
        self.report.templates = sum(queries.add_template(tx, source, one, now_ms=now_ms) for one in templates)
        self.report.aliases = tags.add_aliases(tx, aliases, now_ms=now_ms)
        for table, rows in unsupported.items():
            settings_store.put(tx, f"imported.{source}.{table}", rows)
        data = {key: value for key, value in asdict(self.report).items() if isinstance(value, int)}
        subject = str(self._source.path)
        event_log.append(tx, level="info", kind="library.import", subject=subject, data=data, now_ms=now_ms)
