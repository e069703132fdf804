"""Every command: it has an example, prints JSON, and answers wrong input with a suggestion. And the names of the
version before have a new one."""

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from tests.faults.serving import Served
from tests.onnx_model import write_tagger
from tests.pictures import a1111_png, write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.app.command_table import list_commands, list_entries
from mysticanvas.cli.http_client import HttpClient
from mysticanvas.domain.errors import InvalidInputError

IMAGES = 7
NAMES = sorted(command.name for command in list_commands())

# Each command of the version before, and what replaces it.
RENAMED = {
    "serve": "serve",
    "demo": "demo",
    "open": "open",
    "token show": "token show",
    "token rotate": "token rotate",
    "password": "access password",
    "import": "import",
    "inspect": "inspect",
    "search": "search",
    "doctor": "doctor",
    "undo": "undo",
    "redo": "history redo",
    "history": "history list",
    "show": "image show",
    "rate": "image rate",
    "favourite": "image favorite",
    "note": "image note",
    "tag add": "image tag",
    "tag remove": "image untag",
    "tag reject": "image reject",
    "tag list": "tag list",
    "tag alias": "tag alias",
    "tag imply": "tag imply",
    "tag merge": "tag merge",
    "tag rename": "tag rename",
    "tag delete": "tag delete",
    "tag script": "tag edit",
    "tag import": "tag import",
    "tag export": "tag export",
    "tag prompts": "tag prompts",
    "collect": "collection add",
    "collect --remove": "collection remove",
    "collect --smart": "collection create",
    "trash put": "image trash",
    "trash list": "trash list",
    "trash restore": "trash restore",
    "trash purge": "trash purge",
    "templates list": "template list",
    "templates save": "template save",
    "templates expand": "template expand",
    "templates delete": "template delete",
    "templates import": "template import",
    "templates wildcard": "template wildcard",
    "lineage": "image lineage",
    "link": "image link",
    "unlink": "image unlink",
    "models scan": "model scan",
    "models list": "model list",
    "models show": "model show",
    "models merge": "model merge",
    "duplicates": "duplicate list",
    "keep-one": "duplicate merge",
    "vision --model": "tagger enable",
    "vision --off": "tagger disable",
    "vision QUERY": "tagger run",
    "sight --on": "vision enable",
    "sight --off": "vision disable",
    "autotag": "autotag run",
    "autotag-settings": "autotag settings",
    "autotag-forget": "autotag forget",
    "verify": "library verify",
    "sidecars write": "sidecar write",
    "export --json": "library export",
    "export --whole": "library export",
    "import-library DATABASE": "library migrate",
    "import-library ARCHIVE": "library import",
    "rebuild": "library rebuild",
    "reparse": "library reparse",
    "backup now": "backup create",
    "backup list": "backup list",
    "backup restore": "backup restore",
    "events": "event list",
    "jobs status": "job status",
    "jobs list": "job list",
    "jobs show": "job show",
    "jobs pause": "job pause",
    "jobs resume": "job resume",
    "jobs retry": "job retry",
    "jobs cancel": "job cancel",
    "jobs discard": "job discard",
    "jobs prune": "job prune",
    "jobs start": "job start",
    "jobs stop": "job stop",
    "roots list": "folder list",
    "roots scan": "folder scan",
    "roots accept": "folder scan",
    "roots remove": "folder remove",
    "roots missing": "folder missing",
    "roots locate": "folder locate",
    "roots excludes": "folder exclude",
    "roots exclude": "folder exclude",
    "roots include": "folder include",
}
LISTS = (
    "search", "image list", "folder list", "tag list", "model list", "job list", "event list", "config list",
    "backup list", "history list", "trash list", "template list", "collection list",
)  # fmt: skip
# A command line for each command, in an order in which each does its job. {image}, {other} and {third} are images.
RUNS = """
    serve --no-open {pictures}
    open --no-open
    access link
    access password --forget
    token show
    import {pictures}
    inspect {file}
    search
    image list rating:0
    image show {image}
    image path {image}
    image rate 4 {image} {other}
    image favorite {image}
    image note words {image}
    image tag "fox, old name, red fox" {image} {other}
    image untag fox {other}
    image reject cat {image}
    image lineage {image}
    image link {image} {other}
    image unlink {image}
    image export {home}/images.csv
    image download {home}/copies {image}
    tag list
    tag add wolf --category animal
    tag category wolf beast
    tag threshold vision 0.5
    tag alias vixen wolf
    tag imply wolf canine
    tag merge "old name" wolf --dry-run
    tag split "red fox" red fox
    tag rename red crimson
    tag delete crimson
    tag edit {script}
    tag import {script}
    tag export
    tag prompts on
    collection create Smart rating:4
    collection to-manual Smart
    collection add Best {image}
    collection list
    collection show Best
    collection remove Best {image}
    collection rename Best Better
    collection delete Better
    history list
    history undo
    history redo
    undo
    template save Foxes "a {{red|white}} fox, {{place}}"
    template list
    template expand Foxes --set place=snow
    template import {styles}
    template wildcard color {script}
    template delete Foxes
    model scan {models}
    model list
    model show v1-5-pruned-emaonly
    model merge v1-5-pruned-emaonly another
    duplicate list --by recipe
    duplicate merge {image} {third} --accept-loss
    image trash {other}
    trash list
    trash restore --all
    trash purge --expired --dry-run
    tagger enable {tagger}
    tagger status
    tagger run rating:4 --no-wait
    tagger disable
    vision enable --no-wait
    vision status
    vision disable
    autotag settings --endpoint http://127.0.0.1:9/ --model tiny
    autotag run rating:4 --dry-run
    autotag forget tiny/1/none
    sidecar write rating:4
    folder list
    folder add {more}
    folder scan {more}
    folder missing {more}
    folder locate {missing} {moved}
    folder exclude {more} drafts/
    folder include {more} drafts/
    folder remove {more}
    job status
    job list
    job show 1
    job pause thumb
    job resume thumb
    job retry
    job cancel
    job discard
    job prune
    job start sha256
    job stop sha256
    event list
    hook add image.added "{python}" "{home}/react.py"
    hook list
    hook test {hook}
    hook disable {hook}
    hook enable {hook}
    hook confirm --yes
    hook remove {hook}
    config list
    config get port
    config set trash.days 40
    library info
    library verify
    library reparse --all
    library export {home}/library.zip
    library import {home}/library.zip --dry-run
    library migrate {home}/library.zip --dry-run
    backup create
    backup list
    backup drill
    doctor
    mcp
    demo --no-serve --count 1 --folder {home}/demo
    token rotate
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("grammar")
    write_pictures(home / "pictures", IMAGES - 1)
    (home / "pictures" / "another.png").write_bytes(a1111_png(50, model="another"))
    write_pictures(home / "more", 2, first_seed=100)
    (home / "models").mkdir()
    write_tagger(home / "tagger")
    (home / "changes.txt").write_text("tag quiet\n")
    (home / "react.py").write_text("")
    (home / "styles.csv").write_text("name,prompt,negative_prompt\nPlain,a {prompt},blurry\n")
    # Files that are moved stay missing.
    env = {**os.environ, "MYSTICANVAS_WATCH": "false"}
    server = Served(home / "library", [home / "pictures"], env=env).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


def run(library: Path | None, *words: str, text: str | None = None) -> Result:
    where = [] if library is None else ["--library", str(library)]
    return CliRunner().invoke(app, [*words, *where], input=text)


def find_help(name: str) -> str:
    done = CliRunner().invoke(app, [*name.split(), "--help"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example_and_prints_json(name: str) -> None:
    text = find_help(name)
    assert "Example" in text
    assert f"\nmysticanvas {name}" in text.replace("\n  ", "\n")
    assert "--json" in text


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_does_not_exist_is_answered_with_one_that_does(name: str) -> None:
    done = CliRunner().invoke(app, [*name.split(), "--jsn"])
    assert done.exit_code == 2
    assert "Did you mean --json" in done.output


@pytest.mark.parametrize("noun", [entry.name for entry in list_entries().values() if not entry.is_shortcut])
def test_a_verb_that_does_not_exist_is_answered_with_those_that_do(noun: str) -> None:
    verbs = [name.split()[1] for name in NAMES if name.startswith(f"{noun} ")]
    done = CliRunner().invoke(app, [noun, f"{verbs[0]}x"])
    assert (done.exit_code, f"mysticanvas {noun} {verbs[0]}" in done.output) == (2, True), done.output
    done = CliRunner().invoke(app, [noun, "qqqq"])
    assert (done.exit_code, all(verb in done.output for verb in verbs)) == (2, True), done.output


@pytest.mark.parametrize(
    ("entered", "suggested"),
    [("imgae", "image"), ("tags", "tag"), ("serch", "search"), ("favourite", "image favorite"), ("rate", "image rate")],
)
def test_a_noun_that_does_not_exist_is_answered_with_one_that_does(entered: str, suggested: str) -> None:
    done = CliRunner().invoke(app, [entered])
    assert done.exit_code == 2
    assert f"mysticanvas {suggested}" in done.output


def test_every_command_of_the_version_before_has_a_new_name() -> None:
    assert {old: new for old, new in RENAMED.items() if new not in NAMES} == {}
    shortcuts = {name for name in NAMES if " " not in name}
    nouns = {name.split()[0] for name in NAMES if " " in name}
    gone = {old.split()[0] for old in RENAMED} - shortcuts - nouns
    assert {"roots", "favourite", "keep-one", "sight", "jobs"} <= gone
    assert {name for name in gone if run(None, name, "--help").exit_code != 2} == set()


def test_every_command_does_its_job_and_prints_json(served: Served) -> None:
    home = served.library.parent
    images = [one["uuid"] for one in served.get("/api/v1/images")["items"]]
    names = {
        "home": home, "pictures": home / "pictures", "more": home / "more", "models": home / "models",
        "tagger": home / "tagger", "script": home / "changes.txt", "styles": home / "styles.csv",
        "file": next((home / "pictures").rglob("*.png")), "image": images[0], "other": images[1], "third": images[2],
        "missing": 0, "hook": "", "python": Path(sys.executable).as_posix(), "moved": home / "more" / "moved.png",
    }  # fmt: skip
    seen, wrong = set[str](), list[str]()
    for line in RUNS.strip().splitlines():
        if line.split()[:2] == ["folder", "locate"]:
            names["missing"] = lose_a_file(served, home)
        if "{hook}" in line:
            names["hook"] = json.loads(run(served.library, "hook", "list", "--json").stdout)["hooks"][0]["id"]
        words = shlex.split(line.strip().format(**names))
        name = words[0] if words[0] in NAMES else " ".join(words[:2])
        seen.add(name)
        done = run(None if name == "inspect" else served.library, *words, "--json")
        try:
            json.loads(done.stdout)
        except ValueError:
            wrong.append(f"{line.strip()}: {done.exit_code} {done.output} {done.exception!r}")
    assert "\n".join(wrong) == ""
    assert set(NAMES) - seen == {"image open", "backup restore", "library rebuild"}


def lose_a_file(served: Served, home: Path) -> int:
    """Moves a file out of its folder, and returns its number as a missing file."""
    next((home / "more").rglob("*.png")).rename(home / "moved.png")
    run(served.library, "folder", "scan", str(home / "more"), "--accept")
    [file] = json.loads(run(served.library, "folder", "missing", str(home / "more"), "--json").stdout)["files"]
    (home / "moved.png").rename(home / "more" / "moved.png")
    return int(file["id"])


def test_the_commands_that_need_the_library_for_themselves_print_json(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 1)
    library = tmp_path / "library"
    assert run(library, "import", str(tmp_path / "pictures")).exit_code == 0
    assert json.loads(run(library, "library", "rebuild", "--set-aside", "--json").stdout)["unsound"] == []
    made = json.loads(run(library, "backup", "create", "--json").stdout)
    assert json.loads(run(library, "backup", "restore", made["path"], "--json").stdout)["restored"] == made["path"]


def test_lists_print_one_object_per_line(served: Served) -> None:
    for name in LISTS:
        done = run(served.library, *name.split(), "--jsonl")
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines()), name
    assert len(run(served.library, "search", "--jsonl").stdout.splitlines()) >= IMAGES - 2


def test_words_of_a_search_may_begin_with_a_dash_and_come_last(served: Served) -> None:
    everything = set(run(served.library, "search", "--ids").stdout.split())
    with_seed = set(run(served.library, "search", "seed:1", "--ids").stdout.split())
    assert 0 < len(with_seed) < len(everything)
    assert set(run(served.library, "search", "-seed:1", "--ids").stdout.split()) == everything - with_seed
    done = run(served.library, "image", "rate", "2", "-seed:1", "fox", "--json")
    assert (
        json.loads(done.stdout)["total"]
        == json.loads(run(served.library, "search", "-seed:1 fox", "--json").stdout)["total"]
    )
    assert run(served.library, "search", "--limit", "-1").exit_code == 2
    assert "--help" in run(None, "search", "-h").stdout


def test_image_ids_are_read_from_standard_input(served: Served) -> None:
    ids = run(served.library, "search", "seed:1", "--ids").stdout
    done = run(served.library, "image", "rate", "1", "-", "--json", text=ids)
    assert (done.exit_code, json.loads(done.stdout)["total"]) == (0, len(ids.split()))
    assert run(served.library, "search", "seed:1", "--ids", "-0").stdout == ids.replace("\n", "\0")
    refused = run(served.library, "image", "rate", "1", "-", text="no id\n")
    assert isinstance(refused.exception, InvalidInputError)
    assert "search --ids" in str(refused.exception)


def test_nothing_found_is_exit_code_one(served: Served) -> None:
    assert run(served.library, "image", "rate", "1", "no-such-word").exit_code == 1
    assert "Undo" not in run(served.library, "image", "rate", "1", "no-such-word").output
    assert run(served.library, "search", "no-such-word", "--jsonl").exit_code == 1


def test_details_of_many_images_come_in_one_request(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = HttpClient._ask
    monkeypatch.setattr(
        HttpClient, "_ask", lambda self, how, path, body=None: asked.append(path) or ask(self, how, path, body)
    )
    lines = run(served.library, "search", "--detail", "--jsonl").stdout.splitlines()
    assert len(lines) >= IMAGES - 2
    assert len(asked) == 1
    image = json.loads(lines[0])
    assert all((image["model"], image["seed"], image["files"][0]["path"]))
    assert isinstance(image["tags"], list)


def test_the_history_is_written_in_sentences(served: Served) -> None:
    run(served.library, "image", "tag", "snow", "seed:1")
    run(served.library, "collection", "add", "Winter", "seed:1")
    listed = " ".join(run(served.library, "history", "list").stdout.split())
    assert "Tagged with “snow” on 1 image" in listed
    assert "to collection “Winter”" in listed


def test_an_export_as_a_table_has_a_row_for_each_image(served: Served, tmp_path: Path) -> None:
    text = run(served.library, "image", "export", "-").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["uuid"] for row in rows} == set(run(served.library, "search", "--ids").stdout.split())
    assert all(row["model"] and row["prompt"] for row in rows)
    target = tmp_path / "images.jsonl"
    assert run(served.library, "image", "export", str(target), "seed:1").exit_code == 0
    assert [json.loads(line)["seed"] for line in target.read_text("utf-8").splitlines()] == ["1"]


def test_downloaded_files_are_identical_and_skipped_the_second_time(served: Served, tmp_path: Path) -> None:
    first = json.loads(run(served.library, "image", "download", str(tmp_path), "seed:1", "--json").stdout)
    second = json.loads(run(served.library, "image", "download", str(tmp_path), "seed:1", "--json").stdout)
    assert (first["copied"], second["copied"], second["skipped"]) == (1, 0, 1)
    [path] = run(served.library, "search", "seed:1", "--paths").stdout.split()
    assert (tmp_path / Path(path).name).read_bytes() == Path(path).read_bytes()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_shells_complete_nouns_and_verbs(shell: str) -> None:
    """Asked as the script asks that `mysticanvas --install-completion` installs."""
    words = "mysticanvas collection to"
    asked = {
        "_MYSTICANVAS_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_WORD_TO_COMPLETE": "to",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    program = (
        "import sys; sys.argv = ['mysticanvas']; from mysticanvas.app.cli import app; app(prog_name='mysticanvas')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert "to-manual" in done.stdout, done.stderr
    script = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"_MYSTICANVAS_COMPLETE": f"source_{shell}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "_MYSTICANVAS_COMPLETE" in script.stdout, script.stderr


def test_brackets_in_help_are_printed_as_they_are() -> None:
    assert "mysticanvas[vision]" in " ".join(find_help("vision enable").split())
    assert "mysticanvas[vision]" in " ".join(find_help("tagger enable").split())
