-- Version 10. A folder that a person took out of the library: nobody looks at it, its images stay.
ALTER TABLE roots ADD COLUMN removed_at INTEGER;

DROP TRIGGER journal_root_changed;
CREATE TRIGGER journal_root_changed AFTER UPDATE OF path, watched, removed_at ON roots
    WHEN old.path <> new.path OR old.watched <> new.watched OR old.removed_at IS NOT new.removed_at
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', new.id);
END;
