/** Texts for what a scan did or would do. */

import type { Change, ExcludePreview, Folder, ScanReport } from '../../api/folders';
import { formatCount, formatNumber } from '../../lib/format';

export const CHANGES: readonly { change: Change; label: string; does: string }[] = [
  { change: 'imported', label: 'New', does: 'will be imported' },
  { change: 'changed', label: 'Changed', does: 'will be reread; ratings, tags and notes are kept' },
  { change: 'moved', label: 'Moved', does: 'will keep their ratings, tags and notes' },
  { change: 'copies', label: 'Copies', does: 'are identical to images in the library' },
  { change: 'missing', label: 'Missing', does: 'no longer exist' },
];

const WORDS: readonly [Change, string][] = [['imported', 'new'], ['changed', 'changed'], ['moved', 'moved'], ['copies', 'copies'], ['missing', 'missing']];

/** The number of each change, zeros left out; "" for none. */
export function describeChanges(counts: Partial<Record<Change, number>>): string {
  return WORDS.filter(([change]) => counts[change]).map(([change, word]) => `${formatNumber(counts[change] ?? 0)} ${word}`).join(', ');
}

export function describeScan(report: ScanReport): string {
  const changes = describeChanges(report);
  const notShown = describeNotShown(report.not_shown);
  const result = changes ? `Scanned: ${changes}.` : `Scanned ${formatCount(report.files_seen, 'file')}. No changes.`;
  return notShown ? `${result} ${notShown}.` : result;
}

/** Files that are not images, as in "12 PSD, 3 links not shown"; "" for none. */
export function describeNotShown(counts: Readonly<Record<string, number>>): string {
  const mostFirst = Object.entries(counts).sort(([one, a], [other, b]) => b - a || one.localeCompare(other));
  const parts = mostFirst.map(([kind, count]) => `${formatNumber(count)} ${count === 1 ? kind.replace(/^(link|special file|other file|excluded file|excluded folder)s$/, '$1') : kind}`);
  return parts.length ? `${parts.join(', ')} not shown` : '';
}

/** What a change of the exclude patterns would do. */
export function describeExcludes({ hide, show, kept }: Pick<ExcludePreview, 'hide' | 'show' | 'kept'>): string {
  const parts = [hide && `hide ${formatCount(hide, 'image')}`, show && `show ${formatCount(show, 'image')} again`].filter(Boolean);
  const change = parts.length ? `This will ${parts.join(' and ')}.` : 'This will not hide any images in the library.';
  const others = kept === 1 ? 'it has another file that is' : 'they have other files that are';
  return kept ? `${change} ${formatCount(kept, 'image')} with excluded files will stay visible, because ${others} not excluded.` : change;
}

/** What a change of the exclude patterns did. */
export function describeExcluded({ hide, show }: Pick<ExcludePreview, 'hide' | 'show'>): string {
  const parts = [hide && `${formatCount(hide, 'image')} hidden`, show && `${formatCount(show, 'image')} shown again`].filter(Boolean);
  return parts.length ? `${parts.join(', ')}.` : 'Exclude patterns saved.';
}

/** The question of a scan that found many files missing; "" if it asks nothing. */
export function describeLoss(folder: Pick<Folder, 'would_miss' | 'images'>): string {
  if (!folder.would_miss) return '';
  const share = Math.max(1, Math.round((100 * folder.would_miss) / Math.max(folder.would_miss, folder.images)));
  return `${share}% of this folder is missing: ${formatNumber(folder.would_miss)} of ${formatCount(folder.images, 'file')}.`;
}
