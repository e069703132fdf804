"""The word index, kept in step with the rows: batches by the writer, changes by triggers."""

import json
from collections.abc import Sequence

from mysticanvas.domain.generation import GenerationId
from mysticanvas.store.database import WriteTx


def index(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """Index new rows, once each. One statement for all: a statement a row is a segment a row."""
    tx.run(
        """
        INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
        SELECT t.rowid, t.prompt, t.negative_prompt, t.notes
          FROM json_each(:images) AS new
               JOIN generations_text AS t ON t.rowid = new.value
        """,
        images=json.dumps(sorted(images)),
    )


def rebuild(tx: WriteTx) -> None:
    tx.run("INSERT INTO generations_fts (generations_fts) VALUES ('rebuild')")
