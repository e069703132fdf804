"""What a generator of clients makes of the OpenAPI document. It is installed in an environment of its own, because it
needs another version of Typer than the commands."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

DOCUMENT = Path(__file__).parents[2] / "web" / "openapi.json"
SCRIPT = Path(__file__).with_name("generated_client_script.py")
IMAGES = 5


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that has the generator."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    program = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([program, "-m", "pip", "install", "--quiet", "openapi-python-client>=0.29,<0.30"], check=True)
    return program


@pytest.fixture(scope="module")
def generated(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that contains the package `gallery_client`."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.yml"
    settings.write_text("post_hooks: []\n")
    command = [str(python), "-m", "openapi_python_client", "generate", "--meta", "none", "--path", str(DOCUMENT)]
    command += ["--output-path", str(folder / "gallery_client"), "--config", str(settings)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_every_operation_becomes_a_function(generated: Path) -> None:
    operations = [one for methods in json.loads(DOCUMENT.read_text("utf-8"))["paths"].values() for one in methods]
    modules = [path for path in (generated / "gallery_client" / "api").rglob("*.py") if path.stem != "__init__"]
    assert len(modules) == len(operations)


def test_a_script_of_twenty_lines_tags_images_and_undoes_it(generated: Path, python: Path, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    write_pictures(tmp_path / "pictures", IMAGES)
    served = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    served.wait_until_idle(IMAGES)
    token = served.http.headers["Authorization"].removeprefix("Bearer ")
    done = subprocess.run(
        [str(python), str(SCRIPT), str(served.http.base_url).rstrip("/"), token],
        env=os.environ | {"PYTHONPATH": str(generated)},
        check=False,
        capture_output=True,
        text=True,
    )
    served.stop()
    assert (done.stdout, done.stderr) == (f"{IMAGES} 3 done\nundone\n", "")
