"""Builds what a release publishes into dist/: the wheel, the sdist, two SBOMs, the constraints and SHA256SUMS.

    python -m tools.release [FOLDER]    `python3 dev.py release` calls this and installs what it needs

The same commit gives the same wheel and sdist, byte for byte. The SBOMs (CycloneDX JSON) list what a user installs
with the wheel and its extra `semantic`, and the npm packages with which the gallery was built.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import build_web

ROOT = Path(__file__).resolve().parents[1]
# The time stamp of all files in the archives: 2020-02-02, as hatchling sets it on its own.
EPOCH = "1580601600"
# What this program writes, and deletes when it runs again.
OURS = "mysticanvas-*"


def build(source: Path, out: Path) -> None:
    """Build both from the same folder. `python -m build` would build the wheel from the sdist, with the same result."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out), "-t", "sdist", "-t", "wheel"]
    subprocess.run(command, cwd=source, env=environment, check=True)


def write_python_sbom(wheel: Path, file: Path, version: str) -> None:
    """List what pip installs with the wheel in an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        # Without a pip of its own, which would be listed too.
        venv.create(folder)
        python = Path(folder, "Scripts" if os.name == "nt" else "bin", "python")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
        install = [*pip, "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), f"{wheel}[semantic]"]
        subprocess.run(install, check=True)
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
        command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(file), str(python)]
        subprocess.run(command, check=True)
    # Its version is dynamic, so pyproject.toml does not have it.
    name_main_component(file, "mysticanvas", version)


def write_npm_sbom(file: Path, version: str) -> None:
    """List the packages in web/package-lock.json."""
    build_web.install_packages()
    with file.open("w", encoding="utf-8") as out:
        build_web.run_npm("sbom", "--sbom-format=cyclonedx", "--sbom-type=application", stdout=out)
    # npm wants a version in package.json. The gallery is not published on its own and has that of the release.
    text = file.read_text("utf-8").replace("mysticanvas-gallery@0.0.0", f"mysticanvas-gallery@{version}")
    file.write_text(text, "utf-8")
    name_main_component(file, "mysticanvas-gallery", version)


def name_main_component(file: Path, name: str, version: str) -> None:
    found = json.loads(file.read_text("utf-8"))
    found["metadata"]["component"] |= {"name": name, "version": version}
    file.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def describe_sbom(file: Path) -> str:
    found = json.loads(file.read_text("utf-8"))
    return f"{file.name}: {len(found['components'])} components"


def write_checksums(folder: Path) -> None:
    """In the format of `sha256sum --check`."""
    files = sorted(folder.glob(OURS))
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8", newline="\n")


def main(args: list[str]) -> None:
    out = Path(args[0] if args else ROOT / "dist").absolute()
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(OURS):
        old.unlink()
    build(ROOT, out)
    [wheel] = out.glob("*.whl")
    version = wheel.name.split("-")[1]
    of_python, of_npm = (out / f"mysticanvas-{version}-{part}.cdx.json" for part in ("python", "gallery"))
    write_python_sbom(wheel, of_python, version)
    write_npm_sbom(of_npm, version)
    shutil.copyfile(ROOT / "constraints.txt", out / f"mysticanvas-{version}-constraints.txt")
    write_checksums(out)
    for sbom in (of_python, of_npm):
        print(describe_sbom(sbom))
    print((out / "SHA256SUMS").read_text("utf-8"), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
