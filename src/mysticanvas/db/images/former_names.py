"""The names that files of images had, and what names are compared by.

A name is compared without its folders and without the case of A to Z, as the index on `generation_files`
has it.
"""

import re

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId

MAX_NAME = 2_000
LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# ComfyUI says where a picture lies behind its name.
_PLACE = re.compile(r"\s*\[(?:input|output|temp)\]$")


def name_key(name: str | None) -> str | None:
    """What a name is compared by; None for what is no name of a file."""
    if not name or len(name) > MAX_NAME or name.startswith("data:"):
        return None
    plain = _PLACE.sub("", name.strip())
    if "://" in plain:
        plain = re.split(r"[?#]", plain, maxsplit=1)[0]
    return re.split(r"[\\/]", plain)[-1].translate(LOWER) or None


def remember_path(tx: WriteTx, image: GenerationId, path: str) -> None:
    """A file of the image was there. Beside its name its path is kept, for those that name its folders too;
    no name has a slash."""
    names = {name_key(path), path if "/" in path else None} - {None}
    tx.run_many(
        "INSERT INTO former_names (name_key, generation_id) VALUES (:name, :image) ON CONFLICT DO NOTHING",
        [{"name": name, "image": image} for name in names],
    )
