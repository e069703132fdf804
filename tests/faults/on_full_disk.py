"""A library on a disk that is full before it is opened, in a process of its own: what was said, as JSON.

The first argument is the folder, the second whether the library had kept its reserve."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import reserve, settings_store
from mysticanvas.db.database import Database
from mysticanvas.features.doctor.disk_space import ReserveKeeper
from mysticanvas.fs.log_file import log_to_file


def fill(folder: Path) -> None:
    """Until not one byte more is taken."""
    with (folder / "ballast").open("ab", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while ballast.write(bytes(size)):
                    pass
            except OSError:
                continue


def main() -> None:
    folder, has_reserve = Path(sys.argv[1]), sys.argv[2] == "yes"
    reserve.ROOM_BYTES = 1 << 20
    library = folder / "library"
    with Database.open(library) as database:
        database.write(settings_store.put, "answer", 42)
        created = has_reserve and reserve.create_if_room(library)
    fill(folder)
    command = [sys.executable, "-m", "mysticanvas.app.cli", "doctor", "--library", str(library)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    said: dict[str, object] = {"created": created, "code": asked.returncode, "said": asked.stdout + asked.stderr}
    if has_reserve:
        # The command used the room; whoever cleans up has it.
        said["free"] = shutil.disk_usage(library).free > 20_000_000
        (folder / "ballast").unlink()
        said |= with_room(library)
    print(json.dumps(said))


def with_room(library: Path) -> dict[str, object]:
    with Database.open(library) as database:
        database.was_full = True
        keeper = ReserveKeeper(database)
        keeper._closing.set()
        with keeper:
            keeper._thread.join()
        kinds = database.read(lambda tx: tx.column("SELECT kind FROM events ORDER BY id"))
        wrong = [check.name for check in doctor_checks.run_all(database) if not check.ok]
    fill(library)
    with log_to_file(library):
        for _ in range(2_000):
            logging.getLogger("mysticanvas.test").info("a message", extra={"filler": "x" * 1_000})
    return {"kinds": kinds, "wrong": wrong, "reserve": (library / reserve.NAME).exists()}


if __name__ == "__main__":
    main()
