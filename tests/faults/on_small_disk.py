"""A library on a disk that fills up, in a process of its own: what was said, and what is left, as JSON."""

import json
import sys
from pathlib import Path

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db import settings_store
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import LibraryError


def main() -> None:
    folder = Path(sys.argv[1])
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    confirmed, refused = [], None
    with Database.open(folder / "library") as database:
        for number in range(500):
            try:
                database.write(settings_store.put, f"answer {number}", "x" * 30_000)
            except LibraryError as error:
                refused = str(error)
                break
            confirmed.append(number)
        read = "fine" if database.read(settings_store.get, "answer 0", None) else "lost"
        ballast.unlink()
        database.write(settings_store.put, "last", 1)
        confirmed_names = [f"answer {number}" for number in confirmed]
        lost = [name for name in confirmed_names if database.read(settings_store.get, name, None) is None]
        wrong = [check.name for check in doctor_checks.run_all(database) if not check.ok]
        said = {"refused": refused, "read": read, "lost": lost, "wrong": wrong, "trouble": database.error}
    print(json.dumps(said | {"confirmed": len(confirmed)}))


if __name__ == "__main__":
    main()
