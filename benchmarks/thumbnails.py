"""Peak memory and CPU of one thumbnail of a large image: MystiCanvas' decoder against `Image.open().thumbnail()`.

Run: python -m benchmarks.thumbnails [MEGAPIXELS ...]. Each run is a process of its own; images are generated once.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyvips
from tests.odd_pictures import write_striped_png

SHORT_EDGE_PX = 512


def write_images(folder: Path, megapixels: int) -> Iterator[Path]:
    """A smooth image in each format, written without holding it in memory."""
    side = min(16_383, int((megapixels * 1e6) ** 0.5))
    plane = pyvips.Image.xyz(side, side).copy(interpretation="multiband")
    image = ((plane * (255 / side)).bandjoin([(plane[0] + plane[1]) % 256])).cast("uchar").copy(interpretation="srgb")
    written: dict[str, Callable[[str], None]] = {
        "png": lambda name: image.pngsave(name, compression=1),
        "interlaced.png": lambda name: write_striped_png(Path(name), side, side, interlaced=True),
        "jpg": lambda name: image.jpegsave(name, Q=85),
        "webp": lambda name: _draw_for_webp(image).webpsave(name, effort=4),
        "progressive.jpg": lambda name: image.jpegsave(name, Q=85, interlace=True),
        "bmp": lambda name: _write_bmp(Path(name), side),
    }
    for ending, write in written.items():
        path = folder / f"{megapixels}.{ending}"
        write(str(path))
        yield path


def _draw_for_webp(image: pyvips.Image) -> pyvips.Image:
    """libwebp cannot write details in very many blocks: its first partition is limited to 512 KB."""
    return image if image.width <= 10_000 else (image * 0 + [200, 100, 50]).cast("uchar").copy(interpretation="srgb")


def _write_bmp(path: Path, side: int) -> None:
    row = np.resize(np.arange(256, dtype=np.uint8), (side * 3 + 3) // 4 * 4).tobytes()
    with path.open("wb") as file:
        file.write(b"BM" + (54 + len(row) * side).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little"))
        file.write(b"".join(value.to_bytes(4, "little") for value in (40, side, side)) + b"\1\0\x18\0" + bytes(24))
        for _ in range(side):
            file.write(row)


def measure(path: Path, decoder: str) -> dict[str, float]:
    """CPU seconds and megabytes of peak memory beyond those after the imports."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.thumbnails", "--one", decoder, str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return json.loads(run.stdout) if run.returncode == 0 else {"failed": run.returncode}


def _run_one(decoder: str, path: Path) -> None:
    if decoder == "ours":
        from mysticanvas.formats.containers.identify import read_head
        from mysticanvas.fs.safe_open import open_beneath
        from mysticanvas.imaging.decode import decode_reduced

        def work() -> None:
            with open_beneath(os.fsencode(path.parent), os.fsencode(path.name)) as source:
                decoded = decode_reduced(source.handle, read_head(source), SHORT_EDGE_PX)
                assert decoded.damage is None, decoded.damage
    else:
        from PIL import Image

        Image.MAX_IMAGE_PIXELS = None

        def work() -> None:
            with Image.open(path) as image:
                image.thumbnail((SHORT_EDGE_PX, SHORT_EDGE_PX))

    before_mb = _read_peak_mb()
    began = time.process_time()
    work()
    spent = time.process_time() - began
    peak_mb = _read_peak_mb()
    print(json.dumps({"cpu_s": round(spent, 2), "more_mb": peak_mb - before_mb, "peak_mb": peak_mb}))


def _read_peak_mb() -> int:
    """Linux only: elsewhere, and by getrusage, the peak contains that of the parent process."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in [int(one) for one in sys.argv[1:]] or [30]:
            for path in write_images(Path(folder), megapixels):
                ours, naive = measure(path, "ours"), measure(path, "naive")
                print(f"{path.name:22} ours {ours}  naive {naive}", flush=True)
                path.unlink()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _run_one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
