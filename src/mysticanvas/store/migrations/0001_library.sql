-- Version 1 of a library. A released file never changes; what comes later is another file.
--
-- Times are Unix milliseconds (UTC) unless the name says _ns. Unknown values are NULL.
-- `index_text` is MystiCanvas's own function: text as the full-text index sees it (store/fts.py).

-- ---------------------------------------------------------------- folders

CREATE TABLE roots (
    id           INTEGER PRIMARY KEY,
    path_bytes   BLOB    NOT NULL UNIQUE,                  -- absolute, as the system spells it: what is opened
    path         TEXT    NOT NULL,                         -- the same for reading
    volume_id    TEXT,                                     -- device or volume the folder was last seen on
    sample_json  TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(sample_json)),  -- some known files
    state        TEXT    NOT NULL DEFAULT 'online' CHECK (state IN ('online', 'offline')),
    is_watched   INTEGER NOT NULL DEFAULT 1 CHECK (is_watched IN (0, 1)),
    last_scan_at INTEGER,                                  -- end of the last complete scan
    created_at   INTEGER NOT NULL
) STRICT;

-- A file that could not be read is not tried again until its size or date changes.
CREATE TABLE scan_failures (
    root_id    INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
    path_bytes BLOB    NOT NULL,
    path       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (root_id, path_bytes)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- models

CREATE TABLE models (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL CHECK (kind IN ('checkpoint', 'lora', 'vae', 'embedding', 'controlnet',
                                                   'upscaler', 'text_encoder', 'other')),
    name          TEXT    NOT NULL,
    file_path     TEXT,
    hash          TEXT    UNIQUE CHECK (length(hash) = 64),  -- sha256 of the whole file, hexadecimal
    base_family   TEXT,
    metadata_json TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(metadata_json)),
    created_at    INTEGER NOT NULL
) STRICT;
-- Serves models.find_or_add and model:NAME.
CREATE INDEX models_by_name ON models (name COLLATE NOCASE, kind);

CREATE TABLE model_hashes (
    kind     TEXT    NOT NULL CHECK (kind IN ('autov1', 'autov2', 'autov3', 'sha256', 'blake3', 'tensor')),
    value    TEXT    NOT NULL CHECK (value = lower(value)),
    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, model_id)                    -- short hashes may collide
) STRICT, WITHOUT ROWID;
-- Serves the foreign key, and the hashes of one model.
CREATE INDEX model_hashes_of ON model_hashes (model_id);

-- ---------------------------------------------------------------- images

CREATE TABLE generations (
    id                 INTEGER PRIMARY KEY CHECK (id >= 0),  -- (seconds since 2010) << 8 | n
    uuid               TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
    timestamp          INTEGER NOT NULL,
    timestamp_source   TEXT    NOT NULL CHECK (timestamp_source IN ('metadata', 'file_name', 'mtime')),
    prompt             TEXT,
    negative_prompt    TEXT,
    notes              TEXT,                               -- the person's own words
    seed               TEXT    CHECK (seed NOT GLOB '*[^0-9-]*'),  -- decimal; may exceed 64 bits
    steps              INTEGER,
    cfg_scale          REAL,
    guidance           REAL,
    sampler            TEXT,
    scheduler          TEXT,
    denoise            REAL,
    clip_skip          INTEGER,
    width              INTEGER,                            -- what the recipe asked for, in pixels
    height             INTEGER,
    model_id           INTEGER REFERENCES models (id) ON DELETE SET NULL,
    model_hash         TEXT,                               -- as the file says it
    model_name         TEXT,
    parent_id          INTEGER REFERENCES generations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    parent_uuid        TEXT,                               -- uuid, file name or hash of the source, as written
    parent_relation    TEXT    CHECK (parent_relation IN ('img2img', 'inpaint', 'upscale', 'variation',
                                                          'reproduction')),
    is_favorite        INTEGER NOT NULL DEFAULT 0 CHECK (is_favorite IN (0, 1)),
    rating             INTEGER NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5),  -- 0: not rated
    engine_name        TEXT,                               -- the tool that made it
    engine_version     TEXT,
    app_version        TEXT,                               -- the MystiCanvas that took it in or ran it
    generation_time_ms INTEGER,
    params_json        TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(params_json)),
    problems_json      TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(problems_json)),
    parser_version     INTEGER NOT NULL,
    imported_at        INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    deleted_at         INTEGER,                            -- in the trash since
    purge_after        INTEGER CHECK (purge_after IS NULL OR deleted_at IS NOT NULL),
    missing_at         INTEGER                             -- its last file was seen to be gone
) STRICT;
-- Serves model:NAME in id order, and the foreign key.
CREATE INDEX generations_by_model ON generations (model_id) WHERE model_id IS NOT NULL;
-- Serves the foreign key, and "made from this image".
CREATE INDEX generations_by_parent ON generations (parent_id) WHERE parent_id IS NOT NULL;
-- Serves finding children whose source is taken in after them.
CREATE INDEX generations_without_parent ON generations (parent_uuid)
 WHERE parent_uuid IS NOT NULL AND parent_id IS NULL;
-- Serves the trash and its purge.
CREATE INDEX generations_in_trash ON generations (purge_after) WHERE deleted_at IS NOT NULL;

-- The original texts of the file: zlib over JSON [[carrier, key, text], …]. Apart, to keep rows narrow.
CREATE TABLE raw_metadata (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    entries_zlib  BLOB    NOT NULL
) STRICT;

CREATE TABLE generation_files (
    id            INTEGER PRIMARY KEY,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind IN ('final', 'copy', 'thumb', 'preview', 'input', 'mask',
                                                   'control', 'upscaled', 'grid', 'sidecar')),
    root_id       INTEGER REFERENCES roots (id) ON DELETE RESTRICT,  -- NULL: inside the library
    path_bytes    BLOB    NOT NULL,                        -- relative to the root: what is opened
    path          TEXT    NOT NULL,                        -- the same for reading and searching
    format        TEXT,                                    -- domain.file.ImageFormat
    fingerprint   BLOB    CHECK (length(fingerprint) = 32),  -- quick: size and both ends
    blake3        BLOB    CHECK (length(blake3) = 32),     -- of the whole file: identity
    sha256        BLOB    CHECK (length(sha256) = 32),
    bytes         INTEGER NOT NULL CHECK (bytes >= 0),
    mtime_ns      INTEGER NOT NULL,
    width         INTEGER CHECK (width > 0),               -- pixels of the file itself
    height        INTEGER CHECK (height > 0),
    frames        INTEGER NOT NULL DEFAULT 1 CHECK (frames >= 1),
    color_rgb     INTEGER CHECK (color_rgb BETWEEN 0 AND 16777215),  -- dominant colour
    damage        TEXT,                                    -- why its pixels could not be decoded
    missing_at    INTEGER,
    UNIQUE (root_id, path_bytes)                           -- serves files.known
) STRICT;
-- One final file, one thumb, one preview an image. Serves the foreign key and the files of one image.
CREATE UNIQUE INDEX generation_files_of
    ON generation_files (generation_id, kind, (CASE WHEN kind IN ('final', 'thumb', 'preview') THEN 0 ELSE id END));
-- Serves files.with_fingerprint and has_fingerprint: the same bytes at another path?
CREATE INDEX generation_files_by_fingerprint ON generation_files (fingerprint) WHERE fingerprint IS NOT NULL;
-- Serves files.with_blake3: thumbnails and duplicates by content.
CREATE INDEX generation_files_by_blake3 ON generation_files (blake3) WHERE blake3 IS NOT NULL;

CREATE TABLE generation_models (
    model_id      INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    role          TEXT    NOT NULL CHECK (role IN ('checkpoint', 'refiner', 'lora', 'vae', 'embedding',
                                                   'controlnet', 'upscaler', 'text_encoder', 'other')),
    weight        REAL,
    PRIMARY KEY (model_id, generation_id, role)            -- serves the images of a model, newest first
) STRICT, WITHOUT ROWID;
-- Serves the foreign key, and the models of one image.
CREATE INDEX generation_models_of ON generation_models (generation_id);

-- ---------------------------------------------------------------- what the grid reads

-- DERIVED, by the triggers below: one narrow row for each image that is not in the trash and has its
-- final file. Grid, snapshots, geometry, favourites and ratings read nothing wider.
CREATE TABLE live_generations (
    id           INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    uuid         TEXT    NOT NULL,
    ratio_milli  INTEGER NOT NULL CHECK (ratio_milli BETWEEN 1 AND 65535),  -- width × 1000 / height
    color_rgb    INTEGER,
    is_favorite  INTEGER NOT NULL,
    rating       INTEGER NOT NULL,
    content_hash BLOB,                                     -- BLAKE3 of the final file: names its thumbnails
    flags        INTEGER NOT NULL,                         -- 1 missing, 2 damaged, 4 animated
    width_px     INTEGER,
    height_px    INTEGER
) STRICT;
-- Serves is:favourite in id order.
CREATE INDEX live_favorites ON live_generations (id) WHERE is_favorite = 1;
-- Serves rating:N in id order.
CREATE INDEX live_ratings ON live_generations (rating) WHERE rating > 0;

-- What live_generations must equal; `doctor` compares them.
CREATE VIEW live_generations_definition AS
SELECT g.id, g.uuid,
       max(1, min(65535, ifnull(CAST(round(f.width * 1000.0 / f.height) AS INTEGER), 1000))) AS ratio_milli,
       f.color_rgb, g.is_favorite, g.rating, f.blake3 AS content_hash,
       (g.missing_at IS NOT NULL) | (f.damage IS NOT NULL) << 1 | (f.frames > 1) << 2 AS flags,
       f.width AS width_px, f.height AS height_px
  FROM generations AS g
       JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
 WHERE g.deleted_at IS NULL;

CREATE TRIGGER live_final_added AFTER INSERT ON generation_files WHEN new.kind = 'final' BEGIN
    INSERT INTO live_generations SELECT * FROM live_generations_definition WHERE id = new.generation_id;
END;

CREATE TRIGGER live_final_gone AFTER DELETE ON generation_files WHEN old.kind = 'final' BEGIN
    DELETE FROM live_generations WHERE id = old.generation_id;
END;

CREATE TRIGGER live_final_changed
AFTER UPDATE OF generation_id, kind, width, height, frames, color_rgb, blake3, damage ON generation_files
WHEN old.kind = 'final' OR new.kind = 'final' BEGIN
    DELETE FROM live_generations WHERE id IN (old.generation_id, new.generation_id);
    INSERT INTO live_generations
    SELECT * FROM live_generations_definition WHERE id IN (old.generation_id, new.generation_id);
END;

CREATE TRIGGER live_generation_changed
AFTER UPDATE OF uuid, is_favorite, rating, missing_at ON generations
WHEN new.deleted_at IS NULL AND old.deleted_at IS NULL BEGIN
    UPDATE live_generations
       SET uuid = new.uuid, is_favorite = new.is_favorite, rating = new.rating,
           flags = (flags & ~1) | (new.missing_at IS NOT NULL)
     WHERE id = new.id;
END;

CREATE TRIGGER live_generation_trashed AFTER UPDATE OF deleted_at ON generations
WHEN old.deleted_at IS NULL AND new.deleted_at IS NOT NULL BEGIN
    DELETE FROM live_generations WHERE id IN (old.id, new.id);
END;

CREATE TRIGGER live_generation_restored AFTER UPDATE OF deleted_at ON generations
WHEN old.deleted_at IS NOT NULL AND new.deleted_at IS NULL BEGIN
    INSERT INTO live_generations SELECT * FROM live_generations_definition WHERE id = new.id;
END;

-- ---------------------------------------------------------------- text

-- What the index must hold; integrity-check with rank = 1 compares them.
CREATE VIEW live_texts AS
SELECT id, index_text(prompt) AS prompt, index_text(negative_prompt) AS negative_prompt,
       index_text(notes) AS notes
  FROM generations
 WHERE deleted_at IS NULL;

CREATE VIRTUAL TABLE generations_fts USING fts5 (
    prompt, negative_prompt, notes,
    content = 'live_texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);

-- A batch should arrive by one INSERT … SELECT: it makes one segment of the index instead of one a row.
CREATE TRIGGER fts_generation_added AFTER INSERT ON generations WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
    VALUES (new.id, index_text(new.prompt), index_text(new.negative_prompt), index_text(new.notes));
END;

CREATE TRIGGER fts_generation_gone AFTER DELETE ON generations WHEN old.deleted_at IS NULL BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    VALUES ('delete', old.id, index_text(old.prompt), index_text(old.negative_prompt), index_text(old.notes));
END;

CREATE TRIGGER fts_generation_unsaid
AFTER UPDATE OF id, prompt, negative_prompt, notes, deleted_at ON generations
WHEN old.deleted_at IS NULL BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    VALUES ('delete', old.id, index_text(old.prompt), index_text(old.negative_prompt), index_text(old.notes));
    INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
    SELECT new.id, index_text(new.prompt), index_text(new.negative_prompt), index_text(new.notes)
     WHERE new.deleted_at IS NULL;
END;

CREATE TRIGGER fts_generation_restored AFTER UPDATE OF deleted_at ON generations
WHEN old.deleted_at IS NOT NULL AND new.deleted_at IS NULL BEGIN
    INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
    VALUES (new.id, index_text(new.prompt), index_text(new.negative_prompt), index_text(new.notes));
END;

-- ---------------------------------------------------------------- tags

CREATE TABLE tags (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 170),  -- as shown
    normalized_name TEXT    NOT NULL UNIQUE,
    category        TEXT    NOT NULL DEFAULT 'general',
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE tag_aliases (
    alias_id   INTEGER PRIMARY KEY REFERENCES tags (id) ON DELETE CASCADE,
    tag_id     INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE CHECK (tag_id <> alias_id),
    created_at INTEGER NOT NULL
) STRICT;
-- Serves the foreign key, and the aliases of a tag.
CREATE INDEX tag_aliases_of ON tag_aliases (tag_id);

CREATE TABLE tag_implications (
    tag_id     INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    implied_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE CHECK (implied_id <> tag_id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tag_id, implied_id)
) STRICT, WITHOUT ROWID;
-- Serves the foreign key, and the tags that imply one.
CREATE INDEX tag_implications_of ON tag_implications (implied_id);

-- What was said, one row a source; "not this tag" is said too.
CREATE TABLE tag_assertions (
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    tag_id        INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    source        TEXT    NOT NULL CHECK (source IN ('user', 'prompt', 'llm', 'vision', 'import')),
    decision      TEXT    NOT NULL CHECK (decision IN ('yes', 'no')),
    confidence    REAL    CHECK (confidence BETWEEN 0 AND 1),
    created_by    TEXT,                                    -- model and its version, where a machine said it
    run_id        TEXT,                                    -- the run it came from, to be undone as one
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (generation_id, tag_id, source)
) STRICT, WITHOUT ROWID;
-- Serves the foreign key, and deriving anew all images of a tag.
CREATE INDEX tag_assertions_of ON tag_assertions (tag_id, generation_id);
-- Serves undoing a run.
CREATE INDEX tag_assertions_by_run ON tag_assertions (run_id) WHERE run_id IS NOT NULL;

-- DERIVED from assertions, aliases, implications and thresholds: what is shown and searched.
CREATE TABLE image_tags (
    tag_id        INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (tag_id, generation_id)                    -- serves tag:NAME, newest first
) STRICT, WITHOUT ROWID;
-- Serves the foreign key, and the tags of one image.
CREATE INDEX image_tags_of ON image_tags (generation_id);

-- ---------------------------------------------------------------- collections and templates

CREATE TABLE collections (
    id         INTEGER PRIMARY KEY,
    uuid       TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('manual', 'smart')),
    query_json TEXT    CHECK (json_valid(query_json)),
    parent_id  INTEGER REFERENCES collections (id) ON DELETE SET NULL CHECK (parent_id <> id),
    position   REAL    NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((kind = 'smart') = (query_json IS NOT NULL))
) STRICT;
-- Serves the foreign key, and the collections inside one.
CREATE INDEX collections_of ON collections (parent_id, position);

CREATE TABLE collection_items (
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    position      REAL    NOT NULL,
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (collection_id, generation_id)
) STRICT, WITHOUT ROWID;
-- Serves a collection in its own order.
CREATE INDEX collection_items_in_order ON collection_items (collection_id, position);
-- Serves the foreign key, and the collections of one image.
CREATE INDEX collection_items_of ON collection_items (generation_id);

CREATE TABLE prompt_templates (
    id              INTEGER PRIMARY KEY,
    uuid            TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
    name            TEXT    NOT NULL UNIQUE,
    prompt          TEXT    NOT NULL,
    negative_prompt TEXT,
    params_json     TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(params_json)),
    category        TEXT,
    usage_count     INTEGER NOT NULL DEFAULT 0,
    last_used_at    INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- Each distinct content once a space; vectors/ is its cache.
CREATE TABLE embeddings (
    id           INTEGER PRIMARY KEY,
    space        TEXT    NOT NULL,
    content_hash BLOB    NOT NULL CHECK (length(content_hash) = 32),
    vector       BLOB    NOT NULL,
    UNIQUE (space, content_hash)
) STRICT;

-- ---------------------------------------------------------------- work

CREATE TABLE jobs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT    NOT NULL,
    status        TEXT    NOT NULL DEFAULT 'queued'
                          CHECK (status IN ('queued', 'running', 'done', 'error', 'cancelled')),
    priority      INTEGER NOT NULL,                        -- higher goes first
    generation_id INTEGER REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    payload_json  TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(payload_json)),
    unique_key    TEXT,
    attempts      INTEGER NOT NULL DEFAULT 0,              -- claims, but those given back
    crashes       INTEGER NOT NULL DEFAULT 0,
    run_at        INTEGER,                                 -- not before; NULL: as soon as its turn comes
    boot_id       TEXT,                                    -- the start of the Orchestrator that claimed it
    claim_token   TEXT,                                    -- whose result will be believed
    progress      REAL    CHECK (progress BETWEEN 0 AND 1),
    error         TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CHECK ((status = 'running') = (claim_token IS NOT NULL)),
    CHECK ((status = 'running') = (boot_id IS NOT NULL)),
    CHECK (status <> 'error' OR error IS NOT NULL)
) STRICT;
-- Serves claim: a kind's jobs whose turn it is, in order; those that are done do not slow it.
CREATE INDEX jobs_ready ON jobs (kind, priority DESC, id) WHERE status = 'queued' AND run_at IS NULL;
-- Serves next_run_at, and making delayed jobs ready.
CREATE INDEX jobs_delayed ON jobs (run_at) WHERE status = 'queued' AND run_at IS NOT NULL;
-- The same wish is not queued twice; a running one does not keep a new wish out.
CREATE UNIQUE INDEX jobs_unique ON jobs (kind, unique_key) WHERE status = 'queued' AND unique_key IS NOT NULL;
-- Serves take_back and give_back.
CREATE INDEX jobs_running ON jobs (boot_id) WHERE status = 'running';
-- Serves the list of failed jobs.
CREATE INDEX jobs_failed ON jobs (kind, id) WHERE status = 'error';
-- Serves prune.
CREATE INDEX jobs_over ON jobs (updated_at) WHERE status IN ('done', 'cancelled');
-- Serves the foreign key, and raising the priority of what is on screen.
CREATE INDEX jobs_of ON jobs (generation_id) WHERE generation_id IS NOT NULL;

-- DERIVED, by the triggers below: how many jobs of a kind are in a state.
CREATE TABLE job_counts (
    kind   TEXT    NOT NULL,
    status TEXT    NOT NULL,
    jobs   INTEGER NOT NULL,
    PRIMARY KEY (kind, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_counts_added AFTER INSERT ON jobs BEGIN
    INSERT INTO job_counts VALUES (new.kind, new.status, 1)
        ON CONFLICT (kind, status) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER job_counts_gone AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE kind = old.kind AND status = old.status;
END;

CREATE TRIGGER job_counts_changed AFTER UPDATE OF status, kind ON jobs
WHEN old.status <> new.status OR old.kind <> new.kind BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE kind = old.kind AND status = old.status;
    INSERT INTO job_counts VALUES (new.kind, new.status, 1)
        ON CONFLICT (kind, status) DO UPDATE SET jobs = jobs + 1;
END;

-- ---------------------------------------------------------------- what happened

CREATE TABLE events (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    level     TEXT    NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    kind      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    data_json TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(data_json))
) STRICT;
-- Serve the log, filtered.
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_level ON events (level, id);

CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events BEGIN
    SELECT raise(ABORT, 'events are append-only');
END;

CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'events are append-only');
END;

-- Each deed of a person, with what takes it back.
CREATE TABLE operations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('applying', 'done', 'undoing', 'undone')),
    deed_json  TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(deed_json)),  -- what was asked
    changed    INTEGER NOT NULL DEFAULT 0,                 -- images it changed
    undone_at  INTEGER,
    CHECK ((state = 'undone') = (undone_at IS NOT NULL))
) STRICT;
-- Serves finishing after a restart what was begun.
CREATE INDEX operations_unfinished ON operations (id) WHERE state IN ('applying', 'undoing');

-- A large deed is done in slices, each with its inverse in the same transaction.
CREATE TABLE operation_slices (
    operation_id INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    n            INTEGER NOT NULL,
    inverse_json TEXT    NOT NULL CHECK (json_valid(inverse_json)),
    PRIMARY KEY (operation_id, n)
) STRICT;

CREATE TABLE settings (
    key        TEXT    PRIMARY KEY,
    value_json TEXT    NOT NULL CHECK (json_valid(value_json)),
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
