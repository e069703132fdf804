/** Kinds of work, in a person's words, and what could not be done. */

import type { FailedJob, JobKind } from '../../api/client';
import { formatDuration } from '../../lib/format';

interface KindText {
  name: string;
  says: string;
}

const KINDS: Record<string, KindText> = {
  thumb: { name: 'Thumbnails', says: 'Pictures are read, checked and made small.' },
  embed: { name: 'Meaning of prompts', says: 'So that ~"sad robot" finds them; in blocks of prompts.' },
  phash: { name: 'Looks of pictures', says: 'So that duplicates are found.' },
  look: { name: 'Looking at pictures', says: 'A model sees what each looks like, and how explicit it is.' },
  autotag: { name: 'Auto-tagging', says: 'Your model is asked for tags, one question at a time.' },
  sha256: { name: 'SHA-256', says: 'The checksum that other programs know a file by.' },
  models: { name: 'Hashes of models', says: 'So that images find the model that made them.' },
  reparse: { name: 'Reading again', says: 'What files say of themselves, by today’s readers.' },
};
const ORDER = Object.keys(KINDS);

export function describeKind(kind: string): KindText {
  return KINDS[kind] ?? { name: kind, says: '' };
}

/** Those with work left first, then in the order of the table. */
export function sortKinds(kinds: readonly JobKind[]): JobKind[] {
  const place = (kind: JobKind): number => (ORDER.indexOf(kind.kind) + ORDER.length + 1) % (ORDER.length + 1);
  return [...kinds].sort((one, other) => Number(left(other) > 0) - Number(left(one) > 0) || place(one) - place(other));
}

export function left(kind: JobKind): number {
  return kind.waiting + kind.running;
}

/** How quickly, and until when, as the server reckons; "" while that is not known. */
export function pace(kind: JobKind): string {
  if (!left(kind) || kind.rate_per_s <= 0.05 || kind.eta_s === null) return '';
  return `${kind.rate_per_s.toFixed(kind.rate_per_s < 10 ? 1 : 0)} a second · ${formatDuration(kind.eta_s)} left`;
}

export interface Parked {
  kind: string;
  reason: string;
  jobs: FailedJob[];
}

/** By kind and by what was said first; the reason with most jobs first. */
export function groupParked(failed: readonly FailedJob[]): Parked[] {
  const groups = new Map<string, Parked>();
  for (const job of failed) {
    const reason = job.error.split('\n')[0] || 'It did not say why.';
    const key = `${job.kind} ${reason}`;
    const group = groups.get(key) ?? { kind: job.kind, reason, jobs: [] };
    group.jobs.push(job);
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) => other.jobs.length - one.jobs.length);
}

/** All that is known of some jobs, to be sent to somebody who can help. */
export function logOf(group: Parked): string {
  const lines = group.jobs.map((job) => `${job.kind} #${job.id} · tried ${job.attempts} times, crashed ${job.crashes} times\n${job.file || '(no file)'}\n${job.error}`);
  return lines.join('\n\n');
}
