"""What is found, by the words and names a person would type; from SQL, and from the index."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests import edits as test_edits
from tests.libraries import FIRST_S, add_image, add_tag

from mysticanvas.db.connections import READ_CANCELLED
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import TimeLimitError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Field
from mysticanvas.edits import undo as edit_undo
from mysticanvas.features.tags import image_tag_queries
from mysticanvas.search import autocomplete, highlight, language, paging
from mysticanvas.search import index as index_module
from mysticanvas.search import resolve as search_resolve
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index, NotWarmError
from mysticanvas.search.index_state import IndexState
from mysticanvas.search.snapshots import Snapshots, find_position, read_items
from mysticanvas.search.statistics import compute_statistics

PROMPTS = {
    "cyrillic": "Привет, мир",
    "chinese": "城市夜景",
    "japanese": "夜のさくら、ガラスの靴",
    "french": "un café au bord de la mer",
    "decomposed": "une cafe\u0301tie\u0300re",
    "weighted": "(masterpiece:1.2), best quality, violet storm over the sea",
    "lora": "a knight <lora:x:0.8> in armour",
    "far apart": "a lighthouse, waves, and far behind it a ship",
    "nested": "((red:1.1) hair:1.2), [dawn:dusk:0.5], __colour__",
    "german": "Straße bei Nacht",
    "arabic": "مُحَمَّد",
    "hindi": "हिन्दी मुम्बई",
    "thai": "ภาษาไทยสวยงาม",
    "korean": "서울의 야경입니다",
}


@pytest.fixture(params=["sql", "index"])
def finder(request: pytest.FixtureRequest, database: Database) -> Iterator[Finder]:
    """Over one image a prompt, an hour apart, the last the newest."""

    def fill(tx: WriteTx) -> None:
        for number, prompt in enumerate(PROMPTS.values()):
            add_image(tx, FIRST_S + number * 3_600, prompt=prompt)

    database.write(fill)
    if request.param == "sql":
        yield Finder(database)
        return
    with Index(database) as index:
        index.build()
        yield Finder(database, index)


@pytest.mark.parametrize("how", ["at once", "in slices"])
def test_a_tag_is_found_by_all_that_leads_to_it(
    database: Database, finder: Finder, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(image_tag_queries, "AT_ONCE", 300 if how == "at once" else 0)
    image = GenerationId(FIRST_S << 8)

    def do(kind: str, **args: object) -> int:
        done = database.write(test_edits.do, kind, args, [image] if kind == "tag" else [], now_ms=1).operation
        while database.write(image_tag_queries.run_slice, limit=1):
            pass
        return done

    do("tag", add=["feline"])
    assert found(finder, "tag:feline") == {"cyrillic"}
    assert found(finder, "tag:cat") == set()
    alias = do("tag.alias", tag="feline", of="cat")
    do("tag.imply", tag="cat", implies="living_being")
    for name in ("tag:feline", "tag:CAT", 'tag:"living being"', "tag:living_*", "has:tag tag:feli*"):
        assert found(finder, name) == {"cyrillic"}, name
    refused = do("tag", reject=["living being"])
    assert (found(finder, "tag:cat"), found(finder, "tag:living_being")) == ({"cyrillic"}, set())
    database.write(edit_undo.undo, refused)
    assert found(finder, "tag:living_being") == {"cyrillic"}
    database.write(edit_undo.undo, alias)
    while database.write(image_tag_queries.run_slice, limit=1):
        pass
    assert (found(finder, "tag:feline"), found(finder, "tag:cat")) == ({"cyrillic"}, set())
    trashed = database.write(test_edits.do, "trash", {}, [image], now_ms=2).operation
    assert found(finder, "tag:feline") == set()
    database.write(edit_undo.undo, trashed)
    assert found(finder, "tag:feline") == {"cyrillic"}


def found(finder: Finder, text: str) -> set[str]:
    by_id = {((FIRST_S + number * 3_600) << 8): name for number, name in enumerate(PROMPTS)}
    query = language.parse(text)
    names = {by_id[image] for image in finder.all(query).ids.tolist()}
    assert finder.count(query) == len(names)
    assert {by_id[hit.id] for hit in finder.page(query, after=None, limit=50)} == names
    return names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("привет", {"cyrillic"}),
        ("ПРИВЕТ МИР", {"cyrillic"}),
        ("夜景", {"chinese"}),
        ("市夜", {"chinese"}),
        ("さくら", {"japanese"}),
        ("ラスの", {"japanese"}),
        ("夜", {"chinese", "japanese"}),
        ("cafe", {"french"}),
        ("CAFÉ", {"french"}),
        ("cafetiere", {"decomposed"}),
        ("masterpiece", {"weighted"}),
        ("lora", set()),
        ("1.2", set()),
        ('"masterpiece best"', {"weighted"}),
        ("lighthouse ship", {"far apart"}),
        ('"lighthouse ship"', set()),
        ('"over the sea" violet', {"weighted"}),
        ("red hair dusk", {"nested"}),
        ('"red hair"', {"nested"}),
        ("colour", {"nested"}),
        ("strasse", {"german"}),
        ("محمد", {"arabic"}),
        ("हिन्दी", {"hindi"}),
        ("हिन्द", set()),
        ("ไทย", {"thai"}),
        ("야경", {"korean"}),
        ("knight -lora", {"lora"}),
        ("knight OR ship", {"lora", "far apart"}),
        ("(knight OR ship) -armour", {"far apart"}),
        ("prompt:knight", {"lora"}),
        ("negative:knight", set()),
        ("storm -prompt:sea", set()),
    ],
)
def test_words_find_what_they_should(finder: Finder, text: str, names: set[str]) -> None:
    assert found(finder, text) == names


def test_a_tag_named_or_can_be_searched(finder: Finder, database: Database) -> None:
    database.write(add_tag, "or", (FIRST_S + 3_600) << 8)
    assert found(finder, "tag:or") == {"chinese"}
    assert found(finder, "tag:or OR café") == {"chinese", "french"}


def test_text_of_punctuation_finds_everything(finder: Finder) -> None:
    assert found(finder, "...") == set(PROMPTS)


def test_relevance_puts_the_better_match_first(finder: Finder, database: Database) -> None:
    def fill(tx: WriteTx) -> tuple[int, int]:
        worse = add_image(tx, FIRST_S + 99_000, prompt="harbour " + "with many other words " * 10)
        return add_image(tx, FIRST_S + 98_000, prompt="harbour, harbour"), worse

    best, worse = database.write(fill)
    assert finder.all(language.parse("harbour sort:relevance")).ids.tolist() == [best, worse]
    assert finder.all(language.parse("harbour")).ids.tolist() == [worse, best]


def test_a_new_image_is_found_by_its_own_words_at_once(finder: Finder, database: Database) -> None:
    """S6, also for words that were asked before it came."""
    query = language.parse("quixotic armadillo")
    assert finder.count(query) == 0
    image = database.write(add_image, FIRST_S + 500_000, prompt="a quixotic (armadillo:1.3)")
    assert finder.all(query).ids.tolist() == [image]


def test_a_snapshot_stays_and_counts_what_has_arrived(database: Database) -> None:
    database.write(lambda tx: [add_image(tx, FIRST_S + n, prompt="sea") for n in range(5)])
    with Index(database) as index:
        index.build()
        snapshots = Snapshots(database, index)
        snapshot = snapshots.open("sea")
        # Older than all that is shown, and yet new.
        database.write(add_image, FIRST_S - 1_000, prompt="sea")
        database.write(add_image, FIRST_S + 1_000, prompt="sky")
        assert (snapshots.count_newer(snapshot), snapshot.total) == (1, 5)
        assert snapshots.open("sea").total == 6
        page = database.read(read_items, snapshot, 1, 2)
        assert page["prompt"] == ["sea", "sea"]
        assert find_position(snapshot, snapshot.ids[3]) == 3
        assert snapshots.select_images(snapshot, [(0, 3)], [1]) == [snapshot.ids[0], snapshot.ids[2]]


def test_a_random_order_is_chosen_once_and_written_down(database: Database) -> None:
    database.write(lambda tx: [add_image(tx, FIRST_S + n) for n in range(200)])
    snapshots = Snapshots(database)
    snapshot = snapshots.open("sort:random")
    again = snapshots.open(language.write(snapshot.query))
    assert again.ids.tolist() == snapshot.ids.tolist()
    assert sorted(again.ids.tolist()) != again.ids.tolist()


def test_a_name_that_nothing_has_is_told_with_the_nearest(finder: Finder, database: Database) -> None:
    database.write(add_tag, "lighthouse", FIRST_S << 8)
    unknown = database.read(
        search_resolve.find_unknown_names, language.parse("tag:lighthose -tag:lighthouse model:none")
    )
    assert [(u.field, u.value, u.nearest) for u in unknown] == [
        (Field.TAG, "lighthose", "lighthouse"),
        (Field.MODEL, "none", None),
    ]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("tag:li", [("tag:lighthouse", 1)]),
        ("mer tag:", [("tag:lighthouse", 1)]),
        ("-tag:light", [("-tag:lighthouse", 1)]),
        ('tag:"ligh', [("tag:lighthouse", 1)]),
        ("ligh", [("tag:lighthouse", 1)]),
        ("mod", [("model:", None)]),
        ("ns", [("nsfw:", None)]),
        ("expl", [("nsfw:", None)]),
        ("gener", [("generator:", None)]),
        ("engi", [("generator:", None)]),
        ("nsfw:", [("nsfw:<0.7", None)]),
        ("explicit:", [("nsfw:<0.7", None)]),
        ("sort:ra", [("sort:rating", None), ("sort:random", None)]),
        ("nope:x", []),
    ],
)
def test_completion_offers_fields_and_values_with_counts(
    finder: Finder, database: Database, text: str, offered: list[tuple[str, int | None]]
) -> None:
    database.write(add_tag, "lighthouse", (FIRST_S + 3 * 3_600) << 8)
    completion = autocomplete.complete(finder, text, len(text))
    assert [(offer.text, offer.count) for offer in completion.offers] == offered


def test_completion_offers_the_documented_word_for_a_favorite(finder: Finder) -> None:
    assert [offer.text for offer in autocomplete.complete(finder, "is:fav", 6).offers] == ["is:favorite"]


def test_highlights_are_the_places_in_the_text_as_written() -> None:
    prompt = PROMPTS["weighted"] + " 城市夜景"
    query = language.parse('MASTERPIECE "the sea" 夜景 -storm')
    places = highlight.highlight_text(query, prompt, Field.PROMPT)
    assert [prompt[begin:end] for begin, end in places] == ["masterpiece", "the sea", "夜景"]


def test_statistics_add_up(finder: Finder, database: Database) -> None:
    made = compute_statistics(database, finder, language.parse("-knight"))
    assert made.total == len(PROMPTS) - 1 == sum(month.count for month in made.months)
    assert made.words_of == made.total
    assert "knight" not in {word.word for word in made.words}
    assert {"lighthouse", "夜"} <= {word.word for word in made.words}


# -- walking ----------------------------------------------------------------------------------


def test_images_of_one_moment_are_walked_once_each(database: Database) -> None:
    """G1: 200 of the same second, by pages of 50."""
    database.write(lambda tx: [add_image(tx, FIRST_S, place=n) for n in range(200)])
    for text in ("", "sort:oldest", "sort:rating", "sort:size", "sort:name", "sort:random:3"):
        query = language.parse(text)
        walked: list[int] = []
        while page := database.read(paging.read_page, query, after=walked[-1] if walked else None, limit=50):
            assert len(page) == 50
            walked += [hit.id for hit in page]
        assert len(walked) == len(set(walked)) == 200, text


def _walk_while_images_arrive(database: Database, images: int, *, a_second: int) -> None:
    """Pages by keyset and slices of a snapshot: all that was there at first, once each."""
    for begin in range(0, images, 1_000):
        database.write_bulk(lambda tx, b=begin: [add_image(tx, FIRST_S + (b + n) * 7) for n in range(1_000)])
    at_first = set(database.read(lambda tx: tx.column("SELECT id FROM live_generations")))
    stop, arrived = threading.Event(), 0

    def arrive() -> None:
        nonlocal arrived
        while not stop.is_set():
            began_s = time.monotonic()
            places = range(arrived, arrived + a_second // 10)
            database.write_bulk(
                lambda tx, p=places: [add_image(tx, FIRST_S + (n * 7919) % (images * 8), place=9) for n in p]
            )
            arrived += len(places)
            stop.wait(max(0.0, 0.1 - (time.monotonic() - began_s)))

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        snapshot = Snapshots(database).open("")
        walked: list[int] = []
        shown: list[str] = []
        while page := database.read(
            paging.read_page, language.parse(""), after=walked[-1] if walked else None, limit=500
        ):
            walked += [hit.id for hit in page]
        for start in range(0, snapshot.total, 500):
            shown += database.read(read_items, snapshot, start, 500)["uuid"]
    finally:
        stop.set()
        thread.join()
    assert arrived > 0
    assert len(walked) == len(set(walked))
    assert at_first <= set(walked)
    assert at_first <= set(snapshot.ids.tolist())
    assert len(shown) == len(set(shown)) == snapshot.total


def test_nothing_is_lost_or_repeated_while_images_arrive(database: Database) -> None:
    """G1, with twenty thousand; `images * 8 * 7` places keep the arrivals apart."""
    _walk_while_images_arrive(database, 20_000, a_second=1_000)


@pytest.mark.long
def test_nothing_is_lost_or_repeated_among_a_hundred_thousand(database: Database) -> None:
    _walk_while_images_arrive(database, 100_000, a_second=1_000)


# -- giving up --------------------------------------------------------------------------------


def test_a_read_ends_when_nobody_wants_it(database: Database) -> None:
    def endless(tx: ReadTx) -> object:
        return tx.value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    class GoneAtTheThirdLook(threading.Event):
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    gone = GoneAtTheThirdLook()
    token = READ_CANCELLED.set(gone)
    try:
        with pytest.raises(TimeLimitError):
            database.read_within(60_000, endless)
    finally:
        READ_CANCELLED.reset(token)
    assert gone.looks == 3


def test_the_index_is_whole_after_somebody_gave_up(database: Database) -> None:
    database.write(lambda tx: [add_image(tx, FIRST_S + n, prompt="sea") for n in range(50)])
    with Index(database) as index:
        index.build()
        database.write(add_image, FIRST_S + 99, prompt="sea")
        gone = threading.Event()
        gone.set()
        token = READ_CANCELLED.set(gone)
        try:
            index.count(language.parse("size:832x1216"))
        except TimeLimitError:
            pass
        finally:
            READ_CANCELLED.reset(token)
        assert index.warm
        assert index.count(language.parse("sea")) == 51


def test_the_index_is_built_in_the_background_and_follows(database: Database, tmp_path: Path) -> None:
    with Index(database) as index:
        index.start()
        finder = Finder(database, index)
        for second in range(20):
            database.write(add_image, FIRST_S + second, prompt="sea")
            assert finder.count(language.parse("sea")) == second + 1
        deadline_s = time.monotonic() + 120
        while not index.warm and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert index.warm
        assert finder.count(language.parse("sea")) == 20


def test_what_is_committed_while_the_index_is_read_is_in_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where somebody asks meanwhile, whom SQL answers."""
    database.write(add_image, FIRST_S, prompt="sea")
    was_read, go_on = threading.Event(), threading.Event()
    read_all = IndexState.load

    def slowly(tx: ReadTx) -> IndexState:
        state = read_all(tx)
        was_read.set()
        go_on.wait(120)
        return state

    monkeypatch.setattr(IndexState, "load", slowly)
    with Index(database) as index:
        finder = Finder(database, index)
        index.start()
        assert was_read.wait(120)
        database.write(add_image, FIRST_S + 1, prompt="sea")
        assert (index.warm, finder.count(language.parse("sea"))) == (False, 2)
        go_on.set()
        while not index.warm:
            time.sleep(0.01)
        assert finder.count(language.parse("sea")) == 2


def test_an_index_told_of_very_much_is_read_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "UPDATE_BATCH", 10)
    images = database.write(lambda tx: [add_image(tx, FIRST_S + n, prompt="sea") for n in range(40)])
    with Index(database) as index:
        index.build()
        finder = Finder(database, index)

        def rate_all(tx: WriteTx) -> None:
            tx.run("UPDATE generations SET rating = 5")
            tx.changes.changed.extend(images)

        database.write(rate_all)
        assert finder.count(language.parse("rating:5")) == 40
        assert not index.warm
        index.build()
        assert index.count(language.parse("rating:5")) == 40


def test_an_index_does_not_grow_by_images_that_came_and_went(database: Database) -> None:
    stay, at_a_time, rounds = 100, 1_000, 6

    def come(tx: WriteTx, first_s: int, count: int) -> list[GenerationId]:
        return [add_image(tx, first_s + n, prompt="sea") for n in range(count)]

    def go(tx: WriteTx, images: list[GenerationId]) -> None:
        tx.run("DELETE FROM generations WHERE id BETWEEN :first AND :last", first=images[0], last=images[-1])
        tx.changes.removed.extend(images)

    def positions(index: Index) -> int:
        """Once it is warm."""
        deadline_s = time.monotonic() + 120
        while time.monotonic() < deadline_s:
            with suppress(NotWarmError):
                return index.ask(lambda _, state: state.columns.count)
            time.sleep(0.01)
        raise TimeoutError("the index did not become warm")

    database.write(come, FIRST_S, stay)
    with Index(database) as index:
        index.start()
        met = []
        for number in range(1, rounds + 1):
            images = database.write(come, FIRST_S + number * 2_000, at_a_time)
            met.append(positions(index))
            database.write(go, images)
            assert positions(index) >= stay
            assert Finder(database, index).count(language.parse("sea")) == stay
        assert max(met) <= stay + index_module.MAX_REMOVED + 2 * at_a_time
        assert max(met) < stay + rounds * at_a_time
