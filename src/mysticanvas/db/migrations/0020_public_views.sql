-- Version 19. Views for scripts and other programs, documented in docs/sql.md. Their names and columns are public: a
-- view may get more columns, and any other change needs a line in CHANGELOG. A migration that rebuilds one of the tables
-- below must keep these views.
--
-- They use only what SQLite 3.37 has, which the STRICT tables need anyway. DuckDB parses the views itself and sends
-- them to SQLite in its own words: it knows no `IS NOT` between values, and turns count(*) into a function that SQLite
-- does not have. The casts give a column its type where SQLite derives none.

-- Every image, also those in the Trash and excluded ones. `shown` is 1 where live_generations has the image.
CREATE VIEW v_images AS
SELECT g.uuid,
       CAST(r.path || '/' || f.path AS TEXT) AS path,
       CAST(rtrim(r.path || '/' || rtrim(f.path, replace(f.path, '/', '')), '/') AS TEXT) AS folder,
       r.path AS watched_folder,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', g.timestamp / 1000.0, 'unixepoch') AS TEXT) AS taken,
       g.timestamp_source AS taken_from,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', g.imported_at / 1000.0, 'unixepoch') AS TEXT) AS added,
       g.rating,
       g.is_favorite AS favorite,
       g.notes,
       g.prompt,
       g.negative_prompt,
       g.model_name AS model,
       g.model_hash,
       g.sampler,
       g.scheduler,
       g.seed,
       g.steps,
       g.cfg_scale,
       g.guidance,
       g.denoise,
       g.clip_skip,
       g.width AS requested_width,
       g.height AS requested_height,
       g.engine_name AS generator,
       g.engine_version AS generator_version,
       g.generation_time_ms,
       g.params_json AS params,
       CAST((SELECT p.uuid FROM generations AS p WHERE p.id = g.parent_id) AS TEXT) AS parent,
       CAST(CASE WHEN g.parent_id IS NOT NULL THEN g.parent_relation END AS TEXT) AS parent_relation,
       f.width,
       f.height,
       f.frames,
       f.format,
       f.bytes,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', f.mtime_ns / 1000000 / 1000.0, 'unixepoch') AS TEXT) AS modified,
       CAST(nullif(lower(hex(f.blake3)), '') AS TEXT) AS blake3,
       CAST(nullif(lower(hex(f.sha256)), '') AS TEXT) AS sha256,
       CAST(CASE WHEN f.color_rgb IS NOT NULL THEN printf('#%06x', f.color_rgb) END AS TEXT) AS color,
       f.damage,
       CAST((SELECT p.explicit FROM pictures AS p WHERE p.content_hash = f.blake3) AS REAL) AS nsfw_score,
       g.is_grid AS grid,
       CAST(g.missing_at IS NOT NULL AS INTEGER) AS missing,
       CAST(g.excluded_at IS NOT NULL AS INTEGER) AS excluded,
       CAST(g.deleted_at IS NOT NULL AS INTEGER) AS in_trash,
       CAST(g.deleted_at IS NULL AND g.excluded_at IS NULL AS INTEGER) AS shown
  FROM generations AS g
       LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
       LEFT JOIN roots AS r ON r.id = f.root_id;

-- Why an image shows a tag (image_tags_meant): by an assignment of the tag itself or of one that leads to it. Read by
-- image and tag. Such a tag has few others that lead to it, and an image has many tags.
CREATE VIEW image_tag_sources AS
SELECT a.generation_id, e.effective_id AS tag_id, e.implied, a.source, a.confidence
  FROM tag_effects AS e
       CROSS JOIN tag_assertions AS a ON a.tag_id = e.tag_id
       CROSS JOIN tag_effects AS t ON t.tag_id = e.tag_id AND t.implied = 0
 WHERE a.decision = 1
   AND (a.confidence IS NULL
        OR a.confidence >= coalesce((SELECT value FROM tag_thresholds
                                      WHERE tag_id = t.effective_id AND source = a.source),
                                    (SELECT value FROM source_thresholds WHERE source = a.source), 0))
   AND EXISTS (SELECT 1 FROM tags WHERE id = t.effective_id AND state = 'known')
   AND NOT EXISTS (SELECT 1
                     FROM tag_assertions AS no
                          CROSS JOIN tag_effects AS o ON o.tag_id = no.tag_id AND o.implied = 0
                    WHERE no.generation_id = a.generation_id AND no.decision = 0 AND no.source = 'user'
                      AND o.effective_id IN (t.effective_id, e.effective_id));

-- The tags of every shown image, each once. All columns come from its first source, in the same order: an assignment of
-- the tag itself before an implied one, then the sources from the user to models.
CREATE VIEW v_image_tags AS
SELECT g.uuid,
       t.name AS tag,
       t.category,
       CAST((SELECT s.source FROM image_tag_sources AS s
              WHERE s.tag_id = i.tag_id AND s.generation_id = i.generation_id
              ORDER BY s.implied, instr('user import prompt llm vision', s.source), s.confidence DESC
              LIMIT 1) AS TEXT) AS source,
       CAST((SELECT s.confidence FROM image_tag_sources AS s
              WHERE s.tag_id = i.tag_id AND s.generation_id = i.generation_id
              ORDER BY s.implied, instr('user import prompt llm vision', s.source), s.confidence DESC
              LIMIT 1) AS REAL) AS confidence,
       CAST((SELECT min(s.implied) FROM image_tag_sources AS s
              WHERE s.tag_id = i.tag_id AND s.generation_id = i.generation_id) AS INTEGER) AS implied
  FROM image_tags AS i
       JOIN generations AS g ON g.id = i.generation_id
       JOIN tags AS t ON t.id = i.tag_id;

-- The models of every shown image.
CREATE VIEW v_image_models AS
SELECT g.uuid,
       u.role,
       k.name,
       u.weight,
       m.name AS name_in_image,
       CAST((SELECT h.value FROM model_hashes AS h
              WHERE h.model_id = m.id AND h.source = 'image'
              ORDER BY h.kind LIMIT 1) AS TEXT) AS hash_in_image,
       k.hash AS sha256,
       k.file_path,
       CAST(u.sure AND coalesce(m.merged_by, '') <> 'name' AS INTEGER) AS by_hash
  FROM generation_models AS u
       JOIN generations AS g ON g.id = u.generation_id AND g.deleted_at IS NULL AND g.excluded_at IS NULL
       JOIN models AS m ON m.id = u.model_id
       JOIN models AS k ON k.id = coalesce(m.merged_into, m.id);

CREATE VIEW v_collections AS
SELECT c.uuid,
       c.name,
       c.kind,
       CAST(json_extract(c.query_json, '$.text') AS TEXT) AS query,
       CAST(CASE c.kind WHEN 'manual'
                 THEN (SELECT count(i.position)
                         FROM collection_items AS i JOIN live_generations AS l ON l.id = i.generation_id
                        WHERE i.collection_id = c.id) END AS INTEGER) AS images,
       p.uuid AS parent,
       c.position,
       CAST((SELECT g.uuid FROM generations AS g WHERE g.id = c.cover_generation_id) AS TEXT) AS cover,
       c.notes,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', c.created_at / 1000.0, 'unixepoch') AS TEXT) AS created,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', c.updated_at / 1000.0, 'unixepoch') AS TEXT) AS changed
  FROM collections AS c
       LEFT JOIN collections AS p ON p.id = c.parent_id;

-- The shown images of manual collections. A smart collection stores none.
CREATE VIEW v_collection_images AS
SELECT g.uuid,
       c.uuid AS collection_uuid,
       c.name AS collection,
       i.position,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', i.added_at / 1000.0, 'unixepoch') AS TEXT) AS added
  FROM collection_items AS i
       JOIN generations AS g ON g.id = i.generation_id AND g.deleted_at IS NULL AND g.excluded_at IS NULL
       JOIN collections AS c ON c.id = i.collection_id;

-- Serve the images with a tag and of a collection in these views, by name.
CREATE INDEX tags_by_name ON tags (name);
CREATE INDEX collections_by_name ON collections (name);
