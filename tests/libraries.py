"""Small random libraries and random edits of them, written as the store writes: SQL, and a change set."""

import random
import zlib
from dataclasses import dataclass, field

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import word_index
from mysticanvas.domain.generation import SECONDS_OF_2010, GenerationId
from mysticanvas.domain.query import (
    AddedBetween,
    ComputedImages,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    MadeBetween,
    NamedValue,
    Node,
    Number,
    Order,
    Query,
    Ratio,
    Shape,
    SimilarMeaning,
    Size,
    Sort,
    State,
    Text,
    Thing,
    all_of,
    any_of,
    negate,
)
from mysticanvas.domain.tag import TagId
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import assertion_queries, image_tag_queries, relation_queries
from mysticanvas.search import image_vectors

WORDS = (
    "sea", "storm", "violet", "café", "Привет", "城市夜景", "夜景", "(masterpiece:1.2)", "<lora:film:0.8>", "long_hair",
    "Straße", "हिन्दी", "or", "AND", "1girl", "😀", "さくら", "محمد",
)  # fmt: skip
SOUGHT = (
    "sea", "storm", "cafe", "CAFÉ", "привет", "夜景", "夜", "masterpiece", "lora", "film", "long hair", "sea storm",
    "or", "strasse", "हिन्दी", "1.2", "...", "محمد", "violet sea storm", "ПРИВЕТ",
)  # fmt: skip
MODELS = ("flux1-dev", "sd_xl base", "SDXL", "anything-v5")
LORAS = ("film_grain", "Film Grain", "add-detail", "x")
TAGS = ("sea", "or", "long_hair", "person", "cat", "夜景")
COLLECTIONS = (
    ("a", "Best", None),
    ("b", "For the wall", None),
    ("c", "best ", None),
    ("d", "Stormy", 'storm OR collection:"for the wall"'),
    ("e", "Stormier", "-in:Stormy rating:>=1 sort:rating"),
    ("f", "for the*", "tag:cat"),
)
SAMPLERS = ("Euler a", "euler", "DPM++ 2M", "dpm++ 2m karras", None)
ENGINES = ("ComfyUI", "A1111", None)
FOLDERS = ("", "2026", "2026/08", "2026/08/Upscaled", "Art [1]", "grids")
NAMES = ("a", "B", "grid-1", "zz", "00001")
SEEDS = ("0", "7", "342898", str((1 << 64) - 1), str(1 << 70), None)
SIZES = ((832, 1216), (1216, 832), (1024, 1024), (512, 768), (1920, 1080), (None, None), (0, 0))
FIRST_S = 400_000_000
# From 1965 on.
# Times of import; some are equal. The last one is in the future.
ADDED_MS = (0, 1_640_995_199_999, 1_640_995_200_000, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000)
EARLY_S = -1_400_000_000
DAYS = 900


def fill(tx: WriteTx) -> None:
    """Roots, models, tags; no image."""
    tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, '/pictures/Art', 0), (2, '/other', 0)")
    for kind, names in (("checkpoint", MODELS), ("lora", LORAS), ("vae", ("ae",))):
        for name in names:
            tx.run("INSERT INTO models (kind, name, created_at) VALUES (:kind, :name, 0)", kind=kind, name=name)
    for name in TAGS:
        key = name.replace("_", " ")
        tx.run("INSERT INTO tags (name, normalized_name, created_at) VALUES (:name, :key, 0)", name=name, key=key)
    tx.run("INSERT INTO tags (name, normalized_name, created_at) VALUES ('feline', 'feline', 0)")
    relation_queries.add_alias(tx, TagId(len(TAGS) + 1), TagId(5))
    relation_queries.add_implication(tx, TagId(5), TagId(1))
    image_tag_queries.derive_relations(tx)
    for uuid, name, query in COLLECTIONS:
        collection_queries.add(tx, uuid=uuid, name=name, query=query, now_ms=0)


def add_image(tx: WriteTx, second: int, *, place: int = 0, **columns: object) -> int:
    """One image of that second since 2010 with these columns, found by its words; its id."""
    image = (second << 8) + place
    values = {"prompt": None, "negative_prompt": None, "notes": None, "seed": None, "sampler": None, "rating": 0}
    values |= columns
    tx.run(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, negative_prompt, notes, seed, sampler,
                                 rating, app_version, parser_version, imported_at, updated_at)
        VALUES (:id, :uuid, :timestamp, 'mtime', :prompt, :negative_prompt, :notes, :seed, :sampler, :rating, 'test',
                1, 0, 0)
        """,
        id=image, uuid=f"{image:012x}"[:8] + f"-0000-4000-8000-{image:012x}",
        timestamp=(second + SECONDS_OF_2010) * 1000, **values,
    )  # fmt: skip
    tx.run(
        """
        INSERT INTO generation_files (generation_id, kind, path_bytes, path, bytes, mtime_ns, width, height)
        VALUES (:image, 'final', :bytes, :path, 1, 0, 832, 1216)
        """,
        image=image, bytes=str(image).encode(), path=f"{image}.png",
    )  # fmt: skip
    word_index.index_images(tx, [GenerationId(image)])
    tx.changes.added.append(GenerationId(image))
    return image


def add_tag(tx: WriteTx, name: str, image: int) -> None:
    """The image has the tag, which is made when there is none of the name."""
    tx.run(
        "INSERT INTO tags (name, normalized_name, created_at) VALUES (:name, :name, 0) ON CONFLICT DO NOTHING",
        name=name,
    )
    tag = TagId(tx.value("SELECT id FROM tags WHERE name = :name", name=name))
    assertion_queries.assign_tag(tx, tag, [GenerationId(image)], now_ms=0)
    image_tag_queries.derive_pairs(tx, [(GenerationId(image), tag)])


@dataclass
class RandomLibrary:
    """`edit` makes one change and `query` thinks of a question; the same chance makes the same ones."""

    database: Database
    chance: random.Random
    images: list[int] = field(default_factory=list)
    trashed: list[int] = field(default_factory=list)
    made: int = 0

    def begin(self, images: int) -> None:
        self.database.write(fill)
        for _ in range(images):
            self.database.write_bulk(self._add)

    def edit(self) -> None:
        edits = [self._add, self._add_many]
        if self.images:
            edits += [
                self._mark, self._mark, self._write_text, self._tag, self._tag, self._relate, self._use, self._use,
                self._collect, self._collect, self._search_otherwise,
                self._trash, self._delete, self._move_in_time, self._new_file, self._parameters, self._lose,
                self._keep_texts, self._look, self._copy, self._copy, self._change_copies,
            ]  # fmt: skip
        if self.trashed:
            edits.append(self._restore)
        self.database.write_bulk(self.chance.choice(edits))

    # -- edits --------------------------------------------------------------------------------

    def _add(self, tx: WriteTx) -> None:
        image = self._free_id()
        self._insert(tx, image)
        self._insert_file(tx, image)
        word_index.index_images(tx, [GenerationId(image)])
        for _ in range(self.chance.randrange(4)):
            self._tag_one(tx, image)
        for _ in range(self.chance.randrange(3)):
            self._use_one(tx, image)
        tx.changes.added.append(GenerationId(image))
        self.images.append(image)

    def _add_many(self, tx: WriteTx) -> None:
        for _ in range(self.chance.randrange(2, 6)):
            self._add(tx)

    def _free_id(self) -> int:
        while True:
            first = self.chance.choice((FIRST_S, FIRST_S, FIRST_S, EARLY_S))
            second = first + self.chance.randrange(DAYS) * 86_400 + self.chance.choice((0, 0, 40_000, 86_399))
            image = (second << 8) + self.chance.randrange(256)
            if image not in self.images and image not in self.trashed:
                return image

    def _text(self) -> str | None:
        words = self.chance.choices(WORDS, k=self.chance.randrange(7))
        return self.chance.choice((None, "", " ".join(words), ", ".join(words)))

    def _insert(self, tx: WriteTx, image: int) -> None:
        self.made += 1
        tx.run(
            """
            INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, negative_prompt, notes, seed,
                                     steps, cfg_scale, sampler, engine_name, model_id, parent_uuid, is_favorite,
                                     rating, app_version, parser_version, imported_at, updated_at)
            VALUES (:id, :uuid, :timestamp, 'mtime', :prompt, :negative, :notes, :seed, :steps, :cfg, :sampler,
                    :engine, :model, :parent, :favorite, :rating, 'test', 1, :added, 0)
            """,
            id=image, uuid=f"{self.made:08x}-0000-4000-8000-{self.made:012x}",
            timestamp=((image >> 8) + SECONDS_OF_2010) * 1000, prompt=self._text(), negative=self._text(),
            notes=self._text(), favorite=self.chance.randrange(2), rating=self.chance.choice((0, 0, 0, 1, 3, 5)),
            added=self.chance.choice(ADDED_MS),
            parent=self.chance.choice((None, None, "hint")), **self._parameter_values(),
        )  # fmt: skip

    def _parameter_values(self) -> dict[str, object]:
        return {
            "seed": self.chance.choice(SEEDS),
            "steps": self.chance.choice((None, 0, 20, 30, 1 << 40)),
            "cfg": self.chance.choice((None, 0.0, 4.5, 7.0, 7.1, 0.1 + 0.2)),
            "sampler": self.chance.choice(SAMPLERS),
            "engine": self.chance.choice(ENGINES),
            "model": self.chance.choice((None, *range(1, len(MODELS) + 1))),
        }

    def _insert_file(self, tx: WriteTx, image: int) -> None:
        width, height = self.chance.choice(SIZES)
        folder = self.chance.choice(FOLDERS)
        name = f"{self.chance.choice(NAMES)}.png"
        path = f"{folder}/{name}" if folder else name
        tx.run(
            """
            INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, bytes, mtime_ns, width,
                                          height, frames, damage)
            VALUES (:image, 'final', :root, :bytes, :path, 1, 0, :width, :height, :frames, :damage)
            """,
            image=image, root=self.chance.choice((1, 1, 2)), bytes=f"{path}{self.chance.random()}".encode(), path=path,
            width=width, height=height, frames=self.chance.choice((1, 1, 2)),
            damage=self.chance.choice((None, None, "cut off")),
        )  # fmt: skip

    def _copy(self, tx: WriteTx) -> None:
        image, folder = self._some(), self.chance.choice(FOLDERS)
        path = f"{folder}/copy.png" if folder else "copy.png"
        tx.run(
            """
            INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, bytes, mtime_ns, missing_at,
                                          is_excluded)
            VALUES (:image, :kind, :root, :bytes, :path, 1, 0, :missing, :excluded)
            """,
            image=image, kind=self.chance.choice(("copy", "copy", "copy", "mask")), root=self.chance.choice((1, 2)),
            bytes=f"{path}{self.chance.random()}".encode(), path=path, missing=self.chance.choice((None, None, 1)),
            excluded=self.chance.choice((0, 0, 1)),
        )  # fmt: skip
        self._changed(tx, image)

    def _change_copies(self, tx: WriteTx) -> None:
        image = self._some()
        tx.run(
            """
            UPDATE generation_files SET missing_at = :missing, is_excluded = :excluded
             WHERE generation_id = :image AND kind = 'copy'
            """,
            image=image, missing=self.chance.choice((None, 1)), excluded=self.chance.choice((0, 1)),
        )  # fmt: skip
        if self.chance.random() < 0.2:
            tx.run("DELETE FROM generation_files WHERE generation_id = :image AND kind = 'copy'", image=image)
        self._changed(tx, image)

    def _some(self) -> int:
        return self.chance.choice(self.images)

    def _changed(self, tx: WriteTx, image: int) -> None:
        tx.changes.changed.append(GenerationId(image))

    def _mark(self, tx: WriteTx) -> None:
        image = self._some()
        tx.run(
            "UPDATE generations SET is_favorite = :favorite, rating = :rating WHERE id = :image",
            favorite=self.chance.randrange(2), rating=self.chance.randrange(6), image=image,
        )  # fmt: skip
        self._changed(tx, image)

    def _write_text(self, tx: WriteTx) -> None:
        image = self._some()
        column = self.chance.choice(("prompt", "negative_prompt", "notes"))
        tx.run(f"UPDATE generations SET {column} = :text WHERE id = :image", text=self._text(), image=image)  # noqa: S608
        self._changed(tx, image)

    def _parameters(self, tx: WriteTx) -> None:
        image = self._some()
        tx.run(
            """
            UPDATE generations
               SET seed = :seed, steps = :steps, cfg_scale = :cfg, sampler = :sampler, engine_name = :engine,
                   model_id = :model
             WHERE id = :image
            """,
            image=image,
            **self._parameter_values(),
        )
        self._changed(tx, image)

    def _tag(self, tx: WriteTx) -> None:
        image = self._some()
        if self.chance.random() < 0.4:
            said = [(GenerationId(image), tag) for tag in range(1, len(TAGS) + 2)]
            tx.run("DELETE FROM tag_assertions WHERE generation_id = :image", image=image)
            image_tag_queries.derive_pairs(tx, said)
        self._tag_one(tx, image)

    def _relate(self, tx: WriteTx) -> None:
        """Cats are persons, or are not; the feline is a cat, or itself."""
        feline, cat, person = TagId(len(TAGS) + 1), TagId(5), TagId(4)
        if self.chance.random() < 0.5:
            if not relation_queries.remove_implication(tx, cat, person):
                relation_queries.add_implication(tx, cat, person)
        elif not relation_queries.remove_alias(tx, feline):
            relation_queries.add_alias(tx, feline, cat)
        image_tag_queries.derive_relations(tx)

    def _tag_one(self, tx: WriteTx, image: int) -> None:
        tag = TagId(self.chance.randrange(1, len(TAGS) + 2))
        say = assertion_queries.assign_tag if self.chance.random() < 0.8 else assertion_queries.reject_tag
        say(tx, tag, [GenerationId(image)], now_ms=0)
        image_tag_queries.derive_pairs(tx, [(GenerationId(image), tag)])

    def _use(self, tx: WriteTx) -> None:
        image = self._some()
        if self.chance.random() < 0.5:
            tx.run("DELETE FROM generation_models WHERE generation_id = :image", image=image)
        self._use_one(tx, image)
        self._changed(tx, image)

    def _use_one(self, tx: WriteTx, image: int) -> None:
        role, model = self.chance.choice((("lora", 5), ("lora", 6), ("lora", 7), ("lora", 8), ("vae", 9)))
        tx.run(
            """
            INSERT INTO generation_models (generation_id, model_id, role, weight)
            VALUES (:image, :model, :role, :weight) ON CONFLICT DO NOTHING
            """,
            image=image, model=model, role=role, weight=self.chance.choice((None, 0.5, 0.8, 1.0, -0.3)),
        )  # fmt: skip

    def _collect(self, tx: WriteTx) -> None:
        """Some images come into a collection, go out of it, or change places in it."""
        collection = self.chance.randrange(1, 4)
        some = [GenerationId(self._some()) for _ in range(self.chance.randrange(1, 4))]
        match self.chance.randrange(4):
            case 0:
                collection_queries.remove_items(tx, collection, some)
            case 1:
                collection_queries.place_items(tx, collection, some, 0.0, self.chance.choice((1.0, 9.0)))
            case _:
                collection_queries.add_items(tx, collection, some, now_ms=0)
        tx.changes.collections.add(collection)

    def _search_otherwise(self, tx: WriteTx) -> None:
        """A smart collection becomes another, or a manual one for a while."""
        query = self.chance.choice(("storm", "collection:best", "in:b -in:a", None))
        collection_queries.set_query(tx, 4, query, now_ms=0)

    def _trash(self, tx: WriteTx) -> None:
        """Some images are excluded instead, which hides them too."""
        image = self._some()
        if image % 2:
            tx.run("UPDATE generations SET excluded_at = 1 WHERE id = :image", image=image)
        else:
            tx.run("UPDATE generations SET deleted_at = 1, purge_after = 2 WHERE id = :image", image=image)
        image_tag_queries.derive_images(tx, [GenerationId(image)])
        tx.changes.removed.append(GenerationId(image))
        self.images.remove(image)
        self.trashed.append(image)

    def _restore(self, tx: WriteTx) -> None:
        image = self.chance.choice(self.trashed)
        tx.run(
            "UPDATE generations SET excluded_at = NULL, deleted_at = NULL, purge_after = NULL WHERE id = :image",
            image=image,
        )
        image_tag_queries.derive_images(tx, [GenerationId(image)])
        tx.changes.added.append(GenerationId(image))
        self.trashed.remove(image)
        self.images.append(image)

    def _delete(self, tx: WriteTx) -> None:
        image = self._some()
        tx.run("DELETE FROM generations WHERE id = :image", image=image)
        tx.changes.removed.append(GenerationId(image))
        self.images.remove(image)

    def _move_in_time(self, tx: WriteTx) -> None:
        image, later = self._some(), self._free_id()
        tx.run("UPDATE generations SET id = :later WHERE id = :image", later=later, image=image)
        tx.changes.removed.append(GenerationId(image))
        tx.changes.added.append(GenerationId(later))
        self.images[self.images.index(image)] = later

    def _new_file(self, tx: WriteTx) -> None:
        image = self._some()
        tx.run("DELETE FROM generation_files WHERE generation_id = :image", image=image)
        self._insert_file(tx, image)
        self._changed(tx, image)

    def _lose(self, tx: WriteTx) -> None:
        image = self._some()
        missing = self.chance.choice((None, 1))
        tx.run("UPDATE generations SET missing_at = :missing WHERE id = :image", missing=missing, image=image)
        self._changed(tx, image)

    def _keep_texts(self, tx: WriteTx) -> None:
        image = self._some()
        text = self.chance.choice(('[["tEXt", "workflow", "{}"]]', '[["tEXt", "parameters", "a"]]'))
        tx.run(
            """
            INSERT INTO raw_metadata (generation_id, content) VALUES (:image, :content)
                ON CONFLICT (generation_id) DO UPDATE SET content = excluded.content
            """,
            image=image, content=zlib.compress(text.encode()),
        )  # fmt: skip
        self._changed(tx, image)

    def _look(self, tx: WriteTx) -> None:
        """At a picture that several images may share."""
        content_hash = bytes([self.chance.randrange(6)]) * 32
        tx.run(
            "UPDATE generation_files SET blake3 = :hash WHERE generation_id = :image",
            hash=content_hash,
            image=self._some(),
        )
        score = self.chance.choice((0.0, 0.25, 0.7, 1.0))
        tx.changes.changed += image_vectors.save_vectors(tx, [content_hash], [score], {})

    # -- questions ----------------------------------------------------------------------------

    def query(self) -> Query:
        where = None if self.chance.random() < 0.05 else self._node(3)
        orders = [order for order in Order if order is not Order.SIMILARITY]
        sort = self.chance.choice((None, None, *map(Sort, orders), Sort(Order.RANDOM, 42)))
        similar = self.chance.choice((None, None, None, SimilarMeaning("sad robot")))
        known = ComputedImages(self._some_ids() if similar else None, self._some_ids())
        return Query(where, sort, similar, known)

    def _some_ids(self) -> tuple[int, ...]:
        """Of live images, of some in the Trash and of some that are gone, in any order."""
        ids = self.database.read(lambda tx: tx.column("SELECT id FROM generations ORDER BY id")) + [7]
        return tuple(self.chance.sample(ids, self.chance.randrange(len(ids) + 1)))

    def _node(self, depth: int) -> Node:
        kind = self.chance.random()
        if depth == 0 or kind < 0.45:
            return self._term()
        if kind < 0.6:
            return negate(self._node(depth - 1))
        parts = [self._node(depth - 1) for _ in range(self.chance.randrange(2, 4))]
        return any_of(parts) if kind > 0.85 else all_of(parts)

    def _term(self) -> Node:
        pick = self.chance.choice
        amounts = (
            (Field.RATING, 0, 5),
            (Field.STEPS, 0, 40),
            (Field.CFG, 0, 8),
            (Field.MP, 0, 3),
            (Field.EXPLICIT, 0, 1),
        )
        column, low, high = pick(amounts)
        low_end, high_end = sorted((self._amount(low, high), self._amount(low, high)))
        interval = pick((Interval(low_end, high_end), Interval(low=low_end), Interval(high=high_end),
                         Interval(low=low_end, without_low=True), Interval(low_end, low_end)))  # fmt: skip
        weight = pick(
            (None, None, Interval(0.5), Interval(0.5, without_low=True), Interval(0.8, 0.8), Interval(None, 0.5))
        )
        return pick((
            Text(pick(SOUGHT)), Text(pick(SOUGHT)),
            Text(pick(SOUGHT), pick((Field.PROMPT, Field.NEGATIVE, Field.NOTES))),
            NamedValue(Field.TAG, pick((*TAGS, "Long Hair", "feline", "unknown", "*", "*a*"))),
            NamedValue(Field.TAG, pick(TAGS)),
            NamedValue(
                Field.COLLECTION, pick(("best", "BEST", "for the wall", "for the*", "Stormy", "e", "nothing", "*"))
            ),
            NamedValue(Field.COLLECTION, pick(("a", "b", "c", "d"))),
            NamedValue(Field.MODEL, pick((*MODELS, "FLUX1-DEV", "sd*", "sd xl base", "none", "*l"))),
            NamedValue(Field.LORA, pick((*LORAS, "film*", "none")), weight),
            NamedValue(Field.VAE, pick(("ae", "AE", "b"))),
            NamedValue(Field.SAMPLER, pick(("euler", "euler a", "DPM*", "*", "dpm++ 2m"))),
            NamedValue(Field.ENGINE, pick(("comfyui", "a1111", "c*"))),
            NamedValue(Field.PATH, pick(("2026", "2026/08", "2026/*", "art [1]", "/pictures", "/pictures/art/2026",
                                    "*/upscaled", "none", "2026/0", "grids"))),
            NamedValue(Field.SEED, pick([seed for seed in SEEDS if seed])),
            NamedValue(Field.ID, f"{self.chance.randrange(1, self.made + 2):08x}"),
            Number(column, interval), Number(column, interval),
            MadeBetween(pick(("2022", "2023-01", None)), "2023-06"),
            MadeBetween("2022-09", None),
            MadeBetween("2023", "2023"),
            AddedBetween(pick(("2021-12-31", "2022", None)), "2023-11"),
            AddedBetween(pick(("2022", "30d", "1h")), None),
            Size(pick(("=", ">=", "<=", ">", "<")), *pick(((1024, 1024), (832, 1216), (500, 500), (0, 0)))),
            Ratio(16, 9), Ratio(2, 3), HasShape(pick(list(Shape))), Is(pick(list(State))), Has(pick(list(Thing))),
        ))  # fmt: skip

    def _amount(self, low: int, high: int) -> float:
        return self.chance.choice((low, high, self.chance.randrange(low, high + 1), 7 if high > 6 else 1))
