-- Version 9. What models see in pictures.

-- Each distinct picture that was looked at, whatever images it is. Its vectors are in `embeddings`, by the same
-- hash. An id says when it was first seen and is never given again. `explicit` is a score from 0 to 1 for what
-- not everybody wants to see.
CREATE TABLE pictures (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    content_hash BLOB    NOT NULL UNIQUE,
    explicit     REAL    CHECK (explicit BETWEEN 0 AND 1)
) STRICT;

-- Serves what reads the vectors of one space as they arrive, and their number.
CREATE INDEX embeddings_of_space ON embeddings (space, id);

-- What each picture with a perceptual hash looks like in 16 × 16 pixels (pixels/phash.py), which decides where hashes
-- are near.
CREATE TABLE picture_looks (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    look          BLOB    NOT NULL CHECK (length(look) = 288)
) STRICT;

-- A picture goes with the last file that holds it, and its vectors with it.
CREATE TRIGGER pictures_gone AFTER DELETE ON generation_files
    WHEN old.blake3 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM generation_files WHERE blake3 = old.blake3)
BEGIN
    DELETE FROM embeddings WHERE content_hash = old.blake3 AND space LIKE 'picture-%';
    DELETE FROM pictures WHERE content_hash = old.blake3;
END;
CREATE TRIGGER pictures_changed AFTER UPDATE OF blake3 ON generation_files
    WHEN old.blake3 IS NOT NULL AND old.blake3 IS NOT new.blake3
     AND NOT EXISTS (SELECT 1 FROM generation_files WHERE blake3 = old.blake3)
BEGIN
    DELETE FROM embeddings WHERE content_hash = old.blake3 AND space LIKE 'picture-%';
    DELETE FROM pictures WHERE content_hash = old.blake3;
END;
