"""The container and the service files: each is run or checked by the program that will read it, where it is present."""

import json
import os
import plistlib
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml
from tests.clean_installs import ROOT, START_LIMIT_S, copy_sources, running, wait_for_page
from typer.testing import CliRunner

from mysticanvas.app.cli import app

PASSWORD = "correct horse battery"
# Neither root nor an account of this machine, as after `docker run --user`.
OTHER_USER = 61_234


@dataclass
class Stage:
    """The instructions from one FROM to the next."""

    runs: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


def read_dockerfile() -> list[Stage]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            stages.append(Stage())
        elif instruction == "RUN":
            stages[-1].runs.append(re.sub(r"--mount=\S+\s*", "", rest).strip())
        elif instruction == "ENV":
            stages[-1].environment |= dict(word.split("=", 1) for word in shlex.split(rest))
        else:
            stages[-1].others[instruction] = rest.strip()
    return stages


def has_docker() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def as_other_user() -> list[str]:
    """The beginning of a command that runs as another account; empty if this account cannot change to another."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    ids = [f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]
    return ["setpriv", *ids, "--bounding-set=-all", "--no-new-privs"]


def python_for(prefix: list[str]) -> str:
    """A Python that the other account can run. Ours may be in the home folder of this one."""
    probe = (
        "import subprocess, sys; sys.exit(sys.version_info < (3, 11) or subprocess.call([sys.executable, '-c', '']))"
    )
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if not Path(python).exists():
            continue
        if subprocess.run([*prefix, python, "-c", probe], capture_output=True, check=False).returncode == 0:
            return python
    raise AssertionError("No Python on this machine can be run by another account.")


class Container:
    """A folder in place of the root folder of a container, and a fresh virtual environment in place of its Python."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        subprocess.run([python, "-m", "venv", "--without-pip", root / "venv"], check=True)
        pip = [sys.executable, "-m", "pip", "--python", root / "venv/bin/python", "install", "--quiet", "pip"]
        subprocess.run(pip, check=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MYSTICANVAS_", "PYTHON"))}
        self.environment = inherited | {"PATH": f"{root}/venv/bin:/usr/bin:/bin"}

    def place(self, text: str) -> str:
        """The same text with the folder's paths instead of the container's."""
        return re.sub(r"(?<![\w./])/(source|wheels|library|outputs)\b", rf"{self.root}/\1", text)

    def run(self, line: str, folder: Path) -> None:
        subprocess.run(["/bin/sh", "-ec", self.place(line)], cwd=folder, env=self.environment, check=True)


@contextmanager
def readable_folder() -> Iterator[Path]:
    """pytest's own folders can be read by nobody else."""
    with tempfile.TemporaryDirectory(prefix="mysticanvas-container-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def sign_in(port: int) -> None:
    """As a browser under the name that the Dockerfile sets."""
    host = f"localhost:{port}"
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as browser:
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert browser.get("/api/v1/status", headers=headers).status_code == 401
        assert browser.post("/api/v1/session", json={"code": PASSWORD}, headers=headers).status_code == 204
        assert browser.get("/", headers={"Host": f"elsewhere.example:{port}"}).status_code in (400, 403, 421)


def test_the_container_runs_without_root_and_keeps_the_library_in_a_volume() -> None:
    *_, final = read_dockerfile()
    user, _, group = final.others["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert final.others["VOLUME"] == final.environment["MYSTICANVAS_LIBRARY"] == final.environment["HOME"]
    assert final.others["EXPOSE"] == final.environment["MYSTICANVAS_PORT"]
    # Otherwise it could not be reached from outside the container. Then a password is required.
    assert final.environment["MYSTICANVAS_HOST"] == "0.0.0.0"
    assert "HEALTHCHECK" in final.others
    # The builder, with its sources and caches, is not in the image.
    assert "COPY" not in final.others


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the lines of a Dockerfile are for Linux")
def test_the_lines_of_the_dockerfile_build_a_gallery_that_another_account_runs() -> None:
    if has_docker():
        build_and_run_in_docker()
        return
    builder, final = read_dockerfile()
    prefix = as_other_user()
    with readable_folder() as root:
        previous = os.umask(0o022)
        try:
            container = Container(root, python_for(prefix))
            source = copy_sources(root / "source")
            for line in builder.runs:
                container.run(line, source)
            for line in final.runs:
                # Only root may give a folder to another account.
                container.run(line if prefix else re.sub(r" --(owner|group)=\d+", "", line), root)
        finally:
            os.umask(previous)
        library = root / "library"
        if prefix:
            owner = library.stat()
            assert (owner.st_uid, owner.st_gid) == tuple(map(int, final.others["USER"].split(":")))
            # The volume of `docker run --user`.
            os.chown(library, OTHER_USER, OTHER_USER)
        environment = container.environment | {k: container.place(v) for k, v in final.environment.items()}
        environment["MYSTICANVAS_PORT"] = str(free_port())
        check_container(container, final, prefix, environment)


def check_container(container: Container, final: Stage, prefix: list[str], environment: dict[str, str]) -> None:
    entry = json.loads(final.others["ENTRYPOINT"])
    command = [container.place(word) for word in json.loads(final.others["CMD"])]
    library, port = container.root / "library", int(environment["MYSTICANVAS_PORT"])
    health = json.loads(final.others["HEALTHCHECK"].partition(" CMD ")[2])

    def finish(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        started = [*prefix, *words]
        return subprocess.run(
            started, env=environment, cwd=library, input=said, capture_output=True, text=True, check=False
        )

    refused = finish(*entry, *command)
    assert (refused.returncode, "password" in refused.stderr + refused.stdout) == (2, True)
    chosen = finish(*entry, "password", said=f"{PASSWORD}\n{PASSWORD}\n")
    assert chosen.returncode == 0, chosen.stderr
    assert finish(*health).returncode == 1
    finish(*entry, "demo", "--count", "12", "--no-serve", "--folder", str(library / "pictures"))
    with running([*prefix, *entry, *command], library, environment) as process:
        wait_for_page(process, library)
        assert finish(*health).returncode == 0
        sign_in(port)
        if prefix:
            [running_as] = re.findall(r"^Uid:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
            assert int(running_as) == OTHER_USER
    assert process.returncode == 0


def build_and_run_in_docker() -> None:
    """The same with Docker itself."""
    name = f"mysticanvas-test-{uuid.uuid4().hex[:12]}"

    def docker(*words: str, said: str = "") -> str:
        started = ["docker", *words]
        return subprocess.run(started, cwd=ROOT, input=said, capture_output=True, text=True, check=True).stdout

    port = free_port()
    environment = ["--env", f"MYSTICANVAS_PORT={port}", "--volume", f"{name}:/library"]
    docker("build", "--tag", name, ".")
    try:
        docker("run", "--rm", "--interactive", *environment, name, "password", said=f"{PASSWORD}\n{PASSWORD}\n")
        docker("run", "--detach", "--name", name, *environment, "--publish", f"127.0.0.1:{port}:{port}", name)
        deadline = time.monotonic() + START_LIMIT_S
        state = ""
        while state != "healthy" and time.monotonic() < deadline:
            state = docker("inspect", "--format", "{{.State.Health.Status}}", name).strip()
            time.sleep(0.5)
        assert state == "healthy", docker("logs", name)
        sign_in(port)
    finally:
        docker("rm", "--force", "--volumes", name)
        docker("volume", "rm", "--force", name)
        docker("rmi", "--force", name)


def test_compose_builds_this_image_and_mounts_the_images_read_only() -> None:
    described = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    service = described["services"]["mysticanvas"]
    *_, final = read_dockerfile()
    port = final.environment["MYSTICANVAS_PORT"]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    mounts = {
        entry.rsplit(":", 2)[-2] if entry.endswith(":ro") else entry.rpartition(":")[2]: entry
        for entry in service["volumes"]
    }
    assert mounts["/outputs"].endswith(":ro")
    assert mounts[final.others["VOLUME"]].partition(":")[0] in described["volumes"]
    assert set(service["environment"]) <= set(final.environment)
    if has_docker():
        subprocess.run(["docker", "compose", "config", "--quiet"], cwd=ROOT, check=True)


def options_of(command: str) -> set[str]:
    shown = CliRunner().invoke(app, [command, "--help"], terminal_width=200, env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    return set(re.findall(r"--[a-z-]+", shown.output))


def test_every_service_starts_the_gallery_with_options_that_it_has() -> None:
    lines = {
        "Dockerfile": " ".join(json.loads(read_dockerfile()[-1].others["CMD"])),
        "systemd": re.findall(r"^ExecStart=\S+ (.*)$", unit(), re.MULTILINE)[0],
        "launchd": re.findall(r'mysticanvas" (.*?) >>', agent()["ProgramArguments"][2])[0],
    }
    for name, line in lines.items():
        command, *words = line.split()
        assert command == "serve", name
        assert {word for word in words if word.startswith("--")} <= options_of(command), name
        assert "--no-open" in words, name


def unit() -> str:
    return (ROOT / "packaging" / "mysticanvas.service").read_text("utf-8")


def agent() -> dict[str, object]:
    return plistlib.loads((ROOT / "packaging" / "org.mysticanvas.gallery.plist").read_bytes())


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    assert "RestartPreventExitStatus=2 4" in unit()
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return
    program = tmp_path / "home" / ".local" / "bin" / "mysticanvas"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    file = tmp_path / "mysticanvas.service"

    def verify(text: str) -> tuple[int, str]:
        file.write_text(text, "utf-8")
        environment = os.environ | {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path)}
        command = [analyze, "--user", "verify", str(file)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr

    assert verify(unit()) == (0, "")
    assert "Restrat" in verify(unit().replace("Restart=", "Restrat="))[1]


def test_launchd_can_read_the_agent_and_its_line_runs_the_program(tmp_path: Path) -> None:
    found = agent()
    assert found["Label"] == "org.mysticanvas.gallery"
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["RunAtLoad"] is True
    command = found["ProgramArguments"]
    assert isinstance(command, list)
    if os.name == "nt":
        return
    program = tmp_path / ".local" / "bin" / "mysticanvas"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "started with $*"\n', "utf-8")
    program.chmod(0o755)
    (tmp_path / "Library" / "Logs").mkdir(parents=True)
    subprocess.run(command, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    log = tmp_path / "Library" / "Logs" / "mysticanvas.log"
    assert log.read_text("utf-8") == "started with serve --no-open\n"
    # It contains sign-in links.
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
