-- Version 11. The order in which edits were undone: the last one is redone first. NULL for an edit that is not
-- undone, and for one after whose undo another edit was made.
ALTER TABLE operations ADD COLUMN redo_order INTEGER;

-- Until now the oldest undone edit after the last done one was redone first.
UPDATE operations
   SET redo_order = (SELECT max(id) FROM operations) + 1 - id
 WHERE state = 'undone'
   AND id > coalesce((SELECT max(id) FROM operations WHERE state = 'done'), 0)
   AND id NOT IN (SELECT operation_id FROM operation_work);

-- Serves the next edit to redo.
CREATE INDEX operations_to_redo ON operations (redo_order) WHERE redo_order IS NOT NULL;

-- Merging duplicates copies texts to the image that is kept. Undoing it removes them without cascades, because
-- changesets are applied so (edits/changesets.py).
CREATE TRIGGER generation_workflows_gone BEFORE DELETE ON raw_metadata
BEGIN
    DELETE FROM generation_workflows WHERE generation_id = old.generation_id;
END;
