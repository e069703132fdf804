-- Version 14. The shown picture: how its file is turned, and whether it is too large for a thumbnail, which is no damage.
ALTER TABLE generation_files ADD COLUMN orientation INTEGER NOT NULL DEFAULT 1 CHECK (orientation BETWEEN 1 AND 8);
-- Why no thumbnail is made, for the person.
ALTER TABLE generation_files ADD COLUMN too_large TEXT;
-- 1: read by a version that ignored orientation and profiles. Its header is read again, and its thumbnails are made
-- again if they need it.
ALTER TABLE generation_files ADD COLUMN is_outdated INTEGER NOT NULL DEFAULT 0 CHECK (is_outdated IN (0, 1));

-- `flags`: 1 missing, 2 damaged, 4 animated, 8 too large for a thumbnail; 16, 32 and 64 are the orientation minus 1
-- of a WebP, which browsers do not turn by themselves.
DROP TRIGGER live_generations_file_added;
DROP TRIGGER live_generations_file_changed;
DROP TRIGGER live_generations_moved;
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
    AFTER UPDATE OF kind, generation_id, width, height, frames, color_rgb, damage, blake3, format, orientation,
                    too_large ON generation_files
    WHEN new.kind = 'final' OR old.kind = 'final'
BEGIN
    DELETE FROM live_generations WHERE id IN (old.generation_id, new.generation_id);
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id IN (old.generation_id, new.generation_id);
END;
CREATE TRIGGER live_generations_moved AFTER UPDATE OF id, deleted_at, missing_at ON generations
BEGIN
    DELETE FROM live_generations WHERE id IN (old.id, new.id);
    INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                                  content_hash)
    SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
      FROM live_generations_meant WHERE id = new.id;
END;

UPDATE generation_files SET too_large = damage, damage = NULL WHERE damage LIKE '%too large to display%';
UPDATE generation_files SET is_outdated = 1 WHERE kind = 'final';
-- Serves the search for files to read again; empty when all were read.
CREATE INDEX generation_files_outdated ON generation_files (generation_id) WHERE is_outdated = 1 AND kind = 'final';
