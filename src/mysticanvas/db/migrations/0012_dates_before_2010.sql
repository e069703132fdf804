-- Version 12: images before 2010 have negative ids, which follow time too. The table is rebuilt because a CHECK changes.
-- Its columns keep their order, on which recorded changesets depend. Its indexes and triggers, which are dropped with it,
-- are created again unchanged.
PRAGMA legacy_alter_table = ON;

CREATE TABLE generations_new (
    id                 INTEGER PRIMARY KEY CHECK (id <> 0),       -- negative before 2010
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
    parent_by          TEXT CHECK (parent_by IN ('hash', 'name', 'user')),
    is_grid            INTEGER NOT NULL DEFAULT 0 CHECK (is_grid IN (0, 1)),
    CHECK ((deleted_at IS NULL) = (purge_after IS NULL))
) STRICT;
INSERT INTO generations_new (
    id, uuid, timestamp, timestamp_source, prompt, negative_prompt, notes, seed, steps, cfg_scale,
    guidance, sampler, scheduler, denoise, clip_skip, width, height, model_id, model_hash,
    model_name, parent_id, parent_uuid, parent_relation, is_favorite, rating, engine_name,
    engine_version, app_version, generation_time_ms, params_json, problems_json, parser_version,
    imported_at, updated_at, deleted_at, purge_after, missing_at, parent_by, is_grid)
SELECT
    id, uuid, timestamp, timestamp_source, prompt, negative_prompt, notes, seed, steps, cfg_scale,
    guidance, sampler, scheduler, denoise, clip_skip, width, height, model_id, model_hash,
    model_name, parent_id, parent_uuid, parent_relation, is_favorite, rating, engine_name,
    engine_version, app_version, generation_time_ms, params_json, problems_json, parser_version,
    imported_at, updated_at, deleted_at, purge_after, missing_at, parent_by, is_grid
  FROM generations;
DROP TABLE generations;
ALTER TABLE generations_new RENAME TO generations;

PRAGMA legacy_alter_table = OFF;

-- Serves the filter by model, newest first, and its foreign key.
CREATE INDEX generations_by_model ON generations (model_id, id) WHERE model_id IS NOT NULL;
-- Serves lineage and its foreign key.
CREATE INDEX generations_by_parent ON generations (parent_id) WHERE parent_id IS NOT NULL;
-- Serves the arrival of a parent that is not known yet.
CREATE INDEX generations_by_parent_hint ON generations (parent_uuid)
    WHERE parent_id IS NULL AND parent_uuid IS NOT NULL;
-- Serves the Trash and its purge.
CREATE INDEX generations_in_trash ON generations (purge_after) WHERE deleted_at IS NOT NULL;
-- Serves the filter by seed.
CREATE INDEX generations_by_seed ON generations (seed, id) WHERE seed IS NOT NULL;
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

CREATE TRIGGER image_tags_moved AFTER UPDATE OF id ON generations WHEN old.id <> new.id
BEGIN
    UPDATE image_tags SET generation_id = new.id WHERE generation_id = old.id;
END;

CREATE TRIGGER image_tags_forgotten BEFORE DELETE ON generations
BEGIN
    DELETE FROM image_tags WHERE generation_id = old.id;
END;

CREATE TRIGGER journal_image_added AFTER INSERT ON generations
    WHEN new.is_favorite = 1 OR new.rating > 0 OR new.notes IS NOT NULL
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
END;

CREATE TRIGGER journal_image_changed
    AFTER UPDATE OF is_favorite, rating, notes, deleted_at, purge_after, uuid ON generations
    WHEN old.is_favorite <> new.is_favorite OR old.rating <> new.rating OR old.notes IS NOT new.notes
      OR old.deleted_at IS NOT new.deleted_at OR old.purge_after IS NOT new.purge_after OR old.uuid <> new.uuid
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
END;

CREATE TRIGGER journal_image_linked AFTER UPDATE OF parent_id, parent_relation, parent_by ON generations
    WHEN old.parent_by IS 'user' OR new.parent_by IS 'user'
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.parent_id WHERE new.parent_id IS NOT NULL;
END;

CREATE TRIGGER journal_image_moved AFTER UPDATE OF id ON generations WHEN old.id <> new.id
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.id), ('image', new.id);
END;

CREATE TRIGGER journal_image_gone AFTER DELETE ON generations
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.id);
END;

CREATE TRIGGER live_generations_renamed AFTER UPDATE OF uuid ON generations WHEN old.uuid <> new.uuid
BEGIN
    UPDATE live_generations SET uuid = new.uuid WHERE id = new.id;
END;

CREATE TRIGGER generation_prompts_added AFTER INSERT ON generations WHEN new.prompt <> ''
BEGIN
    INSERT INTO prompts (content_hash) VALUES (content_hash(new.prompt)) ON CONFLICT DO NOTHING;
    INSERT INTO generation_prompts (generation_id, prompt_id)
    SELECT new.id, id FROM prompts WHERE content_hash = content_hash(new.prompt);
END;

CREATE TRIGGER generation_prompts_changed AFTER UPDATE OF prompt ON generations WHEN new.prompt IS NOT old.prompt
BEGIN
    DELETE FROM generation_prompts WHERE generation_id = new.id;
    INSERT INTO prompts (content_hash)
    SELECT content_hash(new.prompt) WHERE new.prompt <> '' ON CONFLICT DO NOTHING;
    INSERT INTO generation_prompts (generation_id, prompt_id)
    SELECT new.id, id FROM prompts WHERE new.prompt <> '' AND content_hash = content_hash(new.prompt);
END;

-- The id of an image with a date in the future follows the time of its import. Serves the search for such dates. 80,000
-- seconds are less than the day that a date may be ahead, because a full second spills into later ones.
CREATE INDEX generations_in_future ON generations (timestamp)
    WHERE timestamp / 1000 - (id >> 8) > 1262384000;
