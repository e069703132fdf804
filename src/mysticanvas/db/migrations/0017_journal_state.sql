-- Version 17. What the journal outside of this database must contain: the current file, its size and the CRC-32 of these
-- bytes. A journal that was removed, cut off, damaged or replaced is noticed by them, and written again in full.
-- Lines after these bytes are of items that are still in journal_due: the program ended before it could record them.
-- Without a row, a journal is started.
CREATE TABLE journal_state (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    file       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    -- Its size when it was last written in full, which tells how much it has grown.
    full_bytes INTEGER NOT NULL CHECK (full_bytes BETWEEN 0 AND bytes),
    -- Grows when a check of the whole file is asked for.
    checks     INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What follows changes how the journal knows an image: a file that was edited in place has other content, and a rebuilt
-- library would look for the old content. The first hash of a file is left out, because every imported file gets one.
CREATE VIEW journaled_images AS
SELECT id FROM generations
 WHERE is_favorite = 1 OR rating > 0 OR notes IS NOT NULL OR deleted_at IS NOT NULL OR parent_by IS 'user'
UNION ALL SELECT generation_id FROM tag_assertions WHERE source IN ('user', 'import')
UNION ALL SELECT generation_id FROM collection_items
UNION ALL SELECT parent_id FROM generations WHERE parent_by = 'user' AND parent_id IS NOT NULL
UNION ALL SELECT cover_generation_id FROM collections WHERE cover_generation_id IS NOT NULL
UNION ALL SELECT preview_generation_id FROM prompt_templates WHERE preview_generation_id IS NOT NULL;

CREATE TRIGGER journal_file_changed AFTER UPDATE OF kind, root_id, path_bytes, fingerprint, blake3 ON generation_files
    WHEN new.kind = 'final'
     AND (old.kind <> new.kind OR old.root_id IS NOT new.root_id OR old.path_bytes <> new.path_bytes
          OR old.fingerprint IS NOT new.fingerprint OR old.blake3 IS NOT NULL AND old.blake3 IS NOT new.blake3)
     AND EXISTS (SELECT 1 FROM journaled_images WHERE id = new.generation_id)
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.generation_id);
END;
CREATE TRIGGER journal_image_renamed AFTER UPDATE OF uuid ON generations WHEN old.uuid <> new.uuid
BEGIN
    INSERT INTO journal_due (kind, key)
    SELECT 'image', id FROM generations WHERE parent_id = new.id AND parent_by = 'user';
    INSERT INTO journal_due (kind, key) SELECT 'collection', id FROM collections WHERE cover_generation_id = new.id;
    INSERT INTO journal_due (kind, key) SELECT 'template', uuid FROM prompt_templates WHERE preview_generation_id = new.id;
END;
CREATE TRIGGER journal_root_moved AFTER UPDATE OF path ON roots WHEN old.path <> new.path
BEGIN
    INSERT INTO journal_due (kind, key)
    SELECT DISTINCT 'image', f.generation_id
      FROM generation_files AS f
     WHERE f.root_id = new.id AND f.kind = 'final'
       AND EXISTS (SELECT 1 FROM journaled_images WHERE id = f.generation_id);
END;
