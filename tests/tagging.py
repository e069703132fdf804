"""What should be shown, by a plain function over everything that was said (T3)."""

from dataclasses import dataclass, field

from mysticanvas.db.database import Database, ReadTx

Pair = tuple[int, int]
# (1 if implied by another tag, source, confidence)
Reason = tuple[int, str, float | None]
# The first of these is the source of a tag in docs/sql.md.
SOURCES = ("user", "import", "prompt", "llm", "vision")


@dataclass
class Truth:
    """The rows that a person or a machine wrote, and nothing derived."""

    live: set[int] = field(default_factory=set)
    tags: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    aliases: dict[int, int] = field(default_factory=dict)
    implications: set[Pair] = field(default_factory=set)
    said: list[tuple[int, int, str, int, float | None]] = field(default_factory=list)
    of_source: dict[str, float] = field(default_factory=dict)
    of_tag: dict[tuple[int, str], float] = field(default_factory=dict)

    def end(self, tag: int) -> int:
        while tag in self.aliases:
            tag = self.aliases[tag]
        return tag

    def shown_for(self, tag: int) -> set[int]:
        found = {self.end(tag)}
        while True:
            more = {self.end(b) for a, b in self.implications if self.end(a) in found} - found
            if not more:
                return found
            found |= more

    def is_known(self, tag: int) -> bool:
        return self.end(tag) in self.known

    def believed(self, tag: int, source: str, confidence: float | None) -> bool:
        limit = self.of_tag.get((self.end(tag), source), self.of_source.get(source, 0.0))
        return confidence is None or confidence >= limit

    def reasons(self) -> dict[Pair, list[Reason]]:
        """Why each (tag, image) is shown."""
        noes = {(self.end(t), i) for i, t, source, decision, _ in self.said if source == "user" and not decision}
        found: dict[Pair, list[Reason]] = {}
        for image, tag, source, decision, confidence in self.said:
            if not decision or image not in self.live or not self.is_known(tag):
                continue
            if not self.believed(tag, source, confidence):
                continue
            if (self.end(tag), image) in noes:
                continue
            for one in self.shown_for(tag) - {no for no, of in noes if of == image}:
                found.setdefault((one, image), []).append((int(one != self.end(tag)), source, confidence))
        return found

    def shown(self) -> set[Pair]:
        """(tag, image)."""
        return set(self.reasons())


def order_of(reason: Reason) -> tuple[int, int, float]:
    implied, source, confidence = reason
    return implied, SOURCES.index(source), 1.0 if confidence is None else -confidence


def truth(tx: ReadTx) -> Truth:
    return Truth(
        live=set(tx.column("SELECT id FROM generations WHERE deleted_at IS NULL")),
        tags=set(tx.column("SELECT id FROM tags")),
        known=set(tx.column("SELECT id FROM tags WHERE state = 'known'")),
        aliases=dict(tx.rows("SELECT tag_id, target_id FROM tag_alias_edges").fetchall()),
        implications=set(tx.rows("SELECT tag_id, implied_id FROM tag_implications").fetchall()),
        said=tx.rows("SELECT generation_id, tag_id, source, decision, confidence FROM tag_assertions").fetchall(),
        of_source=dict(tx.rows("SELECT source, value FROM source_thresholds").fetchall()),
        of_tag={(t, s): v for t, s, v in tx.rows("SELECT tag_id, source, value FROM tag_thresholds").fetchall()},
    )


def what_is_wrong(tx: ReadTx) -> list[str]:
    """[] when what is derived is what follows from everything that was said."""
    meant = truth(tx)
    shown = set(tx.rows("SELECT tag_id, generation_id FROM image_tags").fetchall())
    wrong = [f"{pair} is missing" for pair in meant.shown() - shown]
    wrong += [f"{pair} is shown" for pair in shown - meant.shown()]
    counts = dict.fromkeys(meant.tags, 0)
    for tag, _ in shown:
        counts[tag] = counts.get(tag, 0) + 1
    kept = dict(tx.rows("SELECT tag_id, images FROM tag_counts").fetchall())
    if kept != counts:
        wrong.append(f"counts are {kept}, not {counts}")
    effects = {(t, e) for t, e in tx.rows("SELECT tag_id, effective_id FROM tag_effects").fetchall()}
    if effects != {(t, e) for t in meant.tags for e in meant.shown_for(t)}:
        wrong.append("effects are not those of the relations")
    ends = dict(tx.rows("SELECT tag_id, effective_id FROM tag_effects WHERE implied = 0").fetchall())
    if ends != {t: meant.end(t) for t in meant.tags}:
        wrong.append("names do not lead where they should")
    names = set(tx.rows("SELECT normalized_name, tag_id FROM tag_aliases").fetchall())
    own = dict(tx.rows("SELECT id, normalized_name FROM tags").fetchall())
    if names != {(own[t], meant.end(t)) for t in meant.aliases}:
        wrong.append("the table of other names is not that of the aliases")
    if read_view(tx) != describe_shown(tx, meant):
        wrong.append(f"v_image_tags is {read_view(tx)}, not {describe_shown(tx, meant)}")
    return wrong


def read_view(tx: ReadTx) -> list[tuple[object, ...]]:
    rows = tx.rows("SELECT uuid, tag, implied, source, confidence FROM v_image_tags").fetchall()
    return sorted(rows, key=str)


def describe_shown(tx: ReadTx, meant: Truth) -> list[tuple[object, ...]]:
    """What v_image_tags must contain."""
    names = dict(tx.rows("SELECT id, name FROM tags").fetchall())
    uuids = dict(tx.rows("SELECT id, uuid FROM generations").fetchall())
    first = {pair: min(reasons, key=order_of) for pair, reasons in meant.reasons().items()}
    return sorted(((uuids[image], names[tag], *reason) for (tag, image), reason in first.items()), key=str)


def everything_said(database: Database) -> list[object]:
    """All that undo must restore, in order."""
    tables = {
        "generations": "uuid, is_favorite, rating, notes, deleted_at, purge_after",
        "tags": "name, normalized_name, category, state, origin",
        "tag_alias_edges": "tag_id, target_id",
        "tag_implications": "tag_id, implied_id",
        "tag_thresholds": "tag_id, source, value",
        "source_thresholds": "source, value",
        "tag_assertions": "generation_id, tag_id, source, run, decision, confidence",
    }

    def rows(tx: ReadTx) -> list[object]:
        return [
            tx.rows(f"SELECT {columns} FROM {table} ORDER BY {columns}").fetchall()  # noqa: S608 - the names above
            for table, columns in tables.items()
        ]

    return database.read(rows)
