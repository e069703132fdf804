"""The images in Trash, sorted by the day on which they are deleted permanently, the last day first."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ReadTx
from mysticanvas.search.timeline import Ids, Section


def list_trash(tx: ReadTx) -> tuple[Ids, list[Section]]:
    """The IDs of all images in Trash, and their sections. Each image is in exactly one section."""
    found = list(
        tx.rows(
            """
            SELECT id, purge_after
              FROM generations
             WHERE deleted_at IS NOT NULL
             ORDER BY purge_after DESC, id DESC
            """
        )
    )
    sections: list[Section] = []
    start = 0
    for day, images in groupby(found, key=lambda row: _format_day(row[1])):
        count = sum(1 for _ in images)
        sections.append(Section(day, start, count))
        start += count
    return np.array([image for image, _ in found], np.int64), sections


def _format_day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1_000).strftime("%Y-%m-%d")  # noqa: DTZ006 - local time


def read_ratios(tx: ReadTx, images: Ids) -> NDArray[np.uint16]:
    """Width / height × 1000 of each image; 1000 for a removed image."""
    rows = tx.rows(
        """
        SELECT f.generation_id, max(1, min(65535, (f.width * 1000 + f.height / 2) / f.height))
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_files AS f ON f.generation_id = wanted.value AND f.kind = 'final'
         WHERE f.width > 0 AND f.height > 0
        """,
        images=json.dumps(images.tolist()),
    )
    known = dict(rows)
    return np.array([known.get(image, 1000) for image in images.tolist()], np.uint16)


def read_rows(tx: ReadTx, images: Sequence[int], *, prompt_shown: int) -> list[dict[str, Any]]:
    """The images that are in Trash. `flags` is as in `live_generations`."""
    return tx.all(
        """
        SELECT g.id, g.uuid, lower(hex(f.blake3)) AS thumb, f.color_rgb AS color, g.is_favorite AS favorite,
               g.rating, (g.missing_at IS NOT NULL) | ((f.damage IS NOT NULL) << 1) | ((coalesce(f.frames, 1) > 1) << 2)
               | ((f.too_large IS NOT NULL) << 3) | iif(f.format = 'webp', (f.orientation - 1) << 4, 0) AS flags,
               f.width, f.height, g.timestamp, substr(g.prompt, 1, :prompt_shown) AS prompt, p.explicit
          FROM json_each(:images) AS wanted
               CROSS JOIN generations AS g NOT INDEXED ON g.id = wanted.value
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               LEFT JOIN pictures AS p ON p.content_hash = f.blake3
         WHERE g.deleted_at IS NOT NULL
        """,
        images=json.dumps(list(images)),
        prompt_shown=prompt_shown,
    )
