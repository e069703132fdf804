-- Version 8. The queue as a person steers it, and what a check of all files found.

-- How often a claim was taken or given back: by a kill, at the end, by a cluster that went away. Such a
-- claim costs no attempt.
ALTER TABLE jobs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;

-- Serves jobs.claim: the first of each kind, so that a million jobs of a paused kind stand in nobody's way.
DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (kind, priority DESC, id) WHERE status = 'queued' AND run_at = 0;
-- Serves the list of what could not be done, and its reasons.
CREATE INDEX jobs_parked ON jobs (id) WHERE status = 'error';

-- What the last check of a file found wrong; a file that is in order has no row.
CREATE TABLE verify_findings (
    file_id  INTEGER PRIMARY KEY REFERENCES generation_files (id) ON DELETE CASCADE,
    finding  TEXT    NOT NULL CHECK (finding IN ('missing', 'changed', 'undecodable')),
    detail   TEXT    NOT NULL,
    found_at INTEGER NOT NULL
) STRICT;
