"""Images as rows, without files on disk, for tests of what a person does with them."""

import uuid
from collections.abc import Callable

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.generation import GenerationId

FIRST_S = 400_000_000


def name_of(number: int) -> str:
    return str(uuid.UUID(int=number + 1, version=4))


def add_images(
    database: Database, count: int, *, first: int = 0, prompt: Callable[[int], str | None] = lambda _: None
) -> list[GenerationId]:
    """`count` live images with final files, oldest first."""
    database.write_bulk(_add_root)
    for start in range(first, first + count, 5_000):
        database.write_bulk(_add, range(start, min(first + count, start + 5_000)), prompt)
    return [GenerationId((FIRST_S + number) << 8) for number in range(first, first + count)]


def _add_root(tx: WriteTx) -> None:
    tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, '/nowhere', 0) ON CONFLICT DO NOTHING")


def _add(tx: WriteTx, numbers: range, prompt: Callable[[int], str | None]) -> None:
    tx.run_many(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, app_version, parser_version,
                                 imported_at, updated_at)
        VALUES (:id, :uuid, 0, 'mtime', :prompt, 'test', 1, 0, 0)
        """,
        [{"id": (FIRST_S + n) << 8, "uuid": name_of(n), "prompt": prompt(n)} for n in numbers],
    )
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, format, fingerprint, blake3,
                                      bytes, mtime_ns, width, height)
        VALUES (:id, 'final', 1, :path, :path_text, 'png', :hash, :hash, 1000, 0, 512, 512)
        """,
        [
            {
                "id": (FIRST_S + n) << 8,
                "path": f"{n}.png".encode(),
                "path_text": f"{n}.png",
                "hash": n.to_bytes(32, "big"),
            }
            for n in numbers
        ],
    )
    tx.run(
        """
        INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
        SELECT rowid, prompt, negative_prompt, notes FROM generations_text WHERE rowid BETWEEN :first AND :last
        """,
        first=(FIRST_S + numbers[0]) << 8,
        last=(FIRST_S + numbers[-1]) << 8,
    )
