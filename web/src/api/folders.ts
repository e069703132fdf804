/** Folders and scans, as the server sends them. */

import type { EditResult, ImportProgress, FolderStatus } from './client';

/** `available`, `read_only` and `watching` reflect the disk at this moment. */
export interface Folder extends FolderStatus {
  available: boolean;
  read_only: boolean;
  watching: boolean;
}

export interface RemovedFolder {
  id: number;
  path: string;
  images: number;
  removed_at: number;
}

export interface FolderList {
  folders: Folder[];
  removed: RemovedFolder[];
}

export interface LostFile {
  id: number;
  uuid: string;
  path: string;
  bytes: number;
  missing_at: number;
  thumb: string | null;
  /** The image has another file that exists. */
  elsewhere: boolean;
}

export interface LostFiles {
  files: LostFile[];
  next: number | null;
}

export interface UntrackedFile {
  path: string;
  reason: string;
}

export type Change = 'imported' | 'changed' | 'moved' | 'copies' | 'missing';

export interface ScanReport extends Record<Change, number> {
  files_seen: number;
  unchanged: number;
  failed: number;
  failures: UntrackedFile[];
  offline: string[];
  /** For a dry run: some paths of each change. */
  examples: Partial<Record<Change, string[]>>;
  /** Enough files would be missing for a scan to ask first. */
  asks: boolean;
  /** Files that are not images, by kind. */
  not_shown: Record<string, number>;
}

/** What exclude patterns would change. */
export interface ExcludePreview {
  patterns: string[];
  hide: number;
  show: number;
  /** Some paths of the images that would be hidden. */
  examples: string[];
}

/** Both are null if nothing changed. */
export interface Excluded {
  edit: EditResult | null;
  /** The import that scans the folder. */
  scan: string | null;
}

export interface Scan {
  progress: ImportProgress;
  report: ScanReport | null;
}
