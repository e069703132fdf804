"""Every path of a folder becomes another: files renamed, moved, nested and swapped, folders moved as a whole, the
case and the Unicode form of names changed."""

import os
import random
import unicodedata
from pathlib import Path


def shuffle(folder: Path, chance: random.Random) -> int:
    """Every picture in `folder` is at another path afterwards; how many of them took the place of another."""
    before = _pictures(folder)
    before_names = {str(path) for path in before}
    for number, day in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        if number % 3 == 0:
            # A folder as a whole, some of them into another.
            into = folder / f"moved {number % 2}" / "deep" if number % 2 else folder
            into.mkdir(parents=True, exist_ok=True)
            day.rename(into / f"{day.name} {chance.randrange(10**9)} {unicodedata.normalize('NFC', 'Größe')}")
    paths = _pictures(folder)
    moved = [path for path in paths if str(path) not in before_names]
    stay = [path for path in paths if str(path) in before_names]
    chance.shuffle(stay)
    swapped = stay[: len(stay) // 3]
    _rotate(swapped, folder / "aside")
    for number, path in enumerate(stay[len(swapped) :]):
        _rename(path, folder, number, chance)
    for number, path in enumerate(moved[::5]):
        path.rename(
            path.with_name(
                unicodedata.normalize(
                    "NFD" if number % 2 else "NFC", f"é{number} {chance.randrange(10**9)}{path.suffix}"
                )
            )
        )
    # A name that was there already would have cost a file.
    assert len(_pictures(folder)) == len(before)
    return len(swapped)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".PNG"))


def _rotate(paths: list[Path], aside: Path) -> None:
    """Each has the name of the one before it."""
    if len(paths) > 1:
        paths[0].rename(aside)
        for path, target in zip(paths[1:], paths, strict=False):
            path.rename(target)
        aside.rename(paths[-1])


def _rename(path: Path, folder: Path, number: int, chance: random.Random) -> None:
    once = chance.randrange(10**9)
    match number % 4:
        case 0:
            path.rename(path.with_name(f"renamed {once} {number}.png"))
        case 1:
            path.rename(path.with_suffix(".png" if path.suffix == ".PNG" else ".PNG"))
        case 2:
            into = folder / f"nest {chance.randrange(20)}" / f"{chance.randrange(5)}"
            into.mkdir(parents=True, exist_ok=True)
            path.rename(into / f"{once} {path.name}")
        case _:
            path.rename(folder / f"{once}-{number}.png")


def bytes_read(pid: int) -> int:
    """By a process and its children so far, from files and the cache of the system. Linux."""
    total = 0
    for one in [pid, *_children(pid)]:
        try:
            lines = Path(f"/proc/{one}/io").read_text().splitlines()
        except OSError:
            continue
        total += int(lines[0].split()[1])
    return total


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def walk_and_stat(folder: Path) -> int:
    """How many files a plain walk finds, each asked for its size and date."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            os.stat(os.path.join(place, name))
            found += 1
    return found
