-- Version 5: deeds that can be taken back, tags, collections, Trash, templates.

-- Each deed of a person: `steps_json` says what was done, as a list of [kind, arguments];
-- `total` counts the images it is to reach, `changed` those it has changed so far. `trouble` says why
-- it could not be taken back. Drawn in domain/deed.py.
CREATE TABLE operations_new (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('applying', 'done', 'undoing', 'undone', 'redoing', 'expired')),
    total      INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    steps_json TEXT    NOT NULL CHECK (json_valid(steps_json)),
    trouble    TEXT
) STRICT;
-- Inverses of version 1 are not in the form of this one: those deeds stay as history.
INSERT INTO operations_new (id, at, kind, state, total, changed, steps_json)
SELECT id, at, kind, 'expired', changed, changed, json_array(json_array(kind, json(deed_json))) FROM operations;
DROP TABLE operations;
ALTER TABLE operations_new RENAME TO operations;
-- Serves what a start has to finish.
CREATE INDEX operations_unfinished ON operations (id) WHERE state IN ('applying', 'undoing', 'redoing');

-- What one transaction of a deed changed: `changeset` is SQLite's own, compressed; `images` are the
-- uuids of the images, 16 bytes each. `applied` is 0 once it is taken back.
CREATE TABLE operation_slices (
    operation_id INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL,
    applied      INTEGER NOT NULL DEFAULT 1 CHECK (applied IN (0, 1)),
    images       BLOB    NOT NULL,
    changeset    BLOB    NOT NULL,
    UNIQUE (operation_id, number)
) STRICT;

-- Where a deed that is being applied has come to: the step, its images (ids, 8 bytes each; NULL: the
-- step finds them itself when it begins) and how many of them are done.
CREATE TABLE operation_work (
    operation_id INTEGER PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    step         INTEGER NOT NULL,
    images       BLOB,
    next         INTEGER NOT NULL
) STRICT;

-- No released version wrote a tag. An id is never given twice, because deeds that can be taken back
-- speak of it.
DROP TABLE image_tags;
DROP TABLE tag_assertions;
DROP TABLE tag_implications;
DROP TABLE tag_aliases;
DROP TABLE tags;
CREATE TABLE tags (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 170),
    normalized_name TEXT    NOT NULL UNIQUE,
    category        TEXT,
    state           TEXT    NOT NULL DEFAULT 'known' CHECK (state IN ('known', 'proposed')),
    origin          TEXT    NOT NULL DEFAULT 'user' CHECK (origin IN ('user', 'prompt', 'llm', 'vision', 'import')),
    created_at      INTEGER NOT NULL
) STRICT;
-- Serves the list of proposals.
CREATE INDEX tags_proposed ON tags (id) WHERE state = 'proposed';

-- What the person said: this tag is only another name of that one. Chains are allowed, circles are not.
CREATE TABLE tag_alias_edges (
    tag_id    INTEGER PRIMARY KEY REFERENCES tags (id) ON DELETE CASCADE,
    target_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    CHECK (tag_id <> target_id)
) STRICT;
CREATE INDEX tag_alias_edges_to ON tag_alias_edges (target_id);
CREATE TABLE tag_implications (
    tag_id     INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    implied_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (tag_id, implied_id),
    CHECK (tag_id <> implied_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_implications_to ON tag_implications (implied_id);

-- From which confidence on a source is believed: for all tags, and for one.
CREATE TABLE source_thresholds (
    source TEXT PRIMARY KEY CHECK (source IN ('user', 'prompt', 'llm', 'vision', 'import')),
    value  REAL NOT NULL CHECK (value BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;
CREATE TABLE tag_thresholds (
    tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    source TEXT    NOT NULL CHECK (source IN ('user', 'prompt', 'llm', 'vision', 'import')),
    value  REAL    NOT NULL CHECK (value BETWEEN 0 AND 1),
    PRIMARY KEY (tag_id, source)
) STRICT, WITHOUT ROWID;

-- What was said, by whom: one row a source and run; decision 0 says "not this tag".
CREATE TABLE tag_assertions (
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    tag_id        INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    source        TEXT    NOT NULL CHECK (source IN ('user', 'prompt', 'llm', 'vision', 'import')),
    run           TEXT    NOT NULL DEFAULT '',
    decision      INTEGER NOT NULL DEFAULT 1 CHECK (decision IN (0, 1)),
    confidence    REAL    CHECK (confidence BETWEEN 0 AND 1),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (generation_id, tag_id, source, run)
) STRICT, WITHOUT ROWID;
-- Serves all that was said of one tag, and its foreign key.
CREATE INDEX tag_assertions_of_tag ON tag_assertions (tag_id, generation_id);
-- Serves "is there a no?", which is rare and asked of every posting.
CREATE INDEX tag_rejections ON tag_assertions (generation_id, tag_id) WHERE decision = 0 AND source = 'user';

-- What is derived has no foreign keys: it must outlive a tag until store/postings.py has looked at it.
-- Every name that leads to another tag, and to which in the end.
CREATE TABLE tag_aliases (
    normalized_name TEXT    PRIMARY KEY,
    name            TEXT    NOT NULL,
    tag_id          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_aliases_of ON tag_aliases (tag_id);
-- What an image shows for a tag: the tag its aliases end at (implied 0) and all that this implies
-- (implied 1). Every tag has exactly one row with implied 0.
CREATE TABLE tag_effects (
    tag_id       INTEGER NOT NULL,
    effective_id INTEGER NOT NULL,
    implied      INTEGER NOT NULL CHECK (implied IN (0, 1)),
    PRIMARY KEY (tag_id, effective_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_effects_to ON tag_effects (effective_id, tag_id, implied);
-- What is shown and searched, of live images alone.
CREATE TABLE image_tags (
    tag_id        INTEGER NOT NULL,
    generation_id INTEGER NOT NULL,
    PRIMARY KEY (tag_id, generation_id)
) STRICT, WITHOUT ROWID;
-- Serves the tags of an image: the index over all images and counts beside a search are read from it.
CREATE INDEX image_tags_of ON image_tags (generation_id, tag_id);
-- How many images show a tag.
CREATE TABLE tag_counts (
    tag_id INTEGER PRIMARY KEY,
    images INTEGER NOT NULL CHECK (images >= 0)
) STRICT;
-- The definition of image_tags, with repetitions: an image shows a tag when somebody said so who is
-- believed, of this tag or of one that leads to it, and the person said no to neither; nothing shows a proposal.
CREATE VIEW image_tags_meant AS
SELECT e.effective_id AS tag_id, a.generation_id
  FROM tag_assertions AS a
       CROSS JOIN tag_effects AS e ON e.tag_id = a.tag_id
       CROSS JOIN tag_effects AS t ON t.tag_id = a.tag_id AND t.implied = 0
 WHERE a.decision = 1
   AND (a.confidence IS NULL
        OR a.confidence >= coalesce((SELECT value FROM tag_thresholds
                                      WHERE tag_id = t.effective_id AND source = a.source),
                                    (SELECT value FROM source_thresholds WHERE source = a.source), 0))
   AND EXISTS (SELECT 1 FROM live_generations WHERE id = a.generation_id)
   AND EXISTS (SELECT 1 FROM tags WHERE id = t.effective_id AND state = 'known')
   AND NOT EXISTS (SELECT 1
                     FROM tag_assertions AS no
                          CROSS JOIN tag_effects AS o ON o.tag_id = no.tag_id AND o.implied = 0
                    WHERE no.generation_id = a.generation_id AND no.decision = 0 AND no.source = 'user'
                      AND o.effective_id IN (t.effective_id, e.effective_id));
CREATE TRIGGER tags_added AFTER INSERT ON tags
BEGIN
    INSERT INTO tag_counts (tag_id, images) VALUES (new.id, 0);
    INSERT INTO tag_effects (tag_id, effective_id, implied) VALUES (new.id, new.id, 0);
END;
CREATE TRIGGER image_tags_added AFTER INSERT ON image_tags
BEGIN
    UPDATE tag_counts SET images = images + 1 WHERE tag_id = new.tag_id;
END;
CREATE TRIGGER image_tags_removed AFTER DELETE ON image_tags
BEGIN
    UPDATE tag_counts SET images = images - 1 WHERE tag_id = old.tag_id;
END;
-- A date that is corrected moves its row, and an image that is forgotten takes its postings along.
CREATE TRIGGER image_tags_moved AFTER UPDATE OF id ON generations WHEN old.id <> new.id
BEGIN
    UPDATE image_tags SET generation_id = new.id WHERE generation_id = old.id;
END;
CREATE TRIGGER image_tags_forgotten BEFORE DELETE ON generations
BEGIN
    DELETE FROM image_tags WHERE generation_id = old.id;
END;

-- Postings that do not follow the relations yet: images of `tag_id` from `next` on, whose posting of
-- `effective_id` is to be added (every image that shows the one shows the other) or checked (those of
-- which it was said); "all" looks at every image. `done` of `total` are looked through.
CREATE TABLE posting_work (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    tag_id       INTEGER NOT NULL,
    effective_id INTEGER NOT NULL,
    how          TEXT    NOT NULL CHECK (how IN ('add', 'check', 'all')),
    next         INTEGER NOT NULL DEFAULT 0,
    done         INTEGER NOT NULL DEFAULT 0,
    total        INTEGER NOT NULL
) STRICT;
CREATE INDEX posting_work_of ON posting_work (tag_id);

-- Phrases of prompts that are no tag (yet), with the first images that have them (ids, 8 bytes each).
CREATE TABLE prompt_phrases (
    normalized_name TEXT    PRIMARY KEY,
    name            TEXT    NOT NULL,
    images          BLOB    NOT NULL,
    seen_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX prompt_phrases_old ON prompt_phrases (seen_at);
-- Images whose prompts are not looked through yet (ids, 8 bytes each).
CREATE TABLE prompt_backlog (
    id     INTEGER PRIMARY KEY,
    images BLOB NOT NULL
) STRICT;

-- A purge that was begun: what is to happen to which file, before it happens.
CREATE TABLE purge_intents (
    file_id    INTEGER PRIMARY KEY REFERENCES generation_files (id) ON DELETE CASCADE,
    how        TEXT    NOT NULL CHECK (how IN ('system_trash', 'unlink')),
    intended_at INTEGER NOT NULL
) STRICT;

-- Texts that stand for __name__ in a template, one a line.
CREATE TABLE wildcards (
    name       TEXT    PRIMARY KEY,
    content    TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
