"""Models that look at pictures: what looks alike, what shows what words say, how explicit it is (A4)."""

import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.onnx_model import write_clip
from tests.pictures import png

from mysticanvas.cli.client import Client, connect
from mysticanvas.domain.errors import InvalidInputError, ModelUnusableError
from mysticanvas.ml.clip import BytePairTokenizer
from mysticanvas.settings import Settings

pytest.importorskip("onnxruntime", reason="the extra is not installed: pip install mysticanvas[vision]")

import numpy as np
import pyvips

from mysticanvas.ml import image_models as ml_image_models

LIMIT_S = 60.0
COLORS = {"red": 0xD02020, "green": 0x20C040, "blue": 0x2040E0}


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        time.sleep(0.02)


def drawing(shape: str, color: int, side_px: int = 256) -> bytes:
    """A disc, or stripes, of a colour on pale ground."""
    x = pyvips.Image.xyz(side_px, side_px)
    if shape == "disc":
        inside = ((x[0] - side_px / 2) ** 2 + (x[1] - side_px / 2) ** 2) < (side_px / 3) ** 2
    else:
        inside = (x[0] % 32) < 12
    ink = [color >> 16, color >> 8 & 255, color & 255]
    made = inside.ifthenelse(ink, [240, 235, 225]).cast("uchar").copy(interpretation="srgb")
    content: bytes = made.pngsave_buffer()
    return content


# -- the models of our own --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shares"),
    [("chelsea", (0.672, 0.012, 0.303, 0.011, 0.002)), ("astronaut", (0.020, 0.003, 0.973, 0.001, 0.003)),
     ("coffee", (0.001, 0.0, 0.998, 0.0, 0.0))],
)  # fmt: skip
def test_the_classifier_says_what_its_origin_says(name: str, shares: tuple[float, ...]) -> None:
    """The shares are those of nsfwjs itself, on photographs in scikit-image's package."""
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        pytest.skip("its pictures are not installed: pip install --no-deps scikit-image")
    content = (Path(found.submodule_search_locations[0]) / "data" / f"{name}.png").read_bytes()
    [said] = ml_image_models.load_bundled_model(ml_image_models.NSFW).embed([ml_image_models.decode_image(content)])
    # Another way to shrink a picture moves a share by some hundredths.
    assert said == pytest.approx(shares, abs=0.06)


def test_a_disc_is_neutral_and_the_score_is_the_sum_of_two_shares() -> None:
    [shares] = ml_image_models.load_bundled_model(ml_image_models.NSFW).embed(
        [ml_image_models.decode_image(drawing("disc", COLORS["red"]))]
    )
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert shares[2] == pytest.approx(0.99, abs=0.02)
    assert ml_image_models.compute_nsfw_scores(np.array([[0.1, 0.5, 0.1, 0.25, 0.05]], np.float32)) == [0.75]


def test_shapes_are_told_apart_whatever_their_colour() -> None:
    pictures = [
        ml_image_models.decode_image(drawing(shape, color))
        for shape in ("disc", "stripes")
        for color in COLORS.values()
    ]
    seen = ml_image_models.load_bundled_model(ml_image_models.EFFICIENTNET).embed(pictures)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    alike = seen @ seen.T
    assert alike[:3, :3].min() > alike[:3, 3:].max()


def test_pictures_are_prepared_as_declared() -> None:
    wide = pyvips.Image.black(64, 32, bands=3) + [0, 0, 255]
    wide = wide.cast("uchar").copy(interpretation="srgb").draw_rect([255, 0, 0], 16, 0, 32, 32, fill=True)
    middle = ml_image_models.preprocess(wide, ml_image_models.Preprocessing(16, (0.5,) * 3, (0.5,) * 3, crop=True))
    assert middle.shape == (3, 16, 16)
    assert middle[0, 8, 8] == pytest.approx(1, abs=0.02)
    assert middle[2, 8, 8] == pytest.approx(-1, abs=0.02)
    whole = ml_image_models.preprocess(wide, ml_image_models.Preprocessing(16, (0.0,) * 3, (1.0,) * 3))
    assert whole[2, 8, 0] == pytest.approx(1, abs=0.05)
    assert whole[0, 8, 8] == pytest.approx(1, abs=0.05)


# -- models of the CLIP family ----------------------------------------------------------------


def test_words_become_pieces_as_clip_was_taught(tmp_path: Path) -> None:
    pairs = BytePairTokenizer.load(write_clip(tmp_path))
    # What is not in the vocabulary is left out; case and blanks do not count.
    assert pairs.tokenize("Red  green q X!", 8) == [0, 2, 3, 5, 1, 0, 0, 0]
    assert pairs.tokenize("red " * 50, 5) == [0, 2, 2, 2, 1]
    assert pairs.tokenize("", 3) == [0, 1, 0]


@pytest.mark.parametrize("broken", [b"[]", b"not json", b'{"a": "b"}'])
def test_a_vocabulary_that_is_none_is_refused_with_a_sentence(tmp_path: Path, broken: bytes) -> None:
    (write_clip(tmp_path) / "vocab.json").write_bytes(broken)
    with pytest.raises(ModelUnusableError):
        BytePairTokenizer.load(tmp_path)


def test_a_folder_may_say_how_pictures_are_prepared(tmp_path: Path) -> None:
    assert ml_image_models.read_clip_preprocessing(tmp_path, 224).mean == ml_image_models.CLIP_MEAN
    (tmp_path / "mysticanvas.json").write_text('{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop": false}')
    said = ml_image_models.read_clip_preprocessing(tmp_path, 224)
    assert (said.mean, said.crop) == ((0.5, 0.5, 0.5), False)
    (tmp_path / "mysticanvas.json").write_text('{"std": [0, 0, 0]}')
    with pytest.raises(InvalidInputError, match="invalid preprocessing settings"):
        ml_image_models.read_clip_preprocessing(tmp_path, 224)


def test_a_model_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (write_clip(tmp_path) / "clip_image.onnx").write_bytes(b"no model")
    with pytest.raises(InvalidInputError, match="could not be loaded"):
        ml_image_models.open_clip(str(tmp_path))


# -- in a library -----------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for shape in ("disc", "stripes"):
        for name, color in COLORS.items():
            (pictures / f"{shape}-{name}.png").write_bytes(drawing(shape, color))
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        client.post("/api/v1/imports", {"paths": [str(pictures)], "watch": False})
        until(lambda: client.get("/api/v1/status")["total"] == 6 and is_idle(client))
        yield client


def is_idle(client: Client) -> bool:
    return not any(kind["waiting"] + kind["running"] for kind in client.get("/api/v1/jobs/summary")["kinds"])


def all_are_seen(client: Client) -> bool:
    images, progress = client.get("/api/v1/status")["total"], client.get("/api/v1/vision")["progress"]
    return bool(progress) and all(one["seen"] >= images for one in progress)


def look(client: Client, **wishes: object) -> dict[str, int]:
    """How many pictures each model has seen, once they all have."""
    client.patch("/api/v1/vision", {"is_on": True, **wishes})
    # The jobs are queued some time after the request.
    until(lambda: is_idle(client) and all_are_seen(client))
    return {one["space"]: one["seen"] for one in client.get("/api/v1/vision")["progress"]}


def found(client: Client, query: str) -> list[str]:
    return [Path(item["path"]).stem for item in client.get("/api/v1/images", q=query)["items"]]


def uuid_of(client: Client, name: str) -> str:
    [uuid] = [item["uuid"] for item in client.get("/api/v1/images", q="")["items"] if Path(item["path"]).stem == name]
    return str(uuid)


def test_nothing_is_looked_at_until_the_person_wants_it(client: Client) -> None:
    assert client.get("/api/v1/vision")["settings"]["is_on"] is False
    assert [
        kind for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "look" and kind["done"]
    ] == []
    with pytest.raises(InvalidInputError, match="has not been analyzed"):
        found(client, f"looks:{uuid_of(client, 'disc-red')}")


def test_what_looks_alike_is_found_first_and_combined_with_any_filter(client: Client) -> None:
    assert look(client) == {"picture-efficientnet-1": 6}
    alike = found(client, f"looks:{uuid_of(client, 'disc-red')}")
    assert set(alike[:2]) == {"disc-green", "disc-blue"}
    assert "disc-red" not in alike
    client.post("/api/v1/edits", {"uuids": [uuid_of(client, "disc-blue")], "set": {"favorite": True}})
    assert found(client, f"looks:{uuid_of(client, 'disc-red')} is:favourite") == ["disc-blue"]
    assert found(client, f"looks:{uuid_of(client, 'disc-red')} is:favourite sort:name") == ["disc-blue"]


def test_each_picture_is_looked_at_once_and_new_ones_as_they_come(client: Client, tmp_path: Path) -> None:
    look(client)
    asked = done(client)
    look(client)
    assert done(client) == asked
    (tmp_path / "pictures" / "late.png").write_bytes(drawing("disc", 0x808080))
    (tmp_path / "pictures" / "copy.png").write_bytes(drawing("disc", COLORS["red"]))
    client.post("/api/v1/imports", {"paths": [str(tmp_path / "pictures")], "watch": False})
    until(lambda: client.get("/api/v1/status")["total"] == 7 and is_idle(client))
    assert look(client) == {"picture-efficientnet-1": 7}
    assert "late" in found(client, f"looks:{uuid_of(client, 'disc-red')}")[:3]


def done(client: Client) -> int:
    return sum(kind["done"] for kind in client.get("/api/v1/jobs/summary")["kinds"] if kind["kind"] == "look")


def test_the_score_is_shown_searched_by_and_hides_nothing(client: Client) -> None:
    look(client, least_explicit=0.4)
    scores = {
        name: client.get(f"/api/v1/images/{uuid_of(client, name)}")["explicit"] for name in ("disc-red", "stripes-blue")
    }
    assert all(0 <= score <= 1 for score in scores.values())
    middle = sum(scores.values()) / 2
    assert len(found(client, "")) == 6
    over, under = found(client, f"explicit:>{middle:.6f}"), found(client, f"explicit:<={middle:.6f}")
    assert sorted(over + under) == sorted(found(client, ""))
    assert max(scores, key=lambda name: scores[name]) in over
    assert found(client, "explicit:>=.0") == found(client, "")
    assert client.get("/api/v1/vision")["settings"]["least_explicit"] == 0.4


def test_thumbnails_are_scored_by_their_names(client: Client) -> None:
    look(client)
    images = [client.get(f"/api/v1/images/{uuid_of(client, name)}") for name in ("disc-red", "stripes-blue")]
    unseen = "0" * 64
    scores = client.post("/api/v1/vision/scores", {"thumbs": [*(one["thumb"] for one in images), unseen]})
    assert scores["explicit"] == {one["thumb"]: one["explicit"] for one in images}


def test_a_picture_goes_with_the_last_file_that_holds_it(client: Client, tmp_path: Path) -> None:
    look(client)
    (tmp_path / "pictures" / "disc-red.png").write_bytes(drawing("stripes", 0x101010))
    scan = client.post("/api/v1/imports", {"paths": [str(tmp_path / "pictures")], "watch": False})["id"]
    until(lambda: client.get(f"/api/v1/imports/{scan}")["report"] is not None and is_idle(client))
    assert look(client) == {"picture-efficientnet-1": 6}
    assert client.get("/api/v1/doctor")["ok"]


def test_a_clip_model_finds_pictures_by_words(client: Client, tmp_path: Path) -> None:
    look(client)
    with pytest.raises(InvalidInputError, match="requires a CLIP model"):
        found(client, 'looks:"red"')
    seen = look(client, clip_folder=str(write_clip(tmp_path / "clip")))
    assert sorted(seen.values()) == [6, 6]
    assert set(found(client, 'looks:"red"')[:2]) == {"disc-red", "stripes-red"}
    assert set(found(client, "looks:green")[:2]) == {"disc-green", "stripes-green"}
    client.patch("/api/v1/vision", {"clip_folder": ""})
    with pytest.raises(InvalidInputError, match="requires a CLIP model"):
        found(client, "looks:red")


def test_a_folder_without_a_model_is_refused_with_a_sentence(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"does not contain clip_image\.onnx"):
        client.patch("/api/v1/vision", {"clip_folder": str(tmp_path)})
    (write_clip(tmp_path / "clip") / "merges.txt").unlink()
    with pytest.raises(InvalidInputError, match=r"not merges\.txt"):
        client.patch("/api/v1/vision", {"clip_folder": str(tmp_path / "clip")})


def test_what_was_not_looked_at_when_it_was_broken_off_is_looked_at_later(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(40):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(png(color=number * 400_000))
    settings = Settings(library=tmp_path / "library", workers=1)
    with connect(settings) as client:
        client.post("/api/v1/imports", {"paths": [str(tmp_path / "pictures")], "watch": False})
        until(lambda: client.get("/api/v1/status")["total"] == 40 and is_idle(client))
        client.patch("/api/v1/vision", {"is_on": True})
        until(lambda: client.get("/api/v1/vision")["progress"][0]["seen"] >= 16)
    with connect(settings) as client:
        until(lambda: client.get("/api/v1/vision")["progress"][0]["seen"] == 40 and is_idle(client))
