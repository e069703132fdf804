/** What a scan did or would do, in words. */

import type { Change, Folder, ScanReport } from '../../api/folders';
import { formatNumber } from '../../lib/format';

export const CHANGES: readonly { change: Change; label: string; does: string }[] = [
  { change: 'imported', label: 'New', does: 'would be taken in' },
  { change: 'changed', label: 'Changed', does: 'have other content: read again, what you wrote stays' },
  { change: 'moved', label: 'Moved', does: 'keep everything at their new place' },
  { change: 'copies', label: 'Copies', does: 'of images that are here: one image, several places' },
  { change: 'missing', label: 'Missing', does: 'are not there any more' },
];

const WORDS: readonly [Change, string][] = [['imported', 'new'], ['changed', 'changed'], ['moved', 'moved'], ['copies', 'copies'], ['missing', 'missing']];

/** How much there is of each change that there is; "" for none. */
export function describeChanges(counts: Partial<Record<Change, number>>): string {
  return WORDS.filter(([change]) => counts[change]).map(([change, word]) => `${formatNumber(counts[change] ?? 0)} ${word}`).join(', ');
}

export function describeScan(report: ScanReport): string {
  const said = describeChanges(report);
  return said ? `Scanned: ${said}.` : `Nothing has changed among ${formatNumber(report.files_seen)} files.`;
}

/** The question of a scan that found very much gone; "" when it asks nothing. */
export function describeLoss(folder: Pick<Folder, 'would_miss' | 'images'>): string {
  if (!folder.would_miss) return '';
  const share = Math.max(1, Math.round((100 * folder.would_miss) / Math.max(folder.would_miss, folder.images)));
  return `${share} % of this folder is gone: ${formatNumber(folder.would_miss)} of ${formatNumber(folder.images)} files are not there any more.`;
}
