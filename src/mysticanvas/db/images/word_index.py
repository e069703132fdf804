"""The word index, kept in step with the rows: batches by the writer, changes by triggers."""

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
    """Words in a row within one column; `column` None: within any. There is at least one word."""

    words: tuple[str, ...]
    column: str | None = None

    @property
    def match(self) -> str:
        """The expression of FTS5, in quotes, so that nothing in it is an operator."""
        quoted = '"' + " ".join(self.words).replace('"', '""') + '"'
        return f"{{{self.column}}} : {quoted}" if self.column else quoted

    def is_in(self, texts: "Texts") -> bool:
        """Whether FTS5 finds it in an image whose columns have these words."""
        if not texts.words.issuperset(self.words):
            return False
        looked_in = texts.columns.values() if self.column is None else [texts.columns[self.column]]
        return any(_contains(text, self.words) for text in looked_in)


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of an image: of each column in order, and of all of them."""

    columns: dict[str, tuple[str, ...]]
    words: frozenset[str]


def _contains(text: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if len(words) == 1:
        return words[0] in text
    return any(text[at : at + len(words)] == words for at in range(len(text) - len(words) + 1))


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


def words_of(tx: ReadTx, folded: str) -> tuple[str, ...]:
    """The words of a text that `domain/text.py` has folded, exactly as the index has them."""
    return _words(tx._connection.fts5_tokenizer(*_TOKENIZER), folded)


def texts_of(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, Texts]:
    """The words of those images that are there."""
    tokenizer = tx._connection.fts5_tokenizer(*_TOKENIZER)
    rows = tx.all(
        """
        SELECT g.id, g.prompt, g.negative_prompt, g.notes
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.id = wanted.value
         WHERE g.deleted_at IS NULL
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
