"""Taggers that look at pictures, by a real model of their signature, made here (A3, T2, T14, T15)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.onnx_model import write_tagger
from tests.pictures import png

from mysticanvas.cli.client import Client, connect
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.settings import Settings

pytest.importorskip("onnxruntime", reason="the extra is not installed: pip install mysticanvas[vision]")

import pyvips

from mysticanvas.ml.labels import format_label, read_labels
from mysticanvas.ml.wd_tagger import Tagger, open_tagger

LIMIT_S = 60.0
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        time.sleep(0.02)


def picture(color: int, width: int = 64, height: int = 64) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(png(width, height, color=color), "")


def fired(tagger: Tagger, image: pyvips.Image) -> set[str]:
    scores = tagger.compute_scores(image)
    return {label.name for label, score in scores if score > 0.9 and label.category != "rating"}


# -- the loader -------------------------------------------------------------------------------


@pytest.mark.parametrize("channels_first", [False, True], ids=["NHWC", "NCHW"])
@pytest.mark.parametrize("sigmoid", [True, False], ids=["probabilities", "logits"])
def test_blue_comes_first_whatever_the_order_of_axes_and_the_last_step(
    tmp_path: Path, channels_first: bool, sigmoid: bool
) -> None:
    tagger = open_tagger(str(write_tagger(tmp_path / "model", channels_first=channels_first, sigmoid=sigmoid)))
    assert fired(tagger, picture(RED)) == {"red_thing", "^_^"}
    assert fired(tagger, picture(GREEN)) == {"green_thing"}
    assert fired(tagger, picture(BLUE)) == {"blue_thing"}


@pytest.mark.parametrize("side_px", [96, 448])
def test_the_size_is_the_models(tmp_path: Path, side_px: int) -> None:
    tagger = open_tagger(str(write_tagger(tmp_path / "model", side_px=side_px)))
    assert tagger.side_px == side_px
    assert fired(tagger, picture(GREEN, 200, 120)) >= {"green_thing"}


def test_what_is_no_square_stands_in_the_middle_of_white(tmp_path: Path) -> None:
    tagger = open_tagger(str(write_tagger(tmp_path / "model")))
    scores = {label.name: score for label, score in tagger.compute_scores(picture(RED, 64, 16))}
    # Three quarters are white, so blue is at 191 of 255.
    assert scores["blue_thing"] == pytest.approx(0.972, abs=0.005)
    black = {label.name: score for label, score in tagger.compute_scores(picture(0x000000, 16, 64))}
    assert black["red_thing"] == pytest.approx(0.972, abs=0.005)


def test_a_picture_with_transparency_lies_on_white_and_a_grey_one_has_three_channels(tmp_path: Path) -> None:
    tagger = open_tagger(str(write_tagger(tmp_path / "model")))
    clear = picture(RED).bandjoin(0)
    assert fired(tagger, clear) >= {"red_thing", "green_thing", "blue_thing"}
    grey = pyvips.Image.black(32, 32) + 255
    assert fired(tagger, grey.cast("uchar").copy(interpretation="b-w")) >= {"red_thing", "green_thing", "blue_thing"}


def test_labels_know_their_category_and_faces_keep_their_underscore(tmp_path: Path) -> None:
    labels = read_labels(write_tagger(tmp_path / "model") / "selected_tags.csv")
    assert [label.category for label in labels] == ["rating"] * 2 + ["general"] * 4 + ["character"]
    assert [format_label(name) for name in ("red_thing", "^_^", "o_o", "hero_(red)")] == [
        "red thing",
        "^_^",
        "o_o",
        "hero (red)",
    ]


def test_a_model_that_is_none_and_labels_that_are_not_its_are_refused_with_a_sentence(tmp_path: Path) -> None:
    folder = write_tagger(tmp_path / "short")
    lines = (folder / "selected_tags.csv").read_text().splitlines()
    (folder / "selected_tags.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InvalidInputError, match="files from the same model"):
        open_tagger(str(folder)).compute_scores(picture(RED))
    folder = write_tagger(tmp_path / "broken")
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(InvalidInputError, match="could not be loaded"):
        open_tagger(str(folder))
    folder = write_tagger(tmp_path / "unlabelled")
    (folder / "selected_tags.csv").write_bytes(b"\xff\xfe no table")
    with pytest.raises(InvalidInputError, match="not the label list"):
        open_tagger(str(folder))


# -- in a library -----------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, color in {"red": RED, "green": GREEN, "blue": BLUE}.items():
        (pictures / f"{name}.png").write_bytes(png(color=color))
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        client.post("/api/v1/imports", {"paths": [str(pictures)], "watch": False})
        until(lambda: client.get("/api/v1/status")["total"] == 3 and is_idle(client))
        yield client


def is_idle(client: Client) -> bool:
    return not any(kind["waiting"] + kind["running"] for kind in client.get("/api/v1/jobs/summary")["kinds"])


def choose(client: Client, folder: Path, **wishes: Any) -> dict[str, Any]:
    tagger: dict[str, Any] = client.put("/api/v1/tagger", {"folder": str(folder), **wishes})["tagger"]
    return tagger


def look(client: Client, **how: Any) -> int:
    queued: int = client.post("/api/v1/tagger:run", {"q": "", **how})["queued"]
    until(lambda: is_idle(client))
    return queued


def uuid_of(client: Client, name: str) -> str:
    [found] = [
        item["uuid"] for item in client.get("/api/v1/images", q="")["items"] if item["path"].endswith(f"{name}.png")
    ]
    return str(found)


def said(client: Client, name: str) -> dict[str, float]:
    """What the tagger said of the image; its run is that of the chosen one."""
    run = client.get("/api/v1/tagger")["tagger"]["run"]
    rows = client.get(f"/api/v1/images/{uuid_of(client, name)}/tags")["assignments"]
    assert {row["run"] for row in rows if row["source"] == "vision"} <= {run}
    return {row["tag"]: row["confidence"] for row in rows if row["source"] == "vision"}


def test_a_tagger_speaks_of_every_picture_by_category_and_its_words_are_proposals(
    client: Client, tmp_path: Path
) -> None:
    choose(client, write_tagger(tmp_path / "wd"), after_import=False)
    assert look(client) == 3
    assert said(client, "green") == {"green thing": pytest.approx(0.9988, abs=0.001)}
    # The character is at 0.73, below what a name takes; a rating is no tag.
    assert set(said(client, "red")) == {"red thing", "^_^"}
    assert client.get(f"/api/v1/images/{uuid_of(client, 'red')}/tags")["tags"] == []
    assert "red thing" in str(client.get("/api/v1/tags/suggestions"))
    choose(client, tmp_path / "wd", least_character=0.7, after_import=False)
    assert look(client, again=True) == 3
    assert set(said(client, "red")) == {"red thing", "^_^", "hero (red)"}


def test_what_was_looked_at_is_not_looked_at_again_unless_by_another_model(client: Client, tmp_path: Path) -> None:
    first = choose(client, write_tagger(tmp_path / "wd"), after_import=False)
    assert look(client) == 3
    assert look(client) == 0
    second = choose(client, write_tagger(tmp_path / "another", side_px=64), after_import=False)
    assert first["run"] != second["run"]
    assert look(client) == 3
    assert set(said(client, "blue")) == {"blue thing"}


def test_the_persons_word_outlives_the_tagger(client: Client, tmp_path: Path) -> None:
    choose(client, write_tagger(tmp_path / "wd"), after_import=False)
    red = uuid_of(client, "red")
    client.post("/api/v1/edits", {"uuids": [red], "set": {"tags": {"add": ["red thing", "mine"]}}})
    client.post("/api/v1/edits", {"uuids": [red], "set": {"tags": {"reject": ["^_^"]}}})
    look(client)
    shown = {tag["name"] for tag in client.get(f"/api/v1/images/{red}/tags")["tags"]}
    assert shown == {"red thing", "mine"}


def test_new_pictures_are_looked_at_as_they_come(client: Client, tmp_path: Path) -> None:
    choose(client, write_tagger(tmp_path / "wd"))
    (tmp_path / "pictures" / "late.png").write_bytes(png(80, 80, color=BLUE))
    client.post("/api/v1/imports", {"paths": [str(tmp_path / "pictures")], "watch": False})
    until(lambda: client.get("/api/v1/status")["total"] == 4 and is_idle(client))
    assert set(said(client, "late")) == {"blue thing"}


def test_a_folder_without_a_tagger_is_refused_and_a_broken_one_parks_its_jobs(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"does not contain model\.onnx"):
        choose(client, tmp_path)
    with pytest.raises(InvalidInputError, match="No tagger is selected"):
        look(client)
    folder = write_tagger(tmp_path / "broken")
    (folder / "model.onnx").write_bytes(b"no model")
    choose(client, folder, after_import=False)
    client.post("/api/v1/tagger:run", {"q": ""})
    until(lambda: "could not be loaded" in str(client.get("/api/v1/jobs", kind="vision")))
    client.put("/api/v1/tagger", {"folder": None})
    assert client.get("/api/v1/tagger") == {"tagger": None}
    until(lambda: is_idle(client))
