-- Version 16. Exclude patterns of watched folders, and the images that they hide (docs/adr/0020-excludes.md).

-- `patterns_json`: lines with the syntax of .gitignore, in order. No row: no patterns.
CREATE TABLE folder_excludes (
    root_id       INTEGER PRIMARY KEY REFERENCES roots (id) ON DELETE CASCADE,
    patterns_json TEXT    NOT NULL CHECK (json_type(patterns_json) = 'array')
) STRICT;

-- When the image was hidden because all of its files are excluded. It keeps everything and is not in the Trash.
ALTER TABLE generations ADD COLUMN excluded_at INTEGER;
-- Serves the count of excluded images and including them again.
CREATE INDEX generations_excluded ON generations (id) WHERE excluded_at IS NOT NULL;

-- The views and triggers of versions 1, 6 and 14, with excluded_at.
DROP VIEW live_generations_meant;
CREATE VIEW live_generations_meant AS
SELECT g.id, g.uuid,
       CASE WHEN f.width > 0 AND f.height > 0
            THEN max(1, min(65535, (f.width * 1000 + f.height / 2) / f.height)) ELSE 1000 END AS ratio_milli,
       g.is_favorite, g.rating,
       (g.missing_at IS NOT NULL) | ((f.damage IS NOT NULL) << 1) | ((coalesce(f.frames, 1) > 1) << 2)
       | ((f.too_large IS NOT NULL) << 3) | iif(f.format = 'webp', (f.orientation - 1) << 4, 0) AS flags,
       f.color_rgb, f.width AS width_px, f.height AS height_px, f.blake3 AS content_hash
  FROM generations AS g
       LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
 WHERE g.deleted_at IS NULL AND g.excluded_at IS NULL;

DROP TRIGGER live_generations_moved;
CREATE TRIGGER live_generations_moved AFTER UPDATE OF id, deleted_at, excluded_at, missing_at ON generations
BEGIN
    DELETE FROM live_generations WHERE id IN (old.id, new.id);
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id = new.id;
END;

DROP VIEW generations_text;
CREATE VIEW generations_text AS
SELECT id AS rowid, searchable(prompt) AS prompt, searchable(negative_prompt) AS negative_prompt,
       searchable(notes) AS notes
  FROM generations
 WHERE deleted_at IS NULL AND excluded_at IS NULL;

DROP TRIGGER generations_fts_gone;
CREATE TRIGGER generations_fts_gone AFTER DELETE ON generations
    WHEN old.deleted_at IS NULL AND old.excluded_at IS NULL
BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    VALUES ('delete', old.id, searchable(old.prompt), searchable(old.negative_prompt), searchable(old.notes));
END;
DROP TRIGGER generations_fts_changed;
CREATE TRIGGER generations_fts_changed
    AFTER UPDATE OF id, prompt, negative_prompt, notes, deleted_at, excluded_at ON generations
BEGIN
    INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes)
    SELECT 'delete', old.id, searchable(old.prompt), searchable(old.negative_prompt), searchable(old.notes)
     WHERE old.deleted_at IS NULL AND old.excluded_at IS NULL;
    INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
    SELECT new.id, searchable(new.prompt), searchable(new.negative_prompt), searchable(new.notes)
     WHERE new.deleted_at IS NULL AND new.excluded_at IS NULL;
END;

DROP TRIGGER journal_image_changed;
CREATE TRIGGER journal_image_changed
    AFTER UPDATE OF is_favorite, rating, notes, deleted_at, purge_after, excluded_at, uuid ON generations
    WHEN old.is_favorite <> new.is_favorite OR old.rating <> new.rating OR old.notes IS NOT new.notes
      OR old.deleted_at IS NOT new.deleted_at OR old.purge_after IS NOT new.purge_after
      OR old.excluded_at IS NOT new.excluded_at OR old.uuid <> new.uuid
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
END;
CREATE TRIGGER journal_excludes_added AFTER INSERT ON folder_excludes
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', new.root_id);
END;
CREATE TRIGGER journal_excludes_changed AFTER UPDATE ON folder_excludes
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', new.root_id);
END;
CREATE TRIGGER journal_excludes_gone AFTER DELETE ON folder_excludes
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', old.root_id);
END;
