"""Import of metadata in files per second of CPU, beside Pillow and one transaction each; thumbnails beside Pillow.

    python3 dev.py bench importing [FILES]

Makes PNGs of 512 kB with A1111 text from a seed. Both ways read the same files, which are in the page cache.
"""

import io
import json
import os
import random
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tests import application
from tests.pictures import PARAMETERS, png_chunk

from mysticanvas.cli.client import connect
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.generators import a1111
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.decode import decode_reduced
from mysticanvas.imaging.thumbnails import make_thumbs
from mysticanvas.jobs import queue as job_queue
from mysticanvas.settings import Settings

SEED = 7
FILE_BYTES = 512 * 1024
SHORT_EDGES_PX = [256, 512]


def write_files(folder: Path, count: int) -> None:
    noise = random.Random(SEED)
    for number in range(count):
        text = PARAMETERS.format(seed=number, model="dreamer_v1", model_hash="0123456789")
        header = (1024).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
        pixels = zlib.compress(noise.randbytes(FILE_BYTES), 0)
        body = png_chunk(b"IHDR", header) + png_chunk(b"tEXt", b"parameters\0" + text.encode())
        content = b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
        path = folder / f"{number // 500:03}" / f"{number:06}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def cpu_s() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def ours(folder: Path, library: Path) -> None:
    """The whole import, worker processes included; their thumbnails are paused."""
    if not library.exists():
        with Database.open(library) as database:
            database.write(job_queue.set_paused, kind="thumb", value=True)
    with connect(Settings(library=library, workers=1)) as client:
        report = import_and_follow(client, [folder], dry_run=False, wait=False)
        assert report["failed"] == 0
        print(f"  {report['imported']:,} imported, {report['unchanged']:,} unchanged in {report['seconds']:.2f} s")


def ours_twice(folder: Path, library: Path) -> None:
    ours(folder, library)
    ours(folder, library)


def nothing(folder: Path, library: Path) -> None:
    """What starting and stopping costs, whatever there is to import."""
    (folder.parent / "empty").mkdir(exist_ok=True)
    ours(folder.parent / "empty", library)


def naive(folder: Path, library: Path) -> None:
    """Pillow opens each file; the same row is inserted in a transaction of its own. Nothing is fingerprinted."""
    with Database.open(library) as database:
        root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
        for number, path in enumerate(sorted(folder.rglob("*.png"))):
            with Image.open(path) as image:
                recipe = a1111.parse(str(image.info.get("parameters")))
                width_px, height_px = image.size
            stat = path.stat()
            found = ImageRead(
                stat=FileStat(os.fsencode(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns),
                format=ImageFormat.PNG,
                width_px=width_px,
                height_px=height_px,
                frames=1,
                complete=True,
                fingerprint=number.to_bytes(32, "big"),
                recipe=recipe,
                params_json=json.dumps(recipe.params),
                raw=b"",
                problems=[],
            )
            database.write_bulk(import_record.add_images, [import_record.Found(root, found)], [], now_ms=0)


def measured(work: Callable[[Path, Path], None], folder: Path) -> float:
    with tempfile.TemporaryDirectory() as library:
        began = cpu_s()
        work(folder, Path(library) / "library")
        return cpu_s() - began


def a_picture() -> bytes:
    """1024² of noise at every scale. Like the large PNGs that generators write it takes some eleven bits a
    pixel, and 33 kB as a WebP thumbnail of 512 px."""
    chance = np.random.default_rng(SEED)
    total = np.zeros((1024, 1024, 3))
    for octave in range(2, 10):
        small = chance.normal(size=(3, 2**octave, 2**octave)).astype(np.float32)
        layers = [np.asarray(Image.fromarray(one).resize((1024, 1024), Image.Resampling.BICUBIC)) for one in small]
        total += np.stack(layers, -1) * 2.0 ** (-octave / 2)
    total = 128 + 50 * (total - total.mean()) / total.std() + chance.normal(size=total.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(total, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def thumbs(folder: Path, times: int = 20) -> tuple[float, float]:
    """(ours, Pillow's) images per second of CPU: decode, two sizes, WebP."""
    (folder / "one.png").write_bytes(a_picture())
    began = time.process_time()
    for _ in range(times):
        with open_beneath(os.fsencode(folder), b"one.png") as source:
            decoded = decode_reduced(source.handle, read_head(source), SHORT_EDGES_PX[-1])
            make_thumbs(decoded.image, SHORT_EDGES_PX)
    spent = time.process_time() - began
    began = time.process_time()
    for _ in range(times):
        with Image.open(folder / "one.png") as image:
            larger = image.convert("RGB").resize((512, 512), Image.Resampling.LANCZOS)
            for picture in (larger, larger.resize((256, 256), Image.Resampling.LANCZOS)):
                picture.save(io.BytesIO(), "WEBP", quality=78, method=2)
    return times / spent, times / (time.process_time() - began)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        folder.mkdir()
        write_files(folder, count)
        theirs = measured(naive, folder)
        start = measured(nothing, folder)
        mine = measured(ours, folder)
        again = measured(ours_twice, folder) - mine
        print(f"{count:,} PNGs of {FILE_BYTES // 1024} kB, seed {SEED}; files per second of CPU")
        print(f"our import                                       {count / (mine - start):8.0f}")
        print(f"  with the start of its processes ({start:.1f} s)        {count / mine:8.0f}")
        print(f"our second import: nothing has changed           {count / max(0.01, again - start):8.0f}")
        print(f"Pillow, a transaction each, no fingerprint       {count / theirs:8.0f}")
        fast, slow = thumbs(Path(name))
        print(f"\nthumbnails of a 1024² PNG at 256 and 512 px, images per second of CPU: {fast:.1f}, Pillow {slow:.1f}")


if __name__ == "__main__":
    application.load()
    main()
