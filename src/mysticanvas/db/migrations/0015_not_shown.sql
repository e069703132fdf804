-- Version 15. Files that are not images, as the last complete scan of a folder found them: kind (PSD, links …) to number.
ALTER TABLE roots ADD COLUMN not_shown_json TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(not_shown_json));
