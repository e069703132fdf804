"""Real files of real generators, and files made to hurt (M5, M7, X3). Skipped where they are not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import metadata_accuracy
from benchmarks.metadata_misses import KNOWN

from mysticanvas.cli.client import connect
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.settings import Settings


def test_every_expected_field_of_every_generator_is_read_or_a_miss_with_a_reason(corpus: Path) -> None:
    score = metadata_accuracy.measure(corpus / "open")
    assert score.unexplained() == []
    missed = {(path, name) for path, name, _, _ in score.misses}
    assert set(KNOWN) - missed == set(), "no longer missed"
    for names, share in ((("tool",), 0.99), (metadata_accuracy.CORE, 0.99), (metadata_accuracy.OTHERS, 0.99)):
        right, every = score.count(names)
        assert right / every >= share, f"{right} of {every}"


def test_every_real_image_is_taken_in_and_a_second_import_changes_nothing(corpus: Path, tmp_path: Path) -> None:
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        first = import_and_follow(client, [corpus / "open"], dry_run=False, wait=False)
        second = import_and_follow(client, [corpus / "open"], dry_run=False, wait=False)
    assert first["failures"] == []
    assert second["unchanged"] == first["files_seen"]


def test_every_hostile_file_ends_as_it_should(corpus: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    subprocess.run([sys.executable, str(corpus / "make_bad.py"), str(bad)], check=True, capture_output=True)
    expected = json.loads((bad / "bad_expected.json").read_text("utf-8"))
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.5)) as client:
        report = import_and_follow(client, [bad], dry_run=False, wait=True)
        assert client.get("/api/v1/doctor")["ok"]
        located = {}
        for hit in client.get("/api/v1/images", q="", limit=1_000)["items"]:
            made = client.get(f"/api/v1/images/{hit['uuid']}")
            made["files"] = [file for file in made["files"] if file["kind"] in ("final", "copy")]
            located.update({file["path"]: made for file in made["files"]})
    failed = {str(Path(failure["path"]).relative_to(bad)) for failure in report["failures"]}
    wrong = [
        f"{path}: {problem}"
        for path, want in expected.items()
        if not path.startswith("<bytes>") and "…" not in path
        for problem in _wrong(path, want, located.get(path), path in failed)
    ]
    assert wrong == []


# These say how a person who is not root sees them.
_FOR_OTHERS = ("fs/unreadable.png", "fs/locked")
_FIELDS = ("prompt", "negative_prompt", "seed", "steps", "cfg_scale", "model")


def _wrong(path: str, want: dict[str, Any], made: dict[str, Any] | None, failed: bool) -> list[str]:
    if path in _FOR_OTHERS:
        return []
    match want["expect"]:
        case "error_row":
            return [] if failed else ["was not reported"]
        case "skip":
            return [] if not failed and (made is None or path == "ext/noext") else ["was not skipped"]
        case "no_metadata":
            if made is None:
                return ["was not taken in"]
            # Equal bytes are one image, and a sidecar of any of its places describes it.
            silent = (made["prompt"], made["seed"]) == (None, None) or len(made["files"]) > 1
            return [] if silent else [f"says {made['prompt']!r}"]
    if made is None:
        return ["was not taken in"]
    return [
        f"{name} is {made[name]!r}, not {want[name]!r}"
        for name in _FIELDS
        if name in want
        # Equal bytes are one image: what another place's sidecar says is said of this one too.
        and not (want[name] is None and len(made["files"]) > 1)
        and (str(made[name]) if name == "seed" else made[name]) != (str(want[name]) if name == "seed" else want[name])
    ]
