/** Backups, as the server reports them. */

export interface Backup {
  name: string;
  path: string;
  bytes: number;
  made_at: number;
  why: string;
  verified: boolean;
}

export interface Drill {
  at: number;
  name: string;
  images: number;
  error: string | null;
}

export interface BackupList {
  backups: Backup[];
  folder: string;
  running: { phase: string; done: number; total: number } | null;
  drill: Drill | null;
}
