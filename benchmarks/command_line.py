"""How much CPU time do short commands take, and which modules do they load?

    python3 dev.py bench command_line [--repeat 15] [--before SRC]

Serves a library of 300 small images, and runs each command several times in its own process. States the median CPU time
(user and system) of the process, and the number of modules. `--before` names the folder `src` of another version of
MystiCanvas, whose commands run in turn with those of this one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.serving import Served
from tests.pictures import write_pictures

IMAGES = 300
LIMIT_S = 0.3
COUNT = "import runpy, sys; sys.argv[0] = 'mysticanvas'\ntry: runpy.run_module('mysticanvas.app.cli', run_name='__main__')\nfinally: print(len(sys.modules), file=sys.stderr)"  # noqa: E501


def measure(source: str, words: list[str]) -> float:
    """The CPU time of one run, in seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mysticanvas.app.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": source},
    )
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def count_modules(source: str, words: list[str]) -> int:
    env = os.environ | {"PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", COUNT, *words], capture_output=True, text=True, check=False, env=env)
    return int(done.stderr.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--before", help="folder src of the version before")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    sources = {"now": str(Path(__file__).parents[1] / "src")} | ({"before": args.before} if args.before else {})
    with tempfile.TemporaryDirectory() as home:
        pictures = Path(home, "pictures")
        write_pictures(pictures, IMAGES)
        served = Served(Path(home, "library"), [pictures]).wait_until_up()
        served.wait_until_idle(IMAGES)
        time.sleep(2)
        results = run_all(sources, served.library, next(pictures.rglob("*.png")), args.repeat)
        served.stop()
    if args.json:
        print(json.dumps(results))
        return
    print(f"{'command':34}" + "".join(f"{name + ' CPU s':>14}{'modules':>9}" for name in sources))
    for command, row in results.items():
        cells = "".join(f"{row[name]['cpu_s']:14.3f}{row[name]['modules']:9}" for name in sources)
        print(f"{command:34}{cells}" + ("" if row["now"]["cpu_s"] <= LIMIT_S else f"  more than {LIMIT_S} s"))


def run_all(
    sources: dict[str, str], library: Path, image: Path, repeat: int
) -> dict[str, dict[str, dict[str, float | int]]]:
    where = ["--library", str(library)]
    commands = {
        "--version": ["--version"],
        "--help": ["--help"],
        "inspect FILE": ["inspect", str(image)],
        "search --count (running gallery)": ["search", "--count", *where],
        "search (50, as a table)": ["search", *where],
        "search --json": ["search", "--json", *where],
    }
    results: dict[str, dict[str, dict[str, float | int]]] = {}
    for name, words in commands.items():
        times: dict[str, list[float]] = {one: [] for one in sources}
        for _ in range(repeat):
            for one, source in sources.items():
                times[one].append(measure(source, words))
        results[name] = {
            one: {"cpu_s": statistics.median(times[one]), "modules": count_modules(source, words)}
            for one, source in sources.items()
        }
    return results


if __name__ == "__main__":
    main()
