-- What must hold in every library: each query finds the rows that break its rule. Run by `doctor` and
-- by the crash tests. Each rule begins with a comment that names it.

-- name: original files
-- Every image has exactly one final file.
SELECT g.id
  FROM generations AS g
 WHERE (SELECT count(*) FROM generation_files AS f WHERE f.generation_id = g.id AND f.kind = 'final') <> 1;

-- name: gallery index
-- The gallery's table matches the images.
SELECT id FROM (SELECT * FROM live_generations_meant EXCEPT
                SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px,
                       content_hash FROM live_generations)
UNION ALL
SELECT id FROM live_generations WHERE id NOT IN (SELECT id FROM live_generations_meant);

-- name: missing thumbnails
-- Every image has a thumbnail or a job that creates it.
SELECT g.id
  FROM generations AS g
       JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
 WHERE f.blake3 IS NULL AND f.damage IS NULL AND f.too_large IS NULL AND f.missing_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM jobs AS j
                    WHERE j.kind = 'thumb' AND j.unique_key = g.uuid AND j.status <> 'done');

-- name: displayed tags
-- The displayed tags match the assigned tags.
SELECT tag_id FROM (SELECT tag_id, generation_id FROM image_tags_meant EXCEPT
                    SELECT tag_id, generation_id FROM image_tags)
 WHERE tag_id NOT IN (SELECT effective_id FROM posting_work) AND NOT EXISTS (SELECT 1 FROM posting_work WHERE how = 'all')
UNION ALL
SELECT tag_id FROM (SELECT tag_id, generation_id FROM image_tags EXCEPT
                    SELECT tag_id, generation_id FROM image_tags_meant)
 WHERE tag_id NOT IN (SELECT effective_id FROM posting_work) AND NOT EXISTS (SELECT 1 FROM posting_work WHERE how = 'all');

-- name: image counts of tags
-- The image count of every tag is correct.
SELECT t.id
  FROM tags AS t
       LEFT JOIN tag_counts AS c ON c.tag_id = t.id
 WHERE c.images IS NULL OR c.images <> (SELECT count(*) FROM image_tags AS i WHERE i.tag_id = t.id)
UNION ALL
SELECT tag_id FROM tag_counts WHERE tag_id NOT IN (SELECT id FROM tags)
UNION ALL
SELECT DISTINCT tag_id
  FROM image_tags
 WHERE tag_id NOT IN (SELECT id FROM tags UNION ALL SELECT effective_id FROM posting_work);

-- name: tag aliases and implications
-- Every tag resolves to exactly one tag.
SELECT t.id
  FROM tags AS t
 WHERE (SELECT count(*) FROM tag_effects AS e WHERE e.tag_id = t.id AND e.implied = 0) <> 1
UNION ALL
SELECT tag_id FROM tag_effects WHERE tag_id NOT IN (SELECT id FROM tags) OR effective_id NOT IN (SELECT id FROM tags);

-- name: running edits
-- Every running edit has remaining work.
SELECT id FROM operations AS o
 WHERE state = 'applying' AND NOT EXISTS (SELECT 1 FROM operation_work AS w WHERE w.operation_id = o.id);

-- name: edits to redo
-- Only an edit that is undone can be redone.
SELECT id FROM operations WHERE redo_order IS NOT NULL AND state IN ('done', 'applying');

-- name: copies of images
-- Every copy has the same content as its image.
SELECT c.id
  FROM generation_files AS c
       JOIN generation_files AS f ON f.generation_id = c.generation_id AND f.kind = 'final'
 WHERE c.kind = 'copy' AND c.blake3 IS NOT NULL AND f.blake3 IS NOT NULL AND c.blake3 <> f.blake3;

-- name: identical images
-- No two images have the same content.
SELECT min(id)
  FROM generation_files
 WHERE kind = 'final' AND blake3 IS NOT NULL
 GROUP BY blake3
HAVING count(*) > 1;

-- name: missing images
-- An image is missing if and only if all of its files are missing.
SELECT g.id
  FROM generations AS g
 WHERE (g.missing_at IS NULL) <> EXISTS (SELECT 1 FROM generation_files AS f
                                          WHERE f.generation_id = g.id AND f.kind IN ('final', 'copy')
                                            AND f.missing_at IS NULL);

-- name: file paths
-- Every file that is not missing has a path.
SELECT id FROM generation_files WHERE substr(path_bytes, 1, 1) = x'00' AND missing_at IS NULL;

-- name: merged models
-- Every merged model points directly to the model that is kept.
SELECT m.id
  FROM models AS m
       JOIN models AS k ON k.id = m.merged_into
 WHERE k.merged_into IS NOT NULL;

-- name: model paths
-- The path of every model is that of one of its files.
SELECT m.id
  FROM models AS m
 WHERE m.file_path IS NOT (SELECT d.path || '/' || f.path
                             FROM model_files AS f
                                  JOIN model_folders AS d ON d.id = f.folder_id
                            WHERE f.model_id = m.id
                            ORDER BY f.missing_at IS NOT NULL, f.id
                            LIMIT 1);

-- name: model hashes
-- Every available model file has a hash or a job that computes it.
SELECT f.id
  FROM model_files AS f
 WHERE f.hashed_at IS NULL AND f.missing_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM jobs AS j
                    WHERE j.kind = 'models' AND j.unique_key = CAST(f.id AS TEXT) AND j.status <> 'done');

-- name: parents from metadata
-- Every matched parent is an input named in the metadata.
SELECT g.id
  FROM generations AS g
 WHERE g.parent_id IS NOT NULL AND g.parent_by IS NOT 'user'
   AND NOT EXISTS (SELECT 1 FROM generation_inputs AS i
                    WHERE i.generation_id = g.id AND i.role = 'source' AND i.found_id = g.parent_id
                      AND i.found_by IS g.parent_by);

-- name: lineage cycles
-- No image is its own parent.
SELECT id FROM generations WHERE parent_id = id
UNION ALL
SELECT generation_id FROM generation_inputs WHERE found_id = generation_id;

-- name: images with a workflow
-- The list of images with a workflow matches their metadata.
SELECT r.generation_id
  FROM raw_metadata AS r
 WHERE holds_workflow(r.content) <> EXISTS (SELECT 1 FROM generation_workflows AS w
                                             WHERE w.generation_id = r.generation_id);

-- name: prompts
-- Every prompt is stored once and linked to its images.
SELECT g.id
  FROM generations AS g
       LEFT JOIN generation_prompts AS l ON l.generation_id = g.id
       LEFT JOIN prompts AS p ON p.id = l.prompt_id
 WHERE coalesce(g.prompt, '') <> '' AND p.content_hash IS NOT content_hash(g.prompt)
    OR coalesce(g.prompt, '') = '' AND l.prompt_id IS NOT NULL
UNION ALL
SELECT id FROM prompts WHERE id NOT IN (SELECT prompt_id FROM generation_prompts)
UNION ALL
SELECT id FROM embeddings WHERE space LIKE 'prompt-%' AND content_hash NOT IN (SELECT content_hash FROM prompts);

-- name: image analysis data
-- Every analyzed picture and its vectors belong to a file.
SELECT id FROM pictures WHERE content_hash NOT IN (SELECT blake3 FROM generation_files WHERE blake3 IS NOT NULL)
UNION ALL
SELECT id FROM embeddings WHERE space LIKE 'picture-%' AND content_hash NOT IN (SELECT content_hash FROM pictures);
