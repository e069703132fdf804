/** Backups. */

import type { Schemas } from './client';

export type Backup = Schemas['ListedBackup'];
export type BackupList = Schemas['BackupList'];
