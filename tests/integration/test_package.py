"""The wheel: what it says, what it contains, and that it installs where nothing else is installed."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import BytesParser
from importlib import metadata
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tests.clean_installs import ROOT, CleanInstall, copy_sources, running, wait_for_page
from tools.package_readme import make_links_absolute

from mysticanvas import __version__
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.file import ImageFormat
from mysticanvas.imaging import libvips
from mysticanvas.settings import Settings


def build(source: Path, out: Path, *targets: str, **environment: str) -> None:
    options = [word for target in targets for word in ("-t", target)]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out), *options]
    subprocess.run(command, cwd=source, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build(ROOT, out, "wheel")
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def described(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(name))


def links(markdown: str) -> list[str]:
    """The targets of all links and pictures, as a Markdown parser finds them, and those in HTML."""
    waiting, found = MarkdownIt("commonmark").parse(markdown), []
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        found += [str(value) for name, value in token.attrs.items() if name in ("href", "src")]
        if token.type.startswith("html"):
            found += re.findall(r"""(?:href|src|srcset)=["']([^"']+)""", token.content)
    return found


def test_the_description_on_the_package_index_has_no_relative_link(described: Message) -> None:
    text = described.get_payload()
    assert isinstance(text, str)
    assert len(links(text)) >= 3
    assert [link for link in links(text) if not re.match(r"https://|#", link)] == []
    assert described["Description-Content-Type"] == "text/markdown"


def test_links_become_links_to_the_files_of_the_release_and_others_stay() -> None:
    text = (
        "[a](docs/a.md#b) [![picture](docs/p.png)](docs/b.md) [c](https://example.org/d) [e](#f)\n"
        '<img src="docs/q.svg" alt="">\n\n[ref]: LICENSE\n'
    )
    absolute = make_links_absolute(text, "https://example.org/r", "v1.2.3")
    assert links(absolute + "[ref]") == links(
        "[a](https://example.org/r/blob/v1.2.3/docs/a.md#b) "
        "[![picture](https://example.org/r/raw/v1.2.3/docs/p.png)](https://example.org/r/blob/v1.2.3/docs/b.md) "
        "[c](https://example.org/d) [e](#f)\n"
        '<img src="https://example.org/r/raw/v1.2.3/docs/q.svg" alt="">\n\n'
        "[ref](https://example.org/r/blob/v1.2.3/LICENSE)"
    )


def test_the_metadata_names_license_systems_pythons_and_addresses(described: Message) -> None:
    assert described["Version"] == __version__
    assert described["License-Expression"] == "MIT"
    assert described["Author"] == "MystiCanvas"
    labels = {one.partition(",")[0] for one in described.get_all("Project-URL", ())}
    assert labels >= {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
    classifiers = set(described.get_all("Classifier", ()))
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= classifiers
    assert {
        "Operating System :: MacOS",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX :: Linux",
    } <= classifiers


def test_the_wheel_contains_the_gallery_the_models_and_every_license_text(wheel: Path, described: Message) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "mysticanvas/http/static/index.html" in names
    assert "mysticanvas/ml/data/minilm.onnx" in names
    texts = {"LICENSE", *(f"LICENSES/{path.name}" for path in (ROOT / "LICENSES").iterdir())}
    assert set(described.get_all("License-File", ())) == texts
    assert {name.partition(".dist-info/licenses/")[2] for name in names if "/licenses/" in name} == texts
    assert [
        name for name in names if not name.startswith(("mysticanvas/", f"mysticanvas-{__version__}.dist-info/"))
    ] == []
    assert [name for name in names if name.endswith((".pyc", ".map", ".ts", ".svelte"))] == []


def test_the_constraints_pin_every_package_that_is_installed_here_for_mysticanvas() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    pinned = {re.sub(r"[-_.]+", "-", name.lower()) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    from tools.dependency_licenses import runtime_packages

    assert [name for name in runtime_packages() if name not in pinned] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the search path for shared libraries is that of Linux")
def test_a_libvips_of_the_system_is_not_used(tmp_path: Path) -> None:
    # Whatever loads this file fails.
    (tmp_path / "libvips.so.42").write_bytes(b"no library")
    program = "import pyvips; print(pyvips.API_mode, pyvips.version(0), pyvips.version(1), pyvips.version(2))"
    environment = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said[0] == "True"
    assert ".".join(said[1:4]) == ".".join(metadata.version("pyvips-binary").split(".")[:3])


def test_a_libvips_that_is_too_old_or_lacks_a_format_is_refused_with_what_to_do() -> None:
    libvips.check_libvips()
    libvips.check(libvips.OLDEST, [])
    with pytest.raises(LibraryError, match=r"8\.14 or newer, and this is 8\.12\. .*--force-reinstall"):
        libvips.check((8, 12), [])
    with pytest.raises(LibraryError, match=r"cannot decode AVIF\. .*--force-reinstall"):
        libvips.check((8, 18), [ImageFormat.AVIF])


def test_the_libvips_is_checked_before_a_library_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvips, "OLDEST", (99, 0))
    with (
        pytest.raises(LibraryError, match="libvips"),
        Orchestrator(Settings(library=tmp_path / "library"), serving=False),
    ):
        pass
    assert not (tmp_path / "library").exists()


@pytest.mark.long
def test_two_builds_of_the_same_commit_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    clone = copy_sources(tmp_path / "clone")
    digests = []
    for name, mode in (("one", 0o022), ("another-with-a-longer-name/below", 0o077)):
        previous = os.umask(mode)
        try:
            # With other times and permissions than the first.
            source = shutil.copytree(clone, tmp_path / name, copy_function=shutil.copyfile)
            # The packages of the lock file, which npm would download twice.
            shutil.copytree(ROOT / "web" / "node_modules", source / "web" / "node_modules", symlinks=True)
            out = tmp_path / f"dist{len(digests)}"
            build(source, out, "sdist", "wheel", HOME=str(tmp_path / name), TZ=f"UTC{len(digests) * 5}")
        finally:
            os.umask(previous)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


@pytest.mark.long
def test_a_clean_environment_without_node_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    installed = CleanInstall(tmp_path / "venv")
    installed.pip_install(str(wheel))
    assert shutil.which("node", path=installed.environment["PATH"]) is None
    library = tmp_path / "library"
    command = [str(installed.command), "demo", "--count", "12", "--no-open", "--port", "0", "--library", str(library)]
    with running(command, library, installed.environment) as process:
        _, page = wait_for_page(process, library)
        assert "<title>MystiCanvas</title>" in page
    if os.name != "nt":
        assert process.returncode == 0
    counted = subprocess.run(
        [installed.command, "search", "", "--count", "--library", library],
        env=installed.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(counted.stdout.strip()) > 0


@pytest.mark.long
def test_a_release_has_a_complete_sbom_of_both_trees_and_checksums(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "dev.py", "release", str(tmp_path)], cwd=ROOT, check=True)
    names = {path.name for path in tmp_path.iterdir()}
    base = f"mysticanvas-{__version__}"
    assert names == {
        f"{base}-py3-none-any.whl",
        f"{base}.tar.gz",
        f"{base}-python.cdx.json",
        f"{base}-gallery.cdx.json",
        f"{base}-constraints.txt",
        "SHA256SUMS",
    }
    for line in (tmp_path / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
        names.discard(name)
    assert names == {"SHA256SUMS"}

    python = json.loads((tmp_path / f"{base}-python.cdx.json").read_text("utf-8"))
    assert python["metadata"]["component"]["version"] == __version__
    pins = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    found = {re.sub(r"[-_.]+", "-", one["name"].lower()): one["version"] for one in python["components"]}
    assert {"fastapi", "numpy", "onnxruntime", "pyvips-binary"} <= set(found)
    assert not {"pip", "pytest", "ruff"} & set(found)
    assert {name: version for name, version in found.items() if pins[name] != version} == {}

    gallery = json.loads((tmp_path / f"{base}-gallery.cdx.json").read_text("utf-8"))
    assert (gallery["metadata"]["component"]["name"], gallery["metadata"]["component"]["version"]) == (
        "mysticanvas-gallery",
        __version__,
    )
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    locked = {(path.rpartition("node_modules/")[2], one["version"]) for path, one in lock.items() if path}
    listed = {(one["name"], one["version"]) for one in gallery["components"]}
    assert ("svelte", lock["node_modules/svelte"]["version"]) in listed
    assert listed <= locked
