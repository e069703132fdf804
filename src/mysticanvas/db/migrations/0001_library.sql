-- Version 1. Times are Unix milliseconds UTC unless the name says otherwise.

CREATE TABLE settings (
    name       TEXT PRIMARY KEY,
    value_json TEXT NOT NULL CHECK (json_valid(value_json))
) STRICT, WITHOUT ROWID;

-- Watched folders. `sample_json` holds some known files, to tell this root from another at its path.
CREATE TABLE roots (
    id              INTEGER PRIMARY KEY,
    path            TEXT    NOT NULL UNIQUE,
    volume_id       TEXT,
    sample_json     TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(sample_json)),
    state           TEXT    NOT NULL DEFAULT 'online' CHECK (state IN ('online', 'offline')),
    watched         INTEGER NOT NULL DEFAULT 1 CHECK (watched IN (0, 1)),
    added_at        INTEGER NOT NULL,
    last_scan_at    INTEGER
) STRICT;

CREATE TABLE models (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL CHECK (kind IN ('checkpoint', 'lora', 'vae', 'refiner', 'embedding',
                                                   'controlnet', 'upscaler', 'text_encoder', 'other')),
    name          TEXT    NOT NULL,
    file_path     TEXT,
    hash          TEXT    UNIQUE,                 -- full sha256, lower-case hex
    base_family   TEXT,
    metadata_json TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(metadata_json)),
    created_at    INTEGER NOT NULL
) STRICT;
-- Serves models.find_or_add and the facet of models.
CREATE INDEX models_by_name ON models (kind, name);

CREATE TABLE model_hashes (
    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    kind     TEXT    NOT NULL CHECK (kind IN ('autov1', 'autov2', 'autov3', 'sha256', 'blake3', 'tensor')),
    value    TEXT    NOT NULL CHECK (value = lower(value)),
    PRIMARY KEY (model_id, kind, value)
) STRICT, WITHOUT ROWID;
-- Serves models.find_or_add by hash, also by prefix.
CREATE INDEX model_hashes_by_value ON model_hashes (kind, value);

-- `id` follows time: (seconds since 2010) << 8 | n. `uuid` is the public name.
CREATE TABLE generations (
    id                 INTEGER PRIMARY KEY CHECK (id > 0),
    uuid               TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
    timestamp          INTEGER NOT NULL,
    timestamp_source   TEXT    NOT NULL CHECK (timestamp_source IN ('metadata', 'file_name', 'mtime', 'user')),
    prompt             TEXT,
    negative_prompt    TEXT,
    notes              TEXT,
    seed               TEXT,                      -- decimal: it may exceed 64 bits
    steps              INTEGER,
    cfg_scale          REAL,
    guidance           REAL,
    sampler            TEXT,
    scheduler          TEXT,
    denoise            REAL,
    clip_skip          INTEGER,
    width              INTEGER,                   -- what the recipe asked; pixels are in generation_files
    height             INTEGER,
    model_id           INTEGER REFERENCES models (id) ON DELETE SET NULL,
    model_hash         TEXT,
    model_name         TEXT,
    parent_id          INTEGER REFERENCES generations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    parent_uuid        TEXT,                      -- the uuid, or the hint in the file while unresolved
    parent_relation    TEXT CHECK (parent_relation IN ('img2img', 'inpaint', 'upscale', 'variation',
                                                       'reproduction')),
    is_favorite        INTEGER NOT NULL DEFAULT 0 CHECK (is_favorite IN (0, 1)),
    rating             INTEGER NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5),
    engine_name        TEXT,
    engine_version     TEXT,
    app_version        TEXT    NOT NULL,
    generation_time_ms INTEGER,
    params_json        TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(params_json)),
    problems_json      TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(problems_json)),
    parser_version     INTEGER NOT NULL,
    imported_at        INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    deleted_at         INTEGER,
    purge_after        INTEGER,
    missing_at         INTEGER,
    CHECK ((deleted_at IS NULL) = (purge_after IS NULL))
) STRICT;
-- Serves the filter by model, newest first, and its foreign key.
CREATE INDEX generations_by_model ON generations (model_id, id) WHERE model_id IS NOT NULL;
-- Serves lineage and its foreign key.
CREATE INDEX generations_by_parent ON generations (parent_id) WHERE parent_id IS NOT NULL;
-- Serves the arrival of a parent that is not known yet.
CREATE INDEX generations_by_parent_hint ON generations (parent_uuid)
    WHERE parent_id IS NULL AND parent_uuid IS NOT NULL;
-- Serves the Trash and its purge.
CREATE INDEX generations_in_trash ON generations (purge_after) WHERE deleted_at IS NOT NULL;

-- The original texts of a generation's file: zlib over a JSON list of [carrier, key, text].
CREATE TABLE raw_metadata (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    content       BLOB    NOT NULL
) STRICT;

-- `path_bytes` is what is opened, `path` what is shown; both relative to the root, or to the
-- library's folder where `root_id` is NULL.
CREATE TABLE generation_files (
    id            INTEGER PRIMARY KEY,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind IN ('final', 'copy', 'thumb', 'preview', 'input', 'mask',
                                                   'control', 'upscaled', 'grid', 'sidecar')),
    root_id       INTEGER REFERENCES roots (id) ON DELETE RESTRICT,
    path_bytes    BLOB    NOT NULL,
    path          TEXT    NOT NULL,
    format        TEXT,
    fingerprint   BLOB    CHECK (length(fingerprint) = 32),
    blake3        BLOB    CHECK (length(blake3) = 32),
    sha256        BLOB    CHECK (length(sha256) = 32),
    bytes         INTEGER NOT NULL CHECK (bytes >= 0),
    mtime_ns      INTEGER NOT NULL,
    width         INTEGER,
    height        INTEGER,
    frames        INTEGER NOT NULL DEFAULT 1,
    color_rgb     INTEGER CHECK (color_rgb BETWEEN 0 AND 16777215),
    damage        TEXT,                           -- why its pixels cannot be shown, for the person
    missing_at    INTEGER,
    UNIQUE (root_id, path_bytes)
) STRICT;
-- One of each of these a generation; serves the join from a generation to its file.
CREATE UNIQUE INDEX generation_files_single ON generation_files (generation_id, kind)
    WHERE kind IN ('final', 'thumb', 'preview');
-- Serves the files of one generation and the foreign key.
CREATE INDEX generation_files_of ON generation_files (generation_id);
-- Serves identity at import.
CREATE INDEX generation_files_by_fingerprint ON generation_files (fingerprint)
    WHERE fingerprint IS NOT NULL;
CREATE INDEX generation_files_by_blake3 ON generation_files (blake3) WHERE blake3 IS NOT NULL;

-- A file that could not be taken in is not tried again until it changes.
CREATE TABLE failures (
    root_id    INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
    path_bytes BLOB    NOT NULL,
    bytes      INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    failed_at  INTEGER NOT NULL,
    PRIMARY KEY (root_id, path_bytes)
) STRICT, WITHOUT ROWID;

-- What the grid shows of each live generation. Derived: kept by the triggers below, and small enough
-- that a million rows are read in one sweep. `flags`: 1 missing, 2 damaged, 4 animated.
CREATE TABLE live_generations (
    id           INTEGER PRIMARY KEY,
    uuid         TEXT    NOT NULL,
    ratio_milli  INTEGER NOT NULL,
    is_favorite  INTEGER NOT NULL,
    rating       INTEGER NOT NULL,
    flags        INTEGER NOT NULL,
    color_rgb    INTEGER,
    width_px     INTEGER,
    height_px    INTEGER,
    content_hash BLOB                             -- names the thumbnails
) STRICT;
-- Serves is:favourite and rating filters, newest first.
CREATE INDEX live_favorites ON live_generations (id) WHERE is_favorite = 1;
CREATE INDEX live_rated ON live_generations (rating, id) WHERE rating > 0;

-- The definition of live_generations; the triggers copy from it and doctor compares with it.
CREATE VIEW live_generations_meant AS
SELECT g.id, g.uuid,
       CASE WHEN f.width > 0 AND f.height > 0
            THEN max(1, min(65535, (f.width * 1000 + f.height / 2) / f.height)) ELSE 1000 END AS ratio_milli,
       g.is_favorite, g.rating,
       (g.missing_at IS NOT NULL) | ((f.damage IS NOT NULL) << 1) | ((coalesce(f.frames, 1) > 1) << 2) AS flags,
       f.color_rgb, f.width AS width_px, f.height AS height_px, f.blake3 AS content_hash
  FROM generations AS g
       LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
 WHERE g.deleted_at IS NULL;

CREATE TRIGGER live_generations_file_added AFTER INSERT ON generation_files WHEN new.kind = 'final'
BEGIN
    DELETE FROM live_generations WHERE id = new.generation_id;
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id = new.generation_id;
END;
CREATE TRIGGER live_generations_file_changed
    AFTER UPDATE OF kind, generation_id, width, height, frames, color_rgb, damage, blake3 ON generation_files
    WHEN new.kind = 'final' OR old.kind = 'final'
BEGIN
    DELETE FROM live_generations WHERE id IN (old.generation_id, new.generation_id);
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id IN (old.generation_id, new.generation_id);
END;
CREATE TRIGGER live_generations_marked AFTER UPDATE OF is_favorite, rating ON generations
    WHEN new.deleted_at IS NULL
BEGIN
    UPDATE live_generations SET is_favorite = new.is_favorite, rating = new.rating WHERE id = new.id;
END;
CREATE TRIGGER live_generations_moved AFTER UPDATE OF id, deleted_at, missing_at ON generations
BEGIN
    DELETE FROM live_generations WHERE id IN (old.id, new.id);
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id = new.id;
END;
CREATE TRIGGER live_generations_deleted AFTER DELETE ON generations
BEGIN
    DELETE FROM live_generations WHERE id = old.id;
END;

-- The words that are searched. `searchable` is the application's own function (domain/text.py); it
-- splits Chinese, Japanese and Korean text into single characters, which phrases then find.
CREATE VIEW generations_text AS
SELECT id AS rowid, searchable(prompt) AS prompt, searchable(negative_prompt) AS negative_prompt,
       searchable(notes) AS notes
  FROM generations
 WHERE deleted_at IS NULL;
CREATE VIRTUAL TABLE generations_fts USING fts5 (
    prompt, negative_prompt, notes,
    content = 'generations_text', content_rowid = 'rowid',
    tokenize = 'unicode61 remove_diacritics 2'
);
-- New rows are indexed by the writer, a batch in one statement: a trigger makes a segment a row.
CREATE TRIGGER generations_fts_gone AFTER DELETE ON generations WHEN old.deleted_at IS NULL
BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    VALUES ('delete', old.id, searchable(old.prompt), searchable(old.negative_prompt), searchable(old.notes));
END;
CREATE TRIGGER generations_fts_changed
    AFTER UPDATE OF id, prompt, negative_prompt, notes, deleted_at ON generations
BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    SELECT 'delete', old.id, searchable(old.prompt), searchable(old.negative_prompt), searchable(old.notes)
     WHERE old.deleted_at IS NULL;
    INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
    SELECT new.id, searchable(new.prompt), searchable(new.negative_prompt), searchable(new.notes)
     WHERE new.deleted_at IS NULL;
END;

CREATE TABLE generation_models (
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    model_id      INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    role          TEXT    NOT NULL CHECK (role IN ('checkpoint', 'lora', 'vae', 'refiner', 'embedding',
                                                   'controlnet', 'upscaler', 'text_encoder', 'other')),
    weight        REAL,
    PRIMARY KEY (model_id, generation_id, role)
) STRICT, WITHOUT ROWID;
-- Serves the models of one generation and the foreign key.
CREATE INDEX generation_models_of ON generation_models (generation_id);

CREATE TABLE tags (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL,
    normalized_name TEXT    NOT NULL UNIQUE,
    category        TEXT,
    thresholds_json TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(thresholds_json)),
    state           TEXT    NOT NULL DEFAULT 'known' CHECK (state IN ('known', 'proposed')),
    created_at      INTEGER NOT NULL
) STRICT;
CREATE TABLE tag_aliases (
    normalized_name TEXT    PRIMARY KEY,
    name            TEXT    NOT NULL,
    tag_id          INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_aliases_of ON tag_aliases (tag_id);
CREATE TABLE tag_implications (
    tag_id     INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    implied_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (tag_id, implied_id),
    CHECK (tag_id <> implied_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_implications_to ON tag_implications (implied_id);
-- What was said, by whom: one row a source; decision 0 says "not this tag".
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
CREATE INDEX tag_assertions_of_tag ON tag_assertions (tag_id, generation_id);
-- What is shown and searched: derived from assertions, aliases, implications and thresholds.
CREATE TABLE image_tags (
    tag_id        INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    source        TEXT    NOT NULL,
    confidence    REAL,
    PRIMARY KEY (tag_id, generation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tags_of ON image_tags (generation_id, tag_id);

CREATE TABLE collections (
    id                  INTEGER PRIMARY KEY,
    uuid                TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    kind                TEXT    NOT NULL CHECK (kind IN ('manual', 'smart')),
    query_json          TEXT    CHECK (query_json IS NULL OR json_valid(query_json)),
    parent_id           INTEGER REFERENCES collections (id) ON DELETE SET NULL,
    cover_generation_id INTEGER REFERENCES generations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    notes               TEXT,
    position            REAL    NOT NULL DEFAULT 0,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    CHECK ((kind = 'smart') = (query_json IS NOT NULL))
) STRICT;
CREATE INDEX collections_in ON collections (parent_id, position);
CREATE INDEX collections_covers ON collections (cover_generation_id) WHERE cover_generation_id IS NOT NULL;
CREATE TABLE collection_items (
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    position      REAL    NOT NULL,
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (collection_id, generation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_items_in_order ON collection_items (collection_id, position);
CREATE INDEX collection_items_of ON collection_items (generation_id);

CREATE TABLE prompt_templates (
    id              INTEGER PRIMARY KEY,
    uuid            TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    content         TEXT    NOT NULL,
    negative        TEXT,
    params_json     TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(params_json)),
    category        TEXT,
    preview_generation_id INTEGER REFERENCES generations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    uses            INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX prompt_templates_previews ON prompt_templates (preview_generation_id)
    WHERE preview_generation_id IS NOT NULL;

CREATE TABLE embeddings (
    space        TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    vector       BLOB NOT NULL,
    PRIMARY KEY (space, content_hash)
) STRICT, WITHOUT ROWID;

-- Drawn in domain/job.py. A running job has an owner, and no other has one.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'error',
                                                                      'cancelled')),
    priority     INTEGER NOT NULL DEFAULT 100,
    payload_json TEXT    NOT NULL CHECK (json_valid(payload_json)),
    unique_key   TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    crashes      INTEGER NOT NULL DEFAULT 0,
    run_at       INTEGER NOT NULL DEFAULT 0,
    boot_id      TEXT,
    claim_token  TEXT,
    progress     REAL    NOT NULL DEFAULT 0,
    error        TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK ((status = 'running') = (claim_token IS NOT NULL)),
    CHECK ((claim_token IS NULL) = (boot_id IS NULL))
) STRICT;
-- Serves jobs.claim: the next in order, kind by kind.
CREATE INDEX jobs_waiting ON jobs (priority DESC, id) WHERE status = 'queued' AND run_at = 0;
-- Serves retries that fall due.
CREATE INDEX jobs_retrying ON jobs (run_at) WHERE status = 'queued' AND run_at > 0;
-- Serves jobs.take_back, and a count of what runs.
CREATE INDEX jobs_running ON jobs (boot_id) WHERE status = 'running';
-- One waiting job for a thing (J8).
CREATE UNIQUE INDEX jobs_once ON jobs (kind, unique_key) WHERE status = 'queued' AND unique_key IS NOT NULL;
-- Serves counts by kind, and the list of failures.
CREATE INDEX jobs_by_state ON jobs (kind, status);

-- Append-only.
CREATE TABLE events (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    level     TEXT    NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    kind      TEXT    NOT NULL,
    subject   TEXT,
    data_json TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(data_json))
) STRICT;
CREATE INDEX events_of_kind ON events (kind, id);

-- Each deed of a person with its inverse, for undo.
CREATE TABLE operations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('applying', 'done', 'undone')),
    changed      INTEGER NOT NULL,
    deed_json    TEXT    NOT NULL CHECK (json_valid(deed_json)),
    inverse_json TEXT    NOT NULL CHECK (json_valid(inverse_json))
) STRICT;
