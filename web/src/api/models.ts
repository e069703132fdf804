/** The model registry, as the server sends it. */

export interface ListedModel {
  id: number;
  kind: string;
  name: string;
  family: string | null;
  trigger_words: string[];
  title: string | null;
  path: string | null;
  bytes: number | null;
  missing: boolean;
  hashed: boolean;
  preview: boolean;
  problem: string | null;
  images: number;
  /** The number of its images that are matched by name only. */
  doubtful: number;
}

export interface ModelFolder {
  id: number;
  path: string;
  last_scan_at: number | null;
  files: number;
}

export interface ModelList {
  models: ListedModel[];
  folders: ModelFolder[];
}

export interface ModelFile {
  path: string;
  bytes: number;
  problem: string | null;
  hashed: boolean;
  missing: boolean;
}

export interface ModelDetail {
  model: ListedModel;
  about: Record<string, unknown>;
  hashes: { kind: string; value: string; source: string }[];
  files: ModelFile[];
  entries: { id: number; kind: string; name: string; merged_by: string }[];
}

export interface MadeWith {
  total: number;
  uuids: string[];
}

export interface ModelScan {
  folders: string[];
  found: number;
  added: number;
  changed: number;
  moved: number;
  unchanged: number;
  missing: number;
  failed: number;
  failures: { path: string; reason: string }[];
}
