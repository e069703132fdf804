"""A fuzz target for each parser and each container: bytes that break nothing, whatever they are.

`TARGETS[name]` takes bytes, as fuzzers like to call it; `SEEDS[name]` are good ones to begin with. Without
a fuzzer at hand `mutations` makes bad ones of them, and

    python3 -m tests.property.fuzzing [SECONDS] [NAME …]

tries each for that long (10 s), prints how many it tried, and stops at the first that breaks something.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator

from tests.property.hostile import check_storable, read
from tests.property.test_containers import WHOLE, Bytes
from tests.property.writers import WRITERS, Made

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.containers.source import decode_utf8_or_latin1
from mysticanvas.formats.detect import read_recipe

_MADE = Made("a fox <lora:a:0.5>, (snow:1.2)\nby night", "blurry", 2**63, 20, 7.5, "euler", "karras", 512, 768, "m")
_TOKENS = (
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b": ",
        b"\\",
        b"\n",
        b"\0",
        b"\xff",
        b"\\u0000",
        b"\\ud800",
        b"NaN",
        b"1e999",
    ),
    *(
        b"-1",
        b"9" * 50,
        b'"1", 0',
        b"null",
        b"true",
        b"Steps: ",
        b"Negative prompt: ",
        b"<lora:",
        b"<!DOCTYPE",
        b"&lt;",
    ),
    *(b"\x1e", b"\x1f", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", "漢\u202e".encode()),
)


def _of_texts(content: bytes) -> None:
    """Keys and texts, as an image would hold them, and the last of them as a sidecar."""
    parts = (part.partition("\x1f") for part in decode_utf8_or_latin1(content).split("\x1e")[:20])
    texts = {key: text for key, _, text in parts}
    check_storable(read(texts))
    last = next(reversed(texts.values()))
    check_storable(read({}, beside={"x.json": last, "x.txt": last, "x.yaml": last, "x.xmp": last, "log.html": last}))


def _of_container(content: bytes) -> None:
    try:
        head = read_head(Bytes(content))
    except UnreadableFileError:
        return
    check_storable(read_recipe(head, file_name="x"))


def _packed(texts: dict[str, str]) -> bytes:
    return "\x1e".join(f"{key}\x1f{text}" for key, text in texts.items()).encode()


SEEDS: dict[str, bytes] = {name: _packed(write(_MADE)) for name, (_, write, _) in WRITERS.items()} | WHOLE
TARGETS: dict[str, Callable[[bytes], None]] = dict.fromkeys(WRITERS, _of_texts) | dict.fromkeys(WHOLE, _of_container)


def mutations(seed: bytes, rng: random.Random) -> Iterator[bytes]:
    """Without end; each is the seed with one to six changes."""
    others = list(SEEDS.values())
    while True:
        content = bytearray(seed)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(content) + 1)
            end = min(len(content), at + rng.choice((1, 1, 2, 8, 40, 400)))
            rng.choice(_CHANGES)(content, at, end, rng, others)
        yield bytes(content)


_Change = Callable[[bytearray, int, int, random.Random, list[bytes]], None]


def _cut(content: bytearray, at: int, end: int, *_: object) -> None:
    del content[at:end]


def _cut_off(content: bytearray, at: int, *_: object) -> None:
    del content[at:]


def _repeat(content: bytearray, at: int, end: int, rng: random.Random, _: object) -> None:
    content[at:at] = content[at:end] * rng.choice((1, 2, 50))


def _flip(content: bytearray, at: int, _: int, rng: random.Random, __: object) -> None:
    content[at : at + 1] = bytes((rng.randrange(256),))


def _insert(content: bytearray, at: int, end: int, rng: random.Random, _: object) -> None:
    content[at : rng.choice((at, end))] = rng.choice(_TOKENS)


def _splice(content: bytearray, at: int, _: int, rng: random.Random, others: list[bytes]) -> None:
    other = rng.choice(others)
    begin = rng.randrange(len(other))
    content[at:at] = other[begin : begin + rng.choice((20, 200))]


_CHANGES: tuple[_Change, ...] = (_cut, _cut, _cut_off, _repeat, _flip, _flip, _insert, _insert, _insert, _splice)


def main() -> None:
    spent_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for name in sys.argv[2:] or TARGETS:
        end_s, tried = time.monotonic() + spent_s, 0
        for content in mutations(SEEDS[name], random.Random(name)):
            if time.monotonic() > end_s:
                break
            try:
                TARGETS[name](content)
            except BaseException:
                print(f"{name}: {content!r}")
                raise
            tried += 1
        print(f"{name:24}{tried:>10,} tried", flush=True)


if __name__ == "__main__":
    main()
