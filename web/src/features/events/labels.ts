/** What an event says, in words. */

import type { LogEvent } from '../../api/events';
import { formatBytes, formatDuration, formatNumber } from '../../lib/format';
import { describeChanges } from '../folders/labels';

interface Group {
  label: string;
  kinds: readonly string[];
}

/** The filters of the page: what belongs together. */
export const GROUPS: readonly Group[] = [
  { label: 'Imports and scans', kinds: ['import', 'scan', 'library.import', 'models.scan', 'reparse'] },
  { label: 'Folders and files', kinds: ['root.offline', 'root.asks', 'root.moved', 'root.removed', 'file.changed', 'file.located', 'file.purged', 'file.kept', 'image.forgotten', 'missing.forgotten', 'verify'] },
  { label: 'Backups', kinds: ['backup', 'backup.failed', 'backup.drill', 'restore', 'restore.failed', 'rebuild'] },
  { label: 'Crashes and failures', kinds: ['crash', 'crash.gallery', 'job.parked'] },
  { label: 'Upgrades and the rest', kinds: ['migration', 'library.place', 'autotag.run', 'vision'] },
];

const NAMES: Record<string, string> = {
  import: 'Import',
  scan: 'Scan',
  'library.import': 'Took over another library',
  'models.scan': 'Looked for models',
  reparse: 'Read again',
  'root.offline': 'Folder is away',
  'root.asks': 'Very much is gone',
  'root.moved': 'Folder has moved',
  'root.removed': 'Folder removed',
  'file.changed': 'File changed',
  'file.located': 'Lost file found',
  'file.purged': 'File deleted for good',
  'file.kept': 'File stayed',
  'image.forgotten': 'Image forgotten',
  'missing.forgotten': 'Missing files forgotten',
  verify: 'Check of all files began',
  backup: 'Backup',
  'backup.failed': 'Backup failed',
  'backup.drill': 'Restore drill',
  restore: 'Backup restored',
  'restore.failed': 'Backup could not be restored',
  rebuild: 'Library rebuilt',
  crash: 'A worker crashed',
  'crash.gallery': 'MystiCanvas ended without a word',
  'job.parked': 'Job given up',
  migration: 'Library upgraded',
  'library.place': 'The place of the library',
  'autotag.run': 'Tagging began',
  vision: 'Looking at pictures began',
};

export function nameOf(event: LogEvent): string {
  return NAMES[event.kind] ?? event.kind;
}

/** What it was about and what came of it. */
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
      return [describeChanges(counts) || 'nothing new', `${formatNumber(number('seen'))} files in ${formatDuration(number('seconds'))}`, text('message')].filter(Boolean).join(' · ');
    }
    case 'backup':
      return `${formatBytes(number('bytes'))}, checked`;
    case 'backup.drill':
      return text('trouble') || `${formatNumber(number('images'))} images, every check passed`;
    case 'migration':
      return `from schema ${number('from')} to ${number('to')}`;
    case 'restore':
      return text('name');
    default:
      return ['why', 'reason', 'path', 'name'].map(text).filter(Boolean).join(' · ');
  }
}
