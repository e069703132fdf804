-- Version 2. What a root waits for: why it is offline, or what a scan would have marked missing.
ALTER TABLE roots ADD COLUMN trouble TEXT;
ALTER TABLE roots ADD COLUMN would_miss INTEGER NOT NULL DEFAULT 0;
-- Serves the search for files that a scan did not meet, folder by folder.
CREATE INDEX generation_files_missing ON generation_files (root_id, missing_at) WHERE missing_at IS NOT NULL;
