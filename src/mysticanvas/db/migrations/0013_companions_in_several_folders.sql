-- Version 13: an image that waits for the image it belongs to can have copies in several folders, and waits in each.
CREATE TABLE companions_new (
    generation_id INTEGER NOT NULL REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind IN ('input', 'mask', 'upscaled', 'sidecar')),
    root_id       INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
    folder        BLOB    NOT NULL,
    PRIMARY KEY (root_id, folder, generation_id)
) STRICT, WITHOUT ROWID;
INSERT INTO companions_new (generation_id, kind, root_id, folder)
SELECT generation_id, kind, root_id, folder FROM companions;
DROP TABLE companions;
ALTER TABLE companions_new RENAME TO companions;
-- Serves the foreign key. The primary key serves the arrival of images in a folder.
CREATE INDEX companions_of ON companions (generation_id);
