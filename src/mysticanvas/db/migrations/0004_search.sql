-- Version 4: words without the syntax of prompts, in every script.

-- `searchable` now folds case and accents itself and leaves out <lora:…> and weights; vowel signs and
-- voicing marks (Mn, Mc) belong to their words. See docs/adr/0006.
DROP TABLE generations_fts;
CREATE VIRTUAL TABLE generations_fts USING fts5 (
    prompt, negative_prompt, notes,
    content = 'generations_text', content_rowid = 'rowid',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
);
INSERT INTO generations_fts (generations_fts) VALUES ('rebuild');

-- Serves seed:, newest first.
CREATE INDEX generations_by_seed ON generations (seed, id) WHERE seed IS NOT NULL;

-- The images whose texts hold an editor's graph. Derived from raw_metadata by the application's own
-- function (domain/file.py), so that nobody unpacks a million texts to know.
CREATE TABLE generation_workflows (
    generation_id INTEGER PRIMARY KEY REFERENCES raw_metadata (generation_id) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT;
INSERT INTO generation_workflows (generation_id)
SELECT generation_id FROM raw_metadata WHERE holds_workflow(content);
CREATE TRIGGER generation_workflows_added AFTER INSERT ON raw_metadata WHEN holds_workflow(new.content)
BEGIN
    INSERT INTO generation_workflows (generation_id) VALUES (new.generation_id);
END;
CREATE TRIGGER generation_workflows_changed AFTER UPDATE OF content ON raw_metadata
BEGIN
    DELETE FROM generation_workflows WHERE generation_id = new.generation_id;
    INSERT INTO generation_workflows (generation_id)
    SELECT new.generation_id WHERE holds_workflow(new.content);
END;
