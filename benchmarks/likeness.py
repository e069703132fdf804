"""Near-duplicates: which copies are found, which strangers are taken for copies, at what threshold and cost.

    python3 dev.py bench likeness FOLDER … [+ FOLDER …]

Which pictures the figures in results/ are of is said there. Left out are folders whose pictures are one form in
many colours (icons, buttons, signs, flags, cards, shapes) or one thing in many frames, and pictures with an edge
below 64 px. Two pictures may be partners when they are in one folder or their names begin alike, as versions of
one drawing do, or when they are equal but for their encoding; any other partner is printed as a stranger, to be
looked at. The copies are of 200 of the pictures that have no partner at 64 bits and edges of 256 to 4,096 px; pictures
in folders after the + are not copied, and serve as strangers alone.
"""

import io
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from mysticanvas.imaging import hash_search
from mysticanvas.imaging.perceptual_hash import HASH_BYTES, compute_phash
from mysticanvas.search.duplicates import NEAR_BITS

SEED = 3
COPIED = 200
THRESHOLDS = sorted({24, 32, 40, 56, NEAR_BITS})
# What is copied: no icons, of which a quarter is some pixels, and nothing that takes seconds to edit.
EDGES_PX = range(256, 4_097)
LEFT_OUT = re.compile(
    r"/(computer|shapes|signs_and_symbols|special|symbols|office|unsorted|roadsigns)/"
    r"|/games/cards/|smil|flag|sign|logo"
)
LEAST_EDGE_PX = 64
# Of the colours of two pictures, 0 to 255: such a difference is left by encoding them again.
EQUAL = 4.0
ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}


def saved(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scaled(share: float) -> Callable[[Image.Image], bytes]:
    return lambda i: saved(i.resize((max(1, int(i.width * share)), max(1, int(i.height * share)))), "PNG")


def cut(image: Image.Image) -> bytes:
    """A hundredth off each side: two of the width, two of the height."""
    x, y = max(1, round(image.width / 100)), max(1, round(image.height / 100))
    return saved(image.crop((x, y, image.width - x, image.height - y)), "PNG")


EDITS: dict[str, Callable[[Image.Image], bytes]] = {
    "resized to a half": scaled(0.5),
    "resized to a quarter": scaled(0.25),
    "re-encoded, JPEG 75": lambda i: saved(i, "JPEG", quality=75),
    "re-encoded, JPEG 30": lambda i: saved(i, "JPEG", quality=30),
    "re-encoded, WebP 50": lambda i: saved(i, "WEBP", quality=50),
    "recoloured, grey": lambda i: saved(ImageOps.grayscale(i), "PNG"),
    "recoloured, brighter": lambda i: saved(ImageEnhance.Brightness(i).enhance(1.2), "PNG"),
    "recoloured, half the saturation": lambda i: saved(ImageEnhance.Color(i).enhance(0.5), "PNG"),
    "recoloured, more contrast": lambda i: saved(ImageEnhance.Contrast(i).enhance(1.3), "PNG"),
    "cropped by 2 %": cut,
}


@dataclass(frozen=True)
class Pictures:
    """Rows of a hash, a look and a shape, for pictures that have contrast."""

    paths: list[Path]
    ratios: NDArray[np.int64]
    hashes: hash_search.Hashes
    looks: hash_search.Miniatures

    def partners(self, bits: int) -> hash_search.Pairs:
        """As search/duplicates.py finds them, with another threshold."""
        found = hash_search.find_near_pairs(self.hashes, bits)
        found = found[hash_search.have_same_shape(self.ratios, found)]
        return found[hash_search.have_same_content(self.looks[found[:, 0]], self.looks[found[:, 1]])]


def seen(content: bytes) -> tuple[bytes | None, int, int]:
    """The hash and the look, width / height × 1000, and the shorter edge."""
    image = pyvips.Image.thumbnail_buffer(content, 512, height=512, size="down")
    whole = pyvips.Image.new_from_buffer(content, "")
    shape = round(whole.width * 1000 / whole.height)
    return compute_phash(image.colourspace("srgb").copy_memory()), shape, min(whole.width, whole.height)


def opened(path: Path) -> Image.Image:
    """On white, as a picture without transparency is."""
    with Image.open(path) as image:
        full = image.convert("RGBA")
    white = Image.new("RGBA", full.size, "white")
    white.alpha_composite(full)
    return white.convert("RGB")


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def family(path: Path) -> tuple[str, str]:
    return str(path.parent), re.sub(r"[^a-z]", "", path.stem.lower())[:5]


def false_partners(pictures: Pictures, pairs: hash_search.Pairs) -> list[tuple[Path, Path]]:
    looks = pictures.looks.astype(np.int16)
    apart = np.abs(looks[pairs[:, 0], :256] - looks[pairs[:, 1], :256]).mean(axis=1) > EQUAL
    named = [(pictures.paths[a], pictures.paths[b]) for a, b in pairs[apart].tolist()]
    return [(a, b) for a, b in named if not set(family(a)) & set(family(b))]


def hashed(folders: list[Path]) -> Pictures:
    found = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    paths, ratios, content = [], [], []
    for path in found:
        if LEFT_OUT.search(str(path)):
            continue
        try:
            one, ratio, edge_px = seen(path.read_bytes())
        except pyvips.Error:
            continue
        if one is not None and edge_px >= LEAST_EDGE_PX:
            paths.append(path)
            ratios.append(ratio)
            content.append(one)
    hashes = hash_search.unpack_hashes(b"".join(one[:HASH_BYTES] for one in content))
    return Pictures(
        paths, np.array(ratios), hashes, hash_search.unpack_miniatures(b"".join(one[HASH_BYTES:] for one in content))
    )


def copies(pictures: Pictures, folders: list[Path]) -> None:
    alone = np.setdiff1d(np.arange(len(pictures.paths)), hash_search.find_near_pairs(pictures.hashes, 64))
    fit = [
        row
        for row in alone.tolist()
        if set(folders) & set(pictures.paths[row].parents) and set(size(pictures.paths[row])) <= set(EDGES_PX)
    ]
    chosen = np.random.default_rng(SEED).choice(fit, min(COPIED, len(fit)), replace=False)
    print(f"\n{len(chosen)} pictures, copied; found at a threshold of")
    print(" " * 34 + "".join(f"{bits:>7}" for bits in THRESHOLDS))
    for name, edit in EDITS.items():
        far = np.array([distance(pictures, row, edit(opened(pictures.paths[row]))) for row in chosen.tolist()])
        print(f"{name:34}" + "".join(f"{np.mean(far <= bits):7.1%}" for bits in THRESHOLDS), flush=True)


def distance(pictures: Pictures, row: int, copy: bytes) -> int:
    """In bits; 256 where the shapes or the looks say that it is another picture."""
    made, ratio, _ = seen(copy)
    same = hash_search.have_same_shape(np.array([ratio, pictures.ratios[row]]), np.array([[0, 1]]))[0]
    if made is None or not same:
        return 256
    alike = hash_search.have_same_content(
        hash_search.unpack_miniatures(made[HASH_BYTES:]), pictures.looks[row : row + 1]
    )[0]
    return (
        int(hash_search.count_differences(hash_search.unpack_hashes(made[:HASH_BYTES]), pictures.hashes[row])[0])
        if alike
        else 256
    )


def among_a_million() -> None:
    """Random hashes with 50,000 copies of 0 bits to the threshold."""
    chance = np.random.default_rng(SEED)
    hashes = chance.integers(0, 2**64, (1_000_000, hash_search.WORDS), dtype=np.uint64)
    for number in range(50_000):
        bits = np.unpackbits(hashes[number].view(np.uint8))
        bits[chance.choice(256, number % (NEAR_BITS + 1), replace=False)] ^= 1
        hashes[500_000 + number] = np.packbits(bits).view(np.uint64)
    began = time.process_time()
    pairs = hash_search.find_near_pairs(hashes, NEAR_BITS)
    spent_s = time.process_time() - began
    print(f"\npairs among 1,000,000 hashes: {spent_s:.1f} s of CPU, {len(pairs) / 50_000:.2%} of the pairs found")


def main() -> None:
    given = sys.argv[1:]
    copied = [Path(one) for one in (given[: given.index("+")] if "+" in given else given)]
    folders = [Path(one) for one in given if one != "+"]
    if folders:
        began = time.process_time()
        pictures = hashed(folders)
        each_ms = (time.process_time() - began) * 1_000 / max(1, len(pictures.paths))
        print(f"{len(pictures.paths):,} pictures; {each_ms:.1f} ms each with decoding")
        for bits in THRESHOLDS:
            pairs = pictures.partners(bits)
            false = false_partners(pictures, pairs)
            strangers = {path for pair in false for path in pair}
            print(f"within {bits:2} bits: {len(pairs):5} pairs, {len(strangers):3} pictures have a partner elsewhere")
            if bits == NEAR_BITS:
                print("".join(f"    {a.parent.name}/{a.name} – {b.parent.name}/{b.name}\n" for a, b in false), end="")
        copies(pictures, copied)
    among_a_million()


if __name__ == "__main__":
    main()
