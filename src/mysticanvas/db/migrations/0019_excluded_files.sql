-- Version 18. Which files of an image are excluded, so that a search for a folder and the shown path use the others.

-- Derived from the exclude patterns by each scan of the folder.
ALTER TABLE generation_files ADD COLUMN is_excluded INTEGER NOT NULL DEFAULT 0 CHECK (is_excluded IN (0, 1));
-- Serves the count of a folder's excluded files, and including them again.
CREATE INDEX generation_files_excluded ON generation_files (root_id) WHERE is_excluded = 1;
-- Serves path:, which also finds copies; most images have none.
CREATE INDEX generation_files_copies ON generation_files (generation_id) WHERE kind = 'copy';
