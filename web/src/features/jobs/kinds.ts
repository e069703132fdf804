/** Texts for the kinds of jobs, and for failed jobs. */

import type { FailedJob, JobKind } from '../../api/client';
import { formatCount, formatDuration } from '../../lib/format';

interface KindText {
  name: string;
  description: string;
}

const KINDS: Record<string, KindText> = {
  thumb: { name: 'Thumbnails', description: 'Reads and checks images and creates thumbnails.' },
  embed: { name: 'Semantic search', description: 'Computes prompt embeddings for semantic search, such as ~"sad robot".' },
  phash: { name: 'Perceptual hashes', description: 'Computes perceptual hashes to find duplicates.' },
  look: { name: 'Image analysis', description: 'A model computes visual similarity and NSFW scores.' },
  autotag: { name: 'Auto-tagging', description: 'Requests tags from your model, one request at a time.' },
  sha256: { name: 'SHA-256', description: 'Computes file checksums for use with other programs.' },
  models: { name: 'Model hashes', description: 'Computes model hashes to link images to the models they were made with.' },
  header: { name: 'Image sizes', description: 'Rereads the size and orientation of images that an older version imported.' },
  reparse: { name: 'Metadata refresh', description: 'Rereads file metadata with the current parsers.' },
  hook: { name: 'Hooks', description: 'Calls your commands and local URLs, one at a time.' },
};
const ORDER = Object.keys(KINDS);

export function describeKind(kind: string): KindText {
  return KINDS[kind] ?? { name: kind, description: '' };
}

/** Kinds with jobs left first, then in the order of the table. */
export function sortKinds(kinds: readonly JobKind[]): JobKind[] {
  const place = (kind: JobKind): number => (ORDER.indexOf(kind.kind) + ORDER.length + 1) % (ORDER.length + 1);
  return [...kinds].sort((one, other) => Number(left(other) > 0) - Number(left(one) > 0) || place(one) - place(other));
}

export function left(kind: JobKind): number {
  return kind.waiting + kind.running;
}

/** The rate and the time left, as the server estimates them; "" if unknown. */
export function pace(kind: JobKind): string {
  if (!left(kind) || kind.rate_per_s <= 0.05 || kind.eta_s === null) return '';
  return `${kind.rate_per_s.toFixed(kind.rate_per_s < 10 ? 1 : 0)} per second · ${formatDuration(kind.eta_s)} left`;
}

export interface Parked {
  kind: string;
  reason: string;
  failed: FailedJob[];
}

/** By kind and by the first line of the error; the reason with most jobs first. */
export function groupParked(failed: readonly FailedJob[]): Parked[] {
  const groups = new Map<string, Parked>();
  for (const job of failed) {
    const reason = job.error.split('\n')[0] || 'Unknown error';
    const key = `${job.kind} ${reason}`;
    const group = groups.get(key) ?? { kind: job.kind, reason, failed: [] };
    group.failed.push(job);
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) => other.failed.length - one.failed.length);
}

/** Everything known about some jobs, as text for a bug report. */
export function logOf(group: Parked): string {
  const lines = group.failed.map((job) => `${job.kind} #${job.id} · tried ${formatCount(job.attempts, 'time')}, crashed ${formatCount(job.crashes, 'time')}\n${job.file || '(no file)'}\n${job.error}`);
  return lines.join('\n\n');
}
