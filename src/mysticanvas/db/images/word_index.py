"""The full-text index. Imports add images in batches; triggers update it when rows change
(docs/adr/0006-words-in-every-script.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.text import make_searchable

COLUMNS = ("prompt", "negative_prompt", "notes")
# As in migration 0004.
_TOKENIZER = ("unicode61", ["remove_diacritics", "0", "categories", "L* N* Co Mn Mc"])


@dataclass(frozen=True, slots=True)
class Phrase:
    """Consecutive words in one column; `column` None: in any column. `words` is not empty."""

    words: tuple[str, ...]
    column: str | None = None

    @property
    def match(self) -> str:
        """The FTS5 expression, quoted, so that the words cannot be operators."""
        quoted = '"' + " ".join(self.words).replace('"', '""') + '"'
        return f"{{{self.column}}} : {quoted}" if self.column else quoted

    def is_in(self, texts: "Texts") -> bool:
        """Whether FTS5 would find the phrase in an image with these words."""
        if not texts.words.issuperset(self.words):
            return False
        columns = texts.columns.values() if self.column is None else [texts.columns[self.column]]
        return any(_contains(text, self.words) for text in columns)


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of an image: in order for each column, and as a set for all of them."""

    columns: dict[str, tuple[str, ...]]
    words: frozenset[str]


def _contains(text: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if len(words) == 1:
        return words[0] in text
    return any(text[at : at + len(words)] == words for at in range(len(text) - len(words) + 1))


def index_images(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """Indexes new rows; call it once for each. A single statement, because each statement creates a segment."""
    tx.run(
        """
        INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
        SELECT t.rowid, t.prompt, t.negative_prompt, t.notes
          FROM json_each(:images) AS new
               JOIN generations_text AS t ON t.rowid = new.value
        """,
        images=json.dumps(sorted(images)),
    )


def rebuild_index(tx: WriteTx) -> None:
    tx.run("INSERT INTO generations_fts (generations_fts) VALUES ('rebuild')")


def tokenize(tx: ReadTx, folded: str) -> tuple[str, ...]:
    """The words of a text folded by `domain/text.py`, split exactly like those in the index."""
    return _words(tx._connection.fts5_tokenizer(*_TOKENIZER), folded)


def read_words(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, Texts]:
    """The words of the images that exist and are neither excluded nor in the Trash, by id."""
    tokenizer = tx._connection.fts5_tokenizer(*_TOKENIZER)
    rows = tx.all(
        """
        SELECT g.id, g.prompt, g.negative_prompt, g.notes
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.id = wanted.value
         WHERE g.deleted_at IS NULL AND g.excluded_at IS NULL
        """,
        images=json.dumps(list(images)),
    )
    found = {}
    for row in rows:
        columns = {column: _words(tokenizer, make_searchable(row[column]) or "") for column in COLUMNS}
        found[row["id"]] = Texts(columns, frozenset().union(*columns.values()))
    return found


def _words(tokenizer: apsw.FTS5Tokenizer, text: str) -> tuple[str, ...]:
    found = tokenizer(
        text.encode("utf-8", "replace"), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False,
        include_colocated=False,
    )  # fmt: skip
    return tuple(str(word) for word in found)
