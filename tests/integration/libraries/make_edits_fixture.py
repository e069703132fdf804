# ruff: noqa: E402, PT018
"""Made `edits-schema-10.db.gz` and `edits-schema-10.json`, with the code of commit d7fe548. Never run again: stored
libraries do not change.

    python tests/integration/libraries/make_edits_fixture.py
"""

import gzip
import importlib.util
import json
import random
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import apsw

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.rows import add_images, name_of

from mysticanvas import orchestrator
from mysticanvas.cli.client import _InProcessClient
from mysticanvas.domain.generation import InputImage, InputRole, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.domain.tag import Assertion, TagSource
from mysticanvas.library import carrying_on, deeds, lineage, tag_scripts, vocabulary
from mysticanvas.settings import Settings
from mysticanvas.store import assertions, models, operations, postings, preferences
from mysticanvas.store.database import Database, WriteTx

EXPECTED = HERE / "edits-schema-10.json"
if not EXPECTED.exists():
    EXPECTED.write_text("{}")
_spec = importlib.util.spec_from_file_location("edits", HERE.parent / "test_edits_of_older_libraries.py")
assert _spec and _spec.loader
TESTS: Any = importlib.util.module_from_spec(_spec)
sys.modules["edits"] = TESTS
_spec.loader.exec_module(TESTS)

START_MS = 1_795_800_000_000
IMAGES = 1_100

STYLES = """name,prompt,negative_prompt
Film,"{prompt}, film grain, 35 mm",digital
--- portraits ---,,
Ink,"ink drawing of {prompt}",
"""
SCRIPT = """# the vocabulary in one edit
tag fox : animal
tag heron
alias vixen -> red fox
imply heron -> bird
unimply red fox -> animal
rename plain -> plain background
merge foxlike -> red fox
retag snow -> winter
split snow and ice -> snow, ice
unalias kitsune
delete blot
threshold vision 0.4
threshold vision 0.6 : snow
threshold llm none
"""
UNFINISHED = """tag dawn : time
retag everywhere -> all around
imply all around -> place
split all around -> left, right
"""


class Clock:
    ms = START_MS

    def __call__(self) -> int:
        return self.ms


class Editor:
    """Does edits by HTTP; the clock goes on a minute with each, so that equal runs are equal."""

    def __init__(self, database: Database, client: Any, clock: Clock) -> None:
        self.database, self._client, self._clock = database, client, clock
        # What there was before each edit, which its undo is to bring back.
        self.before: dict[int, dict[str, str]] = {}

    def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        self._clock.ms += 60_000
        before = self.state()
        done = self._client.post(f"/api/{path}", body)
        if "operation" in done:
            self.before.setdefault(done["operation"], before)
            while done["state"] in ("applying", "undoing", "redoing"):
                done |= self._client.get(f"/api/operations/{done['operation']}", wait=5)
            assert done["state"] == "undone" or done["changed"] > 0, (path, body, done)
        self.derive()
        return done

    def bulk(self, images: list[str] | str, **marks: Any) -> dict[str, Any]:
        which = {"query": images} if isinstance(images, str) else {"uuids": images}
        return self("bulk", **which, set=marks)

    def tags(self, do: str, **args: Any) -> dict[str, Any]:
        return self("tags", do=do, **args)

    def state(self) -> dict[str, str]:
        def dump(tx: Any) -> dict[str, list[list[Any]]]:
            return {name: [list(row) for row in tx.rows(sql)] for name, sql in TESTS.DUMPED.items()}

        return TESTS.summary(self.database.read(dump))

    def derive(self) -> None:
        while self.database.read(postings.next_work) is not None:
            self.database.write_bulk(postings.carry_on, limit=5_000)


def say(tx: WriteTx, source: TagSource, run: str, name: str, images: list[Any], confidence: float) -> None:
    """As a machine says it."""
    tag = vocabulary.find_or_propose(tx, name, source, now_ms=START_MS)
    assert tag is not None
    said = [
        (image, tag, Assertion(source, decision=True, confidence=confidence - n % 5 / 10, run=run))
        for n, image in enumerate(images)
    ]
    assertions.record(tx, said, now_ms=START_MS)
    postings.derive_pairs(tx, [(image, tag) for image in images])


def prepare(tx: WriteTx, images: list[Any]) -> None:
    say(tx, TagSource.LLM, "llama 1", "fox", images[20:60], 0.9)
    say(tx, TagSource.LLM, "llama 1", "canine", images[20:40], 0.8)
    say(tx, TagSource.LLM, "llama 1", "dusk", images[30:50], 0.7)
    say(tx, TagSource.LLM, "llama 1", "blurry fox", images[30:50], 0.7)
    say(tx, TagSource.LLM, "llama 1", "blot", images[50:80], 0.9)
    say(tx, TagSource.VISION, "wd 3", "snow", images[:100], 0.9)
    say(tx, TagSource.VISION, "wd 3", "grainy", images[:100], 0.9)
    say(tx, TagSource.IMPORT, "", "snow and ice", images[80:120], 1.0)
    for name in ("dreamer_v2", "dreamer-final"):
        models.find_or_add(tx, ModelUse(ModelKind.CHECKPOINT, name=name), now_ms=START_MS)
    lineage.note_anew(tx, images[500], Recipe(inputs=(InputImage(InputRole.SOURCE, name="400.png"),)), now_ms=START_MS)
    preferences.put(tx, "trash.days", 3_650)


def edit_images(edit: Editor, ids: list[Any], names: list[str]) -> None:
    edit.bulk(names[:5], favorite=True)
    edit.bulk(names[:2], favorite=False)
    edit.bulk(names[:6], rating=4)
    edit.bulk(names[:1], rating=0)
    edit.bulk("", rating=3)
    edit.bulk(names[10:14], notes='Schöner Fuchs, 雪の中 🦊\n"second line"')
    edit.bulk(names[10:11], notes=None)
    edit.bulk(names[700:1050], notes="a batch")
    undone = edit.bulk(names[1090:], rating=5)["operation"]
    edit(f"undo/{undone}")
    edit.bulk(names[:30], tags={"add": ["Fox", "snow"]})
    edit.bulk(names[15:25], tags={"remove": ["fox", "no such tag"]})
    edit.bulk(names[:3], tags={"reject": ["snow"]})
    edit.bulk(names[40:44], tags={"add": ["kitsune", "heron"], "remove": ["fox"], "reject": ["snow"]})
    edit.bulk(names[:600], tags={"add": ["everywhere"]})
    edit._clock.ms += 60_000
    args = {"forget": ["snow"], "add": ["forgotten"]}
    edit.database.write(deeds.do, "tag", args, ids[:2], now_ms=edit._clock.ms)


def edit_tags(edit: Editor, ids: list[Any], names: list[str]) -> None:
    edit.tags("create", name="Red Panda", category="animal")
    edit.tags("create", name="plain", category=None)
    edit.tags("create", name="machine said")
    # Somebody else uses it from now on, so an undo leaves it.
    edit.database.write(say, TagSource.LLM, "llama 2", "machine said", ids[:9], 0.9)
    edit("collections", name="Foxes", query="tag:fox -tag:snow rating:>=3", notes="those without snow")
    edit.tags("rename", tag="fox", to="Red Fox")
    edit.tags("category", tags=["red fox", "wolf", "animal"], category="Animal")
    edit.tags("category", tags=["wolf"], category=None)
    edit.tags("threshold", source="vision", value=0.5)
    edit.tags("threshold", source="llm", tag="red fox", value=0.75)
    edit.tags("threshold", source="vision", value=None)
    edit.tags("accept", tags=["canine", "dusk", "snow", "blot", "snow and ice"])
    edit.tags("propose", tags=["dusk"])
    edit.tags("refuse", tags=["blurry fox", "grainy"])
    edit.tags("alias", tag="kitsune", of="red fox")
    edit.tags("alias", tag="red panda", of="canine")
    edit.tags("unalias", tag="red panda")
    edit.tags("category", tags=["season"], category="time")
    edit.tags("category", tags=["mammal"], category="class")
    edit.tags("alias", tag="season", of="mammal", across=True)
    edit.tags("imply", tag="red fox", implies="animal")
    edit.tags("imply", tag="canine", implies="mammal")
    edit.tags("unimply", tag="canine", implies="mammal")
    edit.bulk(names[60:90], tags={"add": ["foxlike", "silver fox", "old word"]})
    edit.tags("merge", tag="silver fox", to="red fox")
    edit.tags("retag", tag="old word", to="new word")
    edit.tags("retag", tag="new word", to=["word a", "word b"])
    edit.tags("split", tag="canine", to=["dog", "wolf"])
    edit.tags("delete", tag="word b")
    edit("tags/script", text=SCRIPT)


def edit_collections(edit: Editor, names: list[str]) -> None:
    best = edit("collections", name="Best", notes="the best")["uuid"]
    inner = edit("collections", name="For the wall", parent=best)["uuid"]
    smart = edit("collections", name="Red", query='collection:Best tag:"red fox"')["uuid"]
    edit.bulk(names[:10], collect=best)
    edit.bulk("", collect=inner)
    edit.bulk(names[3:5], uncollect=best)
    edit(f"collections/{best}/reorder", images=[names[9], names[8]], before=names[0])
    edit(f"collections/{best}/reorder", images=[names[1]])
    edit(f"collections/{best}", name="The best", notes="all of them", cover=names[7])
    edit(f"collections/{best}", cover=None)
    edit(f"collections/{inner}", parent=None, position=-1.5)
    edit(f"collections/{smart}", query='tag:"red fox" rating:3')
    edit(f"collections/{smart}/freeze")
    edit(f"collections/{inner}/delete")


def edit_templates(edit: Editor, names: list[str]) -> None:
    made = edit(
        "templates", name="Portrait", content="a {portrait|bust} of __who__, ${mood:calm}", negative="blurry",
        params={"steps": 30, "cfg_scale": 6.5, "sampler": "Euler a"}, category="people", preview=names[3],
    )["uuid"]  # fmt: skip
    other = edit("templates", name="Like this one", image=FIRST_VERSION_IMAGE)["uuid"]
    edit(f"templates/{made}", name="Portrait 2", params={"steps": 40}, category=None)
    edit(f"templates/{made}", content="a bust of __who__", negative=None, preview=None)
    edit(f"templates/{other}/delete")
    edit("templates/styles", text=STYLES)
    edit("wildcards", name="who", content="a fox\na heron\n# nobody\n")
    edit("wildcards", name="who", content="a wolf\n")
    edit("wildcards", name="places/north", content="Norway\n")
    edit("wildcards", name="who", content=None)


def edit_the_rest(edit: Editor, names: list[str]) -> None:
    edit("models/merge", keep=1, other=4)
    edit("models/merge", keep=5, other=1)
    edit(f"generations/{names[500]}/parent", parent=names[450], relation="upscale")
    edit(f"generations/{names[501]}/parent", parent=names[500])
    edit(f"generations/{names[500]}/parent", parent=None)
    edit("duplicates/keep", kept=names[40], others=names[10:12])
    edit("duplicates/keep", kept=names[200], others=names[201:431])
    edit.bulk(names[0:3], trash=True)
    edit.bulk(names[600:900], trash=True)
    edit.bulk(names[0:1], trash=False)
    edit("trash/restore", uuids=names[600:850])
    undone = edit.bulk(names[950:960], tags={"add": ["left undone"], "reject": ["snow"]})["operation"]
    edit(f"undo/{undone}")


def leave_unfinished(database: Database, ids: list[Any], now_ms: int) -> None:
    """As a kill leaves it: one half way, one that has not begun, one that cannot be done."""

    def begin(kind: str, steps: Any, images: Any) -> int:
        return database.write(deeds.begin, kind, steps, images, now_ms=now_ms)

    half = begin("tag.script", tag_scripts.steps(tag_scripts.parse(UNFINISHED)), None)
    for _ in range(3):
        assert database.write(deeds.carry_on, half, limit=100, now_ms=now_ms)
    at = database.read(operations.progress, half)
    assert at is not None and (at.step, at.next) == (1, 200), at
    begin("favorite", [("favorite", {"value": True})], ids[:1_050])
    begin("tag.script", tag_scripts.steps(tag_scripts.parse("unalias nothing at all")), None)


def make(folder: Path, clock: Clock) -> dict[int, dict[str, str]]:
    with Database.open(folder) as database:
        ids = add_images(database, IMAGES)
        database.write(prepare, ids)
    names = [name_of(n) for n in range(IMAGES)]
    settings = Settings(library=folder, workers=1)
    with orchestrator.Orchestrator(settings, serving=False) as running, _InProcessClient(running, settings) as client:
        edit = Editor(running.database, client, clock)
        edit_images(edit, ids, names)
        edit_tags(edit, ids, names)
        edit_collections(edit, names)
        edit_templates(edit, names)
        edit_the_rest(edit, names)
    with Database.open(folder) as database:
        leave_unfinished(database, ids, clock.ms)
    return edit.before


def pack(folder: Path, target: Path) -> None:
    connection = apsw.Connection(str(folder / "mysticanvas.db"))
    for sql in (
        "DELETE FROM settings WHERE name GLOB 'journal.*'", "DELETE FROM events", "DELETE FROM jobs",
        "PRAGMA journal_mode = DELETE", "VACUUM",
    ):  # fmt: skip
        connection.execute(sql).fetchall()
    connection.close()
    target.write_bytes(gzip.compress((folder / "mysticanvas.db").read_bytes(), 9, mtime=0))


def readable(tables: dict[str, list[list[Any]]]) -> dict[str, list[list[Any]]]:
    """Those that are short enough to be read."""
    return {name: rows for name, rows in tables.items() if len(rows) <= 60}


def pretty(value: Any, indent: str = "") -> str:
    """JSON with a row a line."""
    more = indent + " "
    if isinstance(value, dict) and value and not all(isinstance(one, str) for one in value.values()):
        inner = [f"{more}{json.dumps(name)}: {pretty(one, more)}" for name, one in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(one, list | dict) for one in value):
        return "[\n" + ",\n".join(more + json.dumps(one, ensure_ascii=False) for one in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def walk(folder: Path, tests: Any, now_ms: int, made: dict[int, dict[str, str]]) -> dict[str, Any]:
    """What this version makes of the library that is there."""
    found: dict[str, Any] = {"now_ms": now_ms, "readable": {}}
    tests.EXPECTED = found
    with tests.open_library(folder) as library:
        kinds = {edit.id: edit.kind for edit in library.history()}
        moving = [edit.id for edit in library.history() if edit.state == "applying"]
        found["finished"] = {str(edit): library.finish(edit) for edit in moving}
        [found["refused"]] = [edit.id for edit in library.history() if edit.trouble]
        tables = library.dump()
        now = found["opened"] = tests.summary(tables)
        found["readable"]["opened"] = readable(tables)

        def moved(how: Any) -> list[dict[str, Any]]:
            nonlocal now
            steps: list[dict[str, Any]] = []
            while True:
                try:
                    edit, state = how()
                except tests.NotFoundError:
                    return steps
                if edit == found["refused"]:
                    return steps
                before, now = now, tests.summary(library.dump())
                changes = {name: said for name, said in now.items() if said != before[name]}
                steps.append({"edit": edit, "kind": kinds[edit], "changes": changes})
                other = [n for n in now if made.get(edit, now)[n] != now[n]] if how == library.undo else []
                print(how.__name__, edit, state, sorted(changes), "UNLIKE BEFORE IT:" if other else "", *other)

        found["undo"] = moved(library.undo)
        found["readable"]["all undone"] = readable(library.dump())
        found["redo"] = moved(library.redo)
        found["readable"]["all redone"] = readable(library.dump())
        print("broken:", library.broken_checks())
        print("as before:", now == found["opened"], {k for k in now if now[k] != found["opened"][k]})
    return found


def main() -> None:
    global FIRST_VERSION_IMAGE
    clock, chance = Clock(), random.Random(10)
    orchestrator.now_ms = clock  # type: ignore[assignment]
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    carrying_on.SMALLEST_SLICE = carrying_on.LARGEST_SLICE = carrying_on.FIRST_SLICE = 200
    target = HERE / "edits-schema-10.db.gz"
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at)
        (folder / "mysticanvas.db").write_bytes(gzip.decompress((HERE / "schema-1.db.gz").read_bytes()))
        connection = apsw.Connection(str(folder / "mysticanvas.db"))
        FIRST_VERSION_IMAGE = next(connection.execute("SELECT uuid FROM generations ORDER BY id LIMIT 1"))[0]
        connection.close()
        before = make(folder, clock)
        pack(folder, target)
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at)
        (folder / "mysticanvas.db").write_bytes(gzip.decompress(target.read_bytes()))
        found = walk(folder, TESTS, clock.ms + 60_000, before)
        EXPECTED.write_text(pretty(found) + "\n", "utf-8")
    print(target.stat().st_size, EXPECTED.stat().st_size)


if __name__ == "__main__":
    main()
