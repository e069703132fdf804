/** Texts of the events. */

import type { LogEvent } from '../../api/events';
import { formatBytes, formatCount, formatDuration } from '../../lib/format';
import { describeChanges } from '../folders/labels';

interface Group {
  label: string;
  kinds: readonly string[];
}

/** The filters of the page: kinds of events by group. */
export const GROUPS: readonly Group[] = [
  { label: 'Imports and scans', kinds: ['import', 'scan', 'library.import', 'library.imported', 'models.scan', 'reparse'] },
  { label: 'Folders and files', kinds: ['root.offline', 'root.asks', 'root.moved', 'root.removed', 'root.unwatched', 'file.changed', 'file.located', 'file.purged', 'file.kept', 'image.forgotten', 'missing.forgotten', 'verify'] },
  { label: 'Backups', kinds: ['backup', 'backup.failed', 'backup.drill', 'restore', 'restore.failed', 'rebuild', 'journal.replaced', 'journal.kept'] },
  { label: 'Crashes and failures', kinds: ['crash', 'crash.gallery', 'job.parked', 'library.damaged'] },
  { label: 'Upgrades and other', kinds: ['migration', 'library.place', 'mended', 'disk.full', 'disk.free', 'autotag.run', 'vision', 'hook.done'] },
];

const NAMES: Record<string, string> = {
  import: 'Import',
  scan: 'Scan',
  'library.import': 'Library imported',
  'library.imported': 'Archive imported',
  'models.scan': 'Model scan',
  reparse: 'Metadata refresh',
  'root.offline': 'Folder offline',
  'root.asks': 'Many files missing',
  'root.moved': 'Folder moved',
  'root.removed': 'Folder removed',
  'root.unwatched': 'Folder not watched',
  'file.changed': 'File changed',
  'file.located': 'Missing file located',
  'file.purged': 'File deleted permanently',
  'file.kept': 'File not deleted',
  'image.forgotten': 'Image removed from library',
  'missing.forgotten': 'Missing files removed from library',
  verify: 'File verification started',
  backup: 'Backup',
  'backup.failed': 'Backup failed',
  'backup.drill': 'Restore test',
  restore: 'Backup restored',
  'restore.failed': 'Restore failed',
  rebuild: 'Library rebuilt',
  'journal.replaced': 'Journal rewritten',
  'journal.kept': 'Journal kept',
  crash: 'Worker crashed',
  'crash.gallery': 'MystiCanvas quit unexpectedly',
  'job.parked': 'Job failed',
  migration: 'Library upgraded',
  'library.place': 'Library location',
  'library.damaged': 'Database damaged',
  mended: 'Problem repaired',
  'disk.full': 'Disk full',
  'disk.free': 'Disk no longer full',
  'autotag.run': 'Auto-tagging started',
  vision: 'Image analysis started',
  'hook.done': 'Hook called',
};

export function nameOf(event: LogEvent): string {
  return NAMES[event.kind] ?? event.kind;
}

/** The details and the result of an event. */
export function details(event: LogEvent): string {
  return [event.subject ?? '', ofData(event)].filter(Boolean).join(' · ');
}

function ofData({ kind, data }: LogEvent): string {
  const number = (name: string): number => Number(data[name] ?? 0);
  const text = (name: string): string => (typeof data[name] === 'string' ? data[name] : '');
  switch (kind) {
    case 'import':
    case 'scan': {
      const counts = { imported: number('imported'), changed: number('changed'), moved: number('moved'), copies: number('copies'), missing: number('missing') };
      return [describeChanges(counts) || 'no changes', `${formatCount(number('seen'), 'file')} in ${formatDuration(number('seconds'))}`, text('message')].filter(Boolean).join(' · ');
    }
    case 'backup':
      return `${formatBytes(number('bytes'))}, verified`;
    case 'backup.drill':
      return text('error') || text('trouble') || `${formatCount(number('images'), 'image')}, all checks passed`;
    case 'migration':
      return `from schema ${number('from')} to ${number('to')}`;
    case 'restore':
      return text('name');
    default:
      return ['why', 'reason', 'path', 'name'].map(text).filter(Boolean).join(' · ');
  }
}
