-- Version 3: where model files are, which entries are one model, and what went into an image.

-- Folders of models, as the person named them. A path here is opened for reading only.
CREATE TABLE model_folders (
    id           INTEGER PRIMARY KEY,
    path         TEXT    NOT NULL UNIQUE,
    added_at     INTEGER NOT NULL,
    last_scan_at INTEGER
) STRICT;

-- An entry with `file_path` was found on disk; one without is known from images alone. Entries that
-- are one model lead to the one that is shown: by a hash, by their name (in doubt), or because the
-- person said so. Links stay where they are, so that this can always be taken back.
ALTER TABLE models ADD COLUMN merged_into INTEGER REFERENCES models (id) CHECK (merged_into <> id);
ALTER TABLE models ADD COLUMN merged_by TEXT CHECK (merged_by IN ('hash', 'name', 'user'))
    CHECK ((merged_by IS NULL) = (merged_into IS NULL));
-- Serves the entries of one model, and the foreign key.
CREATE INDEX models_merged ON models (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE model_files (
    id         INTEGER PRIMARY KEY,
    model_id   INTEGER NOT NULL REFERENCES models (id),
    folder_id  INTEGER NOT NULL REFERENCES model_folders (id) ON DELETE CASCADE,
    path_bytes BLOB    NOT NULL,                  -- what is opened, relative to the folder
    path       TEXT    NOT NULL,                  -- what is shown
    bytes      INTEGER NOT NULL CHECK (bytes >= 0),
    mtime_ns   INTEGER NOT NULL,
    preview    BLOB,                              -- a picture beside it, relative to the folder
    problem    TEXT,                              -- what is wrong with the file, for the person
    hashed_at  INTEGER,
    missing_at INTEGER,
    UNIQUE (folder_id, path_bytes)
) STRICT;
-- Serves the files of one model, and the foreign key.
CREATE INDEX model_files_of ON model_files (model_id);

-- Who says so: the images, the bytes of the file, or a text in or beside the file.
ALTER TABLE model_hashes ADD COLUMN source TEXT NOT NULL DEFAULT 'image'
    CHECK (source IN ('image', 'file', 'declared'));

-- 1 where the image named the model by a hash; 0 where only by a name, which another may have too.
ALTER TABLE generation_models ADD COLUMN sure INTEGER NOT NULL DEFAULT 0 CHECK (sure IN (0, 1));
-- Serves "made with this model in this role, with a weight of at least …".
CREATE INDEX generation_models_by_weight ON generation_models (model_id, role, weight, generation_id);

-- How the parent is known; 'user' also where the person said that there is none, and then no reading
-- of the file changes it any more.
ALTER TABLE generations ADD COLUMN parent_by TEXT CHECK (parent_by IN ('hash', 'name', 'user'));

-- Every image that went into another, as its file names it, in order. `name_key` is the name without
-- folders, in lower case. `found_id` is that image, once it is known.
CREATE TABLE generation_inputs (
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    position      INTEGER NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('source', 'mask', 'control', 'reference')),
    name          TEXT,
    name_key      TEXT,
    hash          TEXT,
    hash_kind     TEXT,
    found_id      INTEGER REFERENCES generations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    found_by      TEXT    CHECK (found_by IN ('hash', 'name')),
    PRIMARY KEY (generation_id, position),
    CHECK (name IS NOT NULL OR hash IS NOT NULL)
) STRICT, WITHOUT ROWID;
-- Serves the arrival of an image that others name.
CREATE INDEX generation_inputs_by_name ON generation_inputs (name_key) WHERE name_key IS NOT NULL;
CREATE INDEX generation_inputs_by_hash ON generation_inputs (hash) WHERE hash IS NOT NULL;
-- Serves what was made from an image, and the foreign key.
CREATE INDEX generation_inputs_found ON generation_inputs (found_id) WHERE found_id IS NOT NULL;

-- Names that a file of an image had before it was renamed.
CREATE TABLE former_names (
    name_key      TEXT    NOT NULL,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (name_key, generation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_names_of ON former_names (generation_id);

-- The name of a file without its folders, in lower case. Serves the search for an input by its name.
CREATE INDEX generation_files_by_name
    ON generation_files (lower(replace(path, rtrim(path, replace(path, '/', '')), '')))
    WHERE kind IN ('final', 'copy');
-- Serves the search for an input by the hash of its file.
CREATE INDEX generation_files_by_sha256 ON generation_files (sha256) WHERE sha256 IS NOT NULL;

-- 1 for a sheet of several images that a generator laid out, such as A1111's X/Y/Z plot.
ALTER TABLE generations ADD COLUMN is_grid INTEGER NOT NULL DEFAULT 0 CHECK (is_grid IN (0, 1));

-- Images whose name says that they are a file of another image beside them, while that one is not known:
-- a mask, a picture before hires fix, an upscale. When it comes, the file joins it and this row is gone.
CREATE TABLE companions (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind IN ('input', 'mask', 'upscaled', 'sidecar')),
    root_id       INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
    folder        BLOB    NOT NULL
) STRICT;
-- Serves the arrival of images in a folder, and the foreign key.
CREATE INDEX companions_in ON companions (root_id, folder);

-- Images that were taken over from another gallery, by the name they had there.
CREATE TABLE foreign_names (
    source        TEXT    NOT NULL,               -- the kind of gallery
    foreign_id    TEXT    NOT NULL,
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (source, foreign_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX foreign_names_of ON foreign_names (generation_id);
