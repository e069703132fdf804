-- Version 18. Images in order of import, for `sort:added`.

-- Serves pages in order of import, newest first.
CREATE INDEX generations_by_import ON generations (imported_at, id);
