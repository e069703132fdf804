/** The sources of an image's tags, grouped by tag. */

import type { ImageTags, Assignment } from '../../api/tags';

export interface SourcedTag {
  name: string;
  category: string | null;
  shown: boolean;
  /** Only set by models: it waits for the user's decision. */
  byMachine: boolean;
  /** The highest confidence of the models. */
  score: number | null;
  /** A short label of the source, "" for the user. */
  mark: string;
  /** All sources, in words. */
  why: string;
}

export interface Gathered {
  shown: SourcedTag[];
  /** Tags from models that are not shown: below the threshold, or no tag yet. */
  unsure: SourcedTag[];
  /** Tags that the user rejected. */
  rejected: string[];
}

/** Who sets tags, by the key of the source. */
export const SOURCE_NAMES: Readonly<Record<string, string>> = { user: 'you', prompt: 'prompts', llm: 'language models', vision: 'taggers', import: 'files' };
const MARKS: Record<string, string> = { user: '', prompt: 'prompt', import: 'import' };

export function sourcesOf(image: ImageTags): Gathered {
  const yes = groupByTag(image.assignments.filter((one) => one.decision));
  const shown = image.tags.map((tag) => describeTag(tag.name, tag.category, true, yes.get(tag.name) ?? []));
  const names = new Set(image.tags.map((tag) => tag.name));
  const rejected = [...new Set(image.assignments.filter((one) => !one.decision && one.source === 'user').map((one) => one.shown_as))].sort();
  const unsure = [...yes]
    .filter(([name, assignments]) => !names.has(name) && !rejected.includes(name) && assignments.some(isMachine))
    .map(([name, assignments]) => describeTag(name, null, false, assignments));
  return { shown: shown.sort(byName), unsure: unsure.sort(byScore), rejected };
}

function groupByTag(assignments: readonly Assignment[]): Map<string, Assignment[]> {
  const found = new Map<string, Assignment[]>();
  for (const one of assignments) found.set(one.shown_as, [...(found.get(one.shown_as) ?? []), one]);
  return found;
}

function describeTag(name: string, category: string | null, shown: boolean, assignments: readonly Assignment[]): SourcedTag {
  const machines = assignments.filter(isMachine);
  const others = assignments.filter((one) => !isMachine(one));
  const byMachine = machines.length > 0 && others.length === 0;
  const scores = machines.map((one) => one.confidence).filter((score) => score !== null);
  const own = others.find((one) => one.source === 'user') ?? others[0];
  return {
    name,
    category,
    shown,
    byMachine,
    score: byMachine && scores.length ? Math.max(...scores) : null,
    mark: assignments.length ? (own ? (MARKS[own.source] ?? own.source) : 'model') : 'implied',
    why: assignments.length ? `Set ${assignments.map(describeAssignment).join(', ')}` : 'Implied by another tag',
  };
}

function isMachine(one: Assignment): boolean {
  return one.source === 'llm' || one.source === 'vision';
}

function describeAssignment(one: Assignment): string {
  const sure = one.confidence === null ? '' : ` (${Math.round(one.confidence * 100)}%)`;
  const as = one.tag === one.shown_as ? '' : ` as “${one.tag}”`;
  if (one.source === 'user') return `by you${as}`;
  if (one.source === 'prompt') return `by the prompt${as}`;
  if (one.source === 'import') return `by an import${as}`;
  return `by ${one.run || (one.source === 'llm' ? 'a language model' : 'a tagger')}${sure}${as}`;
}

function byName(a: SourcedTag, b: SourcedTag): number {
  return Number(a.byMachine) - Number(b.byMachine) || a.name.localeCompare(b.name);
}

function byScore(a: SourcedTag, b: SourcedTag): number {
  return (b.score ?? 0) - (a.score ?? 0) || a.name.localeCompare(b.name);
}
