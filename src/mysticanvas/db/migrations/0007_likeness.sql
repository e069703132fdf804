-- Version 7. What is alike: prompts by their meaning, pictures by their look.

-- Each distinct prompt once, whatever images it made. An id says when it arrived and is never given again.
CREATE TABLE prompts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    content_hash BLOB    NOT NULL UNIQUE CHECK (length(content_hash) = 16)
) STRICT;
CREATE TABLE generation_prompts (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    prompt_id     INTEGER NOT NULL REFERENCES prompts (id)
) STRICT;
-- Serves the text of a prompt, its images, and its foreign key.
CREATE INDEX generation_prompts_of ON generation_prompts (prompt_id);

-- `content_hash` is the application's own function (domain/text.py).
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
-- A prompt goes with its last image, and its vectors with it.
CREATE TRIGGER generation_prompts_gone AFTER DELETE ON generation_prompts
    WHEN NOT EXISTS (SELECT 1 FROM generation_prompts WHERE prompt_id = old.prompt_id)
BEGIN
    DELETE FROM embeddings
     WHERE content_hash = (SELECT content_hash FROM prompts WHERE id = old.prompt_id) AND space LIKE 'prompt-%';
    DELETE FROM prompts WHERE id = old.prompt_id;
END;

-- Nothing wrote embeddings before this version. An id says when a vector arrived, so that what keeps them
-- in memory reads only the new ones.
DROP TABLE embeddings;
CREATE TABLE embeddings (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    space        TEXT    NOT NULL,
    content_hash BLOB    NOT NULL,
    vector       BLOB    NOT NULL,               -- a signed byte a dimension; its direction counts
    UNIQUE (content_hash, space)
) STRICT;

INSERT INTO prompts (content_hash)
SELECT DISTINCT content_hash(prompt) FROM generations WHERE prompt <> '';
INSERT INTO generation_prompts (generation_id, prompt_id)
SELECT g.id, p.id FROM generations AS g JOIN prompts AS p ON p.content_hash = content_hash(g.prompt)
 WHERE g.prompt <> '';

-- The perceptual hash of each image whose pixels were seen (pixels/phash.py), 256 bits.
CREATE TABLE picture_hashes (
    generation_id INTEGER PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    phash         BLOB    NOT NULL CHECK (length(phash) = 32)
) STRICT;
