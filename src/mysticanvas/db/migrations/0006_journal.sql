-- Version 6. The journal: what the person wrote is also kept outside of this database (I4). Whatever changes of
-- it is noted here, in the transaction of the change; library/journaling.py writes how it is then to a
-- file and forgets the note. Triggers, so that no way of changing a row can leave it out.
CREATE TABLE journal_due (
    seq  INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('image', 'tag', 'threshold', 'collection', 'template', 'wildcard',
                                       'setting', 'root', 'model_folder')),
    key  ANY  NOT NULL                            -- an id, or a name
) STRICT;

CREATE TRIGGER journal_image_added AFTER INSERT ON generations
    WHEN new.is_favorite = 1 OR new.rating > 0 OR new.notes IS NOT NULL
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
END;
CREATE TRIGGER journal_image_changed
    AFTER UPDATE OF is_favorite, rating, notes, deleted_at, purge_after, uuid ON generations
    WHEN old.is_favorite <> new.is_favorite OR old.rating <> new.rating OR old.notes IS NOT new.notes
      OR old.deleted_at IS NOT new.deleted_at OR old.purge_after IS NOT new.purge_after OR old.uuid <> new.uuid
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
END;
CREATE TRIGGER journal_image_linked AFTER UPDATE OF parent_id, parent_relation, parent_by ON generations
    WHEN old.parent_by IS 'user' OR new.parent_by IS 'user'
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.id);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.parent_id WHERE new.parent_id IS NOT NULL;
END;
CREATE TRIGGER journal_image_moved AFTER UPDATE OF id ON generations WHEN old.id <> new.id
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.id), ('image', new.id);
END;
CREATE TRIGGER journal_image_gone AFTER DELETE ON generations
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.id);
END;

-- What machines say can be asked of them again.
CREATE TRIGGER journal_said AFTER INSERT ON tag_assertions WHEN new.source IN ('user', 'import')
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.generation_id);
END;
CREATE TRIGGER journal_said_otherwise AFTER UPDATE ON tag_assertions
    WHEN new.source IN ('user', 'import') OR old.source IN ('user', 'import')
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.generation_id);
END;
CREATE TRIGGER journal_unsaid AFTER DELETE ON tag_assertions WHEN old.source IN ('user', 'import')
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.generation_id);
END;

CREATE TRIGGER journal_collected AFTER INSERT ON collection_items
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.generation_id);
END;
CREATE TRIGGER journal_reordered AFTER UPDATE ON collection_items
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', new.generation_id);
END;
CREATE TRIGGER journal_uncollected AFTER DELETE ON collection_items
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('image', old.generation_id);
END;

CREATE TRIGGER journal_tag_added AFTER INSERT ON tags
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', new.id);
END;
CREATE TRIGGER journal_tag_changed AFTER UPDATE ON tags
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', new.id);
END;
CREATE TRIGGER journal_tag_gone AFTER DELETE ON tags
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.id);
END;
CREATE TRIGGER journal_alias_added AFTER INSERT ON tag_alias_edges
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', new.tag_id);
END;
CREATE TRIGGER journal_alias_changed AFTER UPDATE ON tag_alias_edges
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id), ('tag', new.tag_id);
END;
CREATE TRIGGER journal_alias_gone AFTER DELETE ON tag_alias_edges
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id);
END;
CREATE TRIGGER journal_implication_added AFTER INSERT ON tag_implications
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', new.tag_id);
END;
CREATE TRIGGER journal_implication_changed AFTER UPDATE ON tag_implications
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id), ('tag', new.tag_id);
END;
CREATE TRIGGER journal_implication_gone AFTER DELETE ON tag_implications
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id);
END;
CREATE TRIGGER journal_tag_threshold_added AFTER INSERT ON tag_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', new.tag_id);
END;
CREATE TRIGGER journal_tag_threshold_changed AFTER UPDATE ON tag_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id), ('tag', new.tag_id);
END;
CREATE TRIGGER journal_tag_threshold_gone AFTER DELETE ON tag_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('tag', old.tag_id);
END;
CREATE TRIGGER journal_threshold_added AFTER INSERT ON source_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('threshold', new.source);
END;
CREATE TRIGGER journal_threshold_changed AFTER UPDATE ON source_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('threshold', new.source);
END;
CREATE TRIGGER journal_threshold_gone AFTER DELETE ON source_thresholds
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('threshold', old.source);
END;

-- A cover or a preview is noted with it, so that the journal knows the image by more than its id.
CREATE TRIGGER journal_collection_added AFTER INSERT ON collections
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('collection', new.id);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.cover_generation_id
     WHERE new.cover_generation_id IS NOT NULL;
END;
CREATE TRIGGER journal_collection_changed AFTER UPDATE ON collections
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('collection', new.id);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.cover_generation_id
     WHERE new.cover_generation_id IS NOT NULL;
END;
CREATE TRIGGER journal_collection_gone AFTER DELETE ON collections
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('collection', old.id);
END;
CREATE TRIGGER journal_template_added AFTER INSERT ON prompt_templates
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('template', new.uuid);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.preview_generation_id
     WHERE new.preview_generation_id IS NOT NULL;
END;
CREATE TRIGGER journal_template_changed AFTER UPDATE ON prompt_templates
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('template', new.uuid);
    INSERT INTO journal_due (kind, key) SELECT 'image', new.preview_generation_id
     WHERE new.preview_generation_id IS NOT NULL;
END;
CREATE TRIGGER journal_template_gone AFTER DELETE ON prompt_templates
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('template', old.uuid);
END;
CREATE TRIGGER journal_wildcard_added AFTER INSERT ON wildcards
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('wildcard', new.name);
END;
CREATE TRIGGER journal_wildcard_changed AFTER UPDATE ON wildcards
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('wildcard', new.name);
END;
CREATE TRIGGER journal_wildcard_gone AFTER DELETE ON wildcards
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('wildcard', old.name);
END;

-- Not what the program keeps for itself beside them: names for that begin with "state.", later ones all do.
CREATE VIEW settings_of_a_person AS
SELECT name, value_json
  FROM settings
 WHERE NOT (name GLOB 'state.*' OR name GLOB 'writer.*' OR name GLOB 'journal.*' OR name GLOB 'embed.queued.*'
            OR name GLOB 'imported.*' OR name = 'prompt_tags.removing');
CREATE TRIGGER journal_setting_added AFTER INSERT ON settings
    WHEN EXISTS (SELECT 1 FROM settings_of_a_person WHERE name = new.name)
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('setting', new.name);
END;
CREATE TRIGGER journal_setting_changed AFTER UPDATE ON settings
    WHEN EXISTS (SELECT 1 FROM settings_of_a_person WHERE name = new.name)
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('setting', new.name);
END;
CREATE TRIGGER journal_setting_gone AFTER DELETE ON settings
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('setting', old.name);
END;

CREATE TRIGGER journal_root_added AFTER INSERT ON roots
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', new.id);
END;
CREATE TRIGGER journal_root_changed AFTER UPDATE OF path, watched ON roots
    WHEN old.path <> new.path OR old.watched <> new.watched
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', new.id);
END;
CREATE TRIGGER journal_root_gone AFTER DELETE ON roots
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('root', old.id);
END;
CREATE TRIGGER journal_model_folder_added AFTER INSERT ON model_folders
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('model_folder', new.path);
END;
CREATE TRIGGER journal_model_folder_gone AFTER DELETE ON model_folders
BEGIN
    INSERT INTO journal_due (kind, key) VALUES ('model_folder', old.path);
END;

-- An image that a rebuilt library knows again by the journal gets its old name back.
CREATE TRIGGER live_generations_renamed AFTER UPDATE OF uuid ON generations WHEN old.uuid <> new.uuid
BEGIN
    UPDATE live_generations SET uuid = new.uuid WHERE id = new.id;
END;
