"""Former file names of images, and the key by which file names are compared.

The key has no folders and ignores the case of A to Z, like the index on `generation_files`.
"""

import re

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId

MAX_NAME = 2_000
LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# ComfyUI appends the folder to the file name.
_PLACE = re.compile(r"\s*\[(?:input|output|temp)\]$")


def make_name_key(name: str | None) -> str | None:
    """The key of a file name, path or URL; None for other text."""
    if not name or len(name) > MAX_NAME or name.startswith("data:"):
        return None
    plain = _PLACE.sub("", name.strip())
    if "://" in plain:
        plain = re.split(r"[?#]", plain, maxsplit=1)[0]
    return re.split(r"[\\/]", plain)[-1].translate(LOWER) or None


def remember_path(tx: WriteTx, image: GenerationId, path: str) -> None:
    """Records a former path of a file of the image: the key of its name, and the whole path for references that
    include folders. A key never contains a slash."""
    names = {make_name_key(path), path if "/" in path else None} - {None}
    tx.run_many(
        "INSERT INTO former_names (name_key, generation_id) VALUES (:name, :image) ON CONFLICT DO NOTHING",
        [{"name": name, "image": image} for name in names],
    )
